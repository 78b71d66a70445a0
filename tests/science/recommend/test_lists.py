"""Figures of lists and pairs, by hand and against plain references."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.metrics.probability import log_loss
from aimwell.science.metrics.ranking import auc
from aimwell.science.recommend.lists import judge_lists, top_confusion
from aimwell.science.recommend.pairs import pair_auc, pair_auc_difference, pair_log_loss

# One customer sees items 0 1 2 3 in this order and bought 1, 3 and one that was not in the list.
PERSON, ITEM = np.zeros(4, dtype=np.int64), np.arange(4)
SCORE, BOUGHT = np.array([4.0, 3, 2, 1]), np.array([False, True, False, True])


def test_figures_of_one_list_are_counted_by_hand() -> None:
    found = judge_lists(PERSON, ITEM, SCORE, BOUGHT, np.array([3.0]), k=3)
    assert found.precision[0] == pytest.approx(1 / 3)
    assert found.recall[0] == pytest.approx(1 / 3)
    assert found.ndcg[0] == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3) + 1 / 2))
    assert found.average_precision[0] == pytest.approx((1 / 2) / 3)
    assert found.reciprocal_rank[0] == 0.5


def test_those_who_bought_nothing_are_not_counted_and_those_whose_purchase_no_list_holds_count_as_zero() -> None:
    found = judge_lists(PERSON, ITEM, SCORE, np.zeros(4, dtype=bool), np.array([1.0, 0.0]), k=3)
    assert found.counted.tolist() == [True, False]
    assert (found.recall[0], found.ndcg[0], found.reciprocal_rank[0]) == (0, 0, 0)


@given(
    scores=st.lists(st.integers(0, 5), min_size=1, max_size=12),
    chosen=st.sets(st.integers(0, 11)),
    absent=st.integers(0, 3),
    k=st.integers(1, 6),
)
def test_figures_agree_with_a_plain_reference(scores: list[int], chosen: set[int], absent: int, k: int) -> None:
    bought = np.array([place in chosen for place in range(len(scores))])
    wanted = int(bought.sum()) + absent
    if not wanted:
        return
    order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
    hits = [bool(bought[place]) for place in order]
    items = np.arange(len(scores))
    found = judge_lists(items * 0, items, np.array(scores, dtype=float), bought, np.array([float(wanted)]), k=k)
    gain = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits[:k]) if hit)
    best = sum(1 / math.log2(place + 2) for place in range(min(k, wanted)))
    precision = sum(sum(hits[: place + 1]) / (place + 1) for place in range(min(k, len(hits))) if hits[place])
    assert found.ndcg[0] == pytest.approx(gain / best)
    assert found.recall[0] == pytest.approx(sum(hits[:k]) / wanted)
    assert found.average_precision[0] == pytest.approx(precision / wanted)
    assert found.reciprocal_rank[0] == pytest.approx(1 / (hits.index(True) + 1) if True in hits else 0)


def test_a_top_n_is_right_and_wrong_as_counted() -> None:
    found = top_confusion(PERSON, ITEM, SCORE, BOUGHT, n=2, wanted=3, choices=10)
    assert (found.hits, found.misfires, found.missed, found.spared) == (1, 1, 2, 6)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(1, 3)), min_size=2, max_size=15),
)
def test_weighted_pairs_are_as_many_equal_pairs(rows: list[tuple[int, bool, int]]) -> None:
    score = np.array([row[0] for row in rows], dtype=float)
    bought = np.array([row[1] for row in rows])
    weight = np.array([row[2] for row in rows])
    if bought.all() or not bought.any():
        return
    one = np.arange(score.size)
    found = pair_auc(score, bought, weight.astype(float), one)
    assert found.value == pytest.approx(auc(np.repeat(score, weight), np.repeat(bought, weight)))
    assert found.low <= found.value <= found.high
    likely = (score + 1) / 6
    loss = pair_log_loss(likely, bought, weight.astype(float), one)
    assert loss.value == pytest.approx(log_loss(np.repeat(likely, weight), np.repeat(bought, weight)))


def test_a_score_is_not_ahead_of_itself() -> None:
    bought = np.array([True, False, True, False])
    found = pair_auc_difference(SCORE, SCORE, bought, np.ones(4), np.arange(4))
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_what_cannot_be_judged_is_said() -> None:
    with pytest.raises(NotEnoughData, match="no list can be judged"):
        judge_lists(PERSON, ITEM, SCORE, BOUGHT, np.array([0.0]), k=3)
    with pytest.raises(BadQuestion, match="at least one place"):
        judge_lists(PERSON, ITEM, SCORE, BOUGHT, np.array([1.0]), k=0)
    with pytest.raises(NotEnoughData, match="told apart"):
        pair_auc(SCORE, np.ones(4, dtype=bool), np.ones(4), PERSON)
