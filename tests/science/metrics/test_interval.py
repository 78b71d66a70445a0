from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.metrics.amount import mae
from aimwell.science.metrics.interval import (
    Estimate,
    bootstrap,
    bootstrap_difference,
    difference,
    estimate,
    mean_estimate,
    percentile_interval,
    resample,
    standard_error,
    wilson,
)


def test_the_bootstrap_interval_of_a_mean_is_the_one_that_theory_gives() -> None:
    values = np.random.default_rng(3).normal(5, 2, 400)
    seen = bootstrap(lambda rows: float(values[rows].mean()), values.size, resamples=2000, seed=1)
    reach = 1.96 * values.std() / 20
    assert seen.value == pytest.approx(values.mean())
    assert seen.low == pytest.approx(values.mean() - reach, abs=0.02)
    assert seen.high == pytest.approx(values.mean() + reach, abs=0.02)


def test_a_customer_with_many_rows_does_not_narrow_the_interval() -> None:
    one_each = np.random.default_rng(1).normal(size=60)
    tenfold, customers = np.repeat(one_each, 10), np.repeat(np.arange(60), 10)

    def width(groups: np.ndarray | None) -> float:
        seen = bootstrap(lambda rows: float(tenfold[rows].mean()), tenfold.size, groups=groups, seed=2)
        return seen.high - seen.low

    single = bootstrap(lambda rows: float(one_each[rows].mean()), 60, seed=2)
    assert width(customers) == pytest.approx(single.high - single.low, rel=0.1)
    assert width(None) < 0.5 * width(customers)


def test_all_rows_of_a_drawn_customer_come_together() -> None:
    groups = ["b", "a", "b", "c"]
    for rows in resample(4, groups=groups, resamples=50, seed=5):
        counts = np.bincount(rows, minlength=4)
        assert counts[0] == counts[2]
        assert counts[0] + counts[1] + counts[3] == 3


def test_equal_seeds_give_equal_draws_and_other_seeds_do_not() -> None:
    draws = [list(map(tuple, resample(20, resamples=3, seed=seed))) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_pairing_makes_the_difference_much_surer_than_its_parts() -> None:
    generator = np.random.default_rng(0)
    seen = generator.gamma(1, 50, 300)
    first = seen + generator.normal(0, 20, 300)
    second = first + np.where(np.arange(300) % 2 == 0, 3.0, -3.0)
    pair = difference(mae, first, second, seen, seed=4)
    assert pair.difference.value == pytest.approx(mae(first, seen) - mae(second, seen))
    assert pair.difference.high - pair.difference.low < 0.4 * (pair.first.high - pair.first.low)
    assert 0 <= pair.better <= 1


def test_two_equal_scores_differ_by_nothing_and_neither_is_better() -> None:
    pair = difference(mae, [1, 2, 3], [1, 2, 3], [2, 2, 2], resamples=50)
    assert (pair.difference.low, pair.difference.high, pair.better) == (0.0, 0.0, 0.5)
    assert not pair.difference.excludes_zero


def test_draws_without_an_answer_are_left_out_until_they_are_the_rule() -> None:
    def needs_the_first(rows: np.ndarray) -> float:
        if 0 not in rows:
            raise NotEnoughData("the first customer is missing")
        return 1.0

    assert bootstrap(needs_the_first, 3, resamples=100).value == 1.0

    def needs_everybody(rows: np.ndarray) -> float:
        if np.unique(rows).size < 8:
            raise NotEnoughData("somebody is missing")
        return 1.0

    with pytest.raises(NotEnoughData, match="half of the resamples"):
        bootstrap(needs_everybody, 8, resamples=100)


def test_paired_statistics_see_the_same_rows() -> None:
    seen: tuple[list[list[int]], list[list[int]]] = ([], [])

    def first(rows: np.ndarray) -> float:
        seen[0].append(rows.tolist())
        return 0.0

    def second(rows: np.ndarray) -> float:
        seen[1].append(rows.tolist())
        return 1.0

    bootstrap_difference(first, second, 5, resamples=30)
    assert seen[0] == seen[1]
    assert len(seen[0]) == 31


def test_the_mean_of_clustered_rows_has_the_error_of_the_cluster_means() -> None:
    values = np.repeat([1.0, 2.0, 6.0], 4)
    clustered = mean_estimate(values, groups=np.repeat([7, 8, 9], 4))
    plain = mean_estimate([1.0, 2.0, 6.0])
    assert (clustered.low, clustered.high) == pytest.approx((plain.low, plain.high))


def test_published_wilson_bounds_are_reproduced() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81/263, 15/148, 0/20, 1/29 at 95 %.
    for successes, trials, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611),
                                         (1, 29, 0.0061, 0.1718)]:  # fmt: skip
        seen = wilson(successes, trials)
        assert (seen.low, seen.high) == pytest.approx((low, high), abs=5e-5)


@settings(max_examples=40)
@given(st.integers(1, 500), st.data())
def test_wilson_bounds_hold_the_share_and_stay_in_zero_to_one(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    seen = wilson(successes, trials)
    assert 0 <= seen.low <= seen.value <= seen.high <= 1
    assert seen.low < seen.high


def test_impossible_requests_are_refused_in_words() -> None:
    with pytest.raises(NotEnoughData, match="nobody"):
        list(resample(0))
    with pytest.raises(BadQuestion, match=r"level of an interval.*between 0 and 1"):
        mean_estimate([1.0, 2.0], level=95)
    with pytest.raises(NotEnoughData, match="at least two customers"):
        mean_estimate([1.0])
    with pytest.raises(NotEnoughData, match="at least two customers"):
        standard_error(np.array([0.1, -0.1]), ["same", "same"])
    with pytest.raises(NotEnoughData, match="and 20; saw 2 of 2"):
        percentile_interval(1.0, [1.0, 2.0])
    with pytest.raises(BadQuestion, match="groups 2, rows 3"):
        list(resample(3, groups=["a", "b"]))
    with pytest.raises(BadQuestion, match="More successes than people"):
        wilson(3, 2)
    with pytest.raises(BadQuestion, match="missing or infinite"):
        estimate(mae, [1.0, np.nan], [1.0, 2.0])


def test_an_estimate_reads_like_a_sentence() -> None:
    assert str(Estimate(0.861234, 0.84, 0.882)) == "0.8612 (0.84 to 0.882)"
    assert Estimate(2, 1, 3).excludes_zero
    assert Estimate(-2, -3, -1).excludes_zero
