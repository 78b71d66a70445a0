"""Lifetime value: expected purchases to come, times what each is worth, discounted to today."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import FloatArray, numbers, same_length
from aimwell.science.btyd.histories import checked, distinct


class PurchaseModel(Protocol):
    """Any model that foretells purchases from frequency, recency and age."""

    def probability_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> FloatArray: ...

    def expected_purchases(
        self, horizon: float, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> FloatArray: ...


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far to look ahead, in steps, and what waiting costs.

    length: in the unit of `age`.   steps: parts into which it is cut; purchases of a part count in its middle.
    discount: loss of worth per unit of time, as a share (see `per_unit`); 0 for none.
    """

    length: float
    steps: int = 12
    discount: float = 0.0

    def __post_init__(self) -> None:
        if self.length <= 0 or self.steps < 1 or self.discount < 0:
            raise BadQuestion(
                "This is no way to look ahead",
                expected="a positive length, at least one step, a discount from 0",
                seen=f"length {self.length:g}, steps {self.steps}, discount {self.discount:g}",
            )


def per_unit(yearly: float, units: float = 365.25) -> float:
    """A yearly discount as the equal discount per unit of time, such as per day.

    >>> round((1 + per_unit(0.15, 52)) ** 52, 6)
    1.15
    """
    return float((1 + yearly) ** (1 / units) - 1)


def discounted_purchases(
    model: PurchaseModel, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, horizon: Horizon
) -> FloatArray:
    """Expected purchases of each customer within the horizon, later ones counting less, [n].

    Without a discount this is `model.expected_purchases(horizon.length, …)`.
    Cost: one pass per step over the distinct histories.
    """
    x, t_x, T = checked(frequency, recency, age)
    first, places = distinct(x, t_x, T)
    until = np.linspace(0, horizon.length, horizon.steps + 1)
    total, before = np.zeros(first.size), np.zeros(first.size)
    for since, end in pairwise(until.tolist()):
        now = model.expected_purchases(end, x[first], t_x[first], T[first])
        total += (now - before) * (1 + horizon.discount) ** (-(since + end) / 2)
        before = now
    return total[places]


def lifetime_value(
    model: PurchaseModel,
    value: ArrayLike,
    histories: tuple[ArrayLike, ArrayLike, ArrayLike],
    horizon: Horizon,
    *,
    margin: float = 1.0,
) -> FloatArray:
    """What each customer will still bring within the horizon, in today's money, [n].

    value: expected value of a purchase of each customer [n] (from `GammaGamma.expected_value`).
    histories: (frequency, recency, age) [n] each.   margin: share of the revenue that is kept.
    """
    worth = numbers(value, "value")
    purchases = discounted_purchases(model, *histories, horizon)
    same_length(value=worth, histories=purchases)
    return purchases * worth * margin
