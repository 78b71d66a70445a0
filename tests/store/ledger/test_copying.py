"""A copy made while others write loses nothing; a ledger moves to PostgreSQL with everything in it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select

from aimwell.core.errors import AimwellError, BadQuestion
from aimwell.store.ledger.arrivals import last_seq
from aimwell.store.ledger.copying import back_up, move
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema import EVENTS, STATE
from aimwell.store.ledger.schema.enrolments import cursor, knock
from aimwell.store.ledger.schema.inbox import message, refused_message
from aimwell.store.ledger.schema.people import customer, profile
from aimwell.store.ledger.writes import put

NOW = datetime(2026, 3, 1, 8, 0, 0, 123_456, tzinfo=UTC)


def arrive(ledger: Ledger, name: str) -> None:
    row = {"message_id": name, "source": "web", "kind": "track", "occurred_at": NOW, "received_at": NOW}
    with ledger.writing_events() as connection:
        connection.execute(insert(message), row)


def read_everything(ledger: Ledger) -> None:
    """A consumer: reads up to the last message and keeps its cursor in the state."""
    with ledger.reading_events() as connection:
        last = last_seq(connection)
    with ledger.writing() as connection:
        put(connection, cursor, [{"consumer": "tick", "position": last}])


def position(ledger: Ledger) -> int:
    with ledger.reading() as connection:
        return connection.scalar(select(cursor.c.position)) or 0


def test_no_cursor_of_a_copy_points_beyond_its_events(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger")
    done = threading.Event()

    def work() -> None:
        number = 0
        while not done.is_set():
            arrive(ledger, str(number := number + 1))
            read_everything(ledger)

    working = threading.Thread(target=work)
    working.start()
    copies = []
    for number in range(5):
        back_up(tmp_path / "ledger", tmp_path / f"copy{number}")
        copies.append(open_ledger(tmp_path / f"copy{number}"))
    done.set()
    working.join()
    for copy in copies:
        with copy.reading_events() as connection:
            assert position(copy) <= last_seq(connection)
        copy.close()
    ledger.close()


def test_a_copy_is_never_written_over_and_needs_a_ledger(tmp_path: Path) -> None:
    open_ledger(tmp_path / "ledger").close()
    assert [path.name for path in back_up(tmp_path / "ledger", tmp_path / "copy")] == ["state.db", "events.db"]
    with pytest.raises(BadQuestion, match="exists already"):
        back_up(tmp_path / "ledger", tmp_path / "copy")
    with pytest.raises(BadQuestion, match="no ledger"):
        back_up(tmp_path / "nothing", tmp_path / "another")


def fill(ledger: Ledger) -> None:
    for name in "abc":
        arrive(ledger, name)
    read_everything(ledger)
    person = {"customer_id": "客户", "shard": 1, "zone": "Asia/Shanghai", "held_out": True, "created_at": NOW}
    value = {"customer_id": "客户", "name": "score", "number": 0.1, "since": NOW}
    with ledger.writing() as connection:
        connection.execute(insert(customer), person)
        connection.execute(insert(profile), value)
        connection.execute(insert(knock), {"journey": "j", "customer_id": "客户", "cause": "c", "at": NOW})


def test_a_ledger_moves_to_postgresql_with_every_row_and_goes_on_counting(tmp_path: Path, postgres_url: str) -> None:
    source, target = open_ledger(tmp_path), open_ledger(postgres_url)
    fill(source)
    with source.writing_events() as connection:
        connection.execute(delete(message))  # read and old: the cursor stays at the last of them
    counts = move(source, target)
    assert counts.keys() == STATE.tables.keys() | EVENTS.tables.keys()
    assert {name: count for name, count in counts.items() if count} == {
        "customer": 1, "profile": 1, "knock": 1, "cursor": 1,
    }  # fmt: skip
    for table in STATE.sorted_tables:
        with source.reading() as before, target.reading() as after:
            assert list(after.execute(select(table))) == list(before.execute(select(table)))
    arrive(target, "d")
    with target.reading_events() as connection:
        assert last_seq(connection) == position(target) + 1 == 4
    with target.writing() as connection:
        connection.execute(insert(knock), {"journey": "j", "customer_id": "客户", "cause": "d", "at": NOW})
        assert list(connection.scalars(select(knock.c.id).order_by(knock.c.id))) == [1, 2]
    with pytest.raises(BadQuestion, match="has rows in"):
        move(source, target)
    with pytest.raises(BadQuestion, match="from postgresql to sqlite"):
        move(target, source)
    source.close()
    target.close()


def test_a_move_that_fails_leaves_the_target_empty(tmp_path: Path, postgres_url: str) -> None:
    source, target = open_ledger(tmp_path), open_ledger(postgres_url)
    fill(source)
    refused = {"source": "web", "received_at": NOW, "reason": "r", "detail": "a\0b", "content": ""}
    with source.writing_events() as connection:
        connection.execute(insert(refused_message), refused)
    with pytest.raises(AimwellError, match="character NUL"):
        move(source, target)
    with target.reading() as connection:
        assert connection.execute(select(customer)).all() == []
    source.close()
    target.close()
