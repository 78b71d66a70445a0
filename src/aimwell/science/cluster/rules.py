"""The shortest rules that find the members of each group: a shallow tree that stands in for the clustering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.cluster.method import sample_rows

SAMPLE = 20_000
DEPTH = 4


@dataclass(frozen=True, slots=True)
class Condition:
    """One part of a rule: the feature lies above the low bound and not above the high one (None: no bound)."""

    feature: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions that all hold for most of a group's members, the most telling first.

    precision: share of those whom the rule finds that are members.   recall: share of the members that it finds.
    No conditions (and 0) when the tree gives the group no place of its own.
    """

    conditions: tuple[Condition, ...]
    precision: float
    recall: float


def find_rules(
    X: FloatArray, names: Sequence[str], labels: IntArray, *, seed: int = 0
) -> tuple[tuple[Rule, ...], float]:
    """For each group the best leaf of one shallow tree, and the share of customers whom the tree places rightly.

    X: features in their own units, finite [n, d].   labels: group of each customer [n], -1 belongs to none.
    The tree is a stand-in that is learnt on at most 20,000 customers; it does not decide who belongs where.
    """
    k = int(labels.max()) + 1
    rows = sample_rows(len(X), SAMPLE, seed)
    points, groups = X[rows], labels[rows]
    least = max(1, round(len(rows) / 200))
    tree = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=least, random_state=seed).fit(points, groups)
    fidelity = float((tree.predict(points) == groups).mean())
    leaves = tree.apply(points)
    rules: list[Rule] = []
    for group in range(k):
        inside = groups == group
        best = Rule((), 0.0, 0.0)
        for leaf in np.unique(leaves[inside]):
            there = leaves == leaf
            shared = int((there & inside).sum())
            if 2 * shared > there.sum() and shared / inside.sum() > best.recall:
                best = Rule(_path(tree, names, int(leaf)), shared / int(there.sum()), shared / int(inside.sum()))
        rules.append(best)
    return tuple(rules), fidelity


def _path(tree: DecisionTreeClassifier, names: Sequence[str], leaf: int) -> tuple[Condition, ...]:
    """The conditions on the way to a leaf, one per feature, the last ones first (they part the nearest groups)."""
    inner = tree.tree_
    parents = {int(child): node for node in range(inner.node_count) for child in _children(tree, node)}
    bounds: dict[int, tuple[float | None, float | None]] = {}
    node = leaf
    while node in parents:
        above = parents[node]
        feature, cut = int(inner.feature[above]), float(inner.threshold[above])
        low, high = bounds.get(feature, (None, None))
        if int(inner.children_left[above]) == node:
            bounds[feature] = (low, cut if high is None else min(high, cut))
        else:
            bounds[feature] = (cut if low is None else max(low, cut), high)
        node = above
    return tuple(Condition(names[feature], low, high) for feature, (low, high) in bounds.items())


def _children(tree: DecisionTreeClassifier, node: int) -> tuple[int, ...]:
    left, right = int(tree.tree_.children_left[node]), int(tree.tree_.children_right[node])
    return (left, right) if left != right else ()
