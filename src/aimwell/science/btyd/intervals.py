"""How sure is a forecast: for each customer the range that so many of his possible futures fall into, and for all.

How the ranges are made. The parameters are not known exactly: their likely values are taken from a normal distribution
in log-parameters around the fit, as wide as the curvature of the posterior says (Laplace). For each of a few such
values, possible futures of each customer are drawn as his model says; the range of one customer is made of their
quantiles. The range of the total adds what customers' own luck leaves in a sum to what the parameters leave in its
expectation. What no customer's history can show, such as a new competitor or a Christmas, is in neither.
"""

from __future__ import annotations

from dataclasses import Field, astuple, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import FloatArray, IntArray, share
from aimwell.science.btyd.gamma_gamma import GammaGamma
from aimwell.science.btyd.histories import Columns, Histories, checked, distinct
from aimwell.science.btyd.posterior import BOUND, Prior
from aimwell.science.btyd.value import PurchaseModel

LIKELY = 20
"""So many likely values of the parameters are drawn."""
_AT_ONCE = 4_000_000
_STEP = 1e-4


class FittedModel(PurchaseModel, Protocol):
    """A purchase model of four positive parameters that can be drawn from: BG/NBD, MBG/NBD, Pareto/NBD."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def slopes(self, histories: Histories) -> FloatArray: ...

    def draw_purchases(
        self, horizon: float, histories: Columns, draws: int, generator: np.random.Generator
    ) -> FloatArray: ...


@dataclass(frozen=True, slots=True, eq=False)
class Spending:
    """What is known of amounts: the model, and number and mean value of each customer's purchases so far, [n] each."""

    model: GammaGamma
    frequency: FloatArray
    mean_value: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """Purchases (or money) to come: expected, and the range that holds a share `level` of the possible futures.

    expected, low, high: of each customer [n].   total: of all, and its range.
    """

    level: float
    expected: FloatArray
    low: FloatArray
    high: FloatArray
    total: float
    total_low: float
    total_high: float


def parameter_spread(model: FittedModel, histories: Histories, *, prior: float = 1.0) -> FloatArray:
    """Covariance of the log-parameters after these customers were seen, [4, 4].

    histories, prior: those that the model was fitted with.   Directions of which the customers say nothing are as wide
    as the prior; without one, as wide as a prior of weight 1 would leave them.
    Source: Laplace's approximation, the inverse of the negative second derivatives of the log-posterior.
    """
    theta = _logs(model)
    steps = np.eye(theta.size) * _STEP
    rows = [
        (_moved(model, step).slopes(histories) - _moved(model, -step).slopes(histories)) / (2 * _STEP) for step in steps
    ]
    curvature = -np.array(rows)
    known = 1 / Prior(tuple(theta)).spread ** 2
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2 + prior * known * np.eye(theta.size))
    spread: FloatArray = (vectors / np.maximum(values, known)) @ vectors.T
    return spread


def foresee(
    model: FittedModel,
    histories: tuple[ArrayLike, ArrayLike, ArrayLike],
    horizon: float,
    spread: FloatArray,
    *,
    spending: Spending | None = None,
    level: float = 0.8,
    draws: int = 400,
    seed: int = 0,
) -> Outlook:
    """Purchases of each customer within the horizon with ranges; money instead, if spending is told.

    histories: (frequency, recency, age), one entry per customer [n]; equal ones get equal ranges.
    spread: of `parameter_spread`.   level: share of futures that lie within.   draws: futures per customer.
    The ranges of counts end at counts, so they hold the level at least.   Equal seeds give equal ranges.
    Cost: some 0.1 µs per distinct customer and draw, twice that with money.
    """
    share(level, "The level of a range")
    if draws < LIKELY:
        raise BadQuestion("Ranges are made of more futures", expected=f"at least {LIKELY} draws", seen=str(draws))
    columns = checked(*histories)
    more = () if spending is None else (spending.frequency, spending.mean_value)
    first, places = distinct(*columns, *more)
    people = np.bincount(places).astype(np.float64)
    x, t_x, T = (column[first] for column in columns)
    known = None if spending is None else Spending(spending.model, *(column[first] for column in more))
    low, high, luck = _ranges(_likely(model, spread, seed), (x, t_x, T), horizon, known, (level, draws, seed))
    worth = np.ones(first.size) if known is None else known.model.expected_value(known.frequency, known.mean_value)
    expected = model.expected_purchases(horizon, x, t_x, T) * worth
    total = float(people @ expected)
    slope = _total_slope(model, (x, t_x, T), horizon, people * worth)
    wide = ndtri((1 + level) / 2) * np.sqrt(slope @ spread @ slope + float(people @ luck) / max(total, 1e-300) ** 2)
    ends = total * np.exp(-wide), total * np.exp(wide)
    return Outlook(level, expected[places], low[places], high[places], total, float(ends[0]), float(ends[1]))


def _ranges(
    models: list[FittedModel],
    histories: Columns,
    horizon: float,
    known: Spending | None,
    asked: tuple[float, int, int],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lower and upper end and variance of the futures of each distinct customer, [m] each."""
    level, draws, seed = asked
    generator = np.random.default_rng([seed, 1])
    size = histories[0].size
    low, high, luck = np.empty(size), np.empty(size), np.empty(size)
    for rows in np.array_split(np.arange(size), max(1, size * draws // _AT_ONCE)):
        futures = np.concatenate(
            [_futures(one, histories, rows, horizon, known, -(-draws // len(models)), generator) for one in models]
        )
        ends = np.quantile(futures, [(1 - level) / 2, (1 + level) / 2], axis=0, method="inverted_cdf")
        low[rows], high[rows], luck[rows] = ends[0], ends[1], futures.var(axis=0)
    return low, high, luck


def _futures(
    model: FittedModel,
    histories: Columns,
    rows: IntArray,
    horizon: float,
    known: Spending | None,
    draws: int,
    generator: np.random.Generator,
) -> FloatArray:
    x, t_x, T = (column[rows] for column in histories)
    bought = model.draw_purchases(horizon, (x, t_x, T), draws, generator)
    if known is None:
        return bought
    return known.model.draw_spend(bought, (known.frequency[rows], known.mean_value[rows]), generator)


def _total_slope(model: FittedModel, histories: Columns, horizon: float, weights: FloatArray) -> FloatArray:
    """How the log of the expected total changes with the log-parameters, [4]."""
    steps = np.eye(_logs(model).size) * 10 * _STEP

    def log_total(step: FloatArray) -> float:
        total = float(weights @ _moved(model, step).expected_purchases(horizon, *histories))
        return float(np.log(max(total, 1e-300)))

    return np.array([(log_total(step) - log_total(-step)) / (20 * _STEP) for step in steps])


def _likely(model: FittedModel, spread: FloatArray, seed: int) -> list[FittedModel]:
    """Models at likely values of the parameters."""
    values, vectors = np.linalg.eigh(spread)
    noise = np.random.default_rng([seed, 0]).standard_normal((LIKELY, values.size))
    return [_moved(model, step) for step in (noise * np.sqrt(np.maximum(values, 0))) @ vectors.T]


def _logs(model: FittedModel) -> FloatArray:
    return np.log(np.array(astuple(model), dtype=np.float64))


def _moved(model: FittedModel, step: FloatArray) -> FittedModel:
    """The model with its log-parameters moved by a step, kept within reach."""
    logs = _logs(model)
    moved: FittedModel = type(model)(*np.exp(np.clip(logs + step, logs - BOUND, logs + BOUND)).tolist())
    return moved
