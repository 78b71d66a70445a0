"""Score: add to a number in the customer's profile; each visit counts exactly once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, field_validator, model_validator
from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    MetaData,
    Table,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    null,
    select,
    type_coerce,
)

from aimwell.core.comparisons import Number, Word
from aimwell.core.text import Text as Words
from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.schema.enrolments import addition
from aimwell.store.ledger.schema.people import profile
from aimwell.store.ledger.scratch import lay_out
from aimwell.store.ledger.writes import insert_new_from
from aimwell.strategy.journeys.moving import moving
from aimwell.strategy.journeys.node import Leaving, Micros, NodeKind, NodeSettings, Scene, at_once
from aimwell.strategy.journeys.predicates import plain
from aimwell.strategy.journeys.values import say

_added = Table(
    "added_by_node",
    MetaData(),
    Column("key", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    prefixes=["TEMPORARY"],
)


class ScoreSettings(NodeSettings):
    """What is added to which score, and the bounds in which it stays."""

    name: Word = Field(description="name of the score, such as lead_score")
    add: Number = Field(description="how much is added; negative to take away")
    at_least: Number | None = Field(default=None, description="it never falls below this")
    at_most: Number | None = Field(default=None, description="it never rises above this")
    start: Number = Field(default=0, description="what it counts as where there is none yet")

    @field_validator("add")
    @classmethod
    def _adds_something(cls, add: float) -> float:
        if add == 0:
            raise ValueError("add something other than 0")
        return add

    @model_validator(mode="after")
    def _bounds_in_order(self) -> ScoreSettings:
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least} is above at_most {self.at_most}")
        return self


class Score(NodeKind[ScoreSettings]):
    """What was added is kept by key, so that a visit that is looked at again adds nothing."""

    name = "score"
    instant = True
    label = Words("加分", "Score")
    about = Words("给客户的一项分数加分或减分", "add to a score of the customer, or take away")
    settings = ScoreSettings
    example: ClassVar[Mapping[str, object]] = {"name": "lead_score", "add": 10, "at_most": 100}

    def ports(self, settings: ScoreSettings) -> tuple[str, ...]:
        return ("next",)

    def arrive(self, settings: ScoreSettings, scene: Scene) -> None:
        connection = scene.connection
        lay_out(connection, _added)
        coming = select(scene.key.label("key"), moving.c.customer_id, moving.c.at).where(scene.arriving).subquery()
        fresh = select(*coming.c).where(~exists().where(addition.c.key == coming.c.key))
        connection.execute(insert(_added).from_select(["key", "customer_id", "at"], fresh))
        kept = select(
            _added.c.key, _added.c.customer_id, literal(settings.name), literal(float(settings.add)), _added.c.at
        )
        insert_new_from(connection, addition, ["key", "customer_id", "name", "amount", "at"], kept)
        sums = (
            select(
                _added.c.customer_id,
                (func.count() * literal(float(settings.add))).label("amount"),
                func.max(plain(_added.c.at)).label("at"),
                func.max(_added.c.key).label("ref"),
            )
            .group_by(_added.c.customer_id)
            .subquery()
        )
        theirs = and_(profile.c.customer_id == sums.c.customer_id, profile.c.name == settings.name)
        stated: Micros = func.coalesce(plain(profile.c.stated_at), plain(profile.c.since))
        words = (
            select(
                sums.c.customer_id,
                cast(null(), Text),
                _bounded(func.coalesce(profile.c.number, literal(float(settings.start))) + sums.c.amount, settings),
                case((stated > sums.c.at, stated), else_=sums.c.at),
                sums.c.ref,
            )
            .select_from(sums)
            .outerjoin(profile, theirs)
        )
        say(connection, settings.name, words)

    def leave(self, settings: ScoreSettings, scene: Scene) -> Leaving:
        return at_once("next")


def _bounded(number: ColumnElement[float], settings: ScoreSettings) -> ColumnElement[float]:
    bounded = number
    if settings.at_most is not None:
        bounded = case((bounded > settings.at_most, literal(float(settings.at_most))), else_=bounded)
    if settings.at_least is not None:
        bounded = case((bounded < settings.at_least, literal(float(settings.at_least))), else_=bounded)
    return type_coerce(bounded, Float)


SCORE = Score()
