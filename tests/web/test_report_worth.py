"""Lifetime value in the report, on customers whose value and later spend are known by construction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from sqlglot import exp
from tests.web.test_report_sections import _said

from aimwell.core.text import Text
from aimwell.core.time import to_store
from aimwell.insight.features.family import Column, query_family
from aimwell.insight.features.library import assemble
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.web.report.sections.lifetime_value import ValueStory, value_blocks
from aimwell.web.report.worth import value_story

NOW = datetime(2025, 6, 1, tzinfo=UTC)
PEOPLE = 40
NUMBERS = np.arange(1, PEOPLE + 1, dtype=np.float64)
NAMES = [f"c{number:02d}" for number in range(PEOPLE)]
_MADE = query_family(
    "made",
    "lifetime_value",
    Text("造", "Made"),
    needs=("customer.foretold",),
    columns=(
        Column("expected_spend_84d", Text("预", "Foretold"), "number", Text("预", "Foretold")),
        Column("spend_84d", Text("前", "Before"), "number", Text("前", "Before"), empty=0),
        Column(
            "rfm_group", Text("客群", "Group"), "text", Text("客群", "Group"), words={"hhh": Text("好", "the good")}
        ),
    ),
    sql="SELECT customer_id, foretold AS expected_spend_84d, before AS spend_84d, 'hhh' AS rfm_group FROM customer",
)


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """40 customers: number n will bring n, was foretold n for 84 days, spent 2n in them, and the same 1 before."""
    engine = DuckEngine(tmp_path / "warehouse.duckdb")
    past, later = (to_store(NOW - timedelta(days=days)) for days in (300, 40))
    engine.write(
        "customer",
        pa.table(
            {
                "customer_id": NAMES,
                "created_at": pa.array([past] * PEOPLE, pa.timestamp("us")),
                "foretold": NUMBERS,
                "before": np.ones(PEOPLE),
            }
        ),
    )
    engine.write(
        "purchase",
        pa.table(
            {
                "order_id": [f"{name}-{part}" for part in ("first", "then") for name in NAMES],
                "customer_id": NAMES * 2,
                "occurred_at": pa.array([past] * PEOPLE + [later] * PEOPLE, pa.timestamp("us")),
                "amount": np.concatenate([np.ones(PEOPLE), 2 * NUMBERS]),
            }
        ),
    )
    engine.write(
        "profile",
        pa.table(
            {
                "customer_id": [*NAMES, "unknown"],
                "lifetime_value": [*NUMBERS, None],
                "alive_chance": [*(0.95 if number > 20 else 0.1 for number in NUMBERS), None],
                "expected_spend_364d": [*NUMBERS, None],
                "rfm_group": [*("hhh" if number > 20 else "lll" for number in NUMBERS), None],
            }
        ),
    )
    with Warehouse(engine, ZoneInfo("UTC")) as warehouse:
        yield Workshop(warehouse, assemble([_MADE]), tmp_path)


def _story(workshop: Workshop) -> ValueStory:
    found = value_story(workshop, NOW)
    assert found is not None
    return found


def test_totals_shares_and_bands_are_those_of_the_customers(workshop: Workshop) -> None:
    found = _story(workshop)
    assert (found.people, found.unknown, found.total, found.median) == (40, 1, 820.0, 20.5)
    assert found.top == pytest.approx((40 + 39 + 38 + 37) / 820)
    assert found.gone == pytest.approx(20 * 0.05 + 20 * 0.9)
    assert found.held[0] == (0.0, 0.0)
    assert found.held[-1] == (1.0, 1.0)
    assert dict(found.held)[0.1] == pytest.approx(found.top)
    assert [(band.people, round(band.held, 4)) for band in found.bands if band.people] == [
        (20, round(sum(range(21, 41)) / 820, 4)),
        (20, round(sum(range(1, 21)) / 820, 4)),
    ]
    assert sum(band.held for band in found.bands) == pytest.approx(1)
    assert [(tenth.place, tenth.people, tenth.least, tenth.mean) for tenth in found.tenths[:1]] == [(1, 4, 37.0, 38.5)]
    assert [(cell.label.en, cell.people, cell.mean) for cell in found.cells] == [
        ("the good", 20, 30.5),
        ("lll", 20, 10.5),
    ]
    assert found.last_year is None


def test_the_models_are_asked_again_84_days_ago_and_their_total_bias_is_known(workshop: Workshop) -> None:
    check = _story(workshop).check
    assert check is not None
    assert (check.people, check.foretold, check.happened) == (40, 820.0, 1640.0)
    assert check.bias.value == pytest.approx(-0.5)
    assert check.bias.low == pytest.approx(check.bias.high)  # half of everybody's spend: no customer errs otherwise
    assert check.last_period.value == pytest.approx(40 / 1640 - 1)
    assert check.last_period.low < check.last_period.value < check.last_period.high
    assert check.captured.value == pytest.approx(check.oracle) == pytest.approx((40 + 39 + 38 + 37) / 820)
    assert check.ahead.value == pytest.approx(check.captured.value - check.captured_before.value)


def test_the_section_says_the_bias_beside_last_periods_and_that_value_is_revenue(workshop: Workshop) -> None:
    blocks = value_blocks(_story(workshop), "CNY", ZoneInfo("UTC"))
    said = _said(blocks)
    for words in (
        "a total bias of −50.0% (−50.0% – −50.0%)",
        "is off by −97.6%",
        "revenue of the next three years, discounted, costs not off",
        "19%",
        "90%–100%",
        "the good",
    ):
        assert words in said
    assert "总量偏差" in _said(blocks, "zh")


def test_a_history_too_short_to_check_is_told(workshop: Workshop) -> None:
    workshop.warehouse.engine.drop("purchase")
    found = _story(workshop)
    assert found.check is None
    assert "too short to check" in _said(value_blocks(found, "CNY", ZoneInfo("UTC")))


def test_profiles_without_value_say_nothing(workshop: Workshop) -> None:
    engine = workshop.warehouse.engine
    engine.create_table_as("kept", exp.select("customer_id", "alive_chance").from_("profile"))
    engine.drop("profile")
    assert value_story(workshop, NOW) is None
    engine.rename("kept", "profile")
    assert value_story(workshop, NOW) is None
