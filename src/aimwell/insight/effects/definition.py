"""What people write to learn whom a treatment changes: the lottery, the outcome, the horizon, who is asked about."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from aimwell.core.definitions import Definition
from aimwell.core.rules import Rule
from aimwell.insight.predictions.definition import Amount, CutOffs, FeatureChoice, Prediction
from aimwell.insight.predictions.definition import Target as Foretold

_PART = ConfigDict(extra="forbid", frozen=True)
_SUM = 1e-6


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Lottery(BaseModel):
    """Who got what by lot: the campaigns, the column of the touches that names the arm, and the probabilities."""

    model_config = _PART

    campaigns: Annotated[list[str], BeforeValidator(_listed)] = Field(
        default_factory=list, description="which campaigns (patterns); each must have drawn its arms by lot"
    )
    decision: str | None = Field(
        default=None, description="or a decision of the workspace that explores: what it drew, and how likely, is known"
    )
    among: list[str] = Field(default_factory=list, description="of a decision: the treatments that are its arms")
    arm: Literal["offer_id", "creative_id", "channel", "node", "journey"] = Field(
        default="offer_id", description="column of the table touch that names the arm"
    )
    control: str = Field(
        default="nothing", description="the arm that got nothing (or the usual thing), against which effects are told"
    )
    untouched: bool = Field(
        default=False,
        description="the control group has no touches: it is everybody else of the population at the campaign's start",
    )
    arms: dict[str, float] = Field(
        default_factory=dict,
        description="of campaigns: all arms, the control group too, with the probability with which each was drawn",
    )
    logged: bool = Field(
        default=False, description="probabilities differ by customer and stand in touch.probability (two arms only)"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Lottery:
        if bool(self.campaigns) == (self.decision is not None):
            raise ValueError("say exactly one of: campaigns, decision")
        if self.decision is None and self.among:
            raise ValueError("among: belongs to a decision; campaigns name their arms under `arms`")
        if self.decision is not None and (self.arms or self.logged or self.untouched):
            raise ValueError(
                "decision: its probabilities are known, so arms, logged and untouched are left out; name the "
                "treatments under `among`"
            )
        if self.decision is not None and (not self.among or self.control in self.among):
            raise ValueError(f"among: name one treatment or more, beside the control {self.control!r}")
        return self

    @model_validator(mode="after")
    def _drawn(self) -> Lottery:
        if self.decision is not None:
            return self
        if len(self.arms) < 2:
            raise ValueError("arms: name two or more, the control group too, with their probabilities")
        if self.control not in self.arms:
            raise ValueError(f"control: {self.control!r} is not one of the arms ({', '.join(self.arms)})")
        certain = [name for name, chance in self.arms.items() if not 0 < chance < 1]
        if certain:
            raise ValueError(
                f"arms: the probability of {certain[0]!r} is {self.arms[certain[0]]:g}; an arm that is certain or "
                "impossible tells nothing about an effect: leave it out, and give every arm a random share"
            )
        if abs(sum(self.arms.values()) - 1) > _SUM:
            raise ValueError(f"arms: the probabilities sum to {sum(self.arms.values()):g}, not to 1")
        if self.logged and (len(self.arms) != 2 or self.untouched):
            raise ValueError(
                "logged: one logged probability per touch tells those of two touched arms; for more arms, or an "
                "untouched control group, write the probabilities under `arms`"
            )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The arms, the control group first."""
        return (self.control, *(name for name in (self.among or self.arms) if name != self.control))


class Change(BaseModel):
    """What the treatment should change: that a rule comes to hold, or an amount."""

    model_config = _PART

    happens: Rule | None = Field(default=None, description="a rule over the horizon, such as `purchases: {}`")
    amount: Amount | None = Field(default=None, description="an amount over the horizon, such as `purchases: {}`")

    @model_validator(mode="after")
    def _one(self) -> Change:
        if (self.happens is None) == (self.amount is None):
            raise ValueError("say exactly one of: happens, amount")
        return self


class Depths(BaseModel):
    """Discounts of different depth, each an arm: which earns most, after it is paid to everybody who takes it."""

    model_config = _PART

    kind: Literal["coupon"] = Field(default="coupon", description="what differs between people; a list price may not")
    off: dict[str, float] = Field(
        min_length=2, description="share taken off the price in each arm, such as {hold_out: 0, ten_off: 0.1}"
    )
    margin: float = Field(gt=0, lt=1, description="share of the price that is profit before any discount")
    price: float | None = Field(default=None, gt=0, description="what a customer pays without a discount")
    price_tag: str | None = Field(default=None, description="or the tag that tells it for each customer")
    contact: float = Field(default=0.0, ge=0, description="money that making the offer costs")
    history: Annotated[list[str], BeforeValidator(_listed)] = Field(
        default_factory=list, description="past campaigns (patterns) with these offers: by segment and category only"
    )
    by: str = Field(default="", description="tag whose words are the segments of the past; by default all together")

    @field_validator("kind", mode="before")
    @classmethod
    def _coupon(cls, value: object) -> object:
        if value != "coupon":
            raise ValueError(f"kind: {value!r} may not differ between people; only a coupon may")
        return value

    @model_validator(mode="after")
    def _shares(self) -> Depths:
        if (self.price is None) == (self.price_tag is None):
            raise ValueError("depths: say exactly one of: price, price_tag")
        odd = [name for name, share in self.off.items() if not 0 <= share < 1]
        if odd:
            raise ValueError(f"off: the depth of {odd[0]!r} is {self.off[odd[0]]:g}, not a share from 0 to below 1")
        return self


class Effect(Definition):
    """A named question about whom a treatment changes, answered from campaigns that were drawn by lot."""

    folder: ClassVar[str] = "effects"

    treatment: Lottery = Field(description="who got what, by lot")
    population: Rule | None = Field(default=None, description="of whom it is asked, on the eve of a campaign")
    target: Change = Field(description="what the treatment should change")
    horizon_days: int = Field(ge=1, le=3650, description="over how many days from the eve of the campaign")
    features: FeatureChoice = FeatureChoice()
    forbidden: list[str] = Field(
        default_factory=list,
        description="patterns of attributes never to be learnt from, beside those that never are (gender, religion, …)",
    )
    watch: list[str] = Field(
        default_factory=list, description="features by whose groups the spread of offers is reported"
    )
    depths: Depths | None = Field(default=None, description="if the arms are discounts: which depth earns most")
    buyer_from: float = Field(
        default=0.5, ge=0, description="outcome expected without treatment from which somebody counts as a sure thing"
    )
    margin: float = Field(default=0.0, ge=0, description="effects as small as this do not pay for the treatment")
    test_share: float = Field(
        default=0.3, gt=0, lt=1, description="share of customers held out to judge by, when there is one campaign only"
    )
    false_alarm: float = Field(
        default=0.05, gt=0, le=0.5, description="how often a difference may be claimed where there is none"
    )

    @field_validator("watch")
    @classmethod
    def _different(cls, value: list[str]) -> list[str]:
        if len(set(value)) != len(value):
            raise ValueError("watch: a feature is named twice")
        return value

    @model_validator(mode="after")
    def _depths(self) -> Effect:
        if self.depths is None:
            return self
        if self.target.happens is None:
            raise ValueError("depths: a depth is paid whenever somebody buys, so the target is `happens`, not `amount`")
        names = self.treatment.names
        if set(self.depths.off) != set(names):
            raise ValueError(f"depths: off names the depth of each arm: {', '.join(names)}")
        if self.depths.off[names[0]] != 0:
            raise ValueError(f"depths: the control group {names[0]!r} gets no discount, so its depth is 0")
        return self

    def question(self) -> Prediction:
        """The same as a question about the future, so that population, features and answers are those of predictions.

        The eve of each campaign is its cut-off; questions about campaigns usually ask for an outcome of the contact,
        which an untouched control group cannot have, so that check is passed over here.
        """
        asked = Prediction(
            name=self.name,
            label=self.label,
            kind="how_much" if self.target.amount is not None else "happens",
            population=self.population,
            target=Foretold(happens=self.target.happens, amount=self.target.amount),
            horizon_days=self.horizon_days,
            features=self.features,
        )
        if self.treatment.decision is not None:
            return asked
        eves = CutOffs(by="campaign", campaigns=self.treatment.campaigns, count=400)
        return asked.model_copy(update={"cut_offs": eves})
