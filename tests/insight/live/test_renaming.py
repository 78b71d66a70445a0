"""Rows of the warehouse follow their senders: into one customer, and apart again; a full build finds no difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlglot import exp
from tests.insight.identity.books import empty
from tests.insight.live.stage import NOON, SETTINGS, arrive

from aimwell.core.time import to_store
from aimwell.insight.identity.settling import undo
from aimwell.insight.live.renaming import UNDER
from aimwell.insight.live.streaming import make_room, stream
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.people import merge
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse

Row = tuple[object, ...]
EVENT = ("event_id", "customer_id", "name", UNDER)
SAID = ("customer_id", "known_at", "city", "gender", UNDER)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path / "ledger")
    yield opened
    opened.close()


def new_warehouse() -> Warehouse:
    opened = Warehouse(DuckEngine(), ZoneInfo("Asia/Shanghai"))
    make_room(opened)
    return opened


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with new_warehouse() as opened:
        yield opened


def rows(warehouse: Warehouse, table: str, *columns: str) -> list[Row]:
    there = [column for column in columns if column in warehouse.engine.columns(table)]
    found = warehouse.engine.to_arrow(exp.select(*there).from_(table)).to_pylist()
    return sorted((tuple(row.get(column) for column in columns) for row in found), key=str)


def told(warehouse: Warehouse) -> tuple[list[Row], list[Row], list[Row]]:
    """Events, what people said of themselves, and who is there."""
    said = [row for row in rows(warehouse, "customer", *SAID, "created_at") if row[-1] is None]
    there = [row for row in rows(warehouse, "customer", "customer_id", "created_at") if row[-1] is not None]
    return rows(warehouse, "event", *EVENT), said, [row[:1] for row in there]


def rebuilt(ledger: Ledger) -> tuple[list[Row], list[Row], list[Row]]:
    """The same of a warehouse that reads everything from the beginning."""
    with new_warehouse() as fresh:
        while stream(fresh, ledger).messages:
            pass
        return told(fresh)


def undo_merge(ledger: Ledger, number: int, *, after: timedelta) -> None:
    with ledger.writing() as connection:
        undo(connection, number, settings=SETTINGS, at=NOON + after)


def merges(ledger: Ledger) -> list[int]:
    with ledger.reading() as connection:
        return list(connection.scalars(select(merge.c.id).where(merge.c.undone_at.is_(None)).order_by(merge.c.id)))


def test_after_an_undo_everything_that_came_from_the_parted_belongs_to_them_again(
    ledger: Ledger, warehouse: Warehouse
) -> None:
    looked = {"type": "track", "anonymousId": "d1", "event": "looked"}
    arrive(ledger, looked, {"type": "identify", "anonymousId": "d1", "traits": {"city": "Jinan"}})
    arrive(ledger, {"type": "track", "userId": "ann", "event": "bought"}, after=timedelta(hours=1))
    stream(warehouse, ledger)
    arrive(ledger, {"type": "identify", "userId": "ann", "anonymousId": "d1"}, after=timedelta(hours=2))
    stream(warehouse, ledger)
    assert {row[1] for row in rows(warehouse, "event", *EVENT)} == {"ann"}
    assert rows(warehouse, "customer", "customer_id", "city") == [("ann", "Jinan"), ("ann", None)]
    later = timedelta(hours=3)
    arrive(ledger, looked, {"type": "track", "userId": "ann", "event": "paid"}, after=later)
    arrive(ledger, {"type": "identify", "anonymousId": "d1", "traits": {"city": "Rizhao"}}, after=timedelta(hours=4))
    stream(warehouse, ledger)
    (united,) = merges(ledger)
    undo_merge(ledger, united, after=timedelta(hours=5))
    parted = stream(warehouse, ledger)
    assert set(parted.touched) == {"ann", "anon:d1"}
    assert parted.renamed == 4
    assert sorted((row[1], row[2]) for row in rows(warehouse, "event", *EVENT)) == [
        ("ann", "bought"),
        ("ann", "paid"),
        ("anon:d1", "looked"),
        ("anon:d1", "looked"),
    ]
    cities = {(who, city) for who, city in rows(warehouse, "customer", "customer_id", "city") if city}
    assert cities == {("anon:d1", "Jinan"), ("anon:d1", "Rizhao")}
    assert told(warehouse) == rebuilt(ledger)
    known = warehouse.history(NOON + timedelta(days=1)).to_arrow("SELECT customer_id, city FROM customer").to_pylist()
    assert sorted(map(str, known)) == [
        "{'customer_id': 'ann', 'city': None}",
        "{'customer_id': 'anon:d1', 'city': 'Rizhao'}",
    ]


def test_what_the_company_loaded_of_the_parted_is_theirs_again(ledger: Ledger, warehouse: Warehouse) -> None:
    engine = warehouse.engine
    engine.write("customer", pa.table({"customer_id": ["ann", "zoe"], "city": ["Jinan", "Linyi"]}))
    engine.write(
        "purchase",
        pa.table(
            {
                "order_id": ["1", "2"],
                "customer_id": ["ann", "zoe"],
                "occurred_at": [to_store(NOON)] * 2,
                "amount": pa.array([Decimal(5), Decimal(7)], pa.decimal128(18, 2)),
            }
        ),
    )
    address = {"email": "both@example.com", "email_verified": True}
    for hour, who in enumerate(("zoe", "ann")):
        said = {"type": "identify", "userId": who, "traits": address}
        arrive(ledger, said, after=timedelta(hours=hour - 2))
    stream(warehouse, ledger)
    assert rows(warehouse, "purchase", "order_id", "customer_id") == [("1", "ann"), ("2", "ann")]
    assert rows(warehouse, "customer", "customer_id", "city") == [("ann", "Jinan")]
    assert "_under" not in warehouse.catalog["purchase"].columns
    (united,) = merges(ledger)
    undo_merge(ledger, united, after=timedelta(hours=1))
    stream(warehouse, ledger)
    assert rows(warehouse, "purchase", "order_id", "customer_id") == [("1", "ann"), ("2", "zoe")]
    assert rows(warehouse, "customer", "customer_id", "city") == [("ann", "Jinan"), ("zoe", "Linyi")]
    assert stream(warehouse, ledger).renamed == 0


def test_a_device_that_turns_out_to_be_another_persons_takes_its_events_along(
    ledger: Ledger, warehouse: Warehouse
) -> None:
    at = NOON.isoformat()
    arrive(ledger, {"type": "identify", "userId": "bob", "anonymousId": "d1", "timestamp": at}, after=timedelta(days=1))
    arrive(ledger, {"type": "track", "anonymousId": "d1", "event": "looked"}, after=timedelta(days=2))
    stream(warehouse, ledger)
    assert [row[1] for row in rows(warehouse, "event", *EVENT)] == ["bob"]
    earlier = (NOON - timedelta(days=1)).isoformat()
    arrive(
        ledger,
        {"type": "identify", "userId": "ann", "anonymousId": "d1", "timestamp": earlier},
        after=timedelta(days=3),
    )
    stream(warehouse, ledger)
    assert [row[1] for row in rows(warehouse, "event", *EVENT)] == ["ann"]
    assert told(warehouse) == rebuilt(ledger)


USERS, DEVICES = st.sampled_from(["ann", "bob", "cy"]), st.sampled_from(["d1", "d2"])
CALLS = st.one_of(
    st.builds(lambda device: {"type": "track", "anonymousId": device, "event": "looked"}, DEVICES),
    st.builds(lambda user: {"type": "track", "userId": user, "event": "bought"}, USERS),
    st.builds(lambda user, device: {"type": "identify", "userId": user, "anonymousId": device}, USERS, DEVICES),
    st.builds(
        lambda device, city: {"type": "identify", "anonymousId": device, "traits": {"city": city}},
        DEVICES,
        st.sampled_from(["Jinan", "Linyi"]),
    ),
    st.builds(
        lambda user, mail: {"type": "identify", "userId": user, "traits": {"email": mail, "gender": "f"}},
        USERS,
        st.sampled_from(["a@example.com", "b@example.com"]),
    ),
)
STEPS = st.lists(st.one_of(CALLS, st.just("stream"), st.integers(0, 3)), min_size=4, max_size=12)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(STEPS)
def test_whatever_is_merged_and_undone_a_full_build_finds_no_difference(
    ledger: Ledger, steps: list[Mapping[str, object] | str | int]
) -> None:
    empty(ledger)
    with new_warehouse() as warehouse:
        for place, step in enumerate(steps):
            after = timedelta(hours=place)
            if isinstance(step, str):
                stream(warehouse, ledger)
            elif isinstance(step, int):
                there = merges(ledger)
                if there:
                    undo_merge(ledger, there[step % len(there)], after=after)
            else:
                arrive(ledger, step, after=after)
        while (done := stream(warehouse, ledger)).messages or done.renamed:
            pass
        assert told(warehouse) == rebuilt(ledger)
        noted = dict(warehouse.catalog)
        warehouse.refresh()
        assert {name: facts.columns for name, facts in noted.items()} == {
            name: facts.columns for name, facts in warehouse.catalog.items()
        }
