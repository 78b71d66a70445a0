"""DBSCAN: groups are crowded places; customers in empty places belong to none."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from sklearn.cluster import DBSCAN

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.cluster.assignment import NONE, NearestCentre, NearestPoint
from aimwell.science.cluster.method import Clustering, Found, sample_rows

SAMPLE = 4000
"""Crowding is judged among so many customers: the neighbourhoods of all of them fit in memory at any radius."""
SMALLEST = 0.01
"""A crowd smaller than this share of the customers is no group worth naming."""

NO_CROWDS = Text("没有发现密集的人群，只分一个群", "No crowded places were found: one group")
OTHER_NUMBER = Text(
    "密度方法找到 {found} 个群，而不是要求的 {asked} 个", "Crowding shows {found} groups, not the {asked} asked for"
)


def knee(values: FloatArray) -> float:
    """Where a rising curve turns upwards: the value farthest below the straight line between its ends.

    values: rising [n].   Source: the idea of Satopaa et al., ICDCS workshops (2011).

    >>> knee(np.array([1.0, 1.1, 1.2, 1.3, 5.0]))
    1.3
    """
    height = float(values[-1] - values[0])
    if height <= 0:
        return float(values[-1])
    below = np.linspace(0, 1, values.size) - (values - values[0]) / height
    return float(values[int(below.argmax())])


def _search(X: FloatArray, *, k: int | None, seed: int) -> Found:
    points = X[sample_rows(len(X), SAMPLE, seed)]
    neighbours = min(max(4, 2 * X.shape[1]), len(points) - 1)
    reaches = np.sort(cKDTree(points).query(points, k=neighbours + 1)[0][:, -1])
    radii = _radii(reaches, k)
    found = [(radius, *_crowds(points, radius, neighbours + 1)) for radius in radii]
    wanted = [candidate for candidate in found if candidate[1].max() >= 0]
    if not wanted:
        return Found(NearestCentre(X.mean(axis=0, keepdims=True), np.zeros(1, dtype=np.int64)), (NO_CROWDS,))
    if k is None:
        radius, labels, core = wanted[0]
    else:
        radius, labels, core = min(
            wanted, key=lambda one: (abs(int(one[1].max()) + 1 - k), float((one[1] == NONE).mean()))
        )
    groups = int(labels.max()) + 1
    notes = (OTHER_NUMBER.format(found=groups, asked=k),) if k is not None and groups != k else ()
    return Found(NearestPoint(points[core], labels[core], np.full(int(core.sum()), radius)), notes)


def _radii(reaches: FloatArray, k: int | None) -> list[float]:
    """The radius at the knee and, if that shows no crowd, wider ones; for a wished k a ladder of radii."""
    positive = reaches[reaches > 0]
    if positive.size == 0:
        return [1e-9]
    turn = max(knee(reaches), float(positive[0]))
    if k is None:
        return [turn * 1.25**step for step in range(6)]
    return sorted({turn, *np.quantile(positive, np.linspace(0.2, 0.99, 24)).tolist()})


def _crowds(
    points: FloatArray, radius: float, neighbours: int
) -> tuple[IntArray, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Labels without the tiny crowds, and which points are cores of a crowd that stayed."""
    fitted = DBSCAN(eps=radius, min_samples=neighbours).fit(points)
    labels = fitted.labels_.astype(np.int64)
    sizes = np.bincount(labels[labels >= 0], minlength=1)
    kept = np.flatnonzero(sizes >= max(neighbours, SMALLEST * len(points)))
    numbers = np.full(sizes.size + 1, NONE)
    numbers[kept] = np.arange(kept.size)
    labels = numbers[labels]
    core = np.zeros(len(points), dtype=bool)
    core[fitted.core_sample_indices_] = True
    return labels, core & (labels >= 0)


METHOD = Clustering(
    name="dbscan",
    label=Text("密度聚类 DBSCAN", "DBSCAN"),
    meaning=Text("密集处成群，零散的客户不属于任何群", "Crowded places are groups; stray customers belong to none"),
    search=_search,
    chooses_k=True,
    leaves_out=True,
)
