"""Hierarchical clustering (Ward): the two most alike groups are joined again and again."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.cluster.hierarchy import linkage

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray
from aimwell.science.cluster.assignment import NearestPoint
from aimwell.science.cluster.criteria import best_number
from aimwell.science.cluster.method import Clustering, Found, sample_rows
from aimwell.science.cluster.tree import cut

SAMPLE = 3000
"""The tree is grown over so many customers (its cost is square); the others follow the most alike of them."""


def _search(X: FloatArray, *, k: int | None, seed: int) -> Found:
    points = X[sample_rows(len(X), SAMPLE, seed)]
    tree = linkage(points, "ward")

    notes: tuple[Text, ...] = ()
    if k is None:
        k, notes = best_number(points, partial(cut, tree), seed=seed)
    return Found(NearestPoint(points, cut(tree, k), np.full(len(points), np.inf)), notes)


METHOD = Clustering(
    name="hierarchical",
    label=Text("层次聚类", "Hierarchical (Ward)"),
    meaning=Text("从最相似的客户开始逐层合并", "Joins the most alike customers and groups, step by step"),
    search=_search,
)
