"""Ids and colours that stay with a group from one fit to the next, because most of its customers do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from aimwell.science.arrays import IntArray, same_length

SAME = 1 / 3
"""Two groups are one and the same from this overlap (Jaccard) on: of equally large ones half is common."""


@dataclass(frozen=True, slots=True)
class Place:
    """The id and colour of a group; `before` is the label that it had in the fit before, None for a new group."""

    id: str
    colour: int
    before: int | None = None


def match_groups(before: IntArray, now: IntArray, groups_before: int, groups_now: int) -> list[int | None]:
    """For each group of now the group of before that it continues, None for a new one.

    before, now: labels of the same customers by both fits [n], -1 for none.   The pairs with the largest sum of
    overlaps (Jaccard) are taken, none twice, and those below a third are not.
    Source: Kuhn, Naval Research Logistics Quarterly 2 (1955).

    >>> match_groups(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]), 2, 2)
    [1, 0]
    """
    same_length(before=before, now=now)
    overlaps = np.zeros((groups_now, groups_before))
    for one in range(groups_now):
        for two in range(groups_before):
            either = int(np.count_nonzero((now == one) | (before == two)))
            overlaps[one, two] = int(np.count_nonzero((now == one) & (before == two))) / max(1, either)
    rows, columns = linear_sum_assignment(-overlaps)
    pairs = {int(r): int(c) for r, c in zip(rows, columns, strict=True) if overlaps[r, c] >= SAME}
    return [pairs.get(group) for group in range(groups_now)]


def place_groups(matched: Sequence[int | None], before: Sequence[Place], next_number: int) -> tuple[list[Place], int]:
    """Ids and colours for the groups of now, and the next free number: an id is never given to another group.

    matched: for each group the label of the group that it continues.   before: places of the groups by label.
    Colours of groups that went are free again.
    """
    taken = {before[label].colour for label in matched if label is not None}
    places: list[Place] = []
    for label in matched:
        if label is not None:
            places.append(Place(before[label].id, before[label].colour, label))
            continue
        colour = min(set(range(len(taken) + 1)) - taken)
        taken.add(colour)
        places.append(Place(f"g{next_number}", colour))
        next_number += 1
    return places, next_number
