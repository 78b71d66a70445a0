"""Branch: go one way or another by what is known of the customer at that moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, model_validator
from sqlalchemy import ColumnElement, case, literal

from aimwell.core.comparisons import Part, Word
from aimwell.core.text import Text
from aimwell.strategy.journeys.conditions import Condition
from aimwell.strategy.journeys.moving import moving
from aimwell.strategy.journeys.node import Leaving, NodeKind, NodeSettings, Scene
from aimwell.strategy.journeys.predicates import holds, plain


class Case(Part):
    """One way out, and for whom."""

    port: Word
    if_: Condition = Field(alias="if")


class BranchSettings(NodeSettings):
    """Either one condition with the ports yes and no, or several cases of which the first that holds counts."""

    if_: Condition | None = Field(default=None, alias="if", description="leads to yes where it holds, else to no")
    cases: tuple[Case, ...] = Field(default=(), description="the first whose condition holds; else otherwise")

    @model_validator(mode="after")
    def _one_of_both(self) -> BranchSettings:
        if (self.if_ is None) == (not self.cases):
            raise ValueError("give either if: or cases:")
        ports = [each.port for each in self.cases]
        if len(set(ports)) < len(ports) or "otherwise" in ports:
            raise ValueError("the ports of cases differ from each other, and none is called otherwise")
        return self


class Branch(NodeKind[BranchSettings]):
    """Events and answers count if they occurred up to the moment of coming; everything else as the ledger knows it."""

    name = "branch"
    instant = True
    label = Text("分支", "Branch")
    about = Text("按条件走不同的路", "go one way or another by a condition")
    settings = BranchSettings
    example: ClassVar[Mapping[str, object]] = {"if": {"attribute": "city", "is": "上海"}}

    def ports(self, settings: BranchSettings) -> tuple[str, ...]:
        return ("yes", "no") if settings.if_ is not None else (*(each.port for each in settings.cases), "otherwise")

    def leave(self, settings: BranchSettings, scene: Scene) -> Leaving:
        at = plain(moving.c.at)
        ways: list[tuple[ColumnElement[bool], ColumnElement[str]]]
        if settings.if_ is not None:
            ways, other = [(holds(settings.if_, at), literal("yes"))], "no"
        else:
            ways, other = [(holds(each.if_, at), literal(each.port)) for each in settings.cases], "otherwise"
        return Leaving(case(*ways, else_=literal(other)), at)


BRANCH = Branch()
