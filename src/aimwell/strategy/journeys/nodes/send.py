"""Send a message: write an intent into the outbox, and go on at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field
from sqlalchemy import literal

from aimwell.core.comparisons import Duration, Word
from aimwell.core.text import Text
from aimwell.strategy.journeys.intents import write_intents
from aimwell.strategy.journeys.moving import moving
from aimwell.strategy.journeys.node import Leaving, NodeKind, NodeSettings, Scene, at_once
from aimwell.strategy.journeys.predicates import plain


class SendSettings(NodeSettings):
    """Which content goes out by which channel."""

    channel: Word = Field(description="name of a channel of the workspace")
    content: Word = Field(description="name of a content")
    purpose: Literal["marketing", "service"] = Field(default="marketing", description="which consent it needs")
    priority: int = Field(
        default=0, ge=-100, le=100, description="the higher goes first where a cap leaves room for one"
    )
    expires_after: Duration | None = Field(default=None, description="not sent if it could not be within this time")


class Send(NodeKind[SendSettings]):
    """Delivery decides afterwards whether the message may leave; the journey does not wait for it."""

    name = "send"
    instant = True
    label = Text("发送", "Send")
    about = Text("通过一个渠道发送一条内容", "send a content by one channel")
    settings = SendSettings
    example: ClassVar[Mapping[str, object]] = {"channel": "push", "content": "hello"}

    def ports(self, settings: SendSettings) -> tuple[str, ...]:
        return ("next",)

    def channels(self, settings: SendSettings) -> tuple[str, ...]:
        return (settings.channel,)

    def contents(self, settings: SendSettings) -> frozenset[str]:
        return frozenset({settings.content})

    def messages(self, settings: SendSettings) -> tuple[tuple[str, str], ...]:
        return ((settings.content, settings.channel),)

    def arrive(self, settings: SendSettings, scene: Scene) -> None:
        write_intents(
            scene,
            scene.arriving,
            visit=scene.visit,
            step=literal(1),
            channel=literal(settings.channel),
            content=literal(settings.content),
            at=plain(moving.c.at),
            purpose=settings.purpose,
            priority=settings.priority,
            expires_after=settings.expires_after,
        )

    def leave(self, settings: SendSettings, scene: Scene) -> Leaving:
        return at_once("next")


SEND = Send()
