"""Enter: let the customer into another journey, and go on here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field
from sqlalchemy import insert, literal, select

from aimwell.core.comparisons import Word
from aimwell.core.text import Text
from aimwell.store.ledger.schema.enrolments import knock
from aimwell.strategy.journeys.moving import moving
from aimwell.strategy.journeys.node import Leaving, NodeKind, NodeSettings, Place, Scene, at_once


class EnterSettings(NodeSettings):
    """Which journey."""

    journey: Word = Field(description="name of the journey; its own rules decide whether the customer comes in")


class Enter(NodeKind[EnterSettings]):
    """Knocks at the other journey's door with the key of this visit, so that it lets in once what comes twice."""

    name = "enter"
    instant = True
    label = Text("进入旅程", "Enter")
    about = Text("让客户进入另一个旅程", "let the customer into another journey")
    settings = EnterSettings
    example: ClassVar[Mapping[str, object]] = {"journey": "reactivation"}

    def ports(self, settings: EnterSettings) -> tuple[str, ...]:
        return ("next",)

    def journeys(self, settings: EnterSettings) -> frozenset[str]:
        return frozenset({settings.journey})

    def problems(self, settings: EnterSettings, place: Place) -> Iterator[str]:
        if settings.journey == place.journey:
            yield "a journey does not enter itself: lead back to its first node instead"

    def arrive(self, settings: EnterSettings, scene: Scene) -> None:
        coming = select(
            literal(settings.journey), moving.c.customer_id, literal("enter:") + scene.key, moving.c.at
        ).where(scene.arriving)
        columns = ["journey", "customer_id", "cause", "at"]
        scene.connection.execute(insert(knock).from_select(columns, coming.order_by(moving.c.at, moving.c.id)))

    def leave(self, settings: EnterSettings, scene: Scene) -> Leaving:
        return at_once("next")


ENTER = Enter()
