"""What may be chosen for each customer: gains and costs of every treatment, checked once at the door."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import BoolArray, FloatArray, IntArray

NOTHING = -1
"""The choice of no treatment: it costs nothing, gains nothing and is always allowed."""


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """What each treatment would gain and cost with each customer; "nothing" is always there beside them.

    gains, costs: [treatments, customers], so that a walk over the customers reads memory in order. What is not allowed
    gains minus infinity and costs 0.   Made by `choices`.
    """

    gains: FloatArray
    costs: FloatArray

    @property
    def people(self) -> int:
        """Number of customers."""
        return int(self.gains.shape[1])

    @property
    def treatments(self) -> int:
        """Number of treatments, "nothing" not counted."""
        return int(self.gains.shape[0])

    @property
    def allowed(self) -> BoolArray:
        """Which treatment each customer may get [treatments, customers]."""
        found: BoolArray = np.isfinite(self.gains)
        return found

    def spend(self, chosen: IntArray) -> float:
        """What it costs to give everyone their choice; chosen [customers], `NOTHING` or a treatment."""
        return float(self._taken(self.costs, chosen).sum())

    def gain(self, chosen: IntArray) -> float:
        """What is gained by giving everyone their choice."""
        return float(self._taken(self.gains, chosen).sum())

    def take(self, rows: IntArray) -> Choices:
        """The choices of some customers."""
        return Choices(np.ascontiguousarray(self.gains[:, rows]), np.ascontiguousarray(self.costs[:, rows]))

    def _taken(self, table: FloatArray, chosen: IntArray) -> FloatArray:
        some = np.flatnonzero(chosen != NOTHING)
        return table[chosen[some], some]


def choices(gains: ArrayLike, costs: ArrayLike, allowed: ArrayLike | None = None) -> Choices:
    """The treatments among which a choice is made for each customer, checked.

    gains: [customers, treatments], what a treatment adds to doing nothing, in any one unit; may be negative.
    costs: the same shape, or one cost per treatment [treatments]; from 0.
    allowed: the same shape, truths; all by default. Gains and costs of what is not allowed are not looked at.
    Ties are settled for the earlier row everywhere: hand the customers over in order of their ids.
    Raises BadQuestion for missing or infinite gains, for negative costs and for shapes that do not fit, NotEnoughData
    when there is nobody or no treatment.

    >>> choices([[3.0, 1.0]], [2.0, 1.0]).gains.tolist()
    [[3.0], [1.0]]
    """
    gained = _table(gains, "gains")
    people, treatments = gained.shape
    if not people or not treatments:
        seen = f"{people} customers and {treatments} treatments"
        raise NotEnoughData("There is nothing to choose", expected="at least one customer and treatment", seen=seen)
    spent = _fitting(costs, "costs", gained.shape)
    finite = np.isfinite(gained) & np.isfinite(spent)
    if allowed is None:
        may = None
        wrong = gained.size - int(np.count_nonzero(finite))
    else:
        may = _fitting(allowed, "allowed", gained.shape) != 0
        wrong = int(np.count_nonzero(may & ~finite))
    if wrong:
        raise BadQuestion(
            "Gains or costs are missing or infinite",
            expected="finite numbers for each treatment that a customer may get",
            seen=f"{wrong} of {gained.size}",
            remedy="Predict them, or say with `allowed` that these customers may not get these treatments.",
        )
    if may is not None:
        gained, spent = np.where(may, gained, -np.inf), np.where(may, spent, 0.0)
    if float(spent.min()) < 0:
        raise BadQuestion("A cost is negative", expected="costs from 0", seen=f"{float(spent.min()):g}")
    return Choices(np.ascontiguousarray(gained.T), np.ascontiguousarray(spent.T))


def _table(values: ArrayLike, what: str) -> FloatArray:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadQuestion(f"{what} must be numbers", seen=str(error)) from error
    if array.ndim != 2:
        raise BadQuestion(
            f"{what} must be a table", expected="[customers, treatments]", seen=f"{array.ndim} dimensions"
        )
    return array


def _fitting(values: ArrayLike, what: str, shape: tuple[int, ...]) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.shape not in (shape, shape[1:]):
        expected = f"{shape[0]} customers × {shape[1]} treatments, or {shape[1]} numbers"
        raise BadQuestion(f"{what} do not fit the gains", expected=expected, seen=f"shape {array.shape}")
    return np.broadcast_to(array, shape)
