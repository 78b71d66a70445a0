"""Decisions read effects: the gain of a treatment is what an experiment measured, as the rule says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from tests.strategy.decisions import test_decide
from tests.strategy.decisions.test_decide import NAMES, NOW, PEOPLE, decision, plan, rows

from aimwell.core.errors import BadQuestion
from aimwell.insight.effects.kept import Run, keep_scores
from aimwell.insight.predictions.workshop import Workshop
from aimwell.strategy.decisions.deciding import decide

workshop = test_decide.workshop


def keep(workshop: Workshop, arm: str, effect: np.ndarray[Any, Any], error: float, **words: Any) -> None:
    """Scores of an arm as an effect leaves them in the warehouse."""
    details = {
        "customer_id": NAMES[: effect.size],
        "effect_name": ["coupon"] * effect.size,
        "treatment": [arm] * effect.size,
        "effect": effect,
        "low": effect - 1.96 * error,
        "high": effect + 1.96 * error,
        "error": np.full(effect.size, error),
        "without": np.full(effect.size, 0.2),
        "differs": [words.get("differs", True)] * effect.size,
        "money": [words.get("money", False)] * effect.size,
    }
    keep_scores(workshop, Run("coupon", arm, "v1", words.get("as_of", NOW)), effect, pa.table(details))


def letter(**gain: Any) -> dict[str, Any]:
    return {"letter": {"channel": "mail", "cost": 1, "gain": {"effect": "coupon"} | gain}}


RISING = np.arange(PEOPLE) / 1000


def test_the_gain_is_the_effect_on_each_customer_times_what_it_is_worth(workshop: Workshop) -> None:
    keep(workshop, "ten_off", RISING, 0.02)
    found = plan(workshop, treatments=letter(times=10), budget=None)
    given = [row for row in rows(workshop) if row["treatment"] == "letter"]
    assert [row["customer_id"] for row in given] == NAMES[101:]  # .1 × 10 is what a letter costs
    assert [row["gain"] for row in given] == pytest.approx((RISING[101:] * 10).tolist())
    line = found.treatments[0]
    assert line.basis == "experiment"
    assert line.error == pytest.approx(0.02 / RISING[1:].mean())
    assert {row["error"] for row in given} == {line.error}
    assert "measured in an experiment" in line.told.en
    assert "经实验测得" in line.told.zh
    assert line.value.low > 0


def test_a_money_effect_needs_no_worth_and_a_chance_does(workshop: Workshop) -> None:
    keep(workshop, "ten_off", RISING, 0.02)
    with pytest.raises(BadQuestion, match=r"a change of a chance.*times: 30"):
        plan(workshop, treatments=letter())
    keep(workshop, "ten_off", RISING * 10, 0.02, money=True)
    plan(workshop, treatments=letter(), budget=None)
    assert [row["gain"] for row in rows(workshop)][-1] == pytest.approx(3.99)


@pytest.mark.parametrize(
    ("average", "error", "gain", "said"),
    [
        (0.3, 0.05, 3.0, "average effect for everybody"),
        (0.3, 0.2, 0.0, "covers 0, so it counts as 0"),
        (-0.3, 0.05, -3.0, "average effect for everybody"),
    ],
)
def test_without_a_difference_everybody_gains_the_average_or_nothing_if_that_may_be_nothing(
    workshop: Workshop,
    average: float,
    error: float,
    gain: float,
    said: str,
) -> None:
    keep(workshop, "ten_off", np.full(PEOPLE, average), error, differs=False)
    found = plan(workshop, treatments=letter(times=10), budget=None)
    given = [row for row in rows(workshop) if row["treatment"] == "letter"]
    assert len(given) == (PEOPLE if gain > 1 else 0)
    assert {row["gain"] for row in given} <= {gain}
    assert said in found.treatments[0].told.en
    if gain > 1:
        half = 1.2815515 * error / average * found.total.value.value
        assert found.total.value.high - found.total.value.value == pytest.approx(half)


def test_a_gain_that_counts_as_nothing_is_not_said_to_be_surely_nothing(workshop: Workshop) -> None:
    keep(workshop, "ten_off", np.full(PEOPLE, 0.3), 0.2, differs=False)
    found = plan(workshop, treatments=letter(times=10), budget=None, explore=0.5)
    line = found.treatments[0]
    assert line.customers == line.by_lot > 50
    assert line.value.value == 0.0
    assert line.value.high == pytest.approx(1.2815515 * 0.2 * 10 * line.customers)
    assert found.total.value.low == pytest.approx(-line.value.high)


def test_a_measured_gain_with_an_error_above_the_whole_of_it_is_still_measured(workshop: Workshop) -> None:
    keep(workshop, "ten_off", RISING, 0.4)
    keep(workshop, "gift", RISING[::-1], 0.4)
    gains = {arm: {"effect": "coupon", "arm": arm, "times": 10} for arm in ("ten_off", "gift")}
    treatments = {arm: {"channel": "mail", "cost": 1, "gain": gain} for arm, gain in gains.items()}
    found = plan(workshop, treatments=treatments, budget=None)
    assert [line.basis for line in found.treatments] == ["experiment", "experiment"]
    assert [line.error for line in found.treatments] == [pytest.approx(0.4 / RISING[1:].mean())] * 2
    assert found.treatments[0].error is not None
    assert found.treatments[0].error > 1
    # Two experiments err independently: the sum errs less than both together.
    halves = [line.value.high - line.value.value for line in found.treatments]
    assert found.total.value.high - found.total.value.value == pytest.approx(float(np.hypot(*halves)))
    assert {row["basis"] for row in rows(workshop) if row["treatment"] != "nothing"} == {"experiment"}


def test_the_arm_must_be_named_where_there_are_several_and_must_be_there(workshop: Workshop) -> None:
    with pytest.raises(BadQuestion, match="aimwell effect score coupon"):
        plan(workshop, treatments=letter(times=1))
    keep(workshop, "ten_off", RISING, 0.02)
    keep(workshop, "gift", RISING[::-1], 0.02)
    with pytest.raises(BadQuestion, match="one of gift, ten_off"):
        plan(workshop, treatments=letter(times=1))
    with pytest.raises(BadQuestion, match="one of the arms gift, ten_off"):
        plan(workshop, treatments=letter(times=1, arm="twenty_off"))
    plan(workshop, treatments=letter(times=10, arm="gift"), budget=None)
    assert [row["customer_id"] for row in rows(workshop) if row["treatment"] == "letter"] == NAMES[:299]


def test_whoever_has_no_effect_may_not_get_it_and_scores_of_the_future_do_not_count(
    workshop: Workshop,
) -> None:
    keep(workshop, "ten_off", RISING[::-1][:50] + 1, 0.02)
    keep(workshop, "ten_off", RISING + 1, 0.02, as_of=NOW + timedelta(days=1))
    found = plan(workshop, treatments=letter(times=10), budget=None)
    assert found.total.customers == 50
    decide(decision(treatments=letter(times=10), budget=None), workshop, NOW + timedelta(days=2), currency="GBP")
    assert len([row for row in rows(workshop) if row["treatment"] == "letter"]) == 50 + PEOPLE


def test_other_gains_are_stated_or_assumed_and_an_effect_brings_its_own_error(workshop: Workshop) -> None:
    treatments = {
        "letter": {"channel": "mail", "gain": {"amount": 1, "error": 0.2}},
        "call": {"channel": "phone", "gain": {"amount": 1}},
    }
    assert [line.basis for line in plan(workshop, treatments=treatments).treatments] == ["stated", "assumed"]
    for wrong, said in (
        ({"error": 0.1}, "comes from the experiment"),
        ({"tag": "promise"}, "name one of"),
    ):
        with pytest.raises(ValidationError, match=said):
            decision(treatments=letter(**wrong))
    with pytest.raises(ValidationError, match="name the effect too"):
        decision(treatments={"letter": {"channel": "mail", "gain": {"amount": 1, "arm": "ten_off"}}})
