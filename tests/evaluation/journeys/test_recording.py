"""Touches and outcomes reach the warehouse; what was only played at stays out of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert
from sqlglot import exp

from aimwell.evaluation.journeys.recording import record_touches
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.outbox import intent, outcome
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path / "ledger")
    with opened.writing() as connection:
        for channel in ("email", "push"):
            connection.execute(insert(intent).values(**message(channel)))
            connection.execute(insert(outcome).values(**opening(channel)))
    yield opened
    opened.close()


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with Warehouse(DuckEngine(), ZoneInfo("UTC")) as opened:
        yield opened


def message(channel: str) -> dict[str, object]:
    """One message that a channel took."""
    return {
        "key": f"1:{channel}:1:1",
        "enrolment_id": 1,
        "journey": "hello",
        "version_id": 1,
        "node": channel,
        "visit": 1,
        "step": 1,
        "customer_id": "ann",
        "shard": 0,
        "channel": channel,
        "content": "hello",
        "purpose": "marketing",
        "planned_at": NOON,
        "state": "accepted",
        "accepted_at": NOON,
        "changed_at": NOON,
    }


def opening(channel: str) -> dict[str, object]:
    return {
        "key": f"1:{channel}:1:1",
        "kind": "opened",
        "ref": channel,
        "enrolment_id": 1,
        "node": channel,
        "customer_id": "ann",
        "at": NOON,
        "machine": False,
        "recorded_at": NOON,
    }


def values(warehouse: Warehouse, table: str, column: str) -> list[object]:
    found: list[object] = (
        warehouse.engine.to_arrow(exp.select(column).from_(table).order_by(column)).column(column).to_pylist()
    )
    return found


def test_every_touch_and_outcome_is_written_once(ledger: Ledger, warehouse: Warehouse) -> None:
    for _ in range(2):
        record_touches(warehouse, ledger, NOON)
    assert values(warehouse, "touch", "channel") == ["email", "push"]
    assert values(warehouse, "outcome", "touch_id") == ["1:email:1:1", "1:push:1:1"]


def test_channels_that_only_play_leave_no_trace(ledger: Ledger, warehouse: Warehouse) -> None:
    record_touches(warehouse, ledger, NOON, leave_out={"push"})
    assert values(warehouse, "touch", "channel") == ["email"]
    assert values(warehouse, "outcome", "touch_id") == ["1:email:1:1"]
