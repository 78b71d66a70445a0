"""Differences between groups agree with published examples, with SciPy, and cover what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from aimwell.core.errors import BadQuestion
from aimwell.science.experiment.difference import Moments, difference_of_means, difference_of_shares


@pytest.mark.parametrize(
    ("counts", "interval"),
    [  # R. G. Newcombe 1998, table II, method 10
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((6, 7, 2, 7), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((0, 10, 0, 10), (-0.2775, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0)),
        ((10, 10, 0, 10), (0.6075, 1.0)),
    ],
)
def test_intervals_of_shares_are_those_of_the_paper(
    counts: tuple[int, int, int, int], interval: tuple[float, float]
) -> None:
    found = difference_of_shares(*counts)
    assert found is not None
    assert (found.low, found.high) == pytest.approx(interval, abs=6e-5)


def test_an_empty_group_shows_nothing_and_impossible_counts_are_refused() -> None:
    assert difference_of_shares(0, 0, 3, 10) is None
    with pytest.raises(BadQuestion, match="4 of 3"):
        difference_of_shares(4, 3, 0, 1)


VALUES = st.lists(st.integers(-1_000, 1_000).map(float), min_size=2, max_size=30)


@settings(max_examples=40)
@given(VALUES, VALUES)
def test_intervals_of_means_are_scipys(one: list[float], other: list[float]) -> None:
    found = difference_of_means(Moments.of(one), Moments.of(other))
    if found is None:
        assert np.var(one) + np.var(other) == 0
        return
    if np.var(one) == 0 or np.var(other) == 0:  # SciPy warns of a group that does not vary
        return
    expected = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-9)


@given(VALUES, VALUES)
def test_moments_add_up(one: list[float], other: list[float]) -> None:
    assert Moments.of([*one, *other]) == Moments.of(one) + Moments.of(other)


def test_two_groups_that_do_not_differ_are_seldom_called_different() -> None:
    generator = np.random.default_rng(5)
    counts = generator.binomial([[2_000], [300]], 0.05, size=(2, 2_000)).T
    found = [difference_of_shares(int(one), 2_000, int(other), 300) for one, other in counts]
    wrongly = sum(each is not None and each.excludes_zero for each in found) / len(found)
    assert wrongly < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2_000)


def test_groups_that_do_not_vary_show_nothing_of_chance() -> None:
    assert difference_of_means(Moments.of([1.0, 1.0]), Moments.of([2.0, 2.0])) is None
