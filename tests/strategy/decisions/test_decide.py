from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from sqlalchemy import select
from sqlglot import exp

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.text import Text
from aimwell.core.time import to_store
from aimwell.insight.features.family import Column, query_family
from aimwell.insight.features.library import assemble
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.allocation.limits import ContradictoryLimits
from aimwell.store.ledger.ledger import open_ledger
from aimwell.store.ledger.schema.people import profile
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.strategy.decisions.afterwards import compare
from aimwell.strategy.decisions.deciding import activate_decision, decide
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.decisions.rows import REASONS, TABLE

NOW = datetime(2025, 6, 1, tzinfo=UTC)
PEOPLE = 400
NAMES = [f"c{number:03d}" for number in range(PEOPLE)]


def _column(name: str, kind: Any = "number") -> Column:
    return Column(name, Text(name, name), kind, Text(name, name), empty="-" if kind == "text" else 0)


MADE = query_family(
    "made",
    "transaction",
    Text("造", "Made"),
    needs=("customer.promise",),
    columns=(
        _column("promise"),
        _column("messages_28d"),
        _column("stage", "text"),
        _column("worth", "text"),
    ),
    sql="SELECT customer_id, promise, messages_28d, stage, worth FROM customer",
)


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """400 customers; customer i promises i / 100 money, every second one had two messages lately."""
    engine = DuckEngine(tmp_path / "warehouse.duckdb")
    past = to_store(NOW - timedelta(days=300))
    numbers = np.arange(PEOPLE)
    engine.write(
        "customer",
        pa.table(
            {
                "customer_id": NAMES,
                "created_at": pa.array([past] * PEOPLE, pa.timestamp("us")),
                "promise": numbers / 100,
                "messages_28d": (numbers % 2) * 2,
                "stage": ["fading" if number % 4 == 0 else "willing" for number in numbers],
                "worth": ["high" if number >= 200 else "low" for number in numbers],
                "city": ["York" if number < 300 else "Bath" for number in numbers],
            }
        ),
    )
    engine.write(
        "score",
        pa.table(
            {
                "prediction": ["liking"] * PEOPLE,
                "version": ["v1"] * PEOPLE,
                "customer_id": NAMES,
                "as_of": pa.array([to_store(NOW)] * PEOPLE, pa.timestamp("us")),
                "raw": numbers / PEOPLE,
                "value": numbers[::-1] / PEOPLE,
                "rank": numbers + 1,
            }
        ),
    )
    with Warehouse(engine, ZoneInfo("UTC")) as warehouse:
        yield Workshop(warehouse, assemble([MADE]), tmp_path)


def decision(**words: Any) -> Decision:
    given: dict[str, Any] = {
        "name": "autumn",
        "audience": {"attribute": "city", "known": True},
        "budget": 100,
        "hold_out": 0,
        "treatments": {
            "letter": {"channel": "mail", "offer": "ten_off", "cost": 1, "gain": {"tag": "promise", "error": 0.5}},
            "call": {"channel": "phone", "cost": 2, "gain": {"prediction": "liking", "times": 4, "error": 0}},
        },
    }
    return Decision.model_validate(given | words)


def rows(workshop: Workshop) -> list[dict[str, Any]]:
    query = exp.select("*").from_(TABLE).order_by("customer_id")
    return list(workshop.warehouse.engine.to_arrow(query).to_pylist())


def plan(workshop: Workshop, **words: Any) -> Any:
    return decide(decision(**words), workshop, NOW, currency="GBP")


def test_the_money_goes_to_those_who_gain_most_for_it_and_the_plan_adds_up_to_the_rows(workshop: Workshop) -> None:
    found = plan(
        workshop, treatments={"letter": {"channel": "mail", "cost": 1, "gain": {"tag": "promise", "error": 0.5}}}
    )
    kept = rows(workshop)
    assert [row["customer_id"] for row in kept if row["treatment"] == "letter"] == NAMES[300:]
    assert found.total.customers == found.treatments[0].customers == 100
    assert found.total.cost == 100
    assert found.total.value.value == pytest.approx(sum(range(300, 400)) / 100)
    reach = 1.2815515 * 0.5 * found.total.value.value
    assert found.total.value.high - found.total.value.value == pytest.approx(reach)
    assert found.net == pytest.approx(found.total.value.value - 100)
    assert found.reasons == {"best": 100, "not_worth_it": 101, "others_gain_more": 199}
    assert {row["reason"] for row in kept} <= REASONS.keys()
    assert {row["probability"] for row in kept} == {1.0}
    assert {row["as_of"] for row in kept} == {to_store(NOW)}
    assert found.curve[-1][0] == 299
    assert found.curve[0] == (0, 0)


def test_a_budget_of_nothing_decides_nothing(workshop: Workshop) -> None:
    found = plan(workshop, budget=0)
    assert (found.total.customers, found.total.cost, found.untreated) == (0, 0, PEOPLE)
    assert {row["treatment"] for row in rows(workshop)} == {"nothing"}


def test_channels_quotas_and_rules_hold(workshop: Workshop) -> None:
    treatments = {
        "letter": {
            "channel": "mail",
            "cost": 1,
            "gain": {"tag": "promise"},
            "who": {"attribute": "city", "is": "York"},
        },
        "call": {"channel": "phone", "cost": 2, "gain": {"prediction": "liking", "times": 4}, "at_least": 30},
    }
    found = plan(workshop, treatments=treatments, channels={"mail": 20}, budget=90)
    assert [line.customers for line in found.channels] == [20, 35]
    assert found.total.cost <= 90
    york = [row for row in rows(workshop) if row["treatment"] == "letter"]
    assert all(row["customer_id"] < NAMES[300] for row in york)
    assert found.prices["channel mail"] > 0


def test_limits_that_contradict_each_other_are_named(workshop: Workshop) -> None:
    call = {"channel": "phone", "cost": 2, "gain": {"amount": 3}, "at_least": 30}
    with pytest.raises(ContradictoryLimits, match="channel phone, treatment call"):
        plan(workshop, treatments={"call": call}, channels={"phone": 10})
    with pytest.raises(ContradictoryLimits, match="treatment call, budget"):
        plan(workshop, treatments={"call": call}, budget=59)
    assert TABLE not in workshop.warehouse.engine.tables()


def test_a_treatment_that_nobody_may_get_is_given_to_nobody_and_its_minimum_is_refused(workshop: Workshop) -> None:
    nowhere = {"channel": "mail", "cost": 1, "gain": {"amount": 9}, "who": {"attribute": "city", "is": "Rome"}}
    found = plan(workshop, treatments={"letter": nowhere})
    assert found.total.customers == 0
    assert found.reasons == {"not_allowed": PEOPLE}
    with pytest.raises(BadQuestion, match="more customers than may get it"):
        plan(workshop, treatments={"letter": nowhere | {"at_least": 1}})


def test_tired_customers_come_later_and_capped_ones_not_at_all(workshop: Workshop) -> None:
    letter = {"letter": {"channel": "mail", "cost": 1, "gain": {"tag": "promise"}}}
    plan(workshop, treatments=letter, fatigue={"recent": "messages_28d", "price": 5})
    assert all(int(row["customer_id"][1:]) % 2 == 0 for row in rows(workshop) if row["treatment"] == "letter")
    found = plan(workshop, treatments=letter, fatigue={"recent": "messages_28d", "cap": 2}, budget=1000)
    assert found.reasons["not_allowed"] == 200
    assert found.total.customers == 149


def test_exploring_keeps_to_budget_and_channels_and_its_probabilities_are_exact(workshop: Workshop) -> None:
    found = plan(workshop, explore=0.3, channels={"phone": 45}, budget=200)
    kept = rows(workshop)
    # 400 customers with three options: 40 of each are dealt by lot.
    assert sum(row["by_lot"] for row in kept) == 120
    assert found.total.cost <= 200
    assert found.channels[1].customers <= 45
    assert {round(row["probability"], 9) for row in kept if not row["by_lot"]} == {0.8}
    assert {round(row["probability"], 9) for row in kept if row["by_lot"]} == {0.1, 0.8}
    with pytest.raises(BadQuestion, match="exploring alone"):
        plan(workshop, explore=0.3, budget=50)
    with pytest.raises(BadQuestion, match="more places than channel phone has"):
        plan(workshop, explore=0.3, channels={"phone": 10}, budget=200)


def test_the_same_people_are_held_out_each_time_and_get_nothing(workshop: Workshop) -> None:
    found = plan(workshop, hold_out=0.2)
    first = {row["customer_id"] for row in rows(workshop) if row["held_out"]}
    assert found.held_out == len(first)
    assert 50 < len(first) < 110
    assert {row["treatment"] for row in rows(workshop) if row["held_out"]} == {"nothing"}
    assert {row["probability"] for row in rows(workshop) if row["held_out"]} == {0.2}
    plan(workshop, hold_out=0.2, budget=20)
    assert {row["customer_id"] for row in rows(workshop) if row["held_out"]} == first


def test_deciding_again_replaces_the_rows_of_that_instant_and_keeps_those_of_others(workshop: Workshop) -> None:
    plan(workshop)
    plan(workshop, budget=0)
    assert len(rows(workshop)) == PEOPLE
    decide(decision(name="winter"), workshop, NOW, currency="GBP")
    decide(decision(), workshop, NOW + timedelta(days=1), currency="GBP")
    assert len(rows(workshop)) == 3 * PEOPLE


def test_customers_without_a_score_may_not_get_what_depends_on_it(workshop: Workshop) -> None:
    engine = workshop.warehouse.engine
    few = engine.to_arrow(exp.select("*").from_("score").where(exp.column("customer_id") < "c100"))
    engine.write("score", few)
    plan(workshop, budget=1000)
    assert max(row["customer_id"] for row in rows(workshop) if row["treatment"] == "call") < "c100"
    with pytest.raises(BadQuestion, match="no scores of 'unknown'"):
        plan(workshop, treatments={"call": {"channel": "phone", "gain": {"prediction": "unknown"}}})


def test_an_empty_audience_words_for_numbers_and_foreign_money_are_refused(workshop: Workshop) -> None:
    with pytest.raises(NotEnoughData, match="nobody is in the audience"):
        plan(workshop, audience={"attribute": "city", "is": "Rome"})
    with pytest.raises(BadQuestion, match="holds words"):
        plan(workshop, treatments={"call": {"channel": "phone", "gain": {"tag": "stage"}}})
    with pytest.raises(BadQuestion, match="not the workspace's"):
        plan(workshop, currency="EUR")


def test_the_table_that_people_wrote_stands_beside_the_decision(workshop: Workshop) -> None:
    give = {"fading": {"high": "letter"}, "*": {"*": "nothing"}}
    found = plan(workshop, cells={"stage": "stage", "value": "worth", "give": give}).cells
    by_cell = {(each.stage, each.value): each for each in found.cells}
    assert {name: each.customers for name, each in by_cell.items()} == {
        ("fading", "high"): 50,
        ("fading", "low"): 50,
        ("willing", "high"): 150,
        ("willing", "low"): 150,
    }
    assert by_cell["fading", "high"].written == "letter"
    assert by_cell["willing", "low"].written == "nothing"
    assert found.written_spend == 50
    assert found.written_net == pytest.approx(sum(number / 100 - 1 for number in range(200, 400, 4)))
    assert found.net > found.written_net


def test_journeys_read_the_treatment_as_a_value_of_the_profile(workshop: Workshop, tmp_path: Path) -> None:
    plan(workshop)
    ledger = open_ledger(tmp_path / "ledger")
    try:
        assert activate_decision(workshop, ledger, "autumn", NOW) == PEOPLE
        assert activate_decision(workshop, ledger, "autumn", NOW) == 0
        with ledger.reading() as connection:
            query = select(profile.c.customer_id, profile.c.text).where(profile.c.name == "decision:autumn")
            told = {row.customer_id: row.text for row in connection.execute(query)}
    finally:
        ledger.close()
    assert told == {row["customer_id"]: row["treatment"] for row in rows(workshop)}


def test_afterwards_the_plan_is_compared_with_those_held_out(workshop: Workshop) -> None:
    plan(
        workshop,
        hold_out=0.3,
        budget=1000,
        treatments={"letter": {"channel": "mail", "cost": 1, "gain": {"amount": 5, "error": 0.2}}},
    )
    chance = np.random.default_rng(0)
    kept = rows(workshop)
    day = to_store(NOW + timedelta(days=3))
    amounts = [chance.normal(20, 2) + (5 if row["treatment"] == "letter" else 0) for row in kept]
    bought = {
        "order_id": [str(number) for number in range(PEOPLE)],
        "customer_id": [row["customer_id"] for row in kept],
        "occurred_at": pa.array([day] * PEOPLE, pa.timestamp("us")),
        "amount": amounts,
    }
    workshop.warehouse.engine.write("purchase", pa.table(bought))
    found = compare(decision(), workshop, NOW + timedelta(days=30))
    assert found.happened is not None
    assert found.people + found.held_out == PEOPLE
    assert found.planned.value == 5 * found.people
    assert found.happened.low < 5 * found.people < found.happened.high
    assert [verdict.en for verdict in found.said] == ["What happened lies within the plan's interval"]
    with pytest.raises(BadQuestion, match="Nothing was decided"):
        compare(decision(), workshop, NOW)
    with pytest.raises(NotEnoughData, match="nobody bought"):
        compare(decision(), workshop, NOW + timedelta(hours=1))
    plan(workshop)
    assert compare(decision(), workshop, NOW + timedelta(days=30)).happened is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"channels": {"fax": 3}}, "no treatment uses the channel 'fax'"),
        ({"treatments": {"nothing": {"channel": "mail", "gain": {"amount": 1}}}}, "always there"),
        ({"treatments": {"a": {"channel": "mail", "gain": {}}}}, "name one of prediction, tag, amount or effect"),
        ({"treatments": {"a": {"channel": "mail", "gain": {"amount": 1}, "at_most": 1, "at_least": 2}}}, "contradicts"),
        ({"treatments": {}}, "at least 1 item"),
        ({"budget": -1}, "greater than or equal to 0"),
        ({"budget": float("nan")}, "finite"),
        ({"cells": {"stage": "a", "value": "b", "give": {"x": {"y": "fax"}}}}, "not listed"),
    ],
)
def test_definitions_that_make_no_sense_are_refused(words: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        decision(**words)
