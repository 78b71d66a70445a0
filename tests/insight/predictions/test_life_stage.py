"""Life stages and directions: by hand on four customers, and over a scored shop."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.insight.features.build import Features
from aimwell.insight.features.families.life_stage import LIFE_STAGE
from aimwell.insight.features.library import assemble
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.life_stage import TABLE, directions, life_stages
from aimwell.insight.predictions.making import train
from aimwell.insight.predictions.score import score
from aimwell.insight.predictions.workshop import Workshop
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


def test_small_change_of_small_spenders_is_no_direction() -> None:
    current = np.array([0.0, 1.0, 1000.0, 1000.0])
    found = directions(current, np.array([2.0, 0.5, 1300.0, 500.0]), 1.2, 0.8)
    assert found.tolist() == ["stable", "stable", "rising", "fading"]


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


def test_everybody_scored_has_a_stage_and_a_direction(spend: Prediction, lasting: Workshop, now: datetime) -> None:
    workshop = Workshop(lasting.warehouse, lasting.library.with_families(LIFE_STAGE), lasting.folder)
    train(spend, workshop, now)
    people = score(spend, workshop, now).people
    found = life_stages(spend, workshop, now)
    assert found.people() == people
    assert found.people(direction="rising") > 0
    assert found.people(stage="decline") > 0
    rows = workshop.warehouse.engine.to_arrow(exp.select("*").from_(TABLE)).to_pylist()
    assert len(rows) == people
    rising = [row for row in rows if row["direction"] == "rising"]
    assert all(row["expected"] > row["current"] for row in rising)
    json.dumps(found.to_dict())
    again = life_stages(spend, workshop, now)
    assert again == found
    assert len(workshop.warehouse.engine.to_arrow(exp.select("*").from_(TABLE)).to_pylist()) == people


def test_what_was_not_scored_or_is_no_amount_is_said(
    spend: Prediction, churn: Prediction, workshop: Workshop, now: datetime
) -> None:
    with pytest.raises(BadQuestion, match="Score it first"):
        life_stages(spend, workshop, now)
    with pytest.raises(BadQuestion, match="no amount"):
        life_stages(churn, workshop, now)
