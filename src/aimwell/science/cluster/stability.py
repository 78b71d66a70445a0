"""Are the groups real: would another sample of the same customers give the same groups?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, IntArray, matrix, same_length
from aimwell.science.cluster.method import Clustering, Fitted, sample_rows

SAMPLE = 10_000
"""Groups are looked for again among so many customers at most."""
STABLE, FAIR = 0.85, 0.60
"""Bounds of the mean overlap of a group with itself, after Hennig (2007): .85 highly stable, below .6 not to be
trusted."""


class Verdict(StrEnum):
    """Whether groups may be relied upon."""

    STABLE = "stable"
    FAIR = "fair"
    UNSTABLE = "unstable"

    @property
    def text(self) -> Text:
        """The verdict in words."""
        return WORDS[self]


WORDS = {
    Verdict.STABLE: Text("稳定：换一批客户也分成这样", "Stable: another sample of customers gives the same groups"),
    Verdict.FAIR: Text(
        "尚可：大体相同，边缘客户会换群", "Fair: much the same groups, with customers at the edges moving"
    ),
    Verdict.UNSTABLE: Text("不稳定：换一份样本会分得不一样", "Unstable: another sample would give other groups"),
}


@dataclass(frozen=True, slots=True)
class GroupStability:
    """One group: its mean overlap (Jaccard, 0 to 1) with its likeness in other samples, how often it dissolved."""

    group: int
    overlap: float
    dissolved: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Stability:
    """How alike the groups are when they are looked for again among other customers of the same kind.

    agreement: mean adjusted Rand index with the groups at hand (1 the same, 0 chance); low, high: the middle 80 % of
    the repetitions.   same_number: share of the repetitions with as many groups.
    """

    agreement: float
    low: float
    high: float
    same_number: float
    groups: tuple[GroupStability, ...]
    verdict: Verdict
    repetitions: int


def stability(
    method: Clustering, X: ArrayLike, fitted: Fitted, *, asked: int | None = None, repetitions: int = 20, seed: int = 0
) -> Stability:
    """How alike the groups come out among resampled customers, in all and group by group.

    X: prepared features that `fitted` was made of [n, d].   asked: the k to repeat with (None lets the method choose
    each time, which is the harder test).   Each repetition draws n customers with replacement (10,000 at most), looks
    for groups among them and places all customers.   Verdict: stable from .85, fair from .60, of the agreement and of
    the mean overlap, the worse of both.   Raises NotEnoughData for fewer than 10 customers, or one
    group of everybody, which says nothing.
    Cost: as many fits as repetitions.   Source: Hennig, Computational Statistics and Data Analysis 52 (2007).
    """
    features = matrix(X, "features")
    same_length(features=features, labels=fitted.labels)
    if len(features) < 10:
        raise NotEnoughData("Too few customers to judge groups", expected="10 or more", seen=f"{len(features)}")
    if (fitted.labels == fitted.labels[0]).all():
        raise NotEnoughData(
            "One group of everybody is always the same",
            expected="two groups, or customers who belong to none",
            seen="one",
            remedy="Ask for a number of groups, or choose other features.",
        )
    judged = sample_rows(len(features), SAMPLE, seed)
    people, reference = features[judged], fitted.labels[judged]
    ordered = people[np.lexsort(people.T[::-1])]
    agreements, overlaps, numbers = [], [], []
    for draw in range(repetitions):
        rows = np.random.default_rng((seed, draw)).integers(len(ordered), size=len(ordered))
        again = _again(method, ordered[rows], asked, seed + draw)
        labels = again.assign(people)
        agreements.append(adjusted_rand(reference, labels))
        overlaps.append(best_overlaps(reference, labels, fitted.k))
        numbers.append(again.k == fitted.k)
    return _judged(np.array(agreements), np.array(overlaps), float(np.mean(numbers)))


def adjusted_rand(first: ArrayLike, second: ArrayLike) -> float:
    """Agreement of two partitions of the same customers, whatever the numbering: 1 the same, about 0 by chance.

    Source: Hubert and Arabie, Journal of Classification 2 (1985).

    >>> adjusted_rand([0, 0, 1, 1], [5, 5, 2, 2])
    1.0
    """
    counts = _crossed(np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64))
    pairs, rows, columns = _pairs(counts).sum(), _pairs(counts.sum(axis=1)).sum(), _pairs(counts.sum(axis=0)).sum()
    total = _pairs(counts.sum(keepdims=True)).sum()
    expected = rows * columns / total if total else 0.0
    most = (rows + columns) / 2
    return float((pairs - expected) / (most - expected)) if most != expected else 1.0


def best_overlaps(reference: IntArray, labels: IntArray, k: int) -> FloatArray:
    """For each group of the reference, its overlap (Jaccard) with the most alike group of another partition [k]."""
    same_length(reference=reference, labels=labels)
    m = int(labels.max()) + 1
    places = (reference + 1) * (m + 1) + labels + 1
    counts = np.bincount(places, minlength=(k + 1) * (m + 1)).reshape(k + 1, m + 1)
    if m == 0:
        return np.zeros(k)
    common = counts[1:, 1:]
    either = counts[1:].sum(axis=1)[:, None] + counts[:, 1:].sum(axis=0)[None, :] - common
    overlaps: FloatArray = (common / np.maximum(either, 1)).max(axis=1)
    return overlaps


def _again(method: Clustering, X: FloatArray, asked: int | None, seed: int) -> Fitted:
    try:
        return method.fit(X, k=asked, seed=seed)
    except NotEnoughData:
        # A draw may hold fewer different customers than groups; then its own number of groups is the answer.
        return method.fit(X, k=None, seed=seed)


def _judged(agreements: FloatArray, overlaps: FloatArray, same_number: float) -> Stability:
    groups = tuple(
        GroupStability(place, float(seen.mean()), float((seen <= 0.5).mean()), _verdict(float(seen.mean())))
        for place, seen in enumerate(overlaps.T)
    )
    low, high = np.quantile(agreements, [0.1, 0.9])
    worse = min(float(agreements.mean()), float(overlaps.mean()) if overlaps.size else 0.0)
    return Stability(
        float(agreements.mean()), float(low), float(high), same_number, groups, _verdict(worse), agreements.size
    )


def _verdict(value: float) -> Verdict:
    return Verdict.STABLE if value >= STABLE else Verdict.FAIR if value >= FAIR else Verdict.UNSTABLE


def _crossed(first: IntArray, second: IntArray) -> FloatArray:
    same_length(first=first, second=second)
    if first.size == 0:
        raise NotEnoughData("There is nobody to compare", expected="at least one customer", seen="none")
    rows, places = np.unique(first, return_inverse=True)
    columns, others = np.unique(second, return_inverse=True)
    counts = np.bincount(places * columns.size + others, minlength=rows.size * columns.size)
    return counts.reshape(rows.size, columns.size).astype(np.float64)


def _pairs(counts: FloatArray) -> FloatArray:
    pairs: FloatArray = counts * (counts - 1) / 2
    return pairs
