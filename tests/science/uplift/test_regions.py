"""Regions are probabilities that add up, agree with a hand count, and keep what they promise on a known market."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.science.uplift.truths import SMALL, market, same, step

from aimwell.core.errors import BadQuestion
from aimwell.science.uplift.choice import choose
from aimwell.science.uplift.doubt import doubt
from aimwell.science.uplift.regions import REGIONS, regions

CERTAIN = [0.0] * 4


def test_without_doubt_everybody_lies_in_one_region() -> None:
    found = regions(
        [0.9, 0.9, 0.1, 0.1], [0.0, -0.2, 0.0, 0.3], level_error=CERTAIN, effect_error=CERTAIN, cut=0.5, margin=0.05
    )
    rows = np.column_stack([getattr(found, name) for name in REGIONS])
    assert rows.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]]
    assert found.shares() == dict.fromkeys(REGIONS, 0.25)


def test_doubt_is_shared_out_by_the_normal_law() -> None:
    found = regions([0.5], [0.0], level_error=[0.1], effect_error=[0.1], cut=0.5, margin=0.1)
    assert found.persuadable[0] == pytest.approx(0.15866, abs=1e-5)
    assert found.do_not_disturb[0] == pytest.approx(0.15866, abs=1e-5)
    assert found.sure_thing[0] == pytest.approx(found.lost_cause[0])


numbers = st.floats(-2, 2)
errors = st.floats(0, 1)


@given(numbers, numbers, errors, errors, st.floats(0, 1))
def test_the_four_probabilities_sum_to_one(
    level: float, effect: float, first: float, second: float, margin: float
) -> None:
    found = regions([level], [effect], level_error=[first], effect_error=[second], cut=0.5, margin=margin)
    parts = [float(getattr(found, name)[0]) for name in REGIONS]
    assert sum(parts) == pytest.approx(1.0)
    assert min(parts) >= 0


def test_negative_margins_and_errors_are_refused() -> None:
    with pytest.raises(BadQuestion, match="not negative"):
        regions([0.5], [0.0], level_error=[0.1], effect_error=[0.1], cut=0.5, margin=-0.1)
    with pytest.raises(BadQuestion, match="not negative"):
        regions([0.5], [0.0], level_error=[-0.1], effect_error=[0.1], cut=0.5)


def test_probabilities_of_regions_are_near_what_is_true_on_a_known_market() -> None:
    truth, later = market(5000, 21, step), market(3000, 22, step)
    choice, unsure = choose(truth.sample, growth=SMALL, seed=1), doubt(truth.sample, growth=SMALL, seed=1, halves=10)
    X = later.sample.X
    found = regions(
        choice.without(X),
        choice.effects(X)[:, 0],
        level_error=unsure.of_level(X),
        effect_error=unsure.of_effects(X, choice)[:, 0],
        cut=0.3,
    )
    moved = later.effects[:, 0] > 0
    assert found.persuadable[moved].mean() > 0.9
    assert found.persuadable[~moved].mean() < 0.4
    # What is promised for those of whom it is most certain is kept.
    surest = found.do_not_disturb > 0.8
    assert (later.effects[surest, 0] < 0).mean() > 0.8


def test_where_no_difference_was_found_all_have_the_doubt_of_the_average() -> None:
    truth = market(1500, 14, same)
    choice, unsure = choose(truth.sample, growth=SMALL, parts=3), doubt(truth.sample, growth=SMALL, halves=4)
    assert not choice.evidence[0].differs
    errors = unsure.of_effects(truth.sample.X, choice)[:, 0]
    average = choice.evidence[0].average
    np.testing.assert_allclose(errors, (average.high - average.low) / 2 / 1.96)
