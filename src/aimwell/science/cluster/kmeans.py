"""k-means: groups around centres, each customer in the group of the nearest one."""

from __future__ import annotations

import numpy as np

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.cluster.assignment import NearestCentre, squared_distances
from aimwell.science.cluster.criteria import best_number
from aimwell.science.cluster.method import Clustering, Found, means_of, sample_rows

SAMPLE = 20_000
"""Centres are learnt on so many customers; more do not move them noticeably."""
RESTARTS = 8
SHORT = 10
"""Every start goes so many steps; the best alone goes on to the end (half the time, and the same groups)."""


def fit_centres(X: FloatArray, k: int, seed: int, restarts: int = RESTARTS) -> FloatArray:
    """The k centres with the smallest sum of squared distances found in several starts, [k, d].

    Source: Lloyd, IEEE Transactions on Information Theory 28 (1982), started by greedy k-means++ (Arthur and
    Vassilvitskii, SODA 2007).   Our own, because a threaded implementation sums in an order that changes from run to
    run, and equal seeds must give equal groups.
    """
    generator = np.random.default_rng(seed)
    best, least = X[:1], np.inf
    for _ in range(restarts):
        centres, cost = _descend(X, _spread(X, k, generator), SHORT)
        if cost < least * (1 - 1e-9):
            best, least = centres, cost
    return _descend(X, best)[0]


def _search(X: FloatArray, *, k: int | None, seed: int) -> Found:
    rows = X[sample_rows(len(X), SAMPLE, seed)]
    notes: tuple[Text, ...] = ()
    if k is None:
        few = X[sample_rows(len(X), 4000, seed)]

        def cut(size: int) -> IntArray:
            return NearestCentre(fit_centres(few, size, seed, restarts=3), np.arange(size)).labels(few)

        k, notes = best_number(few, cut, seed=seed)
    return Found(NearestCentre(fit_centres(rows, k, seed), np.arange(k)), notes)


def _spread(X: FloatArray, k: int, generator: np.random.Generator) -> FloatArray:
    """Starting centres far from each other: each the best of a few candidates drawn by squared distance."""
    centres = [X[generator.integers(len(X))]]
    nearest = squared_distances(X, centres[0][None, :])[:, 0]
    trials = 2 + int(np.log(k))
    for _ in range(1, k):
        total = nearest.sum()
        if total <= 0:
            candidates = generator.integers(len(X), size=1)
        else:
            candidates = np.searchsorted(np.cumsum(nearest), generator.random(trials) * total).clip(max=len(X) - 1)
        gaps = np.minimum(nearest[:, None], squared_distances(X, X[candidates]))
        chosen = int(gaps.sum(axis=0).argmin())
        centres.append(X[candidates[chosen]])
        nearest = gaps[:, chosen]
    return np.array(centres)


def _descend(X: FloatArray, centres: FloatArray, steps: int = 100) -> tuple[FloatArray, float]:
    labels = np.full(len(X), -1)
    cost = np.inf
    rows, lengths = np.arange(len(X)), np.square(X).sum(axis=1)
    for _ in range(steps):
        # The customers' own lengths move no minimum, so they are added for the nearest centres alone.
        distances = np.square(centres).sum(axis=1) - 2 * X @ centres.T
        now = distances.argmin(axis=1)
        nearest = np.maximum(distances[rows, now] + lengths, 0.0)
        cost = float(nearest.sum())
        if (now == labels).all():
            break
        labels = now
        centres, sizes = means_of(X, labels, len(centres))
        # A centre that lost all customers starts again at the customer who is worst served.
        for empty in np.flatnonzero(sizes == 0):
            worst = int(nearest.argmax())
            centres[empty], nearest[worst] = X[worst], 0.0
    return centres, cost


METHOD = Clustering(
    name="kmeans",
    label=Text("K 均值", "k-means"),
    meaning=Text(
        "每位客户归到最近的群中心，群的大小相近、形状圆整", "Each customer joins the nearest centre; compact groups"
    ),
    search=_search,
)
