"""Transactions: durable, one writer, consistent readers, nothing half done, and failures that name their remedy."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, Engine, func, insert, select, text
from sqlalchemy.exc import DBAPIError
from tests.postgres import PostgresServer

from aimwell.core.errors import AimwellError, BadQuestion, Unavailable
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.enrolments import cursor, happening
from aimwell.store.ledger.schema.inbox import refused_message

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(cursor)) or 0


def put(connection: Connection, name: str) -> None:
    connection.execute(insert(cursor), {"consumer": name, "position": 1})


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in SQLite."""
    ledger = open_ledger(tmp_path)
    yield ledger
    ledger.close()


def test_what_a_block_wrote_is_there_for_the_next(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        put(connection, "a")
    with ledger.reading() as connection:
        assert count(connection) == 1
    row = {"source": "web", "received_at": NOW, "reason": "r", "detail": "d", "content": "c"}
    with ledger.writing_events() as connection:
        connection.execute(insert(refused_message), row)
    with ledger.reading_events() as connection:
        assert connection.scalar(select(refused_message.c.received_at)) == NOW


def test_a_block_that_fails_leaves_nothing(ledger: Ledger) -> None:
    def failing() -> None:
        with ledger.writing() as connection:
            put(connection, "a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    with ledger.writing() as connection:
        assert count(connection) == 0
        put(connection, "a")


def test_a_reader_sees_one_state_while_a_writer_commits(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        assert count(connection) == 0
        with ledger.writing() as writer:
            put(writer, "a")
        assert count(connection) == 0
    with ledger.reading() as connection:
        assert count(connection) == 1


def test_readers_do_not_wait_for_a_writer_nor_see_its_work(ledger: Ledger) -> None:
    with ledger.writing() as writer:
        put(writer, "a")
        with ledger.reading() as connection:
            assert count(connection) == 0


def test_a_block_for_reading_cannot_write(ledger: Ledger) -> None:
    with pytest.raises(AimwellError, match="may not be written"), ledger.reading() as connection:
        put(connection, "a")
    with ledger.writing() as connection:
        put(connection, "a")


def test_a_writer_takes_the_lock_before_its_first_statement(small: Ledger, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.db", timeout=0)) as other:
        with small.reading():
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        with small.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")


@pytest.mark.parametrize("name", ["state", "events"])
def test_every_commit_of_sqlite_reaches_the_disk_and_readers_never_wait(small: Ledger, name: str) -> None:
    engine: Engine = getattr(small, name)
    with engine.connect() as connection:
        told = {name: connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous")}
    assert told == {"journal_mode": "wal", "synchronous": 2}  # 2 is FULL


def test_state_and_events_are_written_side_by_side(small: Ledger) -> None:
    with small.writing() as connection, small.writing_events() as events:
        put(connection, "a")
        events.execute(select(refused_message))


def test_a_block_inside_a_block_is_an_error_and_no_deadlock(small: Ledger) -> None:
    with small.writing(), pytest.raises(AimwellError, match="already"), small.writing():
        pytest.fail("it must not come here")


def test_temporary_tables_stay_with_their_connection_and_out_of_the_file(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE scratch (a INTEGER)"))
        put(connection, "a")
    with ledger.reading() as connection:
        assert count(connection) == 1


WRITING = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from aimwell.store.ledger.ledger import open_ledger
from tests.store.ledger.test_ledger import write_and_read
ledger = open_ledger(sys.argv[1])
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda n: write_and_read(ledger, f"other-{n}"), range(8)))
"""
ROUNDS = 15


def write_and_read(ledger: Ledger, name: str) -> None:
    for number in range(ROUNDS):
        with ledger.writing() as connection:
            before = count(connection)
            put(connection, f"{name}-{number}")
            # SQLite has one writer at a time; PostgreSQL lets them work side by side.
            assert count(connection) == before + 1 or ledger.backend == "postgresql"
        with ledger.reading() as connection:
            assert count(connection) == count(connection) > before


def test_eight_threads_in_each_of_two_processes_never_hear_of_a_lock(ledger_place: Path | str) -> None:
    ledger = open_ledger(ledger_place)
    other = subprocess.Popen(
        [sys.executable, "-c", WRITING, str(ledger_place)], cwd=Path(__file__).parents[3], stderr=subprocess.PIPE
    )
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: write_and_read(ledger, f"own-{n}"), range(8)))
    _, said = other.communicate()
    assert (said, other.returncode) == (b"", 0)
    with ledger.reading() as connection:
        assert count(connection) == 2 * 8 * ROUNDS
    ledger.close()


def test_a_full_disk_is_explained_and_nothing_is_half_done(small: Ledger) -> None:
    def fill() -> None:
        with small.writing() as connection:
            put(connection, "a")
            pages = connection.scalar(text("PRAGMA page_count")) or 0
            connection.execute(text(f"PRAGMA max_page_count={pages + 2}"))
            row = {"signal": "event:x#", "at": NOW, "ref": "r" * 4000}
            connection.execute(insert(happening), [{"customer_id": str(n), **row} for n in range(50)])

    with pytest.raises(Unavailable, match=r"state\.db has no room left.*Free some space"):
        fill()
    small.state.dispose()
    with small.writing() as connection:
        assert count(connection) == 0
        put(connection, "a")


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder with a ledger that this process may read but not write; root becomes somebody else meanwhile."""
    outer = Path(tempfile.mkdtemp(prefix="aimwell-closed-"))
    outer.chmod(0o755)
    folder = outer / "ledger"
    open_ledger(folder).close()
    for path in [*folder.iterdir()]:
        path.chmod(0o444)
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield folder
    if root:
        os.seteuid(0)
    folder.chmod(0o755)
    shutil.rmtree(outer)


def test_a_folder_that_may_not_be_written_is_explained(closed_folder: Path) -> None:
    with pytest.raises(Unavailable, match=r"state\.db.*(cannot be opened|may not be written).*right to write"):
        with closing(open_ledger(closed_folder)) as ledger, ledger.writing() as connection:
            put(connection, "a")
    with pytest.raises(Unavailable, match=r"cannot be made.*right to write"):
        open_ledger(closed_folder / "below")


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(Unavailable, match=r"state\.db is not a database.*restore"):
        open_ledger(tmp_path)
    file = tmp_path / "a file"
    file.touch()
    with pytest.raises(Unavailable, match="cannot be made"):
        open_ledger(file)


def test_other_places_are_refused_with_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(BadQuestion, match=r"mysql.*expected a folder"):
        open_ledger("mysql://root@localhost/ledger")
    with pytest.raises(BadQuestion, match="Write postgresql://"):
        open_ledger("://")
    closing(open_ledger(str(tmp_path)))


@pytest.mark.postgres
def test_a_server_that_does_not_answer_is_explained_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"cannot be reached.*Start the database") as caught:
        open_ledger(f"postgresql://somebody:secret@/ledger?host={tmp_path}")
    assert "secret" not in str(caught.value)


def test_a_database_that_does_not_exist_is_explained(postgres_server: PostgresServer) -> None:
    with pytest.raises(Unavailable, match=r"does not exist|cannot be reached"):
        open_ledger(postgres_server.url("nowhere"))


def test_a_database_that_does_not_keep_texts_as_python_does_is_refused(postgres_server: PostgresServer) -> None:
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE unread TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        with pytest.raises(BadQuestion, match=r"encoding LATIN1, the order C.*CREATE DATABASE aimwell"):
            open_ledger(postgres_server.url("unread"))
        connection.execute("DROP DATABASE unread WITH (FORCE)")


def test_connections_that_the_server_closed_are_replaced(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url)
    with ledger.writing() as connection:
        put(connection, "a")
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    with ledger.reading() as connection:
        assert count(connection) == 1
    ledger.close()


def test_mistakes_in_statements_keep_their_own_error(ledger: Ledger) -> None:
    with pytest.raises(DBAPIError), ledger.writing() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))
    with ledger.writing() as connection:
        put(connection, "a")


def test_threads_share_an_opened_ledger(ledger: Ledger) -> None:
    def write(name: str) -> None:
        with ledger.writing() as connection:
            put(connection, name)

    threads = [threading.Thread(target=write, args=(str(n),)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ledger.reading() as connection:
        assert count(connection) == 5
