from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.btyd.histories import distinct, group, per_count, require_repeats

History = tuple[int, int, int]
HISTORIES = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(3, 5)), min_size=1, max_size=40).map(
    lambda people: [(x, t if x else 0, age) for x, t, age in people]
)


@settings(max_examples=40)
@given(HISTORIES)
def test_grouping_counts_everybody_once_and_no_history_twice(people: list[History]) -> None:
    x, t_x, age = np.array(people, dtype=float).T
    seen = group(x, t_x, age)
    found = set(zip(seen.frequency, seen.recency, seen.age, seen.people, strict=True))
    assert found == {(*one, people.count(one)) for one in people}
    assert seen.customers == len(people)
    assert seen.frequency.size == len(set(people))


@settings(max_examples=25)
@given(HISTORIES, HISTORIES)
def test_histories_of_two_groups_add_up(one: list[History], two: list[History]) -> None:
    first, second = (group(*np.array(people, dtype=float).T) for people in (one, two))
    both, together = first + second, group(*np.array(one + two, dtype=float).T)
    for name in ("frequency", "recency", "age", "people"):
        assert np.array_equal(getattr(both, name), getattr(together, name))


def test_grouped_rows_of_a_query_keep_their_counts() -> None:
    seen = group([1, 1], [2.0, 2.0], [5.0, 5.0], people=[10, 5])
    assert seen.people.tolist() == [15.0]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1)), min_size=1, max_size=30))
def test_distinct_rows_can_be_put_back(rows: list[tuple[int, float]]) -> None:
    columns = np.array(rows, dtype=float).T
    first, places = distinct(*columns)
    assert first.size == len(set(map(tuple, columns.T.tolist())))
    for column in columns:
        assert np.array_equal(column[first][places], column)


def test_counts_are_looked_up_and_giants_are_computed() -> None:
    counts = np.array([3.0, 0.0, 3.0, 1.0])
    assert per_count(lambda k: np.array([k, k**2]), counts).tolist() == [[3, 0, 3, 1], [9, 0, 9, 1]]
    assert per_count(np.sqrt, np.array([1e9])).tolist() == [np.sqrt(1e9)]


def test_impossible_histories_are_named() -> None:
    with pytest.raises(BadQuestion, match=r"customer number 2 cannot be; .*saw frequency 1, recency 9, age 5"):
        group([0, 1], [0, 9], [5, 5])
    with pytest.raises(BadQuestion, match="whole number from 0; saw frequency 0.5"):
        group([0.5], [1], [5])
    with pytest.raises(BadQuestion, match="only with repeats; saw frequency 0, recency 2"):
        group([0], [2], [5])
    with pytest.raises(BadQuestion, match="purchases of one day once"):
        group([2], [0], [5])
    with pytest.raises(BadQuestion, match="fewer than none"):
        group([0], [0], [5], people=[-1])
    with pytest.raises(BadQuestion, match="frequency 2, recency 1, age 1"):
        group([0, 0], [0], [5])
    with pytest.raises(NotEnoughData, match="bought twice"):
        require_repeats(group([0, 0], [0, 0], [5, 6]))
    with pytest.raises(NotEnoughData, match="bought twice"):
        require_repeats(group([1, 0], [1, 0], [5, 6], people=[0, 4]))
