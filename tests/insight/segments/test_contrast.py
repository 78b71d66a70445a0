"""Effects, chances and intervals of one feature: published numbers, other people's code, and what must always hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import brunnermunzel, fisher_exact, mannwhitneyu

from aimwell.core.errors import NotEnoughData
from aimwell.insight.segments.contrast import Contrast, compare_numbers, compare_shares

values = st.lists(st.integers(-5, 20).map(float), min_size=2, max_size=30)


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    people = draw(st.integers(1, 300))
    return draw(st.integers(0, people)), people


def shares(one: tuple[int, int], two: tuple[int, int]) -> Contrast:
    return compare_shares(np.array([one[0]]), one[1], np.array([two[0]]), two[1])[1]


@pytest.mark.parametrize(
    ("one", "two", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_gaps_of_shares_are_those_of_newcombe(
    one: tuple[int, int], two: tuple[int, int], low: float, high: float
) -> None:
    """Statistics in Medicine 17 (1998), table II, method 10."""
    gap = shares(one, two).gap
    assert (round(gap.low, 4), round(gap.high, 4)) == (low, high)


@given(counts(), counts())
def test_shares_keep_their_bounds_and_turn_with_the_groups(one: tuple[int, int], two: tuple[int, int]) -> None:
    found, turned = shares(one, two), shares(two, one)
    assert -1 <= found.gap.low <= found.gap.value <= found.gap.high <= 1
    assert -1 <= found.effect.low <= found.effect.value <= found.effect.high <= 1
    assert 0 <= found.chance <= 1
    assert found.gap.low == pytest.approx(-turned.gap.high)
    assert found.effect.value == pytest.approx(-turned.effect.value)
    assert found.chance == pytest.approx(turned.chance)


@given(counts(), counts())
def test_a_ratio_is_surely_above_one_exactly_where_the_gap_is_surely_above_zero(
    one: tuple[int, int], two: tuple[int, int]
) -> None:
    found = shares(one, two)
    if found.ratio is None:
        assert two[0] == 0
    elif abs(found.gap.low) > 1e-9 and abs(found.gap.high) > 1e-9:
        assert found.ratio.low <= found.ratio.value * (1 + 1e-9)
        assert found.ratio.value <= found.ratio.high * (1 + 1e-9)
        assert (found.ratio.low > 1) == (found.gap.low > 0)
        assert (found.ratio.high < 1) == (found.gap.high < 0)


@pytest.mark.parametrize(
    ("one", "two"), [((1, 30), (0, 10_000)), ((5, 12), (3, 400)), ((0, 9), (7, 20)), ((8, 8), (9, 40))]
)
def test_chances_of_few_people_are_exact(one: tuple[int, int], two: tuple[int, int]) -> None:
    table = [[one[0], one[1] - one[0]], [two[0], two[1] - two[0]]]
    tails = [fisher_exact(table, alternative=side).pvalue for side in ("less", "greater")]
    assert shares(one, two).chance == pytest.approx(min(1.0, 2 * min(tails)), rel=1e-6)


def test_the_value_that_differs_most_surely_is_chosen() -> None:
    place, found, chances = compare_shares(np.array([10, 60, 30]), 100, np.array([12, 20, 68]), 100)
    assert (place, round(found.gap.value, 2)) == (1, 0.4)
    assert chances.argmin() == 1
    # Of two that say the same, the one that members have more often.
    assert compare_shares(np.array([20, 80]), 100, np.array([70, 30]), 100)[0] == 1


@given(values, values)
def test_chances_are_the_more_cautious_of_two_rank_tests(one: list[float], two: list[float]) -> None:
    found = compare_numbers(np.array(one), np.array(two))
    assert 0 <= found.chance <= 1
    if len(set(one + two)) == 1:
        assert found.chance == 1
        return
    whitney = mannwhitneyu(one, two, use_continuity=False, method="asymptotic").pvalue
    if len(set(one)) > 1 and len(set(two)) > 1 and (min(one) <= max(two) and min(two) <= max(one)):
        expected = max(whitney, brunnermunzel(one, two).pvalue)
        assert found.chance == pytest.approx(expected, rel=1e-6)
    else:
        assert found.chance >= whitney * (1 - 1e-9)


@given(values, values)
def test_effects_are_of_ranks_and_turn_with_the_groups(one: list[float], two: list[float]) -> None:
    first, second = np.array(one), np.array(two)
    found, turned = compare_numbers(first, second), compare_numbers(second, first)
    bent = compare_numbers(np.exp(first / 4), np.exp(second / 4))
    assert -1 <= found.effect.low <= found.effect.value <= found.effect.high <= 1
    assert found.effect == bent.effect
    assert found.effect.value == pytest.approx(-turned.effect.value)
    assert found.gap.low <= found.gap.value <= found.gap.high
    assert found.strength >= 0


@given(values, values)
def test_the_order_of_people_changes_nothing(one: list[float], two: list[float]) -> None:
    found = compare_numbers(np.array(one), np.array(two))
    assert compare_numbers(np.array(one[::-1]), np.array(sorted(two))) == found


def test_groups_that_do_not_touch_are_as_far_apart_as_can_be() -> None:
    apart = compare_numbers(np.arange(200.0) + 1000, np.arange(200.0))
    alike = compare_numbers(np.arange(200.0), np.arange(200.0))
    assert apart.effect.value == pytest.approx(np.sqrt(3) / 2, abs=0.01)
    assert (apart.size, alike.size) == ("large", "slight")
    assert (alike.effect.value, alike.strength) == (0, 0)


def test_yes_and_no_have_one_effect_however_they_are_written() -> None:
    """As shares or as numbers 0 and 1: the correlation of value and membership in groups of equal size."""
    as_numbers = compare_numbers(np.repeat([1.0, 0.0], [300, 700]), np.repeat([1.0, 0.0], [100, 900]))
    as_shares = shares((300, 1000), (100, 1000))
    x = np.repeat([1.0, 0.0, 1.0, 0.0], [300, 700, 100, 900])
    expected = np.corrcoef(x, np.repeat([1.0, 0.0], 1000))[0, 1]
    assert as_shares.effect.value == pytest.approx(expected, rel=1e-3)
    assert as_numbers.effect.value == pytest.approx(as_shares.effect.value, rel=1e-3)


def test_groups_that_are_too_small_are_refused() -> None:
    with pytest.raises(NotEnoughData, match="at least 2 in each; saw 1 members and 3 others"):
        compare_numbers(np.ones(1), np.ones(3))
    with pytest.raises(NotEnoughData, match="at least 1 in each"):
        shares((0, 0), (1, 3))


def test_what_is_told_must_point_where_the_ranks_do() -> None:
    surely = compare_numbers(np.arange(20.0) + 10, np.arange(20.0))
    assert surely.certain
    assert not compare_numbers(np.arange(20.0), np.arange(20.0)).certain


def test_ratios_need_a_true_zero() -> None:
    up, down = np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0])
    ratio = compare_numbers(up, down).ratio
    assert ratio is not None
    assert ratio.value == 2
    assert compare_numbers(up, down, ratios=False).ratio is None
    assert compare_numbers(up - 3, down).ratio is None
    assert compare_numbers(up, down * 0).ratio is None


def test_intervals_of_ratios_hold_the_truth_as_often_as_they_say() -> None:
    chance, held = np.random.default_rng(3), 0
    for _ in range(300):
        found = compare_numbers(chance.lognormal(1, 0.8, 60), chance.lognormal(0.5, 0.8, 300)).ratio
        assert found is not None
        held += found.low <= np.exp(0.5) <= found.high
    # 95 % of 300 is 285; fewer than 273 or more than 296 would be seen once in some hundred such tests.
    assert 273 <= held <= 296


def test_intervals_of_medians_hold_the_truth_as_often_as_they_say() -> None:
    chance, held = np.random.default_rng(4), 0
    for seed in range(300):
        one, two = chance.exponential(2, 51), chance.exponential(1, 101)
        found = compare_numbers(one, two, by_median=True, seed=seed)
        held += found.gap.low <= np.log(2) <= found.gap.high
    assert 273 <= held <= 296
