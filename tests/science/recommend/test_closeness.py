"""Closeness in time by hand: what one customer bought near each other counts more than what lies far apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.recommend import closeness
from aimwell.science.recommend.closeness import close_pairs
from aimwell.science.recommend.ease import ease, regression

# Bread and butter an hour apart, beer ten hours later; a second customer buys beer alone.
PERSON, ITEM, AT = np.array([0, 0, 0, 1]), np.array([0, 1, 2, 2]), np.array([0.0, 1.0, 11.0, 5.0])


def test_pairs_count_by_how_near_they_were_bought() -> None:
    found = close_pairs(PERSON, ITEM, AT, items=3, spans=[10.0], customer_power=0.0)
    near, far, farther = np.exp([-0.1, -1.0, -1.1])
    assert found == pytest.approx(np.array([[1, near, farther], [near, 1, far], [farther, far, 2]]))


def test_several_spans_count_by_their_mean() -> None:
    one, other, both = (
        close_pairs(PERSON, ITEM, AT, items=3, spans=spans, customer_power=0.0) for spans in ([1.0], [9.0], [1.0, 9.0])
    )
    assert both == pytest.approx((one + other) / 2)


def test_whoever_buys_much_counts_less_for_each_pair_and_the_whole_stays() -> None:
    found = close_pairs(PERSON, ITEM, AT, items=3, spans=[10.0], customer_power=1.0)
    assert found[0, 0] * 4 == pytest.approx(found[2, 2])  # a third against a third and a whole
    assert np.trace(found) == pytest.approx(4)


BASKETS = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1)


@given(pairs=BASKETS, block=st.integers(1, 30), seed=st.integers(0, 9))
def test_without_an_end_it_is_plain_counting_in_blocks_of_any_size_and_order(
    pairs: set[tuple[int, int]], block: int, seed: int
) -> None:
    person, item = np.random.default_rng(seed).permutation(np.array(sorted(pairs))).T
    X = csr_array((np.ones(person.size), (person, item)), shape=(6, 4))
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(closeness, "BLOCK_PAIRS", block)
        found = close_pairs(person, item, 1.0 * item, items=4, spans=[np.inf], customer_power=0.0)
    assert found == pytest.approx((X.T @ X).toarray())
    weights = regression(found, np.asarray(X.sum(axis=0)).ravel(), penalty=2.0, item_power=0.5)
    assert weights == pytest.approx(ease(X, penalty=2.0, item_power=0.5))


def test_the_regression_hears_of_visits_that_plain_counting_cannot_tell() -> None:
    # Everybody buys all four items; 0 with 1 in one visit, 2 with 3 in another.
    person, item = np.repeat(np.arange(20), 4), np.tile(np.arange(4), 20)
    at = np.where(item < 2, 0.0, 100.0)
    pairs = close_pairs(person, item, at, items=4, spans=[1.0])
    weights = regression(pairs, np.full(4, 20.0), penalty=5.0)
    assert weights[0, 1] > 0.5 > 0.01 > abs(weights[0, 2])


def test_spans_must_be_given_and_positive() -> None:
    for spans in ([], [1.0, 0.0]):
        with pytest.raises(BadQuestion, match="spans"):
            close_pairs(PERSON, ITEM, AT, items=3, spans=spans)


def test_without_a_purchase_nothing_is_close() -> None:
    none = np.empty(0, dtype=np.int64)
    with pytest.raises(NotEnoughData, match="Nobody bought anything"):
        close_pairs(none, none, np.empty(0), items=3, spans=[1.0])
