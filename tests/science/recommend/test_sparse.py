"""The best of each row, and values by place, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array

from aimwell.core.errors import BadQuestion
from aimwell.science.recommend import sparse as module
from aimwell.science.recommend.sparse import entries, lookup, places_within, top

CELLS = arrays(np.float64, (4, 7), elements=st.sampled_from([0.0, 0.0, -1.0, 0.5, 1.0, 2.0]))


def best_of_each_row(cells: np.ndarray, count: int) -> np.ndarray:
    kept = np.zeros_like(cells)
    for row in range(cells.shape[0]):
        for column in sorted(range(cells.shape[1]), key=lambda c: (-cells[row, c], c))[:count]:
            kept[row, column] = max(cells[row, column], 0.0)
    return kept


@pytest.mark.parametrize("full", [0.0, 2.0], ids=["written out", "sorted"])
@given(cells=CELLS, count=st.integers(1, 8))
def test_the_best_of_each_row_are_those_of_a_plain_sort(full: float, cells: np.ndarray, count: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FULL", full)
        assert top(csr_array(cells), count).toarray().tolist() == best_of_each_row(cells, count).tolist()


@given(cells=CELLS, places=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), min_size=1))
def test_entries_are_the_cells(cells: np.ndarray, places: list[tuple[int, int]]) -> None:
    rows, columns = np.array(places, dtype=np.int64).T
    assert entries(csr_array(cells), rows, columns).tolist() == cells[rows, columns].tolist()


def test_equal_scores_stand_in_the_order_of_their_items() -> None:
    found = places_within(np.array([1, 1, 0, 1]), np.array([3.0, 3.0, 9.0, 4.0]), np.array([8, 2, 0, 9]))
    assert found.tolist() == [2, 1, 0, 0]


def test_nothing_is_found_in_an_empty_list() -> None:
    values, found = lookup(np.empty(0, dtype=np.int64), np.empty(0), np.array([3]))
    assert np.isnan(values).all()
    assert not found.any()


def test_a_list_without_places_is_refused() -> None:
    with pytest.raises(BadQuestion, match="at least one place"):
        top(csr_array(np.eye(2)), 0)
