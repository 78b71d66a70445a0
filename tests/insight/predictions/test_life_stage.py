"""Life stages and directions: by hand on four customers, and over a scored shop."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.rules import parse_rule
from aimwell.insight import profiles
from aimwell.insight.features.build import Features
from aimwell.insight.features.families.life_stage import LIFE_STAGE
from aimwell.insight.features.families.value_course import COURSES, EXPECTED_VALUE, VALUE_COURSE
from aimwell.insight.features.library import assemble
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.expected import last_scoring
from aimwell.insight.predictions.life_stage import life_stages
from aimwell.insight.predictions.making import train
from aimwell.insight.predictions.score import score
from aimwell.insight.predictions.workshop import Workshop
from aimwell.insight.rules.compile import matching
from aimwell.insight.rules.context import RuleContext
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse

Defined = Callable[..., Prediction]
ZONE = ZoneInfo("Asia/Shanghai")
AS_OF = datetime(2023, 7, 1, tzinfo=ZONE)


def bought(rows: list[tuple[str, int, float]]) -> Warehouse:
    """A warehouse in which customers bought so many days before 1 July for so much."""
    engine = DuckEngine(threads=1)
    at = [datetime(2023, 7, 1) - timedelta(days=days) for _, days, _ in rows]
    engine.write(
        "purchase",
        pa.table(
            {
                "order_id": [f"o{place}" for place in range(len(rows))],
                "line": ["1"] * len(rows),
                "customer_id": [customer for customer, _, _ in rows],
                "occurred_at": pa.array(at, pa.timestamp("us")),
                "amount": pa.array([amount for _, _, amount in rows], pa.float64()).cast(pa.decimal128(18, 2)),
            }
        ),
    )
    return Warehouse(engine, ZONE)


def test_stages_follow_first_order_silence_and_the_rise_of_spend(tmp_path: Path) -> None:
    warehouse = bought(
        [
            ("new", 30, 10),
            ("grown", 200, 10), ("grown", 120, 10), ("grown", 20, 13),
            ("even", 200, 10), ("even", 120, 10), ("even", 20, 10),
            ("fallen", 200, 10), ("fallen", 120, 10), ("fallen", 20, 7),
            ("silent", 200, 10), ("silent", 90, 50),
            ("back", 300, 10), ("back", 5, 1),
        ]
    )  # fmt: skip
    features = Features(warehouse.history(AS_OF), assemble([LIFE_STAGE]))
    table = features.table(LIFE_STAGE)
    assert table is not None
    rows = warehouse.engine.to_arrow(exp.select("*").from_(table)).to_pylist()
    assert {row["customer_id"]: row["life_stage"] for row in rows} == {
        "new": "introduction",
        "grown": "growth",
        "even": "maturity",
        "fallen": "decline",
        "silent": "decline",
        "back": "growth",
    }
    assert {row["customer_id"]: row["life_pace"] for row in rows}["grown"] == pytest.approx(1.3)


def courses(rows: list[tuple[str, float, float]], **settings: float) -> dict[str, tuple[str, float]]:
    """Course and pace of customers with a current and an expected amount."""
    engine = DuckEngine(threads=1)
    who, current, expected = zip(*rows, strict=True)
    engine.write("amounts", pa.table({"customer_id": who, "current": current, "expected": expected}))
    features = Features(
        Warehouse(engine, ZONE, settings).history(AS_OF), assemble([VALUE_COURSE]), given={EXPECTED_VALUE: "amounts"}
    )
    table = features.table(VALUE_COURSE)
    assert table is not None
    found = engine.to_arrow(exp.select("*").from_(table)).to_pylist()
    return {row["customer_id"]: (row["value_course"], row["value_pace"]) for row in found}


def test_courses_by_hand() -> None:
    # The mean current amount is 100, so 10 is added to both sides: 130/110, 132/110, 88/110, 87.9/110, and 10/110.
    rows = [
        ("near", 100.0, 120.0),
        ("just", 100.0, 122.0),
        ("even", 100.0, 78.0),
        ("below", 100.0, 77.9),
        ("gone", 100.0, 0.0),
    ]
    found = courses(rows)
    assert {who: course for who, (course, _) in found.items()} == {
        "near": "stable",
        "just": "rising",
        "even": "stable",
        "below": "fading",
        "gone": "fading",
    }
    assert found["just"][1] == pytest.approx(1.2)
    assert found["gone"][1] == pytest.approx(10 / 110, abs=1e-6)


def test_the_workspace_sets_the_thresholds() -> None:
    rows = [("up", 100.0, 120.0), ("down", 100.0, 80.0)]
    narrow = courses(rows, value_rising=1.1, value_fading=0.9, value_floor=0.0)
    assert {who: course for who, (course, _) in narrow.items()} == {"up": "rising", "down": "fading"}
    wide = courses(rows, value_rising=2.0, value_fading=0.5)
    assert {course for course, _ in wide.values()} == {"stable"}


def test_small_change_of_small_spenders_is_no_direction_and_returns_count_as_nothing() -> None:
    rows = [
        ("none", 0.0, 2.0),
        ("one", 1.0, 0.5),
        ("back", -20.0, 300.0),
        ("much", 1000.0, 1300.0),
        ("less", 1000.0, 500.0),
    ]
    assert {who: course for who, (course, _) in courses(rows).items()} == {
        "none": "stable",
        "one": "stable",
        "back": "rising",
        "much": "rising",
        "less": "fading",
    }


def test_where_nobody_spent_anything_whoever_will_is_rising() -> None:
    found = courses([("a", 0.0, 0.0), ("b", 0.0, 5.0)])
    assert {who: course for who, (course, _) in found.items()} == {"a": "stable", "b": "rising"}


@pytest.fixture(scope="module")
def spend(define: Defined) -> Prediction:
    return define(
        """
        kind: how_much
        target: {amount: {purchases: {}}}
        horizon_days: 28
        cut_offs: {count: 3}
        model: {trees: {bags: 1, rounds: 30}, amount_trees: {bags: 1, rounds: 30}, linear: {share: 0}, folds: 1}
        """,
        "spend",
    )


def staged(workshop: Workshop, **settings: str | float) -> Workshop:
    """The small shop with life stages and courses of value, under settings of its own."""
    warehouse = Warehouse(workshop.warehouse.engine, workshop.warehouse.zone, settings)
    families = [workshop.library.families["buying"], LIFE_STAGE, VALUE_COURSE]
    return Workshop(warehouse, assemble(families), workshop.folder)


@pytest.fixture(scope="module")
def valued(spend: Prediction, lasting: Workshop, now: datetime) -> Workshop:
    """The small shop with everybody's spend learnt and scored."""
    shop = staged(lasting, value_prediction="spend")
    train(spend, shop, now)
    score(spend, shop, now)
    return shop


def test_everybody_scored_has_a_stage_and_a_direction(spend: Prediction, valued: Workshop, now: datetime) -> None:
    found = life_stages(spend, valued, now)
    people = score(spend, valued, now).people
    assert found.people() == people
    assert found.people(direction="rising") > 0
    assert found.people(stage="decline") > 0
    rising = [cell for cell in found.cells if cell.direction == "rising"]
    assert all(cell.expected > cell.current for cell in rising)
    json.dumps(found.to_dict())
    assert life_stages(spend, valued, now) == found


def test_current_value_is_what_was_spent_in_the_period_before_the_scoring(valued: Workshop, now: datetime) -> None:
    engine, history, features = valued.warehouse.engine, valued.history(now), valued.described(now)
    engine.write("everyone", history.to_arrow("SELECT DISTINCT customer_id FROM purchase"))
    rows = features.to_arrow("everyone", ["value_current", "value_expected"]).to_pylist()
    lately = "SELECT customer_id, sum(amount) AS spent FROM purchase WHERE occurred_at >= days_before(28)"
    spent = dict(zip(*history.to_arrow(f"{lately} GROUP BY customer_id").to_pydict().values(), strict=True))
    scores = engine.to_arrow(exp.select("customer_id", "value").from_("score")).to_pydict()
    expected = dict(zip(*scores.values(), strict=True))
    assert all(row["value_current"] == spent.get(row["customer_id"], 0) for row in rows)
    assert all(float(row["value_expected"]) == pytest.approx(expected[row["customer_id"]], abs=0.006) for row in rows)


def test_the_course_is_known_from_the_scoring_on_and_only_if_its_model_was_learnt_by_then(
    spend: Prediction, workshop: Workshop, now: datetime
) -> None:
    shop = staged(workshop, value_prediction="spend")
    before, after = now - timedelta(days=1), now + timedelta(days=30)
    train(spend, shop, now)
    names = {"value_course"}
    assert not shop.described(now).columns(names)
    score(spend, shop, now)
    assert not shop.described(before).columns(names)
    assert {column.name for column in shop.described(now).columns(names)} == names
    assert {column.name for column in shop.described(after).columns(names)} == names
    # Scores of an earlier day by a model that was learnt later: nobody had them on that day.
    score(spend, shop, before)
    assert last_scoring(shop.warehouse.engine, "spend", before) is None
    known = last_scoring(shop.warehouse.engine, "spend", now)
    assert known is not None
    assert known.as_of == now


def test_no_prediction_learns_from_the_course_of_value(spend: Prediction, valued: Workshop, now: datetime) -> None:
    assert valued.described(now).columns({"value_course"})
    assert not valued.features(now).columns({"value_course"})
    learnt = {line.name for line in train(spend, valued, now).card.columns}
    assert learnt
    assert not learnt & {column.name for column in VALUE_COURSE.columns}


def test_rules_and_pages_speak_of_the_course(spend: Prediction, valued: Workshop, now: datetime) -> None:
    engine, features = valued.warehouse.engine, valued.described(now)
    asked = parse_rule({"tag": "value_course", "is": "rising"})
    rising = engine.to_arrow(matching(asked, RuleContext(features), features.history))
    assert rising.num_rows == life_stages(spend, valued, now).people(direction="rising") > 0
    profiles.build(features)
    row = engine.to_arrow(exp.select("*").from_("profile").where("value_course = 'rising'").order_by("customer_id"))
    assert row["customer_id"].to_pylist() == sorted(rising["customer_id"].to_pylist())
    words = exp.select("words", "label_zh").from_("profile_column").where("name = 'value_course'")
    assert engine.to_arrow(words).to_pylist() == [
        {
            "words": json.dumps({code: [word.zh, word.en] for code, word in COURSES.items()}, ensure_ascii=False),
            "label_zh": "价值走势",
        }
    ]


def test_thresholds_that_cross_are_refused(spend: Prediction, valued: Workshop, now: datetime) -> None:
    with pytest.raises(BadQuestion, match="cross"):
        life_stages(spend, staged(valued, value_rising=0.7), now)


def test_what_was_not_scored_or_is_no_amount_is_said(
    spend: Prediction, churn: Prediction, workshop: Workshop, now: datetime
) -> None:
    with pytest.raises(BadQuestion, match="Score it first"):
        life_stages(spend, workshop, now)
    with pytest.raises(BadQuestion, match="no amount"):
        life_stages(churn, workshop, now)
