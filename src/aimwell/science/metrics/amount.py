"""How good is a forecast of money: error, bias, order, and how much of the revenue the best decile holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import FloatArray, mean_ranks, numbers, same_length, share, shares
from aimwell.science.metrics.interval import Estimate, mean_estimate, wilson
from aimwell.science.metrics.order import best_first


@dataclass(frozen=True, slots=True)
class AmountErrors:
    """All the plain numbers about a forecast of amounts, in the unit of the amounts.

    bias: mean of predicted minus seen.   total_ratio: predicted total over seen total (None if nothing was seen).
    spearman, gini: order, 1 is perfect (None when everybody is alike).   capture: share of the money held by the
    tenth with the highest forecast; oracle: by the tenth that truly spent most.
    """

    people: int
    mean_seen: float
    mean_predicted: float
    mae: float
    rmse: float
    bias: float
    total_ratio: float | None
    spearman: float | None
    gini: float | None
    capture: float | None
    oracle: float | None


@dataclass(frozen=True, slots=True)
class Decile:
    """A tenth of the customers by forecast, 1 the highest: what was forecast for them, and what they spent."""

    decile: int
    people: int
    predicted: float
    seen: float
    share_of_seen: float


@dataclass(frozen=True, slots=True)
class Zeros:
    """Share of customers who spend nothing: as forecast, and as seen with its interval."""

    predicted: float
    seen: Estimate

    @property
    def holds(self) -> bool:
        return self.seen.low <= self.predicted <= self.seen.high


def mae(predicted: ArrayLike, seen: ArrayLike) -> float:
    """Mean distance between forecast and truth.

    With many zeros the forecast "nothing for anybody" has a low one too: read it beside bias and capture.

    >>> mae([1, 2], [1, 4])
    1.0
    """
    guess, truth = _checked(predicted, seen)
    return float(np.abs(guess - truth).mean())


def mae_estimate(predicted: ArrayLike, seen: ArrayLike, *, groups: ArrayLike | None = None) -> Estimate:
    """Mean absolute error with its normal interval."""
    guess, truth = _checked(predicted, seen)
    return mean_estimate(np.abs(guess - truth), groups=groups)


def rmse(predicted: ArrayLike, seen: ArrayLike) -> float:
    """Root of the mean squared error: like `mae`, but large misses weigh more.

    >>> rmse([0, 0], [3, 4]) == 12.5**0.5
    True
    """
    guess, truth = _checked(predicted, seen)
    return float(np.sqrt(np.square(guess - truth).mean()))


def bias(predicted: ArrayLike, seen: ArrayLike) -> float:
    """Mean of forecast minus truth: positive when too much is promised.

    >>> bias([2, 2], [1, 2])
    0.5
    """
    guess, truth = _checked(predicted, seen)
    return float((guess - truth).mean())


def spearman(predicted: ArrayLike, seen: ArrayLike) -> float:
    """Agreement of the order of forecasts with the order of truths: 1 the same, 0 none, -1 reversed.

    Ties get mean ranks.   Raises NotEnoughData when all forecasts or all truths are equal.

    >>> spearman([1, 2, 3], [10, 20, 90])
    1.0
    """
    guess, truth = _checked(predicted, seen)
    _refuse_alike(guess, "forecasts")
    _refuse_alike(truth, "amounts seen")
    return float(np.corrcoef(mean_ranks(guess), mean_ranks(truth))[0, 1])


def normalised_gini(predicted: ArrayLike, seen: ArrayLike) -> float:
    """How well the forecast sorts the money, against a perfect sorting: 1 perfect, 0 chance, below 0 reversed.

    Twice the area between the curve of money captured and the diagonal, divided by the same for the truth's own order.
    Tied forecasts share their money equally.   Raises NotEnoughData when nobody spent, or all spent the same.

    >>> normalised_gini([1, 2, 3], [0, 0, 5])
    1.0
    """
    guess, truth = _checked(predicted, seen)
    _refuse_negative(truth)
    _refuse_alike(truth, "amounts seen")
    return _gini(guess, truth) / _gini(truth, truth)


def capture(predicted: ArrayLike, seen: ArrayLike, part: float = 0.1, *, seed: int = 0) -> float:
    """Share of all the money that the best tenth (or other part) of the list brought.

    The list has ceil(part · n) customers, ties in seeded random order.   Raises NotEnoughData when nobody spent.

    >>> capture([9, 1, 1, 1], [6, 2, 2, 2], 0.25)
    0.5
    """
    guess, truth = _checked(predicted, seen)
    _refuse_negative(truth)
    total = float(truth.sum())
    if total <= 0:
        raise NotEnoughData("Nobody spent anything", expected="some money", seen="0")
    size = int(np.ceil(share(part, "the part of the list") * truth.size - 1e-9))
    return float(truth[best_first(guess, seed)[:size]].sum() / total)


def decile_table(predicted: ArrayLike, seen: ArrayLike, *, seed: int = 0) -> tuple[Decile, ...]:
    """Mean forecast against mean truth in tenths of the list, the highest forecasts first.

    With fewer than ten customers there are as many parts as customers.

    >>> [row.seen for row in decile_table([1, 3], [0, 5])]
    [5.0, 0.0]
    """
    guess, truth = _checked(predicted, seen)
    total = float(truth.sum())
    parts = np.array_split(best_first(guess, seed), min(10, guess.size))
    return tuple(
        Decile(
            place,
            rows.size,
            float(guess[rows].mean()),
            float(truth[rows].mean()),
            float(truth[rows].sum() / total) if total else 0.0,
        )
        for place, rows in enumerate(parts, start=1)
    )


def zeros(nothing: ArrayLike, seen: ArrayLike) -> Zeros:
    """Whether as many customers spend nothing as was forecast.

    nothing: probability of each customer to spend nothing.   seen: amounts; 0 or less counts as nothing.

    >>> zeros([0.5, 0.5], [0, 3]).seen.value
    0.5
    """
    promised, truth = shares(nothing, "probabilities of no purchase"), numbers(seen, "seen")
    same_length(nothing=promised, seen=truth)
    return Zeros(float(promised.mean()), wilson(int((truth <= 0).sum()), truth.size))


def amount_errors(predicted: ArrayLike, seen: ArrayLike, *, seed: int = 0) -> AmountErrors:
    """All of the numbers above at once; what cannot be computed (everybody alike, no money) is None, not a guess."""
    guess, truth = _checked(predicted, seen)
    total = float(truth.sum())
    varied = bool(np.ptp(truth) > 0)
    sortable = varied and bool(truth.min() >= 0)
    spent = total > 0 and bool(truth.min() >= 0)
    return AmountErrors(
        truth.size,
        float(truth.mean()),
        float(guess.mean()),
        mae(guess, truth),
        rmse(guess, truth),
        bias(guess, truth),
        float(guess.sum()) / total if total else None,
        spearman(guess, truth) if varied and np.ptp(guess) > 0 else None,
        normalised_gini(guess, truth) if sortable else None,
        capture(guess, truth, seed=seed) if spent else None,
        capture(truth, truth, seed=seed) if spent else None,
    )


def _checked(predicted: ArrayLike, seen: ArrayLike) -> tuple[FloatArray, FloatArray]:
    guess, truth = numbers(predicted, "predicted"), numbers(seen, "seen")
    same_length(predicted=guess, seen=truth)
    return guess, truth


def _refuse_alike(values: FloatArray, what: str) -> None:
    if np.ptp(values) == 0:
        raise NotEnoughData(f"All {what} are equal, so there is no order", expected="at least two values", seen="one")


def _refuse_negative(truth: FloatArray) -> None:
    if truth.min() < 0:
        raise BadQuestion(
            "Shares of money need amounts from 0",
            expected="no negative amounts",
            seen=f"{truth.min():g}",
            remedy="Net refunds against purchases per customer, and take 0 where the rest is negative.",
        )


def _gini(order: FloatArray, money: FloatArray) -> float:
    # Mean ranks give tied forecasts their money in equal parts: no luck in the order.
    ranks = mean_ranks(order)
    n = money.size
    return float((2 * ranks - n - 1) @ money) / (n * float(money.sum()))
