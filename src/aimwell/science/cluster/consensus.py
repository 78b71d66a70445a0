"""Consensus: customers whom most methods put together belong together (evidence accumulation)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.cluster.assignment import NONE, NearestPoint, squared_distances
from aimwell.science.cluster.criteria import MOST
from aimwell.science.cluster.kmeans import fit_centres
from aimwell.science.cluster.method import Clustering, Found, methods, sample_rows
from aimwell.science.cluster.tree import cut

SAMPLE = 1200
"""Every pair of these customers gets a count of how often the methods put them together; the others follow them."""
VARIANTS = 12
"""Number of k-means runs with different numbers of groups and starts, beside one run of every other method."""


def _search(X: FloatArray, *, k: int | None, seed: int) -> Found:
    points = X[sample_rows(len(X), SAMPLE, seed)]
    together = np.zeros((len(points), len(points)))
    opinions = 0
    for labels, weight in _opinions(points, k, seed):
        together += weight * ((labels[:, None] == labels[None, :]) & (labels != NONE)[:, None])
        opinions += weight
    np.fill_diagonal(together, opinions)
    tree = linkage(squareform(1 - together / opinions, checks=False), "average")
    size = min(k, len(points)) if k is not None else _lasting(tree[:, 2])
    groups = cut(tree, size)
    return Found(NearestPoint(points, groups, np.full(len(points), np.inf)))


def _opinions(points: FloatArray, k: int | None, seed: int) -> Iterator[tuple[IntArray, int]]:
    """Partitions of the sample with their weight.

    All k-means runs together weigh as much as three other methods, so that round groups do not outvote the rest.
    """
    generator = np.random.default_rng(seed)
    different = len(np.unique(points, axis=0))
    low, high = (2, max(3, round(np.sqrt(len(points)) / 2))) if k is None else (k, 3 * k)
    for start in range(VARIANTS):
        size = min(int(generator.integers(low, high + 1)), different)
        centres = fit_centres(points, size, seed + start, restarts=1)
        yield squared_distances(points, centres).argmin(axis=1), 1
    for other in methods().values():
        if not other.ensemble and other.name != "kmeans":
            yield other.fit(points, k=None if k is not None and k > different else k, seed=seed).labels, VARIANTS // 3


def _lasting(heights: FloatArray) -> int:
    """The number of groups that lasts longest while the bar for joining is raised (between 1 and 10 groups)."""
    last = np.concatenate([heights[::-1][: MOST + 1], [0.0]])
    # Between heights[-m+1] and heights[-m] there are m groups; one group lasts from the highest join to 1.
    lives = [1.0 - last[0], *(last[size - 2] - last[size - 1] for size in range(2, min(MOST, heights.size) + 1))]
    return int(np.argmax(lives)) + 1


METHOD = Clustering(
    name="consensus",
    label=Text("共识聚类", "Consensus"),
    meaning=Text("多数方法都归在一起的客户成为一群", "Customers whom most methods put together are a group"),
    search=_search,
    ensemble=True,
)
