"""What sets each group apart: the few features to name it by, and the shortest rule that finds its members.

Gives structured reasons, not words: the step that shows them knows labels, units and the reader's language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import FloatArray, IntArray, same_length, table, totals
from aimwell.science.cluster.assignment import NONE
from aimwell.science.cluster.method import sample_rows
from aimwell.science.cluster.rules import Rule, find_rules

Size = Literal["small", "medium", "large"]

SMALL, MEDIUM, LARGE = 0.147, 0.33, 0.474
"""Bounds of Cliff's delta (Romano et al., 2006); below the first a difference is not worth a word."""
LIKE = 0.8
"""Of two features that are ranked this much alike, only the stronger is named."""
FEWEST, MOST = 2, 4
IN_RULE = 0.05
"""Head start of a feature that the rule uses, so that name and rule speak of the same things where they can."""
SAMPLE = 20_000


@dataclass(frozen=True, slots=True)
class Trait:
    """One feature by which a group differs from all other customers.

    delta: Cliff's delta, -1 to 1: chance that a member is above a non-member minus the chance of the reverse.
    inside, outside: medians in the feature's own unit; the means beside them serve yes/no and mostly-zero features.
    """

    feature: str
    delta: float
    inside: float
    outside: float
    inside_mean: float
    outside_mean: float

    @property
    def direction(self) -> Literal["high", "low"]:
        return "high" if self.delta > 0 else "low"

    @property
    def size(self) -> Size:
        """How large the difference is, by the usual bounds of Cliff's delta."""
        strength = abs(self.delta)
        return "large" if strength >= LARGE else "medium" if strength >= MEDIUM else "small"


@dataclass(frozen=True, slots=True)
class Portrait:
    """One group: its size, the traits that set it apart (strongest first), and a rule that finds its members.

    traits: none for a group that is average in everything.
    """

    group: int
    people: int
    share: float
    traits: tuple[Trait, ...]
    rule: Rule


@dataclass(frozen=True, slots=True)
class Portraits:
    """All groups, and how many customers a shallow tree puts into their right group (low: no simple words fit)."""

    groups: tuple[Portrait, ...]
    fidelity: float


def portray(features: ArrayLike, names: Sequence[str], labels: ArrayLike, *, seed: int = 0) -> Portraits:
    """The two to four features by which each group differs most from everybody else, and a rule for it.

    features: in their own units, as marketers know them [n, d], NaN where unknown.   names: [d].
    labels: group of each customer [n], -1 belongs to none (counted among "everybody else").
    Effects are ranks (Cliff's delta), so skewed money and outliers do not matter; of features that say the same only
    the stronger is named, and two groups never carry the same traits while another trait can tell them apart.
    Raises NotEnoughData when there is no group, or nobody outside of the only one.   Cost: O(n · d · log n).
    """
    X, groups = table(features, "features"), np.asarray(labels, dtype=np.int64)
    same_length(features=X, labels=groups)
    if len(names) != X.shape[1]:
        raise BadQuestion("Every feature needs a name", expected=f"{X.shape[1]} names", seen=f"{len(names)}")
    k = int(groups.max()) + 1
    if k < 1 or (groups == groups[0]).all():
        raise NotEnoughData("A group is only different from others", expected="two kinds of customers", seen="one")
    filled = np.where(np.isnan(X), _medians(X), X)
    rules, fidelity = find_rules(filled, names, groups, seed=seed)
    deltas = _deltas(filled, groups, k)
    alike = np.abs(np.corrcoef(_ranks(filled[sample_rows(len(filled), SAMPLE, seed)]), rowvar=False))
    chosen = _told_apart([_candidates(deltas[group], alike, _used(rules[group], names)) for group in range(k)], deltas)
    return Portraits(
        tuple(
            _portrait(group, filled, groups, names, chosen[group], deltas[group], rules[group]) for group in range(k)
        ),
        fidelity,
    )


def cliffs_delta(inside: ArrayLike, outside: ArrayLike) -> float:
    """Chance that one of the first is larger than one of the second, minus the chance of the reverse.

    >>> cliffs_delta([3, 4], [1, 2, 3])
    0.8333333333333333
    """
    one, two = np.asarray(inside, dtype=np.float64), np.asarray(outside, dtype=np.float64)
    values = np.concatenate([one, two])[:, None]
    labels = np.repeat([0, 1], [one.size, two.size])
    return float(_deltas(values, labels, 2)[0, 0])


def _portrait(
    group: int,
    X: FloatArray,
    labels: IntArray,
    names: Sequence[str],
    chosen: tuple[int, ...],
    deltas: FloatArray,
    rule: Rule,
) -> Portrait:
    inside = labels == group
    members, others = X[inside][:, chosen], X[~inside][:, chosen]
    traits = tuple(
        Trait(names[column], float(deltas[column]), *(float(value) for value in values))
        for column, *values in zip(
            chosen,
            np.median(members, axis=0),
            np.median(others, axis=0),
            members.mean(axis=0),
            others.mean(axis=0),
            strict=True,
        )
    )
    people = int(inside.sum())
    return Portrait(group, people, people / labels.size, traits, rule)


def _medians(X: FloatArray) -> FloatArray:
    known = ~np.isnan(X)
    return np.array([np.median(column[rows]) if rows.any() else 0.0 for column, rows in zip(X.T, known.T, strict=True)])


def _ranks(X: FloatArray) -> FloatArray:
    ranks: FloatArray = rankdata(X, axis=0)
    # A constant column correlates with nothing; a breath of difference keeps the correlation defined.
    ranks[0, np.ptp(ranks, axis=0) == 0] += 1e-9
    return ranks


def _deltas(X: FloatArray, labels: IntArray, k: int) -> FloatArray:
    """Cliff's delta of each group against everybody else, for each feature [k, d]; 0 where a group is empty."""
    people = labels.size
    places = np.where(labels == NONE, k, labels)
    sizes = np.bincount(places, minlength=k + 1)[:k].astype(np.float64)
    pairs = np.maximum(sizes * (people - sizes), 1.0)
    columns = []
    for column in X.T:
        sums = totals(places, rankdata(column), k + 1)[:k]
        wins = sums - sizes * (sizes + 1) / 2
        columns.append(np.where((sizes > 0) & (sizes < people), 2 * wins / pairs - 1, 0.0))
    return np.column_stack(columns)


def _candidates(deltas: FloatArray, alike: FloatArray, used: set[int]) -> list[int]:
    """Columns worth a word, strongest first, without those that repeat a stronger one."""
    alike = np.atleast_2d(alike)
    head_start = np.array([IN_RULE if column in used else 0.0 for column in range(deltas.size)])
    found: list[int] = []
    for column in np.argsort(-(np.abs(deltas) + head_start), kind="stable").tolist():
        if abs(deltas[column]) >= SMALL and all(alike[column, other] < LIKE for other in found):
            found.append(column)
    return found


def _told_apart(candidates: list[list[int]], deltas: FloatArray) -> list[tuple[int, ...]]:
    """Two to four traits per group; more where two groups would otherwise read the same."""
    counts = [
        max(min(FEWEST, len(columns)), min(MOST, sum(abs(deltas[group, column]) >= MEDIUM for column in columns)))
        for group, columns in enumerate(candidates)
    ]

    def signature(group: int) -> frozenset[tuple[int, bool]]:
        return frozenset((column, bool(deltas[group, column] > 0)) for column in candidates[group][: counts[group]])

    for _ in range(max(map(len, candidates))):
        seen = [signature(group) for group in range(len(candidates))]
        twins = [group for group, reading in enumerate(seen) if reading and seen.count(reading) > 1]
        if not twins:
            break
        for group in twins:
            counts[group] = min(counts[group] + 1, len(candidates[group]))
    return [tuple(columns[:count]) for columns, count in zip(candidates, counts, strict=True)]


def _used(rule: Rule, names: Sequence[str]) -> set[int]:
    wanted = {condition.feature for condition in rule.conditions}
    return {place for place, name in enumerate(names) if name in wanted}
