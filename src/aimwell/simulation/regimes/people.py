"""The people of a regime: what the company knows of them, and the latent traits that it does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import ndtr

from aimwell.simulation.app.draws import normal, uniform, whole
from aimwell.simulation.chance import Booleans, Floats, Integers
from aimwell.simulation.population import CITIES
from aimwell.simulation.regimes.regime import Business, Regime

Small = npt.NDArray[np.int8]
Singles = npt.NDArray[np.float32]

SOURCES = ("search", "referral", "branch", "advert")
THEMES = 4
RISKS = 5
_MONTH = 30
_HOURS = (8.0, 12.5, 20.5)
_HOUR_ODDS = (0.25, 0.5)
# How latent scores lean on what is known: age, income, gender, tenure (each standardised); rows have length 1.
_PERSUASION = np.asarray([-0.6, 0.4, 0.3, -0.624])
_BUYING = np.asarray([0.4, 0.8, 0.2, 0.4])
_PROVOKED = np.asarray([0.8, -0.2, -0.4, 0.4])
_THRIFT = np.asarray([-0.2, -0.9, 0.2, 0.332])
_LINES = np.asarray(
    [
        [0.8, -0.2, 0.5, 0.264],
        [-0.5, 0.5, 0.7, -0.1],
        [0.2, 0.9, 0.1, 0.374],
        [-0.7, 0.3, -0.6, 0.245],
        [-0.6, -0.6, -0.4, -0.346],
        [0.1, 0.3, -0.5, -0.806],
    ]
)


@dataclass(frozen=True, slots=True)
class People:
    """Everybody who is or will be a customer, in the order of arrival; arrays with one entry per person.

    arrival: day of coming; before 0 for those who are there at the beginning.   reached: [people, channels].
    known: [people, 4], age, income, gender and tenure, standardised.   risk: tested tolerance, 1 to 5.
    """

    arrival: Integers
    age: Small
    female: Booleans
    income: Singles
    city: Small
    source: Small
    risk: Small
    reached: Booleans
    known: Singles

    def __len__(self) -> int:
        return len(self.arrival)

    def present(self, day: int) -> int:
        """How many have come by a day (0 or later); they are the first ones."""
        return int(np.searchsorted(self.arrival, day, side="right"))


@dataclass(frozen=True, slots=True)
class Traits:
    """What nobody at the company knows; arrays with one entry per person.

    stratum: place in the regime's strata.   affinity: [people, lines], own need over a mean customer's, mean 1.
    base, provoked: those of the stratum; persuasion: with the business's.   seeker: needs a discount.
    theme: the theme liked best.   favourite: the channel liked best.   hour: the favourite hour, own clock.
    """

    stratum: Small
    base: Singles
    persuasion: Singles
    provoked: Singles
    seeker: Booleans
    theme: Small
    favourite: Small
    hour: Singles
    affinity: Singles


def customer_ids(places: Integers) -> pa.Array:
    """The ids of customers by their places in the market.

    >>> customer_ids(np.asarray([0, 41])).to_pylist()
    ['M00000000', 'M00000041']
    """
    digits = pc.utf8_lpad(pa.array(places).cast(pa.string()), 8, "0")
    return pc.binary_join_element_wise(pa.scalar("M"), digits, "")


def draw_people(seed: int, regime: Regime, business: Business, *, customers: int, days: int) -> People:
    """So many customers at the beginning, and newcomers who come evenly over the days after the first."""
    new = round(customers * regime.newcomers_per_month * days / _MONTH)
    who = np.arange(customers + new)
    before = -1 - whole(uniform(seed, "tenure", who[:customers]) ** 2, 1_500)
    arrival = np.r_[before, 1 + np.arange(new) * max(days - 1, 1) // max(new, 1)]
    age_score, income_score = normal(seed, "age", who), normal(seed, "income", who)
    female = uniform(seed, "gender", who) < 0.51
    tenure = np.clip((-arrival - 500) / 450, -1.2, 2.2)
    known = np.stack([age_score, income_score, np.where(female, 1.0, -1.0), tenure], axis=1)
    spread = 0.6 * income_score + 0.8 * normal(seed, "risk", who)
    reached = np.stack([uniform(seed, f"reached/{c.name}", who) < c.reached for c in business.channels], axis=1)
    weights = np.cumsum([city.weight for city in CITIES])
    return People(
        arrival=arrival.astype(np.int64),
        age=np.clip(42 + 13 * age_score, 18, 85).astype(np.int8),
        female=female,
        income=np.round(np.exp(9.2 + 0.45 * income_score), -1).astype(np.float32),
        city=np.searchsorted(weights / weights[-1], uniform(seed, "city", who), side="right").astype(np.int8),
        source=whole(uniform(seed, "source", who), len(SOURCES)).astype(np.int8),
        risk=(1 + whole(ndtr(spread), RISKS)).astype(np.int8),
        reached=reached,
        known=known.astype(np.float32),
    )


def draw_traits(seed: int, regime: Regime, business: Business, people: People, *, changed: bool = False) -> Traits:
    """The latent traits; after a change the same people, but others are moved, on other channels, for other needs."""
    scores = _Scores(seed, people, regime.visible)
    flipped = -1.0 if changed else 1.0
    persuaded = scores.of("persuasion", flipped * _PERSUASION)
    stratum = _strata(regime, ndtr(persuaded), ndtr(scores.of("buying", _BUYING)), scores)
    kinds = regime.strata
    themes = scores.of("theme", np.asarray([0.7, 0.0, 0.714, 0.0]))
    return Traits(
        stratum=stratum,
        base=np.asarray([kind.base for kind in kinds], dtype=np.float32)[stratum],
        persuasion=np.asarray([kind.persuasion * business.persuasion for kind in kinds], dtype=np.float32)[stratum],
        provoked=np.asarray([kind.provoked for kind in kinds], dtype=np.float32)[stratum],
        seeker=np.asarray(ndtr(scores.of("thrift", _THRIFT)) < regime.seekers),
        theme=whole(ndtr(themes), THEMES).astype(np.int8),
        favourite=_favourites(business, ndtr(scores.of("channel", np.asarray([1.0, 0.0, 0.0, 0.0]))), changed=changed),
        hour=_hours(seed, len(people)),
        affinity=_affinities(regime, business, scores, changed=changed),
    )


class _Scores:
    """Standard normal scores that lean on what is known, each drawn for its own purpose."""

    def __init__(self, seed: int, people: People, visible: float) -> None:
        self._seed, self._people, self._visible = seed, people, visible
        self._who = np.arange(len(people))

    def of(self, purpose: str, loading: Floats) -> Floats:
        """A score whose correlation with `loading` of what is known is `visible`."""
        told = self._people.known @ loading.astype(np.float32)
        hidden = np.sqrt(1 - self._visible**2) * normal(self._seed, f"score/{purpose}", self._who)
        return np.asarray(self._visible * told + hidden)


def _strata(regime: Regime, persuaded: Floats, buying: Floats, scores: _Scores) -> Small:
    """The first kind takes the lowest of one score, the second those of the rest who buy most, and so on.

    Each kind is cut at a quantile among the people that are left, so that shares hold in a large market.
    """
    orders = (persuaded, 1 - buying, ndtr(-scores.of("provoked", _PROVOKED)))
    stratum = np.full(len(persuaded), len(regime.strata) - 1, dtype=np.int8)
    left = np.ones(len(persuaded), dtype=bool)
    remaining = 1.0
    for place, kind in enumerate(regime.strata[:-1]):
        order = orders[place % len(orders)]
        if not left.any():
            break
        taken = left & (order <= np.quantile(order[left], min(kind.share / remaining, 1.0)))
        stratum[taken] = place
        left &= ~taken
        remaining -= kind.share
    return stratum


def _favourites(business: Business, score: Floats, *, changed: bool) -> Small:
    bounds = np.cumsum([channel.weight for channel in business.channels])
    drawn = np.searchsorted(bounds / bounds[-1], score, side="right")
    places = np.minimum(drawn, len(bounds) - 1)
    return np.asarray((places + changed) % len(bounds), dtype=np.int8)


def _hours(seed: int, count: int) -> Singles:
    who = np.arange(count)
    kind = np.searchsorted(_HOUR_ODDS, uniform(seed, "hour/kind", who), side="right")
    return np.asarray(np.asarray(_HOURS)[kind] + 0.7 * normal(seed, "hour", who), dtype=np.float32)


def _affinities(regime: Regime, business: Business, scores: _Scores, *, changed: bool) -> Singles:
    columns = []
    for place, line in enumerate(business.lines):
        loading = _LINES[(place + changed) % len(_LINES)]
        score = scores.of(f"line/{line.name}", loading)
        columns.append(np.exp(regime.affinity_spread * score - regime.affinity_spread**2 / 2))
    return np.stack(columns, axis=1).astype(np.float32)
