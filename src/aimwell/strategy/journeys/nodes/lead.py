"""Lead: hand the customer to sales as a lead, and go on; a wait for `task:` tells when and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from aimwell.core.comparisons import Word
from aimwell.core.text import Text
from aimwell.strategy.journeys.node import Leaving, NodeKind, NodeSettings, Scene, at_once
from aimwell.strategy.journeys.tasks import create_tasks


class LeadSettings(NodeSettings):
    """A lead for sales: who takes it, and what they should know."""

    title: Annotated[str, Field(min_length=1, max_length=200, description="what it is about, in one line")]
    owner: Word = Field(description="the member or team that gets it")
    note: str = Field(default="", max_length=2_000, description="what else they should know")


class Lead(NodeKind[LeadSettings]):
    """One for each visit; it begins open, and people take it on, finish it or reject it."""

    name = "lead"
    instant = True
    label = Text("创建线索", "Create lead")
    about = Text("把客户作为线索交给销售", "hand the customer to sales as a lead")
    settings = LeadSettings
    example: ClassVar[Mapping[str, object]] = {"title": "Wants a loan", "owner": "sales"}

    def ports(self, settings: LeadSettings) -> tuple[str, ...]:
        return ("next",)

    def arrive(self, settings: LeadSettings, scene: Scene) -> None:
        create_tasks(scene, "lead", settings.title, settings.owner, settings.note)

    def leave(self, settings: LeadSettings, scene: Scene) -> Leaving:
        return at_once("next")


LEAD = Lead()
