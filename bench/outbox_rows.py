"""A ledger full of due messages: customers with addresses and consent, and one intent for each, made in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Table, insert

from aimwell.core.keys import shard_of
from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import consent, customer, identifier

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
ZONES = (
    "Asia/Shanghai", "Asia/Tokyo", "Asia/Kolkata", "Asia/Dubai", "Asia/Kathmandu", "Australia/Sydney",
    "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Honolulu", "America/New_York", "America/Chicago",
    "America/Los_Angeles", "America/Sao_Paulo", "America/St_Johns", "Europe/London", "Europe/Paris", "Europe/Moscow",
    "Africa/Cairo", "Africa/Lagos", "UTC",
)  # fmt: skip
_STEP = 50_000


def fill(ledger: Ledger, people: int) -> None:
    """People p0, p1, …, one in ten held out, one in ten without consent, in ten zones; each with one message due."""
    begin = {"name": "launch", "version_id": 1, "state": "running", "changed_at": NOON, "spent": 0}
    with ledger.writing() as connection:
        connection.execute(insert(journey), [begin])
    for since in range(0, people, _STEP):
        with ledger.writing() as connection:
            for table, rows in _rows(since, min(since + _STEP, people)):
                _load(connection, table, rows)


def _rows(since: int, until: int) -> Iterator[tuple[Table, list[dict[str, object]]]]:
    at, numbers = micros(NOON), range(since, until)
    shards = [shard_of(f"p{number}") for number in numbers]
    yield (
        customer,
        [
            {
                "customer_id": f"p{number}",
                "shard": shard,
                "zone": ZONES[number % 10],
                "held_out": number % 10 == 3,
                "created_at": at,
            }
            for number, shard in zip(numbers, shards, strict=True)
        ],
    )
    seen = {"verified": True, "first_seen": at, "last_seen": at, "source": "bench"}
    yield (
        identifier,
        [
            {"kind": "email", "value": f"p{number}@example.com", "customer_id": f"p{number}", **seen}
            for number in numbers
        ],
    )
    said = {"channel": "*", "purpose": "marketing", "since": at, "source": "bench"}
    yield consent, [{"customer_id": f"p{number}", "granted": number % 10 != 7, **said} for number in numbers]
    stay = {"journey": "launch", "version_id": 1, "cause": "bench", "number": 1, "entered_at": at, "state": "active"}
    place = {"node": "a", "visit": 1, "step": 1, "held_out": False, "moves": 0, "at": at}
    yield (
        enrolment,
        [
            {"id": _id(number), "customer_id": f"p{number}", "shard": shard, **stay, **place}
            for number, shard in zip(numbers, shards, strict=True)
        ],
    )
    message = {"journey": "launch", "version_id": 1, "node": "a", "visit": 1, "step": 1, "channel": "email"}
    rest = {"content": "hello", "purpose": "marketing", "priority": 0, "cost": 0, "attempts": 0, "state": "waiting"}
    times = {"planned_at": at, "due_at": at, "changed_at": at, "expires_at": micros(NOON + timedelta(days=30))}
    yield (
        intent,
        [
            {
                "key": f"{_id(number)}:a:1:1",
                "enrolment_id": _id(number),
                "customer_id": f"p{number}",
                "shard": shard,
                **message,
                **rest,
                **times,
            }
            for number, shard in zip(numbers, shards, strict=True)
        ],
    )


def _id(number: int) -> int:
    """Enrolments are numbered by a digest: spread, never in order."""
    return (number * 0x9E3779B97F4A7C15) % (1 << 62)


def _load(connection: Connection, table: Table, rows: list[dict[str, object]]) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(insert(table), rows)
        return
    names = list(rows[0])
    raw = connection.connection.cursor()
    with raw.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(list(row.values()))
