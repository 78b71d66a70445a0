"""What groups are worth: how much of a later outcome they explain, against other groups of equal number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import FloatArray, IntArray, codes, matrix, same_length
from aimwell.science.cluster.method import means_of
from aimwell.science.metrics.interval import Difference, Estimate, bootstrap, bootstrap_difference

FOLDS = 10


@dataclass(frozen=True, slots=True)
class Explained:
    """How much of what customers differ in later is a difference between groups.

    r2: out of sample, with interval: 1 all, 0 nothing, below 0 worse than one mean for everybody.
    eta2: the same on the customers themselves (always at least 0, and flattering for many groups).
    groups: how many there are, those who belong to none counted as one.
    """

    r2: Estimate
    eta2: float
    groups: int


def explained(labels: ArrayLike, outcome: ArrayLike, *, resamples: int = 1000, seed: int = 0) -> Explained:
    """How well the group alone foretells a later outcome, compared with one mean for everybody.

    labels: group known before the outcome [n]; -1 counts as a group of its own.   outcome: later amounts [n], or a
    mix of categories [n, c] (rows of shares or amounts; columns are summed, so give shares to weigh customers alike).
    Groups' means are learnt on nine tenths and judged on the last (out of sample), ten times; the interval is a
    bootstrap over customers.   Money is skewed: read it also for log(1 + amount).
    Raises NotEnoughData when all outcomes are equal or there are fewer than 10 customers.   Cost: O(n · c).

    >>> later = [1.0, 1.1, 0.9, 5.0, 5.1, 4.9] * 5
    >>> explained([0, 0, 0, 1, 1, 1] * 5, later, resamples=50).r2.value > 0.99
    True
    """
    groups, amounts = _checked(labels, outcome)
    losses, plain = _losses(groups, amounts, seed)
    r2 = bootstrap(lambda rows: _ratio(losses, plain, rows), groups.size, resamples=resamples, seed=seed)
    return Explained(r2, _eta2(groups, amounts), int(groups.max()) + 1)


def compare(
    first: ArrayLike, second: ArrayLike, outcome: ArrayLike, *, resamples: int = 1000, seed: int = 0
) -> Difference:
    """Whether one way of grouping foretells a later outcome better than another on the same customers (r2, paired).

    Compare groups of equal number (see `rfm_cells`): more groups explain more by themselves.
    """
    one, amounts = _checked(first, outcome)
    two, _ = _checked(second, outcome)
    losses_one, plain = _losses(one, amounts, seed)
    losses_two, _ = _losses(two, amounts, seed)
    return bootstrap_difference(
        lambda rows: _ratio(losses_one, plain, rows),
        lambda rows: _ratio(losses_two, plain, rows),
        one.size,
        resamples=resamples,
        seed=seed,
    )


def rfm_cells(recency: ArrayLike, frequency: ArrayLike, monetary: ArrayLike, cells: int) -> IntArray:
    """The familiar yardstick: customers in a given number of cells by recency, frequency and money [n].

    The fullest cell is cut at the median, of frequency first, then money, then recency, and so on, until there are
    `cells` of them; equal customers stay together.   Raises NotEnoughData when they cannot be cut that often.

    >>> rfm_cells([1, 9, 2, 8], [5, 1, 6, 2], [50, 10, 60, 20], 2).tolist()
    [1, 0, 1, 0]
    """
    values = matrix(np.column_stack([frequency, monetary, -np.asarray(recency, dtype=np.float64)]), "R, F and M")
    if cells < 1:
        raise BadQuestion("The number of cells is a whole number", expected="1 or more", seen=f"{cells}")
    labels = np.zeros(len(values), dtype=np.int64)
    turns = [0]
    while len(turns) < cells:
        sizes = np.bincount(labels, minlength=len(turns))
        for cell in np.argsort(-sizes, kind="stable").tolist():
            upper, turn = _halved(values, labels == cell, turns[cell])
            if upper is not None:
                break
        else:
            raise NotEnoughData(
                "The customers are too alike for so many cells", expected=f"{cells}", seen=f"{len(turns)}"
            )
        labels[upper] = len(turns)
        turns[cell] = turn
        turns.append(turn)
    return labels


def _halved(
    values: FloatArray, inside: np.ndarray[tuple[int], np.dtype[np.bool_]], turn: int
) -> tuple[IntArray | None, int]:
    """Rows of a cell that lie above the median of the column whose turn it is, or of the next that can be cut."""
    rows = np.flatnonzero(inside)
    for step in range(values.shape[1]):
        column = values[rows, (turn + step) % values.shape[1]]
        upper = column > np.median(column)
        if not upper.any():
            upper = column == column.max()
        if upper.any() and not upper.all():
            return rows[upper], turn + step + 1
    return None, turn


def _checked(labels: ArrayLike, outcome: ArrayLike) -> tuple[IntArray, FloatArray]:
    raw = np.asarray(outcome, dtype=np.float64)
    amounts = matrix(raw[:, None] if raw.ndim == 1 else raw, "outcome")
    groups = codes(labels, "labels")
    same_length(labels=groups, outcome=amounts)
    if len(amounts) < FOLDS:
        raise NotEnoughData("Too few customers to judge groups", expected=f"{FOLDS} or more", seen=f"{len(amounts)}")
    if not np.ptp(amounts, axis=0).any():
        raise NotEnoughData("The outcome is the same for everybody", expected="customers who differ", seen="one value")
    return groups, amounts


def _losses(groups: IntArray, amounts: FloatArray, seed: int) -> tuple[FloatArray, FloatArray]:
    """Squared misses of each customer by his group's mean and by everybody's mean, both from the other folds [n]."""
    folds = np.random.default_rng(seed).permutation(groups.size) % FOLDS
    k = int(groups.max()) + 1
    losses, plain = np.empty(groups.size), np.empty(groups.size)
    for fold in range(FOLDS):
        held = folds == fold
        everybody = amounts[~held].mean(axis=0)
        means, sizes = means_of(amounts[~held], groups[~held], k)
        means[sizes == 0] = everybody
        losses[held] = np.square(amounts[held] - means[groups[held]]).sum(axis=1)
        plain[held] = np.square(amounts[held] - everybody).sum(axis=1)
    return losses, plain


def _ratio(losses: FloatArray, plain: FloatArray, rows: IntArray) -> float:
    total = float(plain[rows].sum())
    if total <= 0:
        raise NotEnoughData("A resample holds equal customers only", expected="customers who differ", seen="none")
    return 1 - float(losses[rows].sum()) / total


def _eta2(groups: IntArray, amounts: FloatArray) -> float:
    means, _ = means_of(amounts, groups, int(groups.max()) + 1)
    within = float(np.square(amounts - means[groups]).sum())
    return 1 - within / float(np.square(amounts - amounts.mean(axis=0)).sum())
