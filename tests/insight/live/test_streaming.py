"""Arrived events reach the warehouse once, under the customer whom they belong to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from sqlglot import exp
from tests.insight.live.stage import NOON, arrive

from aimwell.insight.live.streaming import read_places, stream
from aimwell.store.intake.messages import Message, parse_message
from aimwell.store.ledger.arrivals import SIMULATION, keep_messages
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path / "ledger")
    yield opened
    opened.close()


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with Warehouse(DuckEngine(), ZoneInfo("Asia/Shanghai")) as opened:
        yield opened


def rows(warehouse: Warehouse, table: str, *columns: str) -> list[tuple[object, ...]]:
    found = warehouse.engine.to_arrow(exp.select(*columns).from_(table).order_by(*columns)).to_pylist()
    return [tuple(row[column] for column in columns) for row in found]


def test_events_and_new_customers_are_appended_once(ledger: Ledger, warehouse: Warehouse) -> None:
    arrive(
        ledger,
        {"type": "identify", "userId": "ann", "traits": {"timezone": "Asia/Tokyo"}},
        {"type": "track", "userId": "ann", "event": "looked", "properties": {"price": 5}},
        {"type": "page", "anonymousId": "x", "name": "Home", "properties": {"path": "/"}},
    )
    first = stream(warehouse, ledger)
    assert (first.messages, len(first.touched)) == (3, 2)
    assert stream(warehouse, ledger).messages == 0
    assert rows(warehouse, "event", "customer_id", "name")[0] == ("ann", "looked")
    assert [json.loads(str(text)) for (text,) in rows(warehouse, "event", "properties")] == [
        {"path": "/", "name": "Home"},
        {"price": 5},
    ]
    assert ("ann", "Asia/Tokyo") in rows(warehouse, "customer", "customer_id", "timezone")
    assert warehouse.history(NOON + timedelta(days=1)).to_arrow("SELECT customer_id FROM customer").num_rows == 2
    assert warehouse.catalog["event"].rows == 2


def test_what_is_noted_of_the_tables_is_what_is_there(ledger: Ledger, warehouse: Warehouse) -> None:
    for hour in range(3):
        arrive(ledger, {"type": "track", "userId": f"u{hour}", "event": "looked"}, after=timedelta(hours=hour))
        stream(warehouse, ledger)
        noted = dict(warehouse.catalog)
        warehouse.refresh()
        assert noted == warehouse.catalog


def test_events_of_a_visitor_go_to_the_customer_who_signs_in_later(ledger: Ledger, warehouse: Warehouse) -> None:
    arrive(ledger, {"type": "track", "anonymousId": "x", "event": "looked"})
    (visitor,) = stream(warehouse, ledger).touched
    assert visitor != "ann"
    arrive(ledger, {"type": "identify", "userId": "ann", "anonymousId": "x"}, after=timedelta(hours=1))
    assert set(stream(warehouse, ledger).touched) >= {"ann"}
    assert rows(warehouse, "event", "customer_id", "name") == [("ann", "looked")]
    assert rows(warehouse, "customer", "customer_id") == [("ann",)]


def test_what_people_say_of_themselves_is_known_from_then_on(ledger: Ledger, warehouse: Warehouse) -> None:
    arrive(ledger, {"type": "track", "userId": "ann", "event": "looked"})
    stream(warehouse, ledger)
    said = {"birthday": "1990-02-28", "address": {"city": "Jinan"}, "risk_level": 3, "shoe": 38, "children": "two"}
    arrive(ledger, {"type": "identify", "userId": "ann", "traits": said}, after=timedelta(hours=1))
    assert stream(warehouse, ledger).touched == ("ann",)
    moved = {"city": "Qingdao", "risk_level": "high", "unit": "ours", "gender": None}
    arrive(ledger, {"type": "identify", "userId": "ann", "traits": moved}, after=timedelta(hours=2))
    stream(warehouse, ledger)
    warehouse_noted = dict(warehouse.catalog)
    warehouse.refresh()
    assert warehouse_noted == warehouse.catalog

    def known(after: timedelta) -> tuple[object, ...]:
        columns = ["customer_id", "birth_date", "city", "risk_level", "children"]
        found = warehouse.history(NOON + after).to_arrow(f"SELECT {', '.join(columns)} FROM customer").to_pylist()
        return tuple(found[0].values())

    born = date(1990, 2, 28)
    assert known(timedelta(minutes=30)) == ("ann", None, None, None, None)
    assert known(timedelta(minutes=90)) == ("ann", born, "Jinan", 3, "two")
    assert known(timedelta(days=1)) == ("ann", born, "Qingdao", 3, "two")


def test_a_batch_that_fails_leaves_neither_rows_nor_place(
    ledger: Ledger, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(ledger, {"type": "track", "userId": "ann", "event": "looked"})

    def fail(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("aimwell.insight.live.streaming._keep_places", fail)
        with pytest.raises(RuntimeError):
            stream(warehouse, ledger)
    assert read_places(warehouse) == {"message": 0, "merge": 0}
    warehouse.refresh()
    assert stream(warehouse, ledger).messages == 1
    assert rows(warehouse, "event", "customer_id") == [("ann",)]


def test_tables_of_the_company_take_what_they_have_columns_for(ledger: Ledger, warehouse: Warehouse) -> None:
    warehouse.engine.write("customer", pa.table({"customer_id": ["old"], "city": ["Jinan"]}))
    arrive(ledger, {"type": "track", "userId": "ann", "event": "looked"})
    stream(warehouse, ledger)
    assert rows(warehouse, "customer", "customer_id", "city") == [("ann", None), ("old", "Jinan")]
    assert warehouse.history(NOON + timedelta(days=1)).catalog["customer"].rows == 2


def test_what_a_rehearsal_made_up_stays_out_of_a_warehouse_of_real_data(ledger: Ledger, warehouse: Warehouse) -> None:
    made_up = parse_message(
        {"type": "track", "userId": "eve", "event": "order_completed", "messageId": "s1"}, received_at=NOON
    )
    assert isinstance(made_up, Message)
    with ledger.writing_events() as connection:
        keep_messages(connection, [(made_up, SIMULATION, True)])
    arrive(ledger, {"type": "track", "userId": "ann", "event": "looked"})
    streamed = stream(warehouse, ledger)
    assert (streamed.messages, streamed.touched) == (2, ("ann",))
    assert rows(warehouse, "event", "customer_id") == [("ann",)]
    assert rows(warehouse, "customer", "customer_id") == [("ann",)]
    with Warehouse(DuckEngine(), ZoneInfo("Asia/Shanghai")) as simulated:
        assert stream(simulated, ledger, simulated=True).touched == ("ann", "eve")
