"""Why this item for this customer, in words: what raised its score most, told by those who know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.strategy.recommenders.features import CROWD, LINE, OWN, PRICE, SEGMENT, Sight
from aimwell.strategy.recommenders.learning import Booster

MOST = 2
"""Reasons told of one item: a third convinces nobody."""
_TELLERS = {OWN: "own", LINE: "siblings", CROWD: "popular"}
"""What a group of features speaks of, and the generator that can tell it."""


def told(
    sight: Sight, booster: Booster, matrix: FloatArray, person: IntArray, item: IntArray
) -> list[tuple[Text, ...]]:
    """The weightiest reasons of each pair that speak for it, at most two; exact, so for delivered lists only.

    A group of features that lowered the score, or of which nothing can be told, is passed over; where none is left,
    the popularity of the item is told, or nothing.
    """
    if not person.size:
        return []
    voices, groups = booster.voices(matrix)
    found: list[tuple[Text, ...]] = []
    for row in range(person.size):
        order = np.argsort(-voices[row], kind="stable")
        loud = [groups[place] for place in order if voices[row, place] > 0]
        found.append(_reasons(sight, loud, int(person[row]), int(item[row])))
    return found


def _reasons(sight: Sight, groups: Sequence[str], person: int, item: int) -> tuple[Text, ...]:
    told_of: list[Text] = []
    for group in [*groups, CROWD]:
        text = _said(sight, group, person, item)
        if text is not None and text not in told_of:
            told_of.append(text)
        if len(told_of) == MOST:
            break
    return tuple(told_of)


def _said(sight: Sight, group: str, person: int, item: int) -> Text | None:
    stand = sight.stand
    if group == SEGMENT:
        return _of_segment(sight, person, item)
    if group == PRICE:
        near = sight.price[item] / sight.usual_price[person]
        return Text("价位与平时相近", "at a price that the customer usually pays") if 0.5 <= near <= 2 else None
    fitted = stand.fitted.get(_TELLERS.get(group, group))
    return fitted.reason(person, item) if fitted is not None else None


def _of_segment(sight: Sight, person: int, item: int) -> Text | None:
    share = float(sight.segment_share[sight.stand.people.segment[person], item])
    usual = float(sight.items["buyers_84"][item])
    if share <= usual:
        return None
    return Text(
        f"同类客户中 {share:.0%} 近84天买过，全体为 {usual:.0%}",
        f"bought by {share:.0%} of similar customers in 84 days, by {usual:.0%} of all",
    )
