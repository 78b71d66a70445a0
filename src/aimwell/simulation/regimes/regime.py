"""The frozen regimes: how people of a simulated market need, answer, tire and talk. Read from one file, never tuned."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from aimwell.core.errors import BadInput, BadQuestion

BusinessName = Literal["bank", "shop"]
_FILE = "regimes.toml"
_ALMOST = 1e-9


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(_Frozen):
    """What a marketer reads, in Chinese and English."""

    zh: str
    en: str


class Line(_Frozen):
    """A line of products: how often a mean customer buys from it by themselves, and what a sale earns.

    price and margin in CNY; the margin is that of every product of the line, prices vary around `price`.
    The first of `risks` is 1, and a product of it is always on sale, so that everybody can buy from every line.
    """

    name: str
    label: Label
    daily: float = Field(gt=0, lt=0.05)
    price: float = Field(gt=0)
    margin: float = Field(gt=0)
    risks: tuple[int, ...] = ()
    terms: tuple[int, ...] = ()
    themes: tuple[str, str, str, str]


class ChannelRate(_Frozen):
    """A way to reach people: cost in CNY a message, share that can be reached, share of messages seen.

    force: how much stronger than a message it moves who sees it.   weight: share of people who like it best.
    """

    name: str
    cost: float = Field(ge=0)
    reached: float = Field(ge=0, le=1)
    seen: float = Field(ge=0, le=1)
    force: float = Field(gt=0)
    weight: float = Field(gt=0)


class Business(_Frozen):
    """What a company sells and through which channels it speaks.

    persuasion: chance that a persuadable customer of mean need buys on seeing a message.   view_rate: views a day for
    a mean need in one line.   friends: how many each tells of a purchase; `heard`: what that adds to a friend's need
    (1: a mean need); `remembered`: share of it left a day later.
    """

    label: Label
    persuasion: float = Field(ge=0, le=1)
    view_rate: float = Field(ge=0)
    friends: int = Field(ge=0)
    heard: float = Field(ge=0)
    remembered: float = Field(ge=0, lt=1)
    lines: tuple[Line, ...] = Field(min_length=1)
    channels: tuple[ChannelRate, ...] = Field(min_length=1)

    def line(self, name: str) -> int:
        """The place of a line."""
        return [each.name for each in self.lines].index(name)

    def channel(self, name: str) -> int:
        """The place of a channel. Raises BadQuestion for one that the company does not have."""
        names = [each.name for each in self.channels]
        if name not in names:
            raise BadQuestion(f"There is no channel {name!r} in this market", expected=f"one of {', '.join(names)}")
        return names.index(name)


class Stratum(_Frozen):
    """A kind of people: how much they buy by themselves, how easily a message moves them, whether it puts them off.

    base: times a mean customer.   persuasion: times that of the business.   provoked: share of a day's own purchases
    that seeing a message drives away.
    """

    name: str
    share: float = Field(gt=0, le=1)
    base: float = Field(ge=0)
    persuasion: float = Field(ge=0, le=1)
    provoked: float = Field(ge=0, le=1)


class Regime(_Frozen):
    """How people differ and answer; see the reasons at the top of the file.

    visible: correlation of the latent scores with what the company knows.   affinity_spread: of the logarithm of
    needs.   taste, habit: how strongly people prefer themes and channels, 0 not at all.   off_hour: share of answers
    left at the wrong hour.   seekers: share who need a discount.   spell_factor: need while it is felt over mean need.
    fatigue: factor per level; recovery: chance a day to lose a level; leaving: chance to unsubscribe per message.
    change_day: the first day on which other people are moved, on other channels, for other needs.
    """

    label: Label
    meaning: Label
    business: BusinessName
    days: int = Field(ge=1)
    newcomers_per_month: float = Field(ge=0)
    visible: float = Field(ge=0, le=1)
    affinity_spread: float = Field(ge=0)
    taste: float = Field(ge=0, lt=1)
    habit: float = Field(ge=0, le=2)
    off_hour: float = Field(gt=0, le=1)
    seekers: float = Field(ge=0, le=1)
    spell_factor: float = Field(ge=1, le=5)
    fatigue: float = Field(gt=0, le=1)
    recovery: float = Field(ge=0, le=1)
    leaving: float = Field(ge=0, le=0.1)
    word_of_mouth: bool
    change_day: int | None = None
    strata: tuple[Stratum, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _adds_up(self) -> Regime:
        shares = sum(each.share for each in self.strata)
        bases = sum(each.share * each.base for each in self.strata)
        if abs(shares - 1) > _ALMOST or abs(bases - 1) > _ALMOST:
            raise ValueError(f"shares of strata add up to {shares}, bases to {bases}; both must be 1")
        return self


class Manner(_Frozen):
    """What holds of people in every regime; see the file for the meaning of each number."""

    spell_days: int = Field(ge=1)
    spell_share: float = Field(gt=0, lt=0.2)
    most_need: float = Field(gt=0)
    most_moved: float = Field(gt=0, lt=0.5)
    hour_spread: float = Field(gt=0)
    seeker_start: float = Field(ge=0, le=1)
    seeker_slope: float = Field(ge=0)
    other_slope: float = Field(ge=0)
    curious: float = Field(ge=0, le=1)
    most_tired: int = Field(ge=1)


class Regimes(_Frozen):
    """The whole file: its version, the calendar, what always holds, the businesses and the regimes by name."""

    version: int
    history: tuple[str, ...]
    first_day: date
    depths: tuple[float, ...]
    weekdays: tuple[float, float, float, float, float, float, float]
    manner: Manner
    business: Mapping[BusinessName, Business]
    regime: Mapping[str, Regime]


@cache
def load_regimes() -> Regimes:
    """All regimes of the frozen file.

    >>> sorted(load_regimes().regime)[:2]
    ['change_in_third_month', 'difference_and_fatigue']
    """
    return parse_regimes(_text())


def parse_regimes(text: str) -> Regimes:
    """Regimes from a text in the form of the file; for tests, the market itself takes only the frozen ones or a Regime.

    Raises BadInput that says what is wrong.
    """
    try:
        return Regimes.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise BadInput(f"The regimes cannot be read: {error}") from error


def find_regime(name: str) -> Regime:
    """The frozen regime of this name. Raises BadQuestion that lists them."""
    known = load_regimes().regime
    if name not in known:
        raise BadQuestion(f"There is no regime {name!r}", expected=f"one of {', '.join(sorted(known))}")
    return known[name]


def regimes_digest() -> str:
    """SHA-256 of the frozen file, its line ends apart: results name it, so that two can be seen to be comparable."""
    return sha256("\n".join(_text().splitlines()).encode()).hexdigest()


def _text() -> str:
    return (files("aimwell.simulation.regimes") / _FILE).read_text(encoding="utf-8")
