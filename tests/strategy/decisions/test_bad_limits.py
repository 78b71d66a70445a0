"""Limits that make no sense: none of them fails silently, and what contradicts is named, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.strategy.decisions.town import NOW, decision, kept, town

from aimwell.core.errors import BadQuestion
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.allocation.limits import ContradictoryLimits
from aimwell.strategy.decisions.deciding import decide
from aimwell.strategy.decisions.plan import DecisionPlan
from aimwell.strategy.decisions.rows import TABLE

PEOPLE = 300
LETTER = {"channel": "mail", "cost": 1, "gain": {"tag": "promise"}}
CALL = {"channel": "phone", "cost": 2, "gain": {"amount": 3}}
FREE = {"channel": "site", "cost": 0, "gain": {"amount": 0.5}}
NOWHERE = {"attribute": "city", "is": "Rome"}


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with town(tmp_path, PEOPLE) as opened:
        yield opened


def plan(workshop: Workshop, treatments: dict[str, Any], **words: Any) -> DecisionPlan:
    given = {"treatments": treatments, "hold_out": 0, "explore": 0, "budget": None} | words
    return decide(decision(**given), workshop, NOW, currency="GBP", measured=False)


def counts(found: DecisionPlan) -> dict[str, int]:
    return {line.name: line.customers for line in found.treatments}


def refusal(workshop: Workshop, treatments: dict[str, Any], **words: Any) -> BadQuestion:
    with pytest.raises(BadQuestion) as caught:
        plan(workshop, treatments, **words)
    assert TABLE not in workshop.warehouse.engine.tables()
    return caught.value


def test_without_money_only_what_is_free_is_given_or_dealt(workshop: Workshop) -> None:
    treatments = {"letter": LETTER, "free": FREE}
    assert counts(plan(workshop, treatments, budget=0)) == {"letter": 0, "free": PEOPLE}
    found = plan(workshop, treatments, budget=0, explore=0.2)
    assert found.total.cost == 0
    assert counts(found)["letter"] == 0
    assert sum(row["by_lot"] for row in kept(workshop)) == 60  # nothing and what is free, 30 each
    assert {row["dealt"] for row in kept(workshop)} == {"free"}
    assert counts(plan(workshop, {"letter": LETTER}, budget=0, explore=0.2)) == {"letter": 0}


@pytest.mark.parametrize("words", [{"channels": {"phone": 0}}, {"call": CALL | {"at_most": 0}}])
def test_a_channel_or_treatment_without_places_is_given_to_nobody_nor_dealt(
    workshop: Workshop, words: dict[str, Any]
) -> None:
    call = words.get("call", CALL)
    channels = words.get("channels", {})
    found = plan(workshop, {"letter": LETTER, "call": call}, channels=channels, explore=0.2)
    assert counts(found)["call"] == 0
    assert {row["dealt"] for row in kept(workshop)} == {"letter"}
    assert {row["aim"] for row in kept(workshop)} <= {"letter", "nothing"}


def test_a_minimum_on_a_channel_without_places_names_both(workshop: Workshop) -> None:
    error = refusal(workshop, {"letter": LETTER, "call": CALL | {"at_least": 5}}, channels={"phone": 0, "mail": 9})
    assert isinstance(error, ContradictoryLimits)
    assert set(error.names) == {"treatment call", "channel phone"}
    assert "Loosen one of them" in str(error)


def test_a_minimum_that_money_cannot_pay_names_the_budget(workshop: Workshop) -> None:
    for budget in (0, 9.5):
        error = refusal(workshop, {"letter": LETTER, "call": CALL | {"at_least": 5}}, budget=budget)
        assert isinstance(error, ContradictoryLimits)
        assert set(error.names) == {"treatment call", "budget"}


def test_minima_of_the_same_people_that_are_too_many_together_are_all_named(workshop: Workshop) -> None:
    many = {"at_least": 200}
    error = refusal(workshop, {"letter": LETTER | many, "call": CALL | many, "free": FREE})
    assert isinstance(error, ContradictoryLimits)
    assert set(error.names) == {"treatment letter", "treatment call"}


def test_a_minimum_of_more_than_may_get_it_says_how_many_may(workshop: Workshop) -> None:
    york = {"attribute": "city", "is": "York"}
    error = refusal(workshop, {"letter": LETTER | {"who": york, "at_least": 241}})
    assert "treatment letter" in str(error)
    assert "240" in str(error)
    assert counts(plan(workshop, {"letter": LETTER | {"who": york, "at_least": 240}}))["letter"] == 240


def test_a_treatment_for_nobody_is_told_in_the_plan_and_refused_with_a_minimum(workshop: Workshop) -> None:
    found = plan(workshop, {"letter": LETTER, "call": CALL | {"who": NOWHERE}}, explore=0.2)
    assert counts(found)["call"] == 0
    assert [each.en for each in found.warnings] == ["Nobody in the audience may get call"]
    error = refusal_after(workshop, {"call": CALL | {"who": NOWHERE, "at_least": 1}})
    assert "treatment call" in str(error)
    assert "saw 0" in str(error)


def refusal_after(workshop: Workshop, treatments: dict[str, Any]) -> BadQuestion:
    with pytest.raises(BadQuestion) as caught:
        plan(workshop, treatments)
    return caught.value


def test_exploring_more_than_there_is_says_how_much(workshop: Workshop) -> None:
    error = refusal(workshop, {"letter": LETTER}, budget=10, explore=0.2)
    assert "exploring alone may cost more than the budget" in str(error)
    assert "30.00" in str(error)
    error = refusal(workshop, {"letter": LETTER}, channels={"mail": 5}, explore=0.2)
    assert "channel mail" in str(error)


def test_a_budget_that_ends_within_the_first_upgrade_gives_nothing(workshop: Workshop) -> None:
    found = plan(workshop, {"call": CALL}, budget=1.99)
    assert (found.total.customers, found.total.cost) == (0, 0)
    assert found.reasons == {"others_gain_more": PEOPLE}
