"""What people write to get a prediction: who is asked about, what is foretold, over which horizon, learnt from when."""

from __future__ import annotations

from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from aimwell.core.comparisons import Duration, Words
from aimwell.core.definitions import Definition, Label
from aimwell.core.errors import BadQuestion
from aimwell.core.rules import PurchaseMatch, Rule
from aimwell.insight.predictions.kind import kind_of
from aimwell.insight.predictions.settings import ModelSettings

_PART = ConfigDict(extra="forbid", frozen=True)


class Purchased(PurchaseMatch):
    """The money paid for certain products (for all, when no filter is given), returns deducted."""


class Balances(BaseModel):
    """By how much balances of some kinds have grown at the end of the horizon; less than nothing counts as nothing."""

    model_config = _PART

    kind: Words | None = Field(default=None, description="deposit, fund, …; by default all kinds together")


class Amount(BaseModel):
    """An amount over the horizon: of purchases, or of balances."""

    model_config = _PART

    purchases: Purchased | None = Field(default=None, description="which purchases; {} for all")
    balances: Balances | None = Field(default=None, description="which balances; {} for all")

    @model_validator(mode="after")
    def _one(self) -> Amount:
        if (self.purchases is None) == (self.balances is None):
            raise ValueError("an amount is either of purchases or of balances")
        return self


class Target(BaseModel):
    """What is foretold: that a rule comes to hold, an amount, or an outcome of the contact itself."""

    model_config = _PART

    happens: Rule | None = Field(default=None, description="a rule over the horizon, such as `not: {purchases: {}}`")
    amount: Amount | None = Field(default=None, description="for the kind how_much")
    outcome: Words | None = Field(default=None, description="kinds of outcome of the contact; with `by: campaign`")

    @model_validator(mode="after")
    def _one(self) -> Target:
        given = [name for name in ("happens", "amount", "outcome") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("say exactly one of: happens, amount, outcome")
        return self


class CutOffs(BaseModel):
    """The moments at which the question is asked of the past: every so many days, or as of each campaign's eve."""

    model_config = _PART

    by: Literal["days", "campaign"] = Field(default="days", description="dates, or the evenings before campaigns")
    every_days: int = Field(default=28, ge=1, description="days between two dates")
    count: int = Field(default=12, ge=1, le=400, description="how many at most, the latest ones")
    earliest: date | None = Field(default=None, description="none before this day")
    latest: date | None = Field(default=None, description="the day on which the dates are counted back from")
    test: int | list[date | str] = Field(
        default=1, description="how many of the last ones are held out to judge by, or which (days, or campaigns)"
    )
    campaigns: list[str] = Field(default_factory=lambda: ["*"], description="which campaigns (patterns)")
    fewest_people: int = Field(default=1, ge=1, description="campaigns that contacted fewer are left out")

    @field_validator("test", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return [value] if isinstance(value, str | date) else value

    @model_validator(mode="after")
    def _held_out(self) -> CutOffs:
        if self.test == [] or (isinstance(self.test, int) and self.test < 1):
            raise ValueError("test: at least one cut-off is held out to judge by")
        return self


class FeatureChoice(BaseModel):
    """Which features are learnt from: names, patterns with *, or `family:NAME`."""

    model_config = _PART

    include: list[str] = Field(default_factory=lambda: ["*"], min_length=1)
    exclude: list[str] = Field(default_factory=list)

    def chosen(self, name: str, family: str) -> bool:
        """Whether a feature of a family is learnt from.

        >>> FeatureChoice(exclude=["family:basic"]).chosen("age", "basic")
        False
        """
        return self._fits(self.include, name, family) and not self._fits(self.exclude, name, family)

    @staticmethod
    def _fits(patterns: list[str], name: str, family: str) -> bool:
        return any(
            fnmatchcase(family, pattern.removeprefix("family:"))
            if pattern.startswith("family:")
            else fnmatchcase(name, pattern)
            for pattern in patterns
        )


class BaselineRule(BaseModel):
    """What one would do without a model; it stands beside every figure."""

    model_config = _PART

    rank_by: list[str] | None = Field(
        default=None,
        min_length=1,
        description="features, the first decides, the next where it ties; - for lowest first",
    )
    amount_of: str | None = Field(default=None, description="a feature that is taken as the amount (kind how_much)")
    times: float = Field(default=1.0, gt=0, description="by what that amount is multiplied")
    last_period: bool = Field(default=False, description="the same as in the period just before")
    same_for_all: bool = Field(default=False, description="the same answer for everybody")
    label: Label | None = Field(default=None, description="how marketers call it")

    @model_validator(mode="after")
    def _one(self) -> BaselineRule:
        given = [bool(self.rank_by), bool(self.amount_of), self.last_period, self.same_for_all]
        if sum(given) != 1:
            raise ValueError("a baseline is exactly one of: rank_by, amount_of, last_period, same_for_all")
        return self


class Flat(BaseModel):
    """A file with one row per person and the answer in a column, without any history behind it."""

    model_config = _PART

    path: str = Field(description="CSV or Parquet file, in the workspace")
    label: str = Field(description="column with the answer")
    positive: bool | int | float | str | None = Field(
        default=None, description="value that means yes; by default 1, true or yes"
    )
    customer: str | None = Field(default=None, description="column with the person's id; by default the row's number")
    order_by: str | None = Field(
        default=None, description="column that puts rows in time, or `row` if the file's rows are in order of time"
    )
    test_share: float = Field(default=0.25, gt=0, lt=1, description="share of the (last) rows held out to judge by")
    unknown: list[str] = Field(
        default_factory=lambda: ["", "NA", "N/A", "null", "unknown"], description="texts that mean: not known"
    )


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _days(value: object) -> object:
    return f"{value}d" if isinstance(value, int) and not isinstance(value, bool) else value


class Prediction(Definition):
    """A named question about the future of customers."""

    folder: ClassVar[str] = "predictions"

    kind: str = Field(description="happens (will it) or how_much (how much will it be)")
    population: Rule | None = Field(
        default=None, description="of whom it is asked, as of the cut-off; empty: everybody"
    )
    target: Target | None = Field(default=None, description="what is foretold")
    horizon_days: int | None = Field(default=None, ge=1, le=3650, description="over how many days")
    gap_days: int = Field(default=0, ge=0, le=365, description="days between the cut-off and the horizon, to act in")
    cut_offs: CutOffs = CutOffs()
    flat: Flat | None = Field(default=None, description="instead of population, target and horizon: a flat file")
    features: FeatureChoice = FeatureChoice()
    model: ModelSettings = ModelSettings()
    baseline: Annotated[list[BaselineRule], BeforeValidator(_listed)] = Field(
        default_factory=list,
        description="one or several; the first is what the model must beat; by default the same as in the last period",
    )
    new_within_days: int = Field(default=90, ge=1, description="customers first seen within so many days are new")
    minimum_positives: int = Field(default=100, ge=1, description="fewer than so many in training are warned of")
    refit: Annotated[Duration, BeforeValidator(_days)] = Field(
        default=timedelta(days=28), description="how often it is learnt anew"
    )
    promotion: Literal["better", "not_worse"] = Field(
        default="not_worse", description="what a newly learnt model must be, on later time, to replace the one in use"
    )
    lists: list[int] = Field(default_factory=lambda: [100, 500, 1000], description="sizes of lists to report on")

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, value: str) -> str:
        try:
            kind_of(value)
        except BadQuestion as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("lists")
    @classmethod
    def _sizes(cls, value: list[int]) -> list[int]:
        if not value or min(value) < 1:
            raise ValueError("lists have at least one customer: write numbers from 1 on")
        return sorted(set(value))

    @model_validator(mode="after")
    def _whole(self) -> Prediction:
        if self.flat is not None:
            extra = [name for name in ("population", "target", "horizon_days") if getattr(self, name) is not None]
            if extra:
                raise ValueError(f"a flat file has its answer in a column: leave out {', '.join(extra)}")
            return self
        absent = [name for name in ("target", "horizon_days") if getattr(self, name) is None]
        if absent:
            raise ValueError(f"say {' and '.join(absent)} (or give a flat file)")
        self._refuse_mixed()
        return self

    def _refuse_mixed(self) -> None:
        target = self.target
        if target is None:
            return
        if (self.kind == "how_much") != (target.amount is not None):
            raise ValueError("kind how_much foretells an amount, kind happens a rule or an outcome")
        if (target.outcome is not None) != (self.cut_offs.by == "campaign"):
            raise ValueError("an outcome of the contact needs cut_offs with `by: campaign`, and the other way round")
