"""What people write to get a recommender: which items, for whom, from which candidates, under which limits."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from aimwell.core.definitions import Definition
from aimwell.core.rules import Rule
from aimwell.insight.predictions.settings import TreeSettings

_PART = ConfigDict(extra="forbid", frozen=True)

Level = Literal["product", "subcategory", "category", "department", "brand"]
_LINES: dict[Level, Level | None] = {
    "product": "category",
    "subcategory": "category",
    "category": "department",
    "department": None,
    "brand": None,
}


class Candidates(BaseModel):
    """Where candidates come from: every generator there is, or some of them."""

    model_config = _PART

    generators: list[str] = Field(
        default_factory=lambda: ["*"], min_length=1, description="names, or * for all that can work on the data"
    )
    without: list[str] = Field(default_factory=list, description="names of generators that are left out")
    each: int = Field(default=60, ge=1, le=1000, description="candidates of one customer by one generator, at most")
    most: int = Field(default=200, ge=1, le=5000, description="candidates of one customer in all, at most")


class Eligible(BaseModel):
    """What may be recommended to whom; each limit holds where the data say something about it."""

    model_config = _PART

    again: bool = Field(default=True, description="whether what a customer bought may be recommended again")
    sold_within_days: int = Field(
        default=84, ge=1, description="on sale: sold within so many days, or in the catalogue with a first day since"
    )
    stock: bool = Field(default=True, description="nothing whose stock is known to be 0")
    risk: bool = Field(default=True, description="nothing above the customer's tested risk level")
    assessed_within_days: int = Field(default=365, ge=1, description="a risk test older than this has expired")


class Learning(BaseModel):
    """How the booster learns."""

    model_config = _PART

    days: int = Field(default=10, ge=1, le=365, description="days whose buyers it learns from")
    most_people: int = Field(default=500, ge=10, description="buyers of a day learnt from, at most; more are sampled")
    others: int = Field(default=12, ge=1, description="pairs not bought that are learnt from for each pair bought")
    trees: TreeSettings = TreeSettings(
        rounds=120, learning_rate=0.08, leaves=31, depth=-1, min_rows=80, columns_share=0.4, rows_share=0.8, bags=1
    )
    novel: TreeSettings = Field(
        default=TreeSettings(
            rounds=150, learning_rate=0.04, leaves=8, depth=-1, min_rows=200, columns_share=0.4, rows_share=0.8, bags=1
        ),
        description="trees that learn from what was never bought before alone, and then speak for it with the others",
    )


class Diversity(BaseModel):
    """How mixed a list is."""

    model_config = _PART

    most_of_a_line: int | None = Field(default=None, ge=1, description="items of one line in a list, at most")


class Say(BaseModel):
    """The business's own say about some items: pinned to a place, buried at the end, or never shown."""

    model_config = _PART

    action: Literal["pin", "bury", "never"]
    items: list[str] = Field(default_factory=list, description="ids or names of items, as the recommender knows them")
    line: str | None = Field(default=None, description="or all items of this line")
    place: int = Field(default=1, ge=1, description="for pin: the place in the list")
    since: date | None = Field(default=None, description="first day, empty: from the beginning")
    until: date | None = Field(default=None, description="last day, included; empty: for good")
    why: str = Field(min_length=3, description="the reason, kept with every list that it changed")

    @model_validator(mode="after")
    def _about_something(self) -> Say:
        if bool(self.items) == (self.line is not None):
            raise ValueError("say which items, or which line (not both)")
        if self.action == "pin" and self.line is not None:
            raise ValueError("a pin holds items, not a whole line")
        if self.since and self.until and self.until < self.since:
            raise ValueError("until lies before since")
        return self

    def holds(self, today: date) -> bool:
        """Whether it is in force on a day."""
        return (self.since is None or self.since <= today) and (self.until is None or today <= self.until)


class Recommender(Definition):
    """Which items for which customer: lists of candidates, ranked by how likely they are bought next."""

    folder: ClassVar[str] = "recommenders"

    level: Level = Field(default="product", description="what an item is: a product, or a group of products")
    line: Level | None = Field(
        default=None, description="coarser groups in which items stand; by default the level above"
    )
    population: Rule | None = Field(default=None, description="for whom lists are made; empty: all who ever bought")
    horizon_days: int = Field(default=1, ge=1, le=365, description="bought within so many days counts as bought")
    candidates: Candidates = Candidates()
    eligible: Eligible = Eligible()
    learn: Learning = Learning()
    list_size: int = Field(default=10, ge=1, le=200, description="items recommended to a customer")
    diversity: Diversity = Diversity()
    expert_by: list[str] = Field(
        default_factory=list,
        description="attributes of customers that make the segments of the expert rule; by default how much they buy",
    )
    cold_buyers: int = Field(default=10, ge=1, description="an item with fewer buyers so far is cold")
    say: list[Say] = Field(default_factory=list, description="what the business wants of some items")

    @property
    def stands_in(self) -> Level | None:
        """The level of the lines in which items stand; None where there is none above."""
        return self.line or _LINES[self.level]

    @field_validator("expert_by")
    @classmethod
    def _once(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError("an attribute is named twice")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Recommender:
        if self.line == self.level:
            raise ValueError("the line is coarser than the level of items")
        if self.candidates.most < self.list_size:
            raise ValueError("candidates.most is smaller than list_size")
        return self
