"""What sets each group apart, and whether that would hold among other customers of the same kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.cluster.naming import LARGE, MEDIUM, Portraits, portray

HOLDS = 0.8
"""A trait counts as stable when it is there in so many of the repetitions among resampled customers."""


@dataclass(frozen=True, slots=True)
class Trait:
    """One feature in which a group differs from all other customers.

    delta: Cliff's delta, -1 to 1.   inside, overall: mean of the members and of everybody, in the feature's own unit;
    by_median: medians instead, since the means say the opposite of what most customers do.
    held: share of the repetitions in which the group differs the same way and at least by a medium effect.
    """

    feature: str
    delta: float
    inside: float
    overall: float
    by_median: bool
    held: float

    @property
    def key(self) -> tuple[str, bool]:
        """The feature, and whether the group lies above the others."""
        return self.feature, self.delta > 0

    @property
    def telling(self) -> bool:
        """Large and stable: may stand in a name."""
        return abs(self.delta) >= LARGE and self.held >= HOLDS

    @property
    def noticeable(self) -> bool:
        """At least medium and stable: may be spoken of with caution."""
        return abs(self.delta) >= MEDIUM and self.held >= HOLDS


@dataclass(frozen=True, slots=True)
class Sketch:
    """A group in figures.

    traits: strongest first.   others: traits that repeat a stronger one or are small, for names that were given before.
    """

    group: int
    traits: tuple[Trait, ...]
    others: tuple[Trait, ...]


def sketch_groups(
    values: FloatArray, names: Sequence[str], labels: IntArray, again: IntArray, seed: int
) -> tuple[tuple[Sketch, ...], Portraits]:
    """What sets each group apart, with how often it did among resampled customers.

    values: of the customers looked at, in their own units [n, d].   labels: their groups [n], at least two kinds.
    again: their groups by each repetition [repetitions, n]; without any, nothing holds.
    """
    portraits = portray(values, names, labels, seed=seed)
    filled = np.where(np.isnan(values), np.nanmedian(values, axis=0), values)
    ranks = rankdata(filled, axis=0)
    k = int(labels.max()) + 1
    deltas = np.array([_deltas(ranks, labels == group) for group in range(k)])
    held = _held(ranks, labels, again, deltas)
    sketches = []
    for portrait in portraits.groups:
        inside = filled[labels == portrait.group]
        row, kept = deltas[portrait.group], held[portrait.group]
        found = [
            _trait(name, float(row[place]), inside[:, place], filled[:, place], float(kept[place]))
            for place, name in enumerate(names)
        ]
        by_name = {trait.feature: trait for trait in found}
        first = tuple(by_name[trait.feature] for trait in portrait.traits)
        rest = sorted((t for t in found if t not in first), key=lambda trait: -abs(trait.delta))
        sketches.append(Sketch(portrait.group, first, tuple(rest)))
    return tuple(sketches), portraits


def _trait(name: str, delta: float, inside: FloatArray, everybody: FloatArray, held: float) -> Trait:
    mean, overall = float(inside.mean()), float(everybody.mean())
    if (mean - overall) * delta >= 0:
        return Trait(name, delta, mean, overall, by_median=False, held=held)
    return Trait(name, delta, float(np.median(inside)), float(np.median(everybody)), by_median=True, held=held)


def _deltas(ranks: FloatArray, inside: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> FloatArray:
    """Cliff's delta of some customers against all others, for each feature [d]; 0 when there are no others."""
    size = int(inside.sum())
    pairs = size * (len(inside) - size)
    if pairs == 0:
        return np.zeros(ranks.shape[1])
    wins = ranks[inside].sum(axis=0) - size * (size + 1) / 2
    found: FloatArray = 2 * wins / pairs - 1
    return found


def _held(ranks: FloatArray, labels: IntArray, again: IntArray, deltas: FloatArray) -> FloatArray:
    """Share of the repetitions in which the group most like each group differs the same way [k, d]."""
    counts = np.zeros(deltas.shape)
    for other in again:
        groups = np.unique(other[other >= 0])
        members = other[:, None] == groups[None, :]
        sizes = members.sum(axis=0)
        seen = np.array([_deltas(ranks, members[:, place]) for place in range(groups.size)])
        for group in range(len(deltas)):
            inside = labels == group
            common = (members & inside[:, None]).sum(axis=0)
            likest = int((common / (sizes + inside.sum() - common)).argmax())
            counts[group] += (seen[likest] * deltas[group] > 0) & (np.abs(seen[likest]) >= MEDIUM)
    return counts / max(1, len(again))
