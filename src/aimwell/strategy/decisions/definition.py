"""What people write to have something decided: for whom, among which treatments, within which limits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aimwell.core.comparisons import Duration
from aimwell.core.definitions import Definition, Label
from aimwell.core.rules import Rule

_PART = ConfigDict(extra="forbid", frozen=True)
_WORD = r"^[a-z][a-z0-9_]{0,62}$"

NOTHING = "nothing"
ANY = "*"
ASSUMED = 1.0
"""From this error on, as a share of the gain, nothing was measured: there may be no gain at all."""


class Gain(BaseModel):
    """Where the expected gain of a treatment comes from; in money after `times`."""

    model_config = _PART

    prediction: str | None = Field(default=None, description="the last scores of this prediction")
    tag: str | None = Field(default=None, description="or a tag")
    amount: float | None = Field(default=None, allow_inf_nan=False, description="or one amount for everybody")
    effect: str | None = Field(
        default=None, description="or the last scores of this effect, which an experiment measured; its error is known"
    )
    arm: str | None = Field(default=None, description="which arm of the effect; needed where it has several")
    times: float = Field(default=1.0, allow_inf_nan=False, description="money for each unit of it")
    error: float = Field(
        default=1.0,
        ge=0,
        allow_inf_nan=False,
        description="standard error of the mean gain as a share of it, from the experiment that measured it; "
        "1, as long as nothing was measured, means that it may well be nothing",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Gain:
        if sum(each is not None for each in (self.prediction, self.tag, self.amount, self.effect)) != 1:
            raise ValueError("name one of prediction, tag, amount or effect")
        if self.arm is not None and self.effect is None:
            raise ValueError("arm: is that of an effect; name the effect too")
        if self.effect is not None and "error" in self.model_fields_set:
            raise ValueError("error: comes from the experiment that measured the effect; leave it out")
        return self


class Treatment(BaseModel):
    """One of the things that may be done for a customer."""

    model_config = _PART

    label: Label | None = Field(default=None, description="what marketers read; by default its name")
    channel: str = Field(min_length=1, description="channel by which it reaches people")
    offer: str = Field(default="", description="offer that is proposed")
    cost: float = Field(default=0.0, ge=0, allow_inf_nan=False, description="money for each customer who gets it")
    cost_tag: str | None = Field(default=None, description="a tag that holds each customer's cost, instead of `cost`")
    gain: Gain = Field(description="what it adds to doing nothing")
    who: Rule | None = Field(default=None, description="who may get it; by default the whole audience")
    messages: int = Field(default=1, ge=0, description="messages that a customer gets with it")
    at_most: int | None = Field(default=None, ge=0, description="customers who get it, at most")
    at_least: int = Field(default=0, ge=0, description="customers who get it, at least")


class Fatigue(BaseModel):
    """What recent messages cost in patience, and when there are enough."""

    model_config = _PART

    recent: str = Field(description="tag that counts a customer's recent messages")
    price: float = Field(
        default=0.0, ge=0, allow_inf_nan=False, description="lost gain of a message for each one before it"
    )
    cap: int | None = Field(default=None, ge=0, description="messages, recent ones included, at most")


class Cells(BaseModel):
    """A table that people can read: what they would do by stage and value; judged beside the decision."""

    model_config = _PART

    stage: str = Field(description="tag or attribute of the profile whose words are the rows")
    value: str = Field(description="tag whose words are the columns")
    give: Mapping[str, Mapping[str, str]] = Field(
        default_factory=dict,
        description="treatment by stage and value, such as {fading: {high: offer}, lost: {'*': nothing}}; * is any",
    )


class Counted(BaseModel):
    """What is counted afterwards of each customer, held out or not: it is compared with what was expected."""

    model_config = _PART

    within: Duration = Field(default=timedelta(days=28), description="purchases so long after the decision count")
    times: float = Field(
        default=1.0, gt=0, allow_inf_nan=False, description="money for each unit of their amount, such as the margin"
    )


class Decision(Definition):
    """Which treatment for which customer, or nothing, so that most is gained within the limits."""

    folder: ClassVar[str] = "decisions"

    audience: Rule = Field(description="about whom something is decided")
    treatments: Mapping[str, Treatment] = Field(min_length=1, description="what may be done, by name")
    budget: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="money in all; none: no limit")
    currency: str = Field(
        default="", description="of the money here; by default, and otherwise refused, the workspace's"
    )
    channels: Mapping[str, int] = Field(default_factory=dict, description="customers whom a channel can take, at most")
    fatigue: Fatigue | None = Field(default=None, description="what recent messages cost")
    explore: float = Field(default=0.0, ge=0, le=0.5, description="share of customers whose treatment is drawn by lot")
    hold_out: float = Field(default=0.05, ge=0, le=0.9, description="share of customers who get nothing, by lot")
    cells: Cells | None = Field(default=None, description="a readable table beside the decision")
    outcome: Counted = Field(default_factory=Counted, description="what is counted afterwards")
    every: Literal["hour", "day", "week"] | None = Field(
        default=None, description="how often a running workspace decides anew by itself; by default only when asked"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Decision:
        if NOTHING in self.treatments:
            raise ValueError(f"{NOTHING!r} is always there; do not list it among the treatments")
        channels = {each.channel for each in self.treatments.values()}
        if unknown := sorted(set(self.channels) - channels):
            raise ValueError(f"no treatment uses the channel {unknown[0]!r} (known: {', '.join(sorted(channels))})")
        given = {name for row in (self.cells.give if self.cells else {}).values() for name in row.values()}
        if unknown := sorted(given - {NOTHING, *self.treatments}):
            raise ValueError(f"cells name the treatment {unknown[0]!r}, which is not listed")
        if self.outcome.within <= timedelta(0):
            raise ValueError("outcome: within must be longer than nothing, such as 28d")
        for name, each in self.treatments.items():
            if each.at_most is not None and each.at_least > each.at_most:
                raise ValueError(f"{name}: at_least {each.at_least} contradicts at_most {each.at_most}")
        return self
