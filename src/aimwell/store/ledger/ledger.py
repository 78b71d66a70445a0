"""Opens the ledger: two SQLite files in a folder, or one PostgreSQL database by URL; the only place that connects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.pool import QueuePool

from aimwell.core.errors import BadQuestion, Unavailable
from aimwell.store.ledger.schema import EVENTS, STATE
from aimwell.store.ledger.turnstile import Turnstile

Backend = Literal["sqlite", "postgresql"]
_BUSY_MS = 30_000
_WRITES = "aimwell_writes"


@dataclass(frozen=True, slots=True)
class Ledger:
    """An opened ledger. Threads may share it; each block has a connection and a transaction of its own."""

    backend: Backend
    state: Engine
    events: Engine
    _state_queue: Turnstile | None
    _events_queue: Turnstile | None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction on the state, in the fair queue of writers; committed when the block ends well."""
        with self._transaction(self.state, self._state_queue) as connection:
            yield connection

    @contextmanager
    def writing_events(self) -> Iterator[Connection]:
        """A transaction on the inbox; ingest alone writes it."""
        with self._transaction(self.events, self._events_queue) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view of the state; nothing is written."""
        with self.state.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def reading_events(self) -> Iterator[Connection]:
        """A consistent view of the inbox; nothing is written."""
        with self.events.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        self.state.dispose()
        self.events.dispose()

    @contextmanager
    def _transaction(self, engine: Engine, queue: Turnstile | None) -> Iterator[Connection]:
        turn: AbstractContextManager[None] = queue.turn() if queue else nullcontext()
        with turn, engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
            yield connection


def open_ledger(place: str | Path) -> Ledger:
    """The ledger at a place: a folder for SQLite, or `postgresql://user@host/database`; its tables are made if missing.

    Raises Unavailable when the database cannot be reached, BadQuestion for a URL of another kind.
    """
    if isinstance(place, Path) or "://" not in place:
        return _open_folder(Path(place))
    try:
        url = make_url(place)
    except ArgumentError as error:
        raise BadQuestion("The ledger's URL cannot be read", remedy="Write postgresql://user@host/database.") from error
    if url.get_backend_name() != "postgresql":
        raise BadQuestion(
            f"The ledger cannot be kept in {url.get_backend_name()}",
            expected="a folder (SQLite) or a URL postgresql://user@host/database",
        )
    return _open_server(url)


def _open_folder(folder: Path) -> Ledger:
    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "state.db", folder / "events.db"
    state, events = (_sqlite(file) for file in files)
    ledger = Ledger("sqlite", state, events, *(Turnstile(file) for file in files))
    with ledger.writing() as connection:
        STATE.create_all(connection)
    with ledger.writing_events() as connection:
        EVENTS.create_all(connection)
    return ledger


def _open_server(url: URL) -> Ledger:
    engine = create_engine(url.set(drivername="postgresql+psycopg"), pool_size=10, max_overflow=10)
    try:
        with engine.begin() as connection:
            STATE.create_all(connection)
            EVENTS.create_all(connection)
    except OperationalError as error:
        engine.dispose()
        raise Unavailable(
            f"The ledger's database {url.render_as_string()} cannot be reached",
            seen=str(error.orig),
            remedy="Start PostgreSQL, or mend the URL.",
        ) from error
    return Ledger("postgresql", engine, engine, None, None)


def _sqlite(file: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(file)),
        poolclass=QueuePool,
        pool_size=10,
        max_overflow=10,
        connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: SqliteConnection, _record: object) -> None:
    """Every commit reaches the disk (a record before a call must survive a power cut); readers never wait."""
    connection.isolation_level = None  # the driver's own BEGIN would come too late, and never before DDL
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={_BUSY_MS}",
        "temp_store=MEMORY",
        "cache_size=-65536",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
