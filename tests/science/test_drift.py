from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon as independent_jensen_shannon
from scipy.stats import ks_2samp

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.drift import (
    Verdict,
    base_rate_shift,
    drift,
    histogram,
    jensen_shannon,
    kolmogorov_smirnov,
    psi,
    quantile_edges,
    smallest_provable_shift,
)

COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=12).filter(any)


def test_psi_is_the_number_computed_by_hand() -> None:
    # Shares 10, 20, 30, 40 % against 40, 30, 20, 10 %: each pair twice.
    expected = 2 * (0.3 * np.log(4) + 0.1 * np.log(1.5))
    assert psi([1e6, 2e6, 3e6, 4e6], [4e6, 3e6, 2e6, 1e6]) == pytest.approx(expected, abs=1e-5)


@settings(max_examples=40)
@given(COUNTS, COUNTS)
def test_distances_agree_with_an_independent_implementation_and_are_symmetric(one: list[int], two: list[int]) -> None:
    size = min(len(one), len(two))
    before, now = one[:size], two[:size]
    if not any(before) or not any(now):
        return
    p, q = np.array(before) / sum(before), np.array(now) / sum(now)
    assert jensen_shannon(before, now) == pytest.approx(float(independent_jensen_shannon(p, q, base=2)), abs=1e-7)
    assert jensen_shannon(before, now) == pytest.approx(jensen_shannon(now, before))
    assert psi(before, now) >= 0
    assert 0 <= kolmogorov_smirnov(before, now)[0] <= 1


def test_the_gap_of_one_bin_per_value_is_the_kolmogorov_smirnov_statistic() -> None:
    generator = np.random.default_rng(1)
    before, now = generator.integers(0, 30, 800), generator.integers(3, 33, 900)
    gap, chance = kolmogorov_smirnov(np.bincount(before, minlength=33), np.bincount(now, minlength=33))
    independent = ks_2samp(before, now, method="asymp")
    assert gap == pytest.approx(independent.statistic)
    assert chance == pytest.approx(independent.pvalue, rel=0.3)


def test_two_samples_of_one_population_drift_in_at_most_one_of_twenty() -> None:
    generator = np.random.default_rng(2)
    shares = np.full(10, 0.1)
    seen = [drift(generator.multinomial(60, shares), generator.multinomial(60, shares)) for _ in range(300)]
    # With sixty people a PSI of .1 is ordinary noise, and it must not be called drift.
    assert np.mean([found.psi > 0.1 for found in seen]) > 0.5
    assert np.mean([found.verdict is not Verdict.NONE for found in seen]) < 0.07


def test_verdicts_follow_the_documented_bounds() -> None:
    assert drift([500, 500], [520, 480]).verdict is Verdict.NONE
    assert drift([5000, 5000], [3300, 6700]).verdict is Verdict.MEDIUM
    assert drift([5000, 5000], [2000, 8000]).verdict is Verdict.LARGE
    unordered = drift([50, 50, 0], [0, 50, 50], ordered=False)
    assert unordered.largest_gap is None
    assert unordered.gap_chance is None
    assert np.isfinite(unordered.psi)


def test_a_histogram_from_edges_counts_everybody_and_empty_bins() -> None:
    edges = quantile_edges(np.arange(100), 4)
    assert histogram(np.arange(100), edges).tolist() == [25, 25, 25, 25]
    assert histogram([-5, 500], edges).tolist() == [1, 0, 0, 1]
    assert quantile_edges([1, 1, 1, 1, 2], 2).tolist() == [1.0]
    assert histogram([1, 1, 1], quantile_edges([1, 1, 1], 4)).tolist() == [0, 3]


def test_a_moved_base_rate_is_told_from_chance() -> None:
    # Newcombe 1998 (independent proportions), method 10: 56/70 - 48/80 has the interval 0.0524 to 0.3339.
    seen = base_rate_shift(48, 80, 56, 70)
    assert (seen.difference.low, seen.difference.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert base_rate_shift(5, 100, 7, 100).verdict is Verdict.NONE
    assert base_rate_shift(5000, 100_000, 5200, 100_000).verdict is Verdict.NONE
    assert base_rate_shift(5000, 100_000, 5900, 100_000).verdict is Verdict.MEDIUM
    large = base_rate_shift(5000, 100_000, 3000, 100_000)
    assert large.verdict is Verdict.LARGE
    assert large.relative == pytest.approx(-0.4)
    assert large.chance < 1e-6
    none_before = base_rate_shift(0, 1000, 100, 1000)
    assert none_before.relative is None
    assert none_before.verdict is Verdict.LARGE
    assert base_rate_shift(0, 10, 0, 10).chance == 1.0


def test_small_numbers_can_only_prove_large_shifts() -> None:
    assert smallest_provable_shift(100, 100, 0.05) == pytest.approx(0.0604, abs=1e-4)
    assert smallest_provable_shift(10_000, 10_000, 0.05) == pytest.approx(0.00604, abs=1e-5)


def test_bad_input_is_named() -> None:
    with pytest.raises(NotEnoughData, match="histogram before"):
        psi([0, 0], [1, 2])
    with pytest.raises(NotEnoughData, match="histogram now"):
        drift([1, 2], [0, 0])
    with pytest.raises(BadQuestion, match="before 2, now 3"):
        psi([1, 2], [1, 2, 3])
    with pytest.raises(BadQuestion, match="must not be negative"):
        jensen_shannon([1, -1], [1, 1])
    with pytest.raises(BadQuestion, match="must rise"):
        histogram([1], [2, 1])
    with pytest.raises(BadQuestion, match="needs bins"):
        quantile_edges([1], 1)
    with pytest.raises(NotEnoughData, match="at least one customer"):
        base_rate_shift(0, 0, 1, 2)
    with pytest.raises(NotEnoughData, match="Nobody to compare"):
        smallest_provable_shift(0, 5, 0.1)
