from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimwell.core.errors import BadQuestion
from aimwell.science.metrics.confusion import Confusion, confusion_at_threshold, confusion_at_top
from aimwell.science.metrics.gains import top_table

SCORES = [0.9, 0.8, 0.7, 0.6, 0.5]
BOUGHT = [1, 0, 1, 0, 1]


def test_the_counts_are_those_counted_by_hand() -> None:
    seen = confusion_at_top(SCORES, BOUGHT, 2)
    assert seen == Confusion(hits=1, misfires=1, missed=2, spared=1)
    assert (seen.chosen, seen.buyers, seen.people) == (2, 3, 5)
    assert seen.precision == 0.5
    assert seen.recall == pytest.approx(1 / 3)
    assert seen.accuracy == 0.4
    assert seen.f1 == pytest.approx(0.4)
    assert seen.lift == pytest.approx(0.5 / 0.6)
    assert confusion_at_threshold(SCORES, BOUGHT, 0.8) == seen


def test_an_undefined_share_is_none_and_not_a_number() -> None:
    nobody = confusion_at_top(SCORES, BOUGHT, 0)
    assert nobody.precision is None
    assert nobody.lift is None
    assert nobody.recall == 0.0
    no_buyers = confusion_at_threshold([1, 2], [0, 0], 5)
    assert no_buyers.recall is None
    assert no_buyers.f1 is None
    assert no_buyers.accuracy == 1.0
    assert confusion_at_threshold([1, 2], [0, 0], 0).lift is None


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=40), st.data())
def test_top_n_agrees_with_the_top_table_on_the_same_seed(people: list[tuple[int, bool]], data: st.DataObject) -> None:
    scores, bought = zip(*people, strict=True)
    size = data.draw(st.integers(1, len(people)))
    seen = confusion_at_top(scores, bought, size, seed=3)
    assert seen.chosen == size
    assert seen.people == len(people)
    assert seen.buyers == sum(bought)
    if any(bought):
        assert seen.hits == top_table(scores, bought, [size], seed=3)[0].buyers


def test_bad_input_is_named() -> None:
    with pytest.raises(BadQuestion, match="0 to 5 people"):
        confusion_at_top(SCORES, BOUGHT, 6)
    with pytest.raises(BadQuestion, match="scores 2, bought 1"):
        confusion_at_threshold([1, 2], [1], 0)
    with pytest.raises(BadQuestion, match="scores 2, bought 1"):
        confusion_at_top(np.array([1, 2]), [1], 0)
