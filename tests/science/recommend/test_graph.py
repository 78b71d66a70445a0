"""Items foretold from facts: by hand, against ridge regression done the long way, and where nothing is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.recommend.graph import FARTHER, foretold_by_facts, said_of

ONE = np.ones(1)


def told(pairs: list[tuple[int, int]], *, nodes: int, items: int) -> csr_array:
    heads, tails = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return said_of(heads, tails, np.ones(len(pairs)), nodes=nodes, items=items)


def test_rare_facts_count_more_and_what_one_item_alone_has_counts_nothing() -> None:
    # Items 0 1 2 3; 4 is true of all, 5 of the first two, 6 of the last alone.
    table = told([(0, 4), (1, 4), (2, 4), (3, 4), (5, 0), (1, 5), (3, 6)], nodes=7, items=4).toarray()
    assert table[0] == pytest.approx([0, 0, 0, 0, np.log(2), np.log(3), 0])
    assert table[3] == pytest.approx([0, 0, 0, 0, np.log(2), 0, 0])


def test_facts_about_facts_count_less() -> None:
    # Items 0 and 1 have ingredients 2 and 3, both of the maker 4.
    table = told([(0, 2), (1, 3), (2, 4), (3, 4)], nodes=5, items=2).toarray()
    assert table[:, 4] == pytest.approx(FARTHER * np.log(2))
    assert table[:, :4].sum() == 0


def test_items_joined_by_an_edge_share_something() -> None:
    table = told([(0, 1)], nodes=3, items=3)
    alike = (table @ table.T).toarray()
    assert alike[0, 1] > 0
    assert alike[2].sum() == 0


def test_an_edge_beyond_the_graph_is_refused() -> None:
    with pytest.raises(BadQuestion, match="beyond the graph"):
        said_of(np.array([0]), np.array([9]), ONE, nodes=3, items=2)


def test_an_item_that_nobody_bought_is_foretold_from_those_of_its_kind() -> None:
    # Items 0, 1, 2 share fact 6; items 3, 4, 5 share fact 7; nobody has bought 2 and 5 yet.
    E = told([(0, 6), (1, 6), (2, 6), (3, 7), (4, 7), (5, 7)], nodes=8, items=6)
    known = np.array([True, True, False, True, True, False])
    links = foretold_by_facts(E, known).toarray()
    assert links[0, 2] == pytest.approx(links[1, 2])
    assert links[0, 2] > 0
    assert links[[3, 4], 2].tolist() == [0, 0]
    assert not links[[2, 5]].any()
    assert np.diag(links).tolist() == [0] * 6


NUMBERS = arrays(np.float64, (5, 3), elements=st.sampled_from([0.0, 1.0, 2.0]))


@given(facts=NUMBERS, penalty=st.floats(0.5, 10.0))
def test_it_is_the_ridge_regression_of_purchases_on_facts_known_items_left_out_of_their_own(
    facts: np.ndarray, penalty: float
) -> None:
    known = np.array([True, True, True, True, False])
    speaking = known & facts.any(axis=1)
    if not speaking.any():
        return
    lengths = np.sqrt((facts**2).sum(axis=1))
    scaled = facts / lengths[lengths > 0].mean()
    links = foretold_by_facts(csr_array(facts), known, penalty=penalty).toarray()
    bought = np.array([1.0, 0.0, 2.0, 1.0, 0.0])
    for item in range(5):
        rows = speaking.copy()
        rows[item] = False
        F = scaled[rows]
        slopes = np.linalg.solve(F.T @ F + penalty * np.eye(3), F.T @ bought[rows])
        assert bought @ links[:, item] == pytest.approx(scaled[item] @ slopes, abs=1e-9)


def test_the_largest_links_are_kept() -> None:
    E = csr_array(np.array([[3.0, 0], [1, 0], [2, 0], [1, 1]]))
    all_, kept = (foretold_by_facts(E, np.array([1, 1, 1, 0]) > 0, count=count).toarray() for count in (9, 1))
    assert kept[0, 3] == all_[0, 3] == np.abs(all_[:, 3]).max()
    assert (kept != 0).sum(axis=0).max() == 1


def test_nothing_to_learn_from_is_told() -> None:
    with pytest.raises(NotEnoughData, match="No item that is bought has facts"):
        foretold_by_facts(csr_array(np.array([[0.0], [1.0]])), np.array([True, False]))
    with pytest.raises(BadQuestion, match="penalty"):
        foretold_by_facts(csr_array(np.ones((2, 1))), np.ones(2, dtype=bool), penalty=0)
