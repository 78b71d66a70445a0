"""What customers bought, when and for how much, and what it looked like at any earlier moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aimwell.core.errors import NotEnoughData
from aimwell.science.arrays import FloatArray, IntArray, numbers, same_length, totals
from aimwell.science.btyd.histories import Columns


@dataclass(frozen=True, slots=True, eq=False)
class Purchases:
    """Purchases in order of customer and time, one for each customer and moment.

    ids: customers in ascending order [n].   customer: place in `ids`.   at: time, in one unit of the caller's choice.
    amount: money.   [k] each.
    """

    ids: NDArray[np.generic]
    customer: IntArray
    at: FloatArray
    amount: FloatArray

    def ahead(self, customers: IntArray, since: float, until: float) -> tuple[FloatArray, FloatArray]:
        """Number and amount of the purchases of these customers after `since`, up to `until`, [n] each."""
        rows = (self.at > since) & (self.at <= until)
        size = self.ids.size
        count = totals(self.customer[rows], np.ones(int(rows.sum())), size)
        return count[customers], totals(self.customer[rows], self.amount[rows], size)[customers]


@dataclass(frozen=True, slots=True, eq=False)
class LookBack:
    """What was known of each customer at a moment: those who had bought by then, [n] everywhere.

    customers: their places in `Purchases.ids`.   histories: frequency, recency and age.   count, mean: number and mean
    amount of all purchases so far.   first, last: amounts of these two.   recent: purchases of the last third, two
    thirds and whole of a step back [3, n].   recent_spend: amount of the last step.
    """

    customers: IntArray
    histories: Columns
    count: FloatArray
    mean: FloatArray
    first: FloatArray
    last: FloatArray
    recent: FloatArray
    recent_spend: FloatArray

    @property
    def spend(self) -> FloatArray:
        """Amount of all purchases so far, [n]."""
        return self.count * self.mean


def merge_purchases(customer: ArrayLike, at: ArrayLike, amount: ArrayLike) -> Purchases:
    """Purchases of one customer at one moment (one day, if `at` counts days) count once, with their amounts summed.

    customer: ids [k].   at, amount: numbers [k].   Raises NotEnoughData when there are none.

    >>> merge_purchases(["b", "a", "b"], [1, 1, 1], [2.0, 3.0, 4.0]).amount
    array([3., 6.])
    """
    names, days, money = np.asarray(customer), numbers(at, "times"), numbers(amount, "amounts")
    same_length(customer=names, at=days, amount=money)
    ids, places = np.unique(names, return_inverse=True)
    order = np.lexsort((days, places))
    places, days, money = places[order].astype(np.int64), days[order], money[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(places) != 0) | (np.diff(days) != 0)])
    return Purchases(ids, places[starts], days[starts], np.add.reduceat(money, starts))


def look_back(purchases: Purchases, now: float, step: float) -> LookBack:
    """What was known at `now`, recent times measured by `step`.

    Raises NotEnoughData when nobody had bought yet.
    """
    rows = np.flatnonzero(purchases.at <= now)
    if not rows.size:
        raise NotEnoughData("Nobody had bought anything yet", expected=f"purchases up to time {now:g}", seen="none")
    who, at, amount = purchases.customer[rows], purchases.at[rows], purchases.amount[rows]
    starts = np.flatnonzero(np.r_[True, np.diff(who) != 0])
    ends = np.append(starts[1:], who.size) - 1
    customers, size = who[starts], purchases.ids.size
    count = (ends - starts + 1).astype(np.float64)
    recent = [totals(who, at > now - step * part, size)[customers] for part in (1 / 3, 2 / 3, 1.0)]
    return LookBack(
        customers=customers,
        histories=(count - 1, at[ends] - at[starts], now - at[starts]),
        count=count,
        mean=np.add.reduceat(amount, starts) / count,
        first=amount[starts],
        last=amount[ends],
        recent=np.array(recent),
        recent_spend=totals(who, np.where(at > now - step, amount, 0.0), size)[customers],
    )
