"""What a clustering method is, and what it gives: one file per method, found by walking this folder.

A method file holds a function that finds groups and a `METHOD` that names it. Everything that all methods share is
done here once: checks, the order of rows (which never matters), a single group when there is nothing to part, and
labels numbered from the largest group down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.registry import discover
from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, IntArray, matrix, totals
from aimwell.science.cluster.assignment import (
    NONE,
    Assignment,
    NearestCentre,
    arrays_of,
    assignment_from,
    renumbered,
)

FEWEST = 5
"""With fewer different customers than this, no method looks for groups by itself."""

ALIKE = Text("所有客户都一样，只能是一个群", "All customers are alike, so they are one group")
MOSTLY_NONE = Text(
    "大多数客户不属于任何群，这种方法不适合这些标签",
    "Most customers belong to no group: this method does not suit them",
)
TOO_FEW = Text("客户太少，只分一个群", "Too few customers to part: one group")


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a method's own function returns: the rule that places customers, and what it wants to say about it."""

    assignment: Assignment
    notes: tuple[Text, ...] = ()


class Search(Protocol):
    """A method's own function: X is [n, d], finite, in an order of its own, with at least two different rows."""

    def __call__(self, X: FloatArray, *, k: int | None, seed: int) -> Found: ...


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Groups that were found, and the rule that places anybody into them.

    labels: group of each customer [n], 0 the largest group; -1 belongs to none.   centres: mean of each group's
    members [k, d].   sizes: customers per group [k].   `assign(X)` of the same customers gives `labels` again.
    """

    method: str
    labels: IntArray
    centres: FloatArray
    sizes: IntArray
    assignment: Assignment
    notes: tuple[Text, ...] = ()

    @property
    def k(self) -> int:
        """How many groups there are, those who belong to none left out."""
        return len(self.sizes)

    def assign(self, X: ArrayLike) -> IntArray:
        """Groups of new customers [m], -1 for those who belong to none; X as prepared for the fit, [m, d]."""
        features = matrix(X, "features")
        if features.shape[1] != self.centres.shape[1]:
            raise BadQuestion(
                "These are not the features that the groups were made of",
                expected=f"{self.centres.shape[1]} columns",
                seen=f"{features.shape[1]}",
            )
        return self.assignment.labels(features)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The rule as plain arrays, to be kept in a file; `assignment_from` reads them."""
        return arrays_of(self.assignment)


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """A way to find groups of alike customers.

    name: stable, as written in definitions.   label: for marketers.   meaning: one sentence for marketers.
    search: its own function.   chooses_k: whether it finds the number of groups by itself and takes k as a wish.
    leaves_out: whether customers may belong to none.   ensemble: whether it is made of the other methods.
    """

    name: str
    label: Text
    meaning: Text
    search: Search
    chooses_k: bool = False
    leaves_out: bool = False
    ensemble: bool = False

    def fit(self, X: ArrayLike, *, k: int | None = None, seed: int = 0) -> Fitted:
        """Groups of alike customers.

        X: prepared features [n, d] (see `prepare`), finite.   k: number of groups; None lets the method choose.
        The order of the rows does not matter, and equal seeds give equal groups.
        Raises NotEnoughData when there are fewer (different) customers than k, BadQuestion for k below 1.
        """
        features = matrix(X, "features") + 0.0
        order = np.lexsort(features.T[::-1])
        ordered = features[order]
        different = 1 + int((np.diff(ordered, axis=0) != 0).any(axis=1).sum())
        _check_k(k, len(features), different)
        reason = ALIKE if different == 1 else TOO_FEW if k is None and different < FEWEST else None
        if reason or k == 1:
            centre = ordered.mean(axis=0, keepdims=True)
            found = Found(NearestCentre(centre, np.zeros(1, dtype=np.int64)), (reason,) if reason else ())
        else:
            found = self.search(ordered, k=k, seed=seed)
        labels = np.empty(len(features), dtype=np.int64)
        labels[order] = found.assignment.labels(ordered)
        return _settled(self.name, features, labels, found)


def methods() -> dict[str, Clustering]:
    """All clustering methods by name: the files of this folder, and those of third parties (`aimwell.clusterings`)."""
    found = discover(
        Clustering, "aimwell.science.cluster", named=lambda method: method.name, group="aimwell.clusterings"
    )
    return {name: extension.value for name, extension in found.items()}


def method(name: str) -> Clustering:
    """One clustering method by its name, or BadQuestion with the names that exist."""
    known = methods()
    if name not in known:
        raise BadQuestion("No such clustering method", expected=", ".join(known), seen=name)
    return known[name]


def restored(name: str, arrays: Mapping[str, NDArray[np.generic]]) -> Assignment:
    """The rule of a clustering that was kept, checked against its method's name."""
    method(name)
    return assignment_from(arrays)


def sample_rows(n: int, size: int, seed: int) -> IntArray:
    """Row numbers of a random sample, rising [min(n, size)]; all rows when there are no more than `size`."""
    if n <= size:
        return np.arange(n, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).choice(n, size, replace=False)).astype(np.int64, copy=False)


def means_of(X: FloatArray, labels: IntArray, k: int) -> tuple[FloatArray, IntArray]:
    """Mean [k, d] and size [k] of each group; rows that belong to none are left out; an empty group has mean 0."""
    if labels.size and labels.min() == NONE:
        inside = labels != NONE
        X, labels = X[inside], labels[inside]
    d = X.shape[1]
    sizes = np.bincount(labels, minlength=k).astype(np.int64, copy=False)
    # All columns in one pass: k-means spends most of its time here.
    places = (labels[:, None] * d + np.arange(d)).ravel()
    sums = totals(places, X.ravel(), k * d).reshape(k, d)
    return sums / np.maximum(sizes, 1)[:, None], sizes


def _check_k(k: int | None, people: int, different: int) -> None:
    if k is None:
        return
    if k < 1:
        raise BadQuestion("The number of groups is a whole number", expected="1 or more", seen=f"{k}")
    if k > people:
        raise NotEnoughData("Fewer customers than groups", expected=f"at least {k} customers", seen=f"{people}")
    if k > different:
        raise NotEnoughData(
            "Fewer different customers than groups",
            expected=f"at least {k} customers that differ in their features",
            seen=f"{different}",
            remedy="Ask for fewer groups, or choose features that differ.",
        )


def _settled(name: str, X: FloatArray, labels: IntArray, found: Found) -> Fitted:
    """Groups without empty ones, numbered from the largest; equal sizes by their centres, so that no chance is left."""
    centres, sizes = means_of(X, labels, int(max(labels.max(), found.assignment.groups.max())) + 1)
    ranked = np.lexsort((*centres.T[::-1], -sizes))
    kept = ranked[sizes[ranked] > 0]
    numbers = np.full(sizes.size, NONE, dtype=np.int64)
    numbers[kept] = np.arange(kept.size)
    renamed = np.where(labels == NONE, NONE, numbers[labels])
    notes = (*found.notes, MOSTLY_NONE) if (labels == NONE).mean() > 1 / 2 else found.notes
    return Fitted(name, renamed, centres[kept], sizes[kept], renumbered(found.assignment, numbers), notes)
