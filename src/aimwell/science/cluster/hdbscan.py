"""HDBSCAN: crowded places of any density, the ones that last longest when the density bar is raised."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from sklearn.cluster import HDBSCAN

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.cluster.assignment import NONE, NearestCentre, NearestPoint
from aimwell.science.cluster.dbscan import NO_CROWDS, OTHER_NUMBER
from aimwell.science.cluster.method import Clustering, Found, sample_rows

SAMPLE = 4000
SHARES = (0.02, 0.01, 0.04, 0.08, 0.005)
"""Smallest group as a share of the customers: the first is the usual one, the others serve a wished number."""
NEIGHBOURS = 5


def _search(X: FloatArray, *, k: int | None, seed: int) -> Found:
    points = X[sample_rows(len(X), SAMPLE, seed)]
    found = [
        labels for share in (SHARES if k is not None else SHARES[:1]) if (labels := _crowds(points, share)).max() >= 0
    ]
    if not found:
        return Found(NearestCentre(X.mean(axis=0, keepdims=True), np.zeros(1, dtype=np.int64)), (NO_CROWDS,))
    labels = found[0]
    if k is not None:
        labels = min(found, key=lambda one: (abs(int(one.max()) + 1 - k), float((one == NONE).mean())))
    groups = int(labels.max()) + 1
    notes = (OTHER_NUMBER.format(found=groups, asked=k),) if k is not None and groups != k else ()
    return Found(NearestPoint(points, labels, _reach(points, labels)), notes)


def _crowds(points: FloatArray, share: float) -> IntArray:
    least = max(NEIGHBOURS, round(share * len(points)))
    if least > len(points):
        return np.full(len(points), NONE)
    fitted = HDBSCAN(min_cluster_size=least, min_samples=min(NEIGHBOURS, len(points)), copy=True).fit(points)
    labels: IntArray = fitted.labels_.astype(np.int64)
    return labels


def _reach(points: FloatArray, labels: IntArray) -> FloatArray:
    """How far a group reaches from its points: the widest distance to a fifth neighbour inside the group."""
    reach = np.full(len(points), np.inf)
    for group in range(int(labels.max()) + 1):
        members = points[labels == group]
        neighbours = min(NEIGHBOURS, len(members) - 1)
        reach[labels == group] = cKDTree(members).query(members, k=neighbours + 1)[0][:, -1].max()
    return reach


METHOD = Clustering(
    name="hdbscan",
    label=Text("分层密度聚类 HDBSCAN", "HDBSCAN"),
    meaning=Text(
        "疏密不同的人群都能成群，零散的客户不属于任何群",
        "Crowds of different density are groups; stray customers belong to none",
    ),
    search=_search,
    chooses_k=True,
    leaves_out=True,
)
