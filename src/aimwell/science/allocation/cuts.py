"""The right prices for very many customers, by cutting planes inside a box, and the mixture of choices behind them.

The bound is convex in the prices, and every response to some prices gives a plane below it. The lowest point of all
planes is where to ask next; how much each plane weighs there mixes the responses into the relaxed optimum. Outside of a
narrow band nobody's choice can change while prices stay in the box, so only the band is asked.
Sources: J. E. Kelley, Journal of SIAM 8 (1960) 703-712; G. B. Dantzig, P. Wolfe, Operations Research 8 (1960) 101-111;
R. E. Marsten, W. W. Hogan, J. W. Blankenship, Operations Research 23 (1975) 389-405 (boxes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from aimwell.core.errors import Unavailable
from aimwell.science.allocation.choices import NOTHING, Choices
from aimwell.science.allocation.prices import Response, Shortage, respond
from aimwell.science.arrays import BoolArray, FloatArray, IntArray

PRECISION = 1e-8
"""Share of the bound at which the search for prices ends."""

_QUESTIONS = 200
_BOXES = 30
_TINY = 1e-300
_NARROW, _WIDER, _WIDEST = 0.02, 4.0, 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """The relaxed optimum as a mixture of whole choices.

    prices: [1 + limits].   chosen: everyone's choice where it is certain [customers].   band: the customers for whom it
    is not.   mixed: their choices, one row for each whole choice [choices, band], with weights [choices] that sum to 1.
    """

    prices: FloatArray
    chosen: IntArray
    band: IntArray
    mixed: IntArray
    weights: FloatArray


def search(given: Choices, shortage: Shortage, prices: FloatArray) -> Mixture:
    """The right prices, from a guess; the nearer the guess, the faster.

    Every box lies around the best prices so far; while the best of a box would move on, the next one is wider.
    """
    width, units = _NARROW, _units(given, shortage)
    for _ in range(_BOXES):
        around = respond(given, shortage, prices)
        reach = width * np.maximum(prices, units)
        band = np.flatnonzero(_may_change(given, shortage, around, reach))
        rest = around.chosen.copy()
        rest[band] = NOTHING
        left = shortage.less(shortage.used(given, rest))
        low, high = np.maximum(prices - reach, 0.0), prices + reach
        found = _in_box(given.take(band), left, (low, high), prices)
        prices = found.prices
        moving = np.abs(found.residual) * reach > 100 * PRECISION * max(abs(around.bound), _TINY)
        if not (moving & ((found.residual < 0) | (low > 0))).any():
            return Mixture(prices, rest, band, found.mixed, found.weights)
        width = min(width * _WIDER, _WIDEST)
    raise Unavailable("No prices were found under which the limits hold", seen=f"{_BOXES} boxes searched")


@dataclass(frozen=True, slots=True, eq=False)
class _Boxed:
    """The best prices of a box, the choices mixed there with their weights, and what those leave of all limits."""

    prices: FloatArray
    mixed: IntArray
    weights: FloatArray
    residual: FloatArray


def _in_box(given: Choices, shortage: Shortage, box: tuple[FloatArray, FloatArray], start: FloatArray) -> _Boxed:
    """The lowest bound in a box of prices, by planes that touch it from below."""
    low, high = box
    asked: list[FloatArray] = []
    answers: list[Response] = []
    ask, weights = start, np.ones(1)
    for _ in range(_QUESTIONS):
        asked.append(ask)
        answers.append(respond(given, shortage, ask))
        lowest, ask, weights = _lowest(asked, answers, low, high)
        best = min(answers, key=lambda answer: answer.bound)
        if best.bound - lowest <= PRECISION * max(abs(best.bound), _TINY):
            break
    kept = np.flatnonzero(weights > 1e-12)
    shares = weights[kept] / weights[kept].sum()
    mixed = np.array([answers[place].chosen for place in kept])
    slopes = np.array([answers[place].slope for place in kept])
    lowest_place = min(range(len(answers)), key=lambda place: answers[place].bound)
    return _Boxed(asked[lowest_place], mixed, shares, shares @ slopes)


def _lowest(
    asked: list[FloatArray], answers: list[Response], low: FloatArray, high: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Where the planes are lowest in the box: how low, at which prices, and how much each plane weighs there."""
    slopes = np.array([answer.slope for answer in answers])
    heights = np.array([answer.bound - answer.slope @ at for answer, at in zip(answers, asked, strict=True)])
    stretch = np.where(high > low, high - low, 1.0)
    unit = max(_TINY, float(np.abs(slopes * stretch).max()))
    base = heights + slopes @ low
    middle = float(base.max())
    solved = linprog(
        np.append(np.zeros(low.size), 1.0),
        A_ub=np.hstack([slopes * stretch / unit, -np.ones((len(asked), 1))]),
        b_ub=(middle - base) / unit,
        bounds=[*((0.0, 1.0 if top > bottom else 0.0) for bottom, top in zip(low, high, strict=True)), (None, None)],
        method="highs",
    )
    if solved.status != 0:
        raise Unavailable("The solver gave up on an allocation", seen=str(solved.message))
    prices = low + np.clip(solved.x[:-1], 0.0, 1.0) * np.where(high > low, stretch, 0.0)
    return float(middle + solved.x[-1] * unit), prices, np.maximum(-solved.ineqlin.marginals, 0.0)


def _may_change(given: Choices, shortage: Shortage, around: Response, reach: FloatArray) -> BoolArray:
    """Who may choose otherwise when every price moves by at most its reach."""
    tolls = reach[1:] @ np.abs(shortage.rows.usage)
    moves = np.zeros(given.people)
    for treatment in range(given.treatments):
        np.maximum(moves, reach[0] * given.costs[treatment] + tolls[treatment], out=moves)
    found: BoolArray = around.margin <= 2 * moves
    return found


def _units(given: Choices, shortage: Shortage) -> FloatArray:
    """A small price for each thing that is short, so that a price of 0 has a box too; 0 for money that is not short."""
    known = np.where(given.allowed, np.abs(given.gains), 0.0)
    gain = float(known.mean()) or 1.0
    cost = float(given.costs.mean()) or 1.0
    return np.concatenate([[gain / cost if shortage.paid else 0.0], np.full(len(shortage.rows.names), gain)])
