"""Ids and colours stay with groups whose customers stay together."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aimwell.insight.clusterings.matching import Place, match_groups, place_groups


def test_groups_are_matched_by_their_customers_and_not_by_their_number() -> None:
    before = np.array([0, 0, 0, 1, 1, 2])
    now = np.array([2, 2, 2, 0, 0, 1])
    assert match_groups(before, now, 3, 3) == [1, 2, 0]


def test_the_pairs_with_the_most_in_common_are_taken_together() -> None:
    # Group 0 of now has more of group 0 than of 1, but group 1 of now could go on with nothing else.
    before = np.array([0] * 6 + [1] * 5)
    now = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0])
    assert match_groups(before, now, 2, 2) == [1, 0]


def test_groups_that_share_too_little_are_different_groups() -> None:
    before = np.array([0] * 10 + [-1] * 10)
    now = np.array([0] * 4 + [-1] * 6 + [0] * 6 + [-1] * 4)
    assert match_groups(before, now, 1, 1) == [None]  # 4 of 16 in common
    assert match_groups(before, np.where(before == 0, 0, -1), 1, 1) == [0]


def test_more_or_fewer_groups_leave_some_without_a_likeness() -> None:
    before, now = np.array([0, 0, 1, 1]), np.array([0, 0, 0, 0])
    assert match_groups(before, now, 2, 1) == [0]
    assert match_groups(now, before, 1, 2) == [0, None]


def test_new_groups_get_new_ids_and_free_colours() -> None:
    before = [Place("g1", 0), Place("g4", 1), Place("g2", 2)]
    places, following = place_groups([1, None, None], before, 7)
    assert places == [Place("g4", 1, 1), Place("g7", 0), Place("g8", 2)]
    assert following == 9


@given(st.permutations(range(5)), st.integers(0, 1000))
def test_a_mere_renumbering_changes_no_id(order: list[int], seed: int) -> None:
    before = np.random.default_rng(seed).permutation(np.repeat(np.arange(5), 8))
    now = np.array(order)[before]
    matched = match_groups(before, now, 5, 5)
    assert [order[label] for label in matched if label is not None] == list(range(5))
    kept = [Place(f"g{n + 1}", n) for n in range(5)]
    places, following = place_groups(matched, kept, 6)
    assert following == 6
    assert {place.id for place in places} == {place.id for place in kept}
