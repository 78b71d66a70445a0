"""How the two databases are spoken to: durable, one writer, consistent readers, and failures that name their remedy."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.pool import QueuePool

from aimwell.core.errors import BadInput, Unavailable

_BUSY_MS = 30_000
_MARK = "aimwell_writes"
WRITES: dict[str, Any] = {_MARK: True}
"""Options of a connection that writes."""
READS: dict[str, dict[str, Any]] = {
    "sqlite": {},
    # Its own default would show each statement of one block another state.
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
"""Options of a connection that reads, by database."""

_ROOM = "Free some space on its disk; nothing of what was asked was written."
_RIGHTS = "Give this user the right to write in the folder and its files."
_REACH = "Start the database, or mend the ledger's URL."
_SQLITE = {
    "SQLITE_FULL": ("has no room left", _ROOM),
    "SQLITE_READONLY": ("may not be written", _RIGHTS),
    "SQLITE_CANTOPEN": ("cannot be opened", _RIGHTS),
    "SQLITE_IOERR": ("cannot be read or written", "Look after the disk, and restore the last copy if it is broken."),
    "SQLITE_NOTADB": ("is not a database", "Move the file away, or restore the last copy."),
    "SQLITE_CORRUPT": ("is damaged", "Restore the last copy (docs/ledger.md)."),
    "SQLITE_BUSY": ("is held by another program", "End the program that writes it without waiting its turn."),
}
_POSTGRES = {
    "53100": ("has no room left", _ROOM),
    "53300": ("takes no more connections", "Raise max_connections, or run fewer workers."),
    "25006": ("may not be written", "Connect to the primary server, not to a copy that only reads."),
    "42501": ("may not be written", "Give the user of the URL all rights on the database."),
    "3D000": ("does not exist", "Create the database, or mend the ledger's URL."),
    "57P01": ("was shut down", _REACH),
}


def sqlite_engine(file: Path) -> Engine:
    """Connections to one SQLite file."""
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


def postgres_engine(url: URL) -> Engine:
    """Connections to a PostgreSQL database; one that the server has closed meanwhile is replaced unseen."""
    spoken = url.set(drivername="postgresql+psycopg")
    try:
        engine = create_engine(spoken, pool_size=10, max_overflow=10, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise Unavailable(
            "A ledger in PostgreSQL needs psycopg", remedy="Install it: pip install 'aimwell[postgres]'."
        ) from error
    engine.dialect.supports_comments = False  # what columns mean stands in the schema; a better word is no migration
    return engine


def make_folder(folder: Path) -> None:
    """Make the ledger's folder if it is missing; raises Unavailable where that is not allowed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        seen = error.strerror or str(error)
        raise Unavailable(f"The ledger's folder {folder} cannot be made", seen=seen, remedy=_RIGHTS) from error


def copy_file(source: Path, target: Path) -> None:
    """A consistent copy of a SQLite file that others may be writing: whole or not at all."""
    unfinished = target.with_name(f"{target.name}.part")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(unfinished)) as writing:
        reading.backup(writing)
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.replace(target)


@contextmanager
def explaining(engine: Engine) -> Iterator[None]:
    """Say of a failure that is nobody's mistake in code what it means and what to do about it.

    Raises Unavailable for a database that cannot be reached or written, BadInput for a text that PostgreSQL refuses.
    """
    try:
        yield
    except DataError as error:
        if "NUL" not in str(error.orig):
            raise
        raise BadInput(
            "A text for the ledger holds the character NUL, which PostgreSQL does not keep",
            remedy="Remove the character U+0000 where the text comes from.",
        ) from error
    except DBAPIError as error:
        meaning = _meaning(error)
        if meaning is None:
            raise
        place = engine.url.database if engine.name == "sqlite" else engine.url.render_as_string(hide_password=True)
        seen = " ".join(str(error.orig).split()).rstrip(".?")
        raise Unavailable(f"The ledger in {place} {meaning[0]}", seen=seen, remedy=meaning[1]) from error


def _meaning(error: DBAPIError) -> tuple[str, str] | None:
    """What a driver's error says about the database, and the remedy; None if it is about the statement."""
    name = getattr(error.orig, "sqlite_errorname", None)
    if name:
        return next((said for code, said in _SQLITE.items() if name.startswith(code)), None)
    code = getattr(error.orig, "sqlstate", None)
    if code is None and type(error.orig).__name__ == "OperationalError":
        return "cannot be reached", _REACH  # the server never answered, so there is no code
    return _POSTGRES.get(code or "")


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    """Every commit reaches the disk (a record before a call must survive a power cut); readers never wait."""
    connection.isolation_level = None  # the driver's own BEGIN would come too late, and never before DDL
    for pragma in (
        f"busy_timeout={_BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "temp_store=MEMORY",
        "cache_size=-65536",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = bool(connection.get_execution_options().get(_MARK))
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
