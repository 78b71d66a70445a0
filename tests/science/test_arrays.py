from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import (
    both_kinds,
    codes,
    matrix,
    mean_ranks,
    numbers,
    same_length,
    share,
    shares,
    table,
    truths,
)


def test_lists_of_any_number_type_become_floats() -> None:
    assert numbers([True, 2, 3.5], "amounts").tolist() == [1.0, 2.0, 3.5]
    assert truths(np.array([1.0, 0.0]), "bought").tolist() == [True, False]
    assert matrix([[1, 2]], "features").shape == (1, 2)
    assert np.isnan(table([[1, np.nan]], "features")[0, 1])


def test_ids_of_any_type_become_whole_numbers_in_their_own_order() -> None:
    assert codes(["c", "a", "c"], "customers").tolist() == [1, 0, 1]
    assert codes([30, 10, 20], "customers").tolist() == [2, 0, 1]


def test_what_cannot_be_used_is_named_with_what_was_seen() -> None:
    with pytest.raises(BadQuestion, match=r"spend hold missing or infinite numbers; .*saw 2 of 3"):
        numbers([1, np.nan, np.inf], "spend")
    with pytest.raises(BadQuestion, match="features hold infinite numbers; saw 1"):
        table([[np.inf, np.nan]], "features")
    with pytest.raises(BadQuestion, match="features hold missing"):
        matrix([[1.0, np.nan]], "features")
    with pytest.raises(BadQuestion, match="rows and columns"):
        matrix([1, 2], "features")
    with pytest.raises(BadQuestion, match="must be numbers"):
        matrix([[1, 2], [3]], "features")
    with pytest.raises(NotEnoughData, match="nobody"):
        table(np.empty((0, 3)), "features")
    with pytest.raises(BadQuestion, match=r"must be probabilities.*saw 1\.2"):
        shares([0.1, 1.2], "p")
    with pytest.raises(BadQuestion, match=r"saw -0\.1"):
        shares([0.1, -0.1], "p")
    with pytest.raises(BadQuestion, match=r"saw nan"):
        share(float("nan"), "the share")
    with pytest.raises(NotEnoughData, match="3 of 3 with"):
        both_kinds([1, 1, 1], "bought")
    with pytest.raises(BadQuestion, match="one list of ids"):
        codes([[1]], "customers")
    with pytest.raises(NotEnoughData, match="customers: there is nobody"):
        codes([], "customers")
    with pytest.raises(BadQuestion, match="a 1, b 2"):
        same_length(a=np.zeros(1), b=np.zeros(2))


@given(st.lists(st.sampled_from([-2.5, 0.0, 0.5, 1.0, 7.0]), max_size=40))
def test_mean_ranks_are_those_of_scipy(values: list[float]) -> None:
    assert mean_ranks(np.array(values)).tolist() == rankdata(values).tolist()
