from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.metrics.interval import bootstrap, bootstrap_difference
from aimwell.science.metrics.ranking import (
    auc,
    auc_difference,
    auc_estimate,
    average_precision,
    average_precision_difference,
    average_precision_estimate,
)

People = list[tuple[int, bool]]
PEOPLE = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=80)


def _sample(n: int, seed: int, strength: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    bought = generator.random(n) < 0.2
    return generator.normal(size=n) + strength * bought, bought


@settings(max_examples=40)
@given(PEOPLE)
def test_auc_counts_the_pairs_in_order(people: People) -> None:
    scores, bought = (np.array(column) for column in zip(*people, strict=True))
    if bought.all() or not bought.any():
        with pytest.raises(NotEnoughData, match="everybody is alike"):
            auc(scores, bought)
        return
    pairs = scores[bought][:, None] - scores[~bought][None, :]
    assert auc(scores, bought) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())


@settings(max_examples=40)
@given(PEOPLE)
def test_average_precision_agrees_with_an_independent_implementation(people: People) -> None:
    scores, bought = (np.array(column) for column in zip(*people, strict=True))
    if not bought.any():
        with pytest.raises(NotEnoughData, match="Nobody bought"):
            average_precision(scores, bought)
        return
    assert average_precision(scores, bought) == pytest.approx(average_precision_score(bought, scores))


def test_auc_agrees_with_an_independent_implementation_on_many_rows() -> None:
    scores, bought = _sample(5000, 1)
    assert auc(scores, bought) == pytest.approx(roc_auc_score(bought, scores))


def test_the_delong_interval_is_the_bootstrap_interval() -> None:
    scores, bought = _sample(800, 2)
    fast = auc_estimate(scores, bought)
    slow = bootstrap(lambda rows: auc(scores[rows], bought[rows]), 800, resamples=600, seed=3)
    assert fast.value == slow.value
    assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), abs=0.008)


def test_the_delong_variance_is_the_textbook_one() -> None:
    scores, bought = _sample(60, 5)
    wins = scores[bought][:, None] > scores[~bought][None, :]
    variance = wins.mean(1).var(ddof=1) / bought.sum() + wins.mean(0).var(ddof=1) / (~bought).sum()
    seen = auc_difference(scores, -scores, bought).difference
    # The reversed score has the mirrored AUC, so the difference has four times the variance.
    assert (seen.high - seen.value) / 1.959964 == pytest.approx(2 * np.sqrt(variance))


def test_rows_of_one_customer_are_not_counted_as_several() -> None:
    scores, bought = _sample(300, 4)
    customers = np.arange(300)
    single = auc_estimate(scores, bought, groups=customers)
    copies = auc_estimate(np.repeat(scores, 5), np.repeat(bought, 5), groups=np.repeat(customers, 5))
    naive = auc_estimate(np.repeat(scores, 5), np.repeat(bought, 5))
    assert (copies.low, copies.high) == pytest.approx((single.low, single.high), abs=1e-9)
    assert naive.high - naive.low < 0.5 * (copies.high - copies.low)


def test_the_paired_difference_agrees_with_the_paired_bootstrap() -> None:
    scores, bought = _sample(700, 6)
    other = scores + np.random.default_rng(9).normal(0, 1, 700)
    fast = auc_difference(scores, other, bought)
    slow = bootstrap_difference(
        lambda rows: auc(scores[rows], bought[rows]),
        lambda rows: auc(other[rows], bought[rows]),
        700,
        resamples=500,
        seed=1,
    )
    assert fast.difference.value == pytest.approx(slow.difference.value)
    assert fast.difference.low == pytest.approx(slow.difference.low, abs=0.008)
    assert fast.difference.high == pytest.approx(slow.difference.high, abs=0.008)
    assert fast.better > 0.99


def test_a_score_is_no_better_than_itself() -> None:
    scores, bought = _sample(50, 1)
    pair = auc_difference(scores, scores, bought)
    assert (pair.difference.value, pair.difference.low, pair.difference.high, pair.better) == (0, 0, 0, 0.5)


def test_a_perfect_score_of_few_people_is_not_called_certain() -> None:
    seen = auc_estimate([4, 3, 2, 1], [1, 1, 0, 0])
    assert seen.value == seen.high == 1.0
    assert seen.low < 0.5
    one_buyer = auc_estimate([4, 3, 2, 1], [0, 1, 0, 0])
    assert one_buyer.low < one_buyer.value < one_buyer.high


def test_intervals_of_average_precision_agree_with_and_without_groups() -> None:
    scores, bought = _sample(900, 7)
    plain = average_precision_estimate(scores, bought, resamples=500, seed=1)
    grouped = average_precision_estimate(scores, bought, groups=np.arange(900), resamples=500, seed=2)
    slow = bootstrap(lambda rows: average_precision(scores[rows], bought[rows]), 900, resamples=500, seed=3)
    for seen in (plain, grouped):
        assert seen.value == slow.value
        assert (seen.low, seen.high) == pytest.approx((slow.low, slow.high), abs=0.015)


def test_the_better_average_precision_is_proven_on_the_same_people() -> None:
    scores, bought = _sample(600, 3, strength=1.5)
    noisy = scores + np.random.default_rng(2).normal(0, 2, 600)
    pair = average_precision_difference(scores, noisy, bought, resamples=100)
    assert pair.difference.low > 0
    assert pair.first.value == pytest.approx(average_precision(scores, bought))


def test_bad_input_is_named() -> None:
    with pytest.raises(NotEnoughData, match=r"everybody is alike.*0 of 2 with"):
        auc([1, 2], [0, 0])
    with pytest.raises(NotEnoughData, match="2 of 2 with"):
        auc_estimate([1, 2], [1, 1])
    with pytest.raises(BadQuestion, match="must be yes or no"):
        auc([1, 2], [0, 0.5])
    with pytest.raises(BadQuestion, match="scores 3, bought 2"):
        auc([1, 2, 3], [0, 1])
    with pytest.raises(BadQuestion, match="scores 3, bought 2"):
        average_precision([1, 2, 3], [0, 1])
    with pytest.raises(BadQuestion, match="1 of 2"):
        auc([1, np.inf], [0, 1])
    with pytest.raises(NotEnoughData, match="half of the resamples"):
        average_precision_estimate([1, 2], [0, 1], groups=["a", "b"], resamples=0)
