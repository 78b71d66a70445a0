"""Chances of each option, so that something is still learnt: uniform, by worth, or by how likely it is the best.

All functions give probabilities [rows, options] that sum to 1 and are 0 where an option is not allowed. `drawn` draws
from them and hands back the exact probability of what was drawn: this is what is logged.
Sources: for choosing by the probability of being best, W. R. Thompson, Biometrika 25 (1933) 285-294.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import BoolArray, FloatArray, IntArray, share

_KNOTS, _REACH = 96, 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """An option for each row [rows], and the exact probability with which it was drawn [rows], in (0, 1]."""

    option: IntArray
    probability: FloatArray


def uniform(allowed: ArrayLike) -> FloatArray:
    """Every allowed option alike.

    >>> uniform([[True, True, False]]).tolist()
    [[0.5, 0.5, 0.0]]
    """
    may = _allowed(allowed)
    chances: FloatArray = may / may.sum(axis=1, keepdims=True)
    return chances


def softmax(worth: ArrayLike, temperature: float, allowed: ArrayLike | None = None) -> FloatArray:
    """The better an option, the likelier: chances in proportion to exp(worth / temperature).

    worth: [rows, options], for instance gain less cost at the price of money.   temperature: above 0, in the unit of
    worth; a difference of one temperature makes an option e times as likely.
    """
    if not 0 < temperature < np.inf:
        raise BadQuestion("A temperature is a positive number", expected="above 0", seen=f"{temperature:g}")
    value, may = _worth(worth, allowed)
    best = np.where(may, value, -np.inf).max(axis=1, keepdims=True)
    likely = np.where(may, np.exp(np.minimum((value - best) / temperature, 0.0)), 0.0)
    chances: FloatArray = likely / likely.sum(axis=1, keepdims=True)
    return chances


def best_likely(worth: ArrayLike, error: ArrayLike, allowed: ArrayLike | None = None) -> FloatArray:
    """Each option as often as it is likely to be the best (Thompson sampling), by numbers and not by draws.

    worth, error: mean and standard error of each option's worth, taken as independent and normal [rows, options]; an
    error of 0 is a worth that is known. Equally good known options share alike.   The integral is good to about 1e-6
    where the errors are of one size, and to 0.05 where they differ a hundredfold; the probability that is logged is
    exact in any case, for draws are taken from these very numbers.
    """
    value, may = _worth(worth, allowed)
    spread = np.broadcast_to(np.asarray(error, dtype=np.float64), value.shape)
    if not np.isfinite(spread[may]).all() or float(spread[may].min()) < 0:
        raise BadQuestion("Standard errors must be known", expected="finite numbers from 0")
    unit = float(np.abs(np.where(may, value, 0.0)).max()) or 1.0
    known = np.where(may, np.maximum(spread, 1e-9 * unit), 1.0)
    chances = np.zeros(value.shape)
    knots, weights = np.polynomial.legendre.leggauss(_KNOTS)
    for option in range(value.shape[1]):
        rows = np.flatnonzero(may[:, option])
        for at, weight in zip(_REACH * knots, _REACH * weights, strict=True):
            here = value[rows, option] + at * known[rows, option]
            beaten = log_ndtr((here[:, None] - value[rows]) / known[rows])
            beaten[~may[rows]] = 0.0
            beaten[:, option] = 0.0
            density = np.exp(-at * at / 2) / np.sqrt(2 * np.pi)
            chances[rows, option] += weight * density * np.exp(beaten.sum(axis=1))
    total: FloatArray = chances / chances.sum(axis=1, keepdims=True)
    return total


def explored(best: ArrayLike, chances: FloatArray, part: float) -> FloatArray:
    """The best option, except for a share of the rows, drawn by lot, that follow other chances.

    best: option of each row [rows].   chances: [rows, options].   part: the share that explores, in [0, 1].
    """
    mixed: FloatArray = share(part, "the share that explores") * chances
    chosen = np.asarray(best, dtype=np.int64)
    mixed[np.arange(chosen.size), chosen] += 1.0 - part
    return mixed


def drawn(chances: FloatArray, seed: int) -> Drawn:
    """One option for each row, with the exact probability of it; equal seeds give equal draws.

    >>> drawn(np.array([[0.0, 1.0]]), seed=1).option.tolist()
    [1]
    """
    if not np.allclose(chances.sum(axis=1), 1.0) or chances.min() < 0:
        raise BadQuestion("Chances must sum to 1 for each row", expected="numbers from 0 that sum to 1")
    ends = np.cumsum(chances, axis=1)
    point = np.random.default_rng(seed).random(chances.shape[0]) * ends[:, -1]
    option = (point[:, None] >= ends).sum(axis=1)
    last = chances.shape[1] - 1 - (chances[:, ::-1] > 0).argmax(axis=1)
    option = np.minimum(option, last).astype(np.int64)
    return Drawn(option, chances[np.arange(option.size), option])


def _worth(worth: ArrayLike, allowed: ArrayLike | None) -> tuple[FloatArray, BoolArray]:
    value = np.asarray(worth, dtype=np.float64)
    may = _allowed(np.ones(value.shape, dtype=bool) if allowed is None else allowed)
    if value.ndim != 2 or may.shape != value.shape:
        seen = f"{value.shape} and {may.shape}"
        raise BadQuestion("Worth and permission must be tables of one shape", expected="[rows, options]", seen=seen)
    if not np.isfinite(value[may]).all():
        raise BadQuestion("The worth of an allowed option is missing or infinite", expected="finite numbers")
    return np.where(may, value, 0.0), may


def _allowed(allowed: ArrayLike) -> BoolArray:
    may = np.asarray(allowed, dtype=bool)
    if may.ndim != 2 or not may.size:
        raise NotEnoughData("There is nobody to choose for", expected="[rows, options]", seen=f"shape {may.shape}")
    stuck = int((~may.any(axis=1)).sum())
    if stuck:
        raise BadQuestion(
            f"{stuck} rows have no option at all", expected="at least one allowed option, such as nothing"
        )
    return may
