"""Hierarchical clustering (Ward): the two most alike groups are joined again and again.

Every customer then goes to the group whose centre is nearest. On real customers without clear groups, following the
nearest of the customers in the tree instead gave groups that agreed half as well between two samples (adjusted Rand
.17 against .34 for six groups of 2,452 households), and would keep those customers' features in the stored rule.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.cluster.hierarchy import linkage

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray
from aimwell.science.cluster.assignment import NearestCentre
from aimwell.science.cluster.criteria import best_number
from aimwell.science.cluster.method import Clustering, Found, means_of, sample_rows
from aimwell.science.cluster.tree import cut

SAMPLE = 3000
"""The tree is grown over so many customers (its cost is square); the others follow the centres."""


def _search(X: FloatArray, *, k: int | None, seed: int) -> Found:
    points = X[sample_rows(len(X), SAMPLE, seed)]
    tree = linkage(points, "ward")
    notes: tuple[Text, ...] = ()
    if k is None:
        k, notes = best_number(points, partial(cut, tree), seed=seed)
    return Found(NearestCentre(means_of(points, cut(tree, k), k)[0], np.arange(k)), notes)


METHOD = Clustering(
    name="hierarchical",
    label=Text("层次聚类", "Hierarchical (Ward)"),
    meaning=Text("从最相似的客户开始逐层合并", "Joins the most alike customers and groups, step by step"),
    search=_search,
)
