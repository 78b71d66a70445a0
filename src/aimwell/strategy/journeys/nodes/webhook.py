"""Webhook: tell another system, through the outbox like every message, and go on at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field
from sqlalchemy import literal

from aimwell.core.comparisons import Duration, Word
from aimwell.core.text import Text
from aimwell.strategy.journeys.intents import write_intents
from aimwell.strategy.journeys.moving import moving
from aimwell.strategy.journeys.node import Leaving, NodeKind, NodeSettings, Scene, at_once
from aimwell.strategy.journeys.predicates import plain


class WebhookSettings(NodeSettings):
    """What is told, and by which channel."""

    content: Word = Field(description="name of a content whose text is what is posted")
    channel: Word = Field(default="webhook", description="name of a channel of kind webhook")
    expires_after: Duration | None = Field(default=None, description="not told if it could not be within this time")


class Webhook(NodeKind[WebhookSettings]):
    """A service message: it needs no consent to marketing, and keys and attempts are those of any message."""

    name = "webhook"
    instant = True
    label = Text("通知系统", "Webhook")
    about = Text("通知另一个系统", "tell another system")
    settings = WebhookSettings
    example: ClassVar[Mapping[str, object]] = {"content": "order_shipped"}

    def ports(self, settings: WebhookSettings) -> tuple[str, ...]:
        return ("next",)

    def channels(self, settings: WebhookSettings) -> tuple[str, ...]:
        return (settings.channel,)

    def contents(self, settings: WebhookSettings) -> frozenset[str]:
        return frozenset({settings.content})

    def messages(self, settings: WebhookSettings) -> tuple[tuple[str, str], ...]:
        return ((settings.content, settings.channel),)

    def arrive(self, settings: WebhookSettings, scene: Scene) -> None:
        write_intents(
            scene,
            scene.arriving,
            visit=scene.visit,
            step=literal(1),
            channel=literal(settings.channel),
            content=literal(settings.content),
            at=plain(moving.c.at),
            purpose="service",
            priority=0,
            expires_after=settings.expires_after,
        )

    def leave(self, settings: WebhookSettings, scene: Scene) -> Leaving:
        return at_once("next")


WEBHOOK = Webhook()
