"""What insight finds reaches the ledger as changes, each once, with the happenings that follow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from sqlalchemy import insert, select
from sqlglot import exp
from tests.insight.live.stage import NOON

from aimwell.core.time import to_store
from aimwell.insight.live.activating import activate_customers, activate_findings, activate_memberships, activate_values
from aimwell.insight.segments.membership import record
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.enrolments import happening
from aimwell.store.ledger.schema.journeys import listening
from aimwell.store.ledger.schema.people import customer, identifier, membership, profile
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path / "ledger")
    signals = ("enter:vip", "leave:vip", "changed:tier")
    with opened.writing() as connection:
        connection.execute(insert(listening), [{"signal": each, "version_id": 1, "node": "n"} for each in signals])
    yield opened
    opened.close()


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    engine = DuckEngine()
    engine.write(
        "customer",
        pa.table(
            {
                "customer_id": ["ann", "bob", "eve"],
                "created_at": pa.array([to_store(NOON)] * 3, pa.timestamp("us")),
                "timezone": ["Asia/Tokyo", None, None],
            }
        ),
    )
    with Warehouse(engine, ZoneInfo("Asia/Shanghai")) as opened:
        yield opened


def build(warehouse: Warehouse, members: list[str], as_of: datetime) -> None:
    warehouse.engine.write("found_vip", pa.table({"customer_id": pa.array(members, pa.string())}))
    record(warehouse.engine, {"vip": "found_vip"}, as_of, people=3)


def members(ledger: Ledger) -> list[str]:
    with ledger.reading() as connection:
        return list(connection.scalars(select(membership.c.customer_id).order_by(membership.c.customer_id)))


def happenings(ledger: Ledger) -> list[tuple[str, str]]:
    with ledger.reading() as connection:
        query = select(happening.c.signal, happening.c.customer_id).order_by(happening.c.at, happening.c.signal)
        return [tuple(row) for row in connection.execute(query)]


def test_a_segment_comes_whole_first_and_then_by_its_changes(ledger: Ledger, warehouse: Warehouse) -> None:
    build(warehouse, ["ann", "bob"], NOON)
    assert activate_memberships(warehouse, ledger, ["vip"], NOON).entered == 2
    assert (members(ledger), happenings(ledger)) == (["ann", "bob"], [])
    build(warehouse, ["bob", "eve"], NOON + timedelta(days=1))
    changes = activate_memberships(warehouse, ledger, ["vip"], NOON + timedelta(days=1))
    assert (changes.entered, changes.left) == (1, 1)
    assert members(ledger) == ["bob", "eve"]
    assert happenings(ledger) == [("enter:vip", "eve"), ("leave:vip", "ann")]
    again = activate_memberships(warehouse, ledger, ["vip"], NOON + timedelta(days=2))
    assert (again.entered, again.left) == (0, 0)


def test_builds_that_were_missed_come_in_their_order(ledger: Ledger, warehouse: Warehouse) -> None:
    build(warehouse, [], NOON)
    activate_memberships(warehouse, ledger, ["vip"], NOON)
    for day, found in enumerate((["ann"], [], ["ann"]), 1):
        build(warehouse, found, NOON + timedelta(days=day))
    activate_memberships(warehouse, ledger, ["vip"], NOON + timedelta(days=9))
    assert members(ledger) == ["ann"]
    assert [signal for signal, _ in happenings(ledger)] == ["enter:vip", "leave:vip", "enter:vip"]


def test_only_values_that_changed_are_written(ledger: Ledger, warehouse: Warehouse) -> None:
    engine = warehouse.engine
    engine.write("tiers", pa.table({"customer_id": ["ann", "bob", "eve"], "value": ["gold", "gold", None]}))
    query = {"tier": exp.select("customer_id", "value").from_("tiers")}
    assert activate_values(warehouse, ledger, query, NOON).values == 2
    assert activate_values(warehouse, ledger, query, NOON + timedelta(days=1)).values == 0
    engine.write("tiers", pa.table({"customer_id": ["ann"], "value": ["silver"]}))
    assert activate_values(warehouse, ledger, query, NOON + timedelta(days=2)).values == 1
    with ledger.reading() as connection:
        kept = connection.execute(select(profile.c.customer_id, profile.c.text, profile.c.since)).all()
    assert sorted(map(tuple, kept)) == [("ann", "silver", NOON + timedelta(days=2)), ("bob", "gold", NOON)]
    assert [signal for signal, _ in happenings(ledger)] == ["changed:tier"] * 3


def test_tags_and_scores_come_once_per_build(ledger: Ledger, warehouse: Warehouse) -> None:
    day, instants = timedelta(days=1), pa.timestamp("us")

    def build_findings(at: datetime, tier: str, chance: float) -> None:
        as_of = pa.array([to_store(at)], instants)
        warehouse.engine.write("profile", pa.table({"customer_id": ["ann"], "as_of": as_of, "tier": [tier]}))
        warehouse.engine.append(
            "score",
            pa.table({"prediction": ["churn"], "customer_id": ["ann"], "as_of": as_of, "value": [chance]}),
        )

    build_findings(NOON, "gold", 0.25)
    asked = ["tier", "churn", "nothing of ours"]
    assert activate_findings(warehouse, ledger, asked).values == 2
    assert activate_findings(warehouse, ledger, asked).values == 0
    build_findings(NOON + day, "gold", 0.5)
    assert activate_findings(warehouse, ledger, asked).values == 1
    with ledger.reading() as connection:
        kept = connection.execute(select(profile.c.name, profile.c.text, profile.c.number, profile.c.since)).all()
    assert sorted(map(tuple, kept)) == [("churn", None, 0.5, NOON + day), ("tier", "gold", None, NOON)]


def test_customers_of_the_warehouse_are_known_by_their_ids_and_addresses(ledger: Ledger, warehouse: Warehouse) -> None:
    warehouse.engine.write(
        "identifier",
        pa.table(
            {
                "customer_id": ["ann", "bob"],
                "kind": ["email", "loyalty_card"],
                "value": ["Ann@Shop.Example", "4711"],
                "first_seen": pa.array([to_store(NOON), None], pa.timestamp("us")),
                "last_seen": pa.array([None, None], pa.timestamp("us")),
            }
        ),
    )
    for _ in range(2):
        activate_customers(warehouse, ledger, zone="Asia/Shanghai", hold_out=0.0)
    with ledger.reading() as connection:
        zones = dict(connection.execute(select(customer.c.customer_id, customer.c.zone)).all())
        names = connection.execute(select(identifier.c.kind, identifier.c.value)).all()
    assert zones == {"ann": "Asia/Tokyo", "bob": "Asia/Shanghai", "eve": "Asia/Shanghai"}
    assert sorted(map(tuple, names)) == [
        ("email", "ann@shop.example"),
        ("user_id", "ann"),
        ("user_id", "bob"),
        ("user_id", "eve"),
    ]


def test_customers_of_whom_there_are_only_purchases_become_known_too(ledger: Ledger) -> None:
    with Warehouse(DuckEngine(), ZoneInfo("Asia/Shanghai")) as warehouse:
        bought = pa.table({"customer_id": ["ann", "ann", "bob", None], "order_id": list("1234")})
        warehouse.engine.write("purchase", bought)
        found = activate_customers(warehouse, ledger, zone="Asia/Shanghai", hold_out=0.0)
        assert found.customers == 2
        assert activate_customers(warehouse, ledger, zone="Asia/Shanghai", hold_out=0.0).customers == 0
    with ledger.reading() as connection:
        assert set(connection.scalars(select(customer.c.customer_id))) == {"ann", "bob"}
