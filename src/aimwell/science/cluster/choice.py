"""How many groups: several criteria asked together, and the range in which the answer lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import FloatArray, IntArray, matrix
from aimwell.science.cluster.assignment import NONE, squared_distances
from aimwell.science.cluster.criteria import WEAK, bic, silhouette_of
from aimwell.science.cluster.kmeans import fit_centres
from aimwell.science.cluster.method import Clustering, means_of, sample_rows
from aimwell.science.cluster.stability import FAIR, adjusted_rand

SAMPLE = 2000
"""The criteria are judged on so many customers."""
REFERENCES = 5
REPETITIONS = 6


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """What speaks for one number of groups.

    silhouette: -1 to 1, higher is better.   gap, gap_error: how much tighter than featureless customers, in logs.
    bic: of one bell curve per group, lower is better.   stability: mean agreement of two halves of the customers.
    """

    k: int
    silhouette: float
    gap: float
    gap_error: float
    bic: float
    stability: float


@dataclass(frozen=True, slots=True)
class Choice:
    """The number of groups proposed, the range that the criteria support, and their table.

    natural: whether the groups stand apart and hold in other samples; if not, any number is a matter of use.
    """

    k: int
    low: int
    high: int
    natural: bool
    rows: tuple[ChoiceRow, ...]


def choose_k(method: Clustering, X: ArrayLike, *, ks: Sequence[int] = tuple(range(2, 11)), seed: int = 0) -> Choice:
    """The number of groups on which silhouette, gap statistic, BIC and stability agree best.

    X: prepared features [n, d].   ks: numbers to compare, each at least 2.
    Among the numbers whose stability is at least fair (.60; all, if none is), the one with the best mean rank over
    the four criteria wins, of equals the smaller; the range holds those within one rank of it.
    Raises NotEnoughData when there are not twice as many different customers as groups.
    Cost: some 13 fits per number on at most 2,000 customers.
    Source: Tibshirani, Walther and Hastie, Journal of the Royal Statistical Society B 63 (2001) for the gap.
    """
    features = matrix(X, "features")
    features = features[np.lexsort(features.T[::-1])]
    points = features[sample_rows(len(features), SAMPLE, seed)]
    numbers = sorted(set(ks))
    if not numbers or numbers[0] < 2:
        raise BadQuestion("Numbers of groups to compare start at 2", expected="such as 2 … 10", seen=f"{list(ks)}")
    different = len(np.unique(points, axis=0))
    if different < 2 * numbers[0]:
        raise NotEnoughData("Too few customers to choose a number of groups", expected="more", seen=f"{different}")
    numbers = [k for k in numbers if 2 * k <= different]
    distances = np.sqrt(squared_distances(points, points))
    references = [_featureless(points, seed + draw) for draw in range(REFERENCES)]
    rows = tuple(_row(method, points, distances, references, k, seed) for k in numbers)
    return _decided(rows)


def _row(
    method: Clustering, points: FloatArray, distances: FloatArray, references: list[FloatArray], k: int, seed: int
) -> ChoiceRow:
    labels = method.fit(points, k=k, seed=seed).labels
    inside = np.flatnonzero(labels != NONE)
    apart = np.unique(labels[inside]).size > 1
    width = silhouette_of(distances[np.ix_(inside, inside)], labels[inside]) if apart else -1.0
    logs = np.array([np.log(_tightness(reference, k, seed)) for reference in references])
    gap = float(logs.mean() - np.log(_within(points[inside], labels[inside])))
    error = float(logs.std() * np.sqrt(1 + 1 / REFERENCES))
    return ChoiceRow(k, width, gap, error, bic(points[inside], labels[inside]), _halves(method, points, k, seed))


def _decided(rows: tuple[ChoiceRow, ...]) -> Choice:
    # A gap counts only as far as it rises beyond chance: later, equally good numbers are no gain.
    gaps = np.array([row.gap for row in rows])
    errors = np.array([row.gap_error for row in rows])
    risen = [place for place in range(len(rows) - 1) if gaps[place] >= gaps[place + 1] - errors[place + 1]]
    first = risen[0] if risen else int(gaps.argmax())
    places = np.arange(len(rows))
    ranks = np.array(
        [
            rankdata([-row.silhouette for row in rows], method="min"),
            rankdata(np.abs(places - first), method="min"),
            rankdata([row.bic for row in rows], method="min"),
            rankdata([-round(row.stability, 2) for row in rows], method="min"),
        ]
    ).mean(axis=0)
    fair = np.array([row.stability >= FAIR for row in rows])
    allowed = fair if fair.any() else np.ones(len(rows), dtype=bool)
    chosen = int(np.where(allowed, ranks, np.inf).argmin())
    close = [row.k for row, rank in zip(rows, ranks, strict=True) if rank <= ranks[chosen] + 1]
    best = rows[chosen]
    natural = best.silhouette >= WEAK and best.stability >= FAIR
    return Choice(best.k, min(*close, best.k), max(*close, best.k), natural, rows)


def _halves(method: Clustering, points: FloatArray, k: int, seed: int) -> float:
    """Mean agreement, over all customers, of groups found in two random halves."""
    agreements = []
    for draw in range(REPETITIONS // 2):
        order = np.random.default_rng((seed, k, draw)).permutation(len(points))
        halves = np.array_split(order, 2)
        try:
            one, two = (method.fit(points[np.sort(half)], k=k, seed=seed).assign(points) for half in halves)
        except NotEnoughData:
            continue
        agreements.append(adjusted_rand(one, two))
    return float(np.mean(agreements)) if agreements else 0.0


def _featureless(points: FloatArray, seed: int) -> FloatArray:
    """Customers spread evenly over the box, along the principal axes, that holds the real ones."""
    middle = points.mean(axis=0)
    axes = np.linalg.svd(points - middle, full_matrices=False)[2]
    turned = (points - middle) @ axes.T
    generator = np.random.default_rng((seed, 1))
    box: FloatArray = generator.uniform(turned.min(axis=0), turned.max(axis=0), size=turned.shape)
    return box


def _tightness(points: FloatArray, k: int, seed: int) -> float:
    centres = fit_centres(points, k, seed, restarts=1)
    return float(squared_distances(points, centres).min(axis=1).sum())


def _within(points: FloatArray, labels: IntArray) -> float:
    k = int(labels.max()) + 1 if labels.size else 1
    centres, _ = means_of(points, labels, k)
    return float(np.square(points - centres[labels]).sum()) + 1e-12
