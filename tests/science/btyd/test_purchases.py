from __future__ import annotations

import pytest

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.btyd.purchases import look_back, merge_purchases


def test_what_was_known_at_a_moment_is_what_one_counts_by_hand() -> None:
    bought = merge_purchases(["b", "a", "a", "a", "b", "c"], [3, 1, 1, 7, 9, 20], [5.0, 1.0, 2.0, 9.0, 4.0, 1.0])
    assert bought.ids.tolist() == ["a", "b", "c"]
    seen = look_back(bought, now=10, step=6)
    assert seen.customers.tolist() == [0, 1]
    assert [column.tolist() for column in seen.histories] == [[1, 1], [6, 6], [9, 7]]
    assert seen.count.tolist() == [2, 2]
    assert seen.mean.tolist() == [6.0, 4.5]
    assert seen.spend.tolist() == [12.0, 9.0]
    assert seen.first.tolist() == [3.0, 5.0]
    assert seen.last.tolist() == [9.0, 4.0]
    assert seen.recent.tolist() == [[0, 1], [1, 1], [1, 1]]
    assert seen.recent_spend.tolist() == [9.0, 4.0]
    count, amount = bought.ahead(seen.customers, 5, 9)
    assert count.tolist() == [1, 1]
    assert amount.tolist() == [9.0, 4.0]


def test_bad_input_is_named() -> None:
    with pytest.raises(NotEnoughData, match="times: there is nobody"):
        merge_purchases([], [], [])
    with pytest.raises(BadQuestion, match="customer 1, at 2"):
        merge_purchases(["a"], [1, 2], [1.0, 2.0])
    with pytest.raises(NotEnoughData, match="Nobody had bought anything yet; expected purchases up to time 3"):
        look_back(merge_purchases(["a"], [5], [1.0]), now=3, step=1)
