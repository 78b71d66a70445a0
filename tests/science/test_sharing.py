from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimwell.core.errors import BadQuestion
from aimwell.science.sharing import share_out

SHARES = st.lists(
    st.tuples(st.integers(-(10**13), 10**13), st.lists(st.integers(0, 10**9), min_size=1, max_size=6)),
    min_size=1,
    max_size=5,
)


@given(SHARES)
def test_shares_add_up_to_the_unit_and_stray_less_than_one_unit(given_shares: list[tuple[int, list[int]]]) -> None:
    amounts = np.array([amount for amount, _ in given_shares], dtype=np.int64)
    owner = np.array([place for place, (_, weights) in enumerate(given_shares) for _ in weights], dtype=np.int64)
    weights = np.array([weight for _, each in given_shares for weight in each], dtype=np.int64)
    found = share_out(amounts, owner, weights)
    for place, (amount, each) in enumerate(given_shares):
        mine = found[owner == place].tolist()
        assert sum(mine) == amount
        even = each if sum(each) else [1] * len(each)
        for share, weight in zip(mine, even, strict=True):
            assert abs(share * sum(even) - amount * weight) < sum(even)


def test_bad_input_is_named() -> None:
    with pytest.raises(BadQuestion, match="weights from 0; expected 0 or more; saw -1"):
        share_out(np.array([5]), np.array([0]), np.array([-1]))
    with pytest.raises(BadQuestion, match="belongs to nobody; .* saw 7"):
        share_out(np.array([5, 7]), np.array([0]), np.array([1]))
