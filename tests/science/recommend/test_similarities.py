"""Similarities of items by hand: cosine, the regression of EASE, words of names, factors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.recommend.als import factors
from aimwell.science.recommend.content import telling, words
from aimwell.science.recommend.ease import ease, pruned
from aimwell.science.recommend.neighbours import cosine_neighbours, similar_rows

# Four customers, three items: bread and butter go together, beer stands alone.
BREAD, BUTTER, BEER = range(3)
CARTS = csr_array(np.array([[1.0, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 1]]))


def test_the_cosine_of_two_items_is_counted_by_hand() -> None:
    links = cosine_neighbours(CARTS, count=2).toarray()
    assert links[BREAD, BUTTER] == pytest.approx(2 / np.sqrt(3 * 2))
    assert links[BUTTER, BREAD] == pytest.approx(2 / np.sqrt(3 * 2))
    assert links[BEER].sum() + links[:, BEER].sum() == 0
    assert np.diag(links).tolist() == [0, 0, 0]


def test_shrinkage_draws_rare_items_towards_nothing() -> None:
    assert cosine_neighbours(CARTS, shrinkage=1.0).toarray()[BREAD, BUTTER] == pytest.approx(2 / (np.sqrt(6) + 1))


def test_an_item_that_nobody_bought_has_no_neighbours() -> None:
    unbought = csr_array(np.array([[1.0, 1, 0], [1, 1, 0]]))
    assert cosine_neighbours(unbought).toarray()[:, 2].sum() == 0


@pytest.mark.parametrize("learn", [cosine_neighbours, lambda X: ease(X, penalty=1.0), factors])
def test_without_a_purchase_nothing_is_learnt(learn: Callable[[object], object]) -> None:
    with pytest.raises(NotEnoughData, match="Nobody bought anything"):
        learn(csr_array((3, 2)))


@given(X=arrays(np.float64, (8, 4), elements=st.sampled_from([0.0, 1.0])), penalty=st.floats(0.5, 20))
def test_each_column_of_ease_is_the_ridge_regression_of_its_item_on_the_others(X: np.ndarray, penalty: float) -> None:
    if not X.any():
        return
    found = ease(csr_array(X), penalty=penalty)
    for item in range(4):
        others = [other for other in range(4) if other != item]
        rest = X[:, others]
        weights = np.linalg.solve(rest.T @ rest + penalty * np.eye(3), rest.T @ X[:, item])
        assert found[others, item] == pytest.approx(weights, abs=1e-9)
        assert found[item, item] == 0


def test_pruned_weights_are_the_largest_in_size() -> None:
    weights = np.array([[0.0, -3.0], [1.0, 0.0], [2.0, 1.0]])
    square = np.column_stack([weights, np.zeros(3)])
    assert pruned(square, 1).toarray().tolist() == [[0, -3, 0], [0, 0, 0], [2, 0, 0]]


def test_a_penalty_must_be_positive() -> None:
    with pytest.raises(BadQuestion, match="penalty"):
        ease(CARTS, penalty=0)


def test_chinese_names_are_read_in_pairs_of_characters() -> None:
    assert words("招财 理财产品A") == ["招财", "理财", "财产", "产品", "a"]


def test_items_with_the_same_telling_words_are_alike() -> None:
    said = telling([words("稳健理财一号"), words("稳健理财二号"), words("credit card"), words("gold card")])[0]
    links = similar_rows(said).toarray()
    assert links[1, 0] > 0
    assert links[2, 3] > 0
    assert links[2, 0] == 0


def test_a_thing_without_words_is_like_nothing() -> None:
    said, known = telling([[], ["a"], ["a"]])
    assert known == ("a",)
    assert similar_rows(said).toarray()[0].sum() == 0


def test_factors_put_customers_near_what_their_kind_buys_and_equal_seeds_agree() -> None:
    block = np.kron(np.eye(2), np.ones((6, 4)))
    block[0, 3] = 0
    people, items = factors(csr_array(block), size=2, seed=1)
    close = people @ items.T
    assert close[0, 3] > close[0, 4:].max()
    assert factors(csr_array(block), size=2, seed=1)[0].tolist() == people.tolist()
