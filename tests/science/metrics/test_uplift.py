"""Qini, AUUC and uplift in the best share: small lists worked out by hand, and the published formula."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import FloatArray
from aimwell.science.metrics.uplift import auuc, lots_of, normalised_qini, qini, qini_curve, uplift_at, uplift_curve
from aimwell.science.metrics.uplift_chance import (
    AUUC,
    NORMALISED_QINI,
    QINI,
    qini_band,
    uplift_difference,
    uplift_estimate,
    uplift_in_best,
)

# Best first: treated buyer, untreated, treated, untreated buyer.
SCORES = [4.0, 3.0, 2.0, 1.0]
BOUGHT = [1, 0, 0, 1]
TREATED = [True, False, True, False]


def plain_qini_curve(scores: list[float], bought: list[float], treated: list[bool]) -> list[tuple[int, float]]:
    """The curve of scikit-uplift in plain loops: Y_t − Y_c · N_t / N_c after each distinct score, from (0, 0)."""
    points = [(0, 0.0)]
    for threshold in sorted(set(scores), reverse=True):
        best = [place for place, score in enumerate(scores) if score >= threshold]
        n_t = sum(treated[place] for place in best)
        n_c = len(best) - n_t
        y_t = sum(bought[place] for place in best if treated[place])
        y_c = sum(bought[place] for place in best if not treated[place])
        points.append((len(best), y_t - (y_c * n_t / n_c if n_c else 0.0)))
    return points


def plain_area(points: list[tuple[int, float]]) -> float:
    return sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(points))


def plain_normalised(scores: list[float], bought: list[float], treated: list[bool]) -> float:
    """(area of the model − area of the straight line) / (area of the perfect curve − area of the straight line)."""
    curve = plain_qini_curve(scores, bought, treated)
    hindsight = [y * t - y * (1 - t) for y, t in zip(bought, treated, strict=True)]
    perfect = plain_qini_curve(hindsight, bought, treated)
    line = plain_area([perfect[0], perfect[-1]])
    return (plain_area(curve) - line) / (plain_area(perfect) - line)


def experiment(n: int, seed: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Scores that know the effect, noise, outcome, treated: half of the people gain .4, the others nothing."""
    generator = np.random.default_rng(seed)
    gains = generator.random(n) < 0.5
    treated = generator.random(n) < 0.5
    bought = generator.random(n) < 0.2 + 0.4 * gains * treated
    return gains.astype(float), generator.random(n), bought.astype(float), treated.astype(float)


def test_a_qini_curve_worked_out_by_hand() -> None:
    curve = qini_curve(SCORES, BOUGHT, TREATED)
    # 1 of 2 treated buys at once: 1/2. At the end: mean of treated 1/2 minus mean of the others 1/2.
    assert curve.contacted.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve.gained.tolist() == [0, 0.5, 0.5, 0.5, 0]
    assert curve.effect == 0.0
    assert qini(SCORES, BOUGHT, TREATED) == pytest.approx(0.25 * (0.25 + 0.5 + 0.5 + 0.25))
    assert curve.gained_at(0.125) == 0.25


def test_an_uplift_curve_and_its_area_worked_out_by_hand() -> None:
    # 1/4·1, 1/2·(1 − 0), 3/4·(1/2 − 0), 1·(1/2 − 1/2)
    assert uplift_curve(SCORES, BOUGHT, TREATED).gained.tolist() == [0, 0.25, 0.5, 0.375, 0]
    assert auuc(SCORES, BOUGHT, TREATED) == pytest.approx(0.25 * (0.125 + 0.375 + 0.4375 + 0.1875))


def test_uplift_in_the_best_share_worked_out_by_hand() -> None:
    assert uplift_at(SCORES, BOUGHT, TREATED, 0.5) == 1.0
    assert uplift_at(SCORES, BOUGHT, TREATED, 0.8) == 0.5
    assert uplift_at(SCORES, BOUGHT, TREATED, 1.0) == 0.0


def test_a_list_that_ends_inside_a_tie_takes_the_same_share_of_all_who_are_in_it() -> None:
    # The best two are drawn from three equals: 2/3 of each.
    assert uplift_at([2, 2, 2, 1], [1, 0, 0, 0], [True, True, False, False], 0.5) == pytest.approx(0.5)


def test_a_list_without_any_order_is_worth_nothing_and_a_tie_is_a_straight_line() -> None:
    curve = qini_curve([7, 7, 7, 7], [1, 0, 0, 0], TREATED)
    assert curve.contacted.tolist() == [0, 1]
    assert qini([7, 7, 7, 7], [1, 0, 0, 0], TREATED) == 0
    assert auuc([7, 7, 7, 7], [1, 0, 0, 0], TREATED) == 0.25  # half of the average effect


people = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.booleans()), min_size=4, max_size=40)


@given(people)
def test_the_figures_agree_with_the_published_formula_also_with_ties(rows: list[tuple[int, int, bool]]) -> None:
    scores = [float(score) for score, _, _ in rows]
    bought = [float(buy) for _, buy, _ in rows]
    treated = [chosen for _, _, chosen in rows]
    if all(treated) or not any(treated):
        return
    ours, plain = qini_curve(scores, bought, treated), plain_qini_curve(scores, bought, treated)
    np.testing.assert_allclose(ours.contacted * len(rows), [x for x, _ in plain], atol=1e-12)
    np.testing.assert_allclose(ours.gained * sum(treated), [y for _, y in plain], atol=1e-12)
    if any(bought) and not all(bought):
        hindsight = plain_qini_curve([y if t else -y for y, t in zip(bought, treated, strict=True)], bought, treated)
        if plain_area(hindsight) - plain_area([hindsight[0], hindsight[-1]]) > 1e-9:
            expected = plain_normalised(scores, bought, treated)
            assert normalised_qini(scores, bought, treated) == pytest.approx(expected)


@given(people)
def test_the_order_of_the_rows_does_not_matter(rows: list[tuple[int, int, bool]]) -> None:
    if len({chosen for _, _, chosen in rows}) < 2:
        return
    turned = rows[::-1]
    figures = [qini(*(list(column) for column in zip(*each, strict=True))) for each in (rows, turned)]
    assert figures[0] == pytest.approx(figures[1])


def test_hindsight_is_worth_one_and_the_worst_order_less_than_nothing() -> None:
    bought, treated = [1, 1, 0, 0], [True, False, True, False]
    assert normalised_qini([1, -1, 0, 0], bought, treated) == pytest.approx(1.0)
    assert normalised_qini([-1, 1, 0, 0], bought, treated) == pytest.approx(-0.25)


def test_unequal_probabilities_are_weighed_so_that_the_effect_is_that_of_everybody() -> None:
    generator = np.random.default_rng(4)
    n = 40_000
    rich = generator.random(n) < 0.5
    chance = np.where(rich, 0.9, 0.3)
    treated = generator.random(n) < chance
    spent = 10.0 * rich + treated * np.where(rich, 1.0, 3.0)
    received = np.where(treated, chance, 1 - chance)
    naive = qini_curve(generator.random(n), spent, treated)
    weighed = qini_curve(generator.random(n), spent, treated, probability=received)
    assert naive.effect > 5
    assert weighed.effect == pytest.approx(2.0, abs=0.15)


def test_equal_probabilities_change_nothing() -> None:
    knows, _, bought, treated = experiment(500, 1)
    for figure in (qini, normalised_qini, auuc):
        assert figure(knows, bought, treated, probability=np.full(500, 0.5)) == pytest.approx(
            figure(knows, bought, treated)
        )


def test_money_has_a_qini_in_its_own_unit_and_no_normalised_one() -> None:
    spent = [30.0, 0.0, 0.0, 10.0]
    assert qini(SCORES, spent, TREATED) == pytest.approx(10 * qini(SCORES, [3, 0, 0, 1], TREATED))
    with pytest.raises(BadQuestion, match="yes/no"):
        normalised_qini(SCORES, spent, TREATED)


def test_a_ranking_that_knows_the_effect_is_proven_and_chance_is_not() -> None:
    knows, noise, bought, treated = experiment(2000, 2)
    # Half gain .4, ranked first: the area between .2 at one half and the line to .2 is .05.
    found = uplift_estimate(QINI, knows, bought, treated, resamples=200, seed=1)
    assert found.value == pytest.approx(0.05, abs=0.012)
    assert found.low < 0.05 < found.high
    assert not uplift_estimate(QINI, noise, bought, treated, resamples=200, seed=1).excludes_zero
    gap = uplift_difference(NORMALISED_QINI, knows, noise, bought, treated, resamples=200, seed=1)
    assert gap.difference.low > 0
    assert gap.difference.value == pytest.approx(gap.first.value - gap.second.value)
    again = uplift_difference(AUUC, knows, knows, bought, treated, resamples=50, seed=1)
    assert (again.difference.value, again.better) == (0.0, 0.5)


def test_a_resample_is_walked_as_if_it_were_sorted_anew() -> None:
    knows, _, bought, treated = experiment(300, 3)
    rows = np.random.default_rng(0).integers(300, size=300)
    statistic = QINI.statistic(knows, lots_of(bought, treated))
    assert statistic(rows) == pytest.approx(qini(knows[rows], bought[rows], treated[rows]))


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held = 0
    for seed in range(60):
        knows, _, bought, treated = experiment(400, 100 + seed)
        found = uplift_estimate(uplift_in_best(0.3), knows, bought, treated, resamples=100, seed=seed)
        held += found.low <= 0.4 <= found.high
    assert held >= 50  # 57 expected; 50 is some four standard errors below


def test_customers_in_several_rows_widen_the_interval() -> None:
    knows, _, bought, treated = experiment(300, 5)
    rows = np.tile(np.arange(300), 4)
    alone = uplift_estimate(QINI, knows[rows], bought[rows], treated[rows], resamples=200)
    grouped = uplift_estimate(QINI, knows[rows], bought[rows], treated[rows], groups=rows, resamples=200)
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)


def test_the_band_of_the_curve_holds_the_curve() -> None:
    knows, _, bought, treated = experiment(500, 6)
    band = qini_band(knows, bought, treated, points=11, resamples=60)
    assert (band.low <= band.reached + 1e-9).all()
    assert (band.reached <= band.high + 1e-9).all()
    assert band.reached[5] == pytest.approx(qini_curve(knows, bought, treated).gained_at(0.5))


def test_a_treatment_that_nobody_got_is_refused_with_a_remedy() -> None:
    with pytest.raises(NotEnoughData, match="Keep a random control group"):
        qini(SCORES, BOUGHT, [False] * 4)
    with pytest.raises(NotEnoughData, match="0 of 4 treated"):
        qini(SCORES, BOUGHT, [False] * 4)


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_logged_probabilities_of_zero_or_one_are_refused(certain: float) -> None:
    with pytest.raises(BadQuestion, match="above 0 and below 1"):
        qini(SCORES, BOUGHT, TREATED, probability=[0.5, 0.5, 0.5, certain])


def test_a_list_of_nobody_and_a_list_of_one_arm_have_no_effect() -> None:
    with pytest.raises(BadQuestion, match="somebody on it"):
        uplift_at(SCORES, BOUGHT, TREATED, 0.0)
    with pytest.raises(NotEnoughData, match="one arm"):
        uplift_at(SCORES, BOUGHT, TREATED, 0.25)
    with pytest.raises(NotEnoughData, match="outcomes of both kinds"):
        normalised_qini(SCORES, [0, 0, 0, 0], TREATED)
