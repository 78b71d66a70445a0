"""What other choices would have earned: the town's truth lies in the intervals, and what had no chance is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sqlglot import exp
from tests.strategy.decisions.town import LATER, NOW, buy, decision, kept, town

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.insight.predictions.workshop import Workshop
from aimwell.strategy.decisions.deciding import decide
from aimwell.strategy.decisions.judging import Judged, Judgement, judge
from aimwell.strategy.decisions.rows import TABLE

PEOPLE = 4000
CELLS = {"stage": "stage", "value": "worth", "give": {"*": {"high": "letter", "low": "nothing"}}}


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with town(tmp_path, PEOPLE) as opened:
        yield opened


def effect(number: int, treatment: str) -> float:
    """Letters bring twice what is promised, calls take something away."""
    return {"letter": 8 * number / PEOPLE, "call": -2.0}.get(treatment, 0.0)


def judged(found: Judgement) -> dict[str, Judged]:
    return {each.policy: each for each in found.policies}


def ahead(policies: dict[str, Judged], name: str) -> float:
    found = policies[name].ahead
    assert found is not None, name
    return found.value


def test_policies_earn_what_they_would_have_earned_in_truth(workshop: Workshop) -> None:
    autumn = decision(cells=CELLS)
    decide(autumn, workshop, NOW, currency="GBP")
    buy(workshop, effect)
    calls = {"call": {"channel": "phone", "cost": 1, "gain": {"amount": 3}}}
    winter = decision(name="winter", budget=None, treatments=calls)
    found = judge(autumn, workshop, LATER, [winter])
    policies = judged(found)
    letters = np.array([8 * number / PEOPLE - 1 for number in range(PEOPLE)])
    truth = {
        "nothing": 0.0,
        "all:letter": letters.mean(),
        "all:call": -3.0,
        "cells": np.where(np.arange(PEOPLE) >= PEOPLE / 2, letters, 0).mean(),
        "winter": -3.0,
    }
    level = 40.0  # what everybody buys anyway, on average
    for name, value in truth.items():
        estimate = policies[name].value
        assert estimate is not None, name
        assert estimate.low - 0.5 < level + value < estimate.high + 0.5, name
        assert ahead(policies, name) - ahead(policies, "nothing") == pytest.approx(value, abs=0.25), name
    assert set(policies["cells"].ways) == {"dr", "switch-dr", "snips"}
    assert policies["nothing"].effective == found.held_out
    assert found.choices + found.held_out == PEOPLE
    now = policies["now"].ahead
    assert now is not None
    assert now.low > 0  # without exploring more is earned


def test_what_had_no_chance_is_refused_and_nothing_is_told_by_those_held_out(workshop: Workshop) -> None:
    decide(decision(explore=0), workshop, NOW, currency="GBP")
    buy(workshop, effect)
    policies = judged(judge(decision(explore=0), workshop, LATER))
    refused = policies["all:call"].refused
    assert refused is not None
    assert "probabilities of 0 or 1" in refused.en
    assert policies["all:call"].value is None
    assert policies["nothing"].value is not None


def test_without_hold_out_and_lots_only_what_was_decided_can_be_told(workshop: Workshop) -> None:
    plain = decision(explore=0, hold_out=0)
    decide(plain, workshop, NOW, currency="GBP")
    buy(workshop, effect)
    found = judge(plain, workshop, LATER)
    policies = judged(found)
    assert [name for name, each in policies.items() if each.refused is None] == ["now"]
    assert policies["now"].ahead is not None
    assert policies["now"].ahead.value == pytest.approx(0)
    assert policies["now"].value is not None
    assert policies["now"].value.value == pytest.approx(found.decided.value)


def test_a_treatment_that_is_new_since_then_cannot_be_judged(workshop: Workshop) -> None:
    decide(decision(), workshop, NOW, currency="GBP")
    buy(workshop, effect)
    visit = {"visit": {"channel": "branch", "cost": 1, "gain": {"amount": 9}}}
    found = judged(judge(decision(), workshop, LATER, [decision(name="spring", treatments=visit)]))
    assert found["spring"].refused is not None
    unknown = {"call": {"channel": "phone", "gain": {"prediction": "unknown"}}}
    found = judged(judge(decision(), workshop, LATER, [decision(name="spring", treatments=unknown)]))
    assert found["spring"].refused is not None
    assert "no scores of 'unknown'" in found["spring"].refused.en


def test_customers_of_several_runs_count_once(workshop: Workshop) -> None:
    autumn, second = decision(hold_out=0.5), NOW + timedelta(days=60)
    decide(autumn, workshop, NOW, currency="GBP")
    buy(workshop, effect)
    one = judge(autumn, workshop, LATER)
    decide(autumn, workshop, second, currency="GBP")
    buy(workshop, effect, as_of=second)
    both = judge(autumn, workshop, second + timedelta(days=28))
    assert both.runs == (NOW, second)
    assert both.choices == 2 * one.choices
    assert judged(both)["nothing"].customers == judged(one)["nothing"].customers == one.held_out


def test_a_log_that_cannot_be_and_one_that_is_too_young_are_refused(workshop: Workshop) -> None:
    with pytest.raises(NotEnoughData, match="no choice is old enough"):
        judge(decision(), workshop, LATER)
    decide(decision(), workshop, NOW, currency="GBP")
    with pytest.raises(NotEnoughData, match="no purchases"):
        judge(decision(), workshop, LATER)
    buy(workshop, effect)
    with pytest.raises(NotEnoughData, match="28 days before"):
        judge(decision(), workshop, LATER - timedelta(seconds=1))
    engine = workshop.warehouse.engine
    rows = engine.to_arrow(exp.select("*").from_(TABLE))
    place = rows.column_names.index("probability")
    engine.write(TABLE, rows.set_column(place, "probability", pa.array([0.0] * rows.num_rows)))
    with pytest.raises(BadQuestion, match="logged probabilities cannot be"):
        judge(decision(), workshop, LATER)


def test_what_is_logged_for_those_held_out_judges_nobody_else(workshop: Workshop) -> None:
    decide(decision(), workshop, NOW, currency="GBP")
    buy(workshop, lambda number, treatment: 0.0)
    found = judge(decision(), workshop, LATER)
    assert found.choices == sum(not row["held_out"] for row in kept(workshop))
