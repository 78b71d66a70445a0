"""Copies of a ledger: a safe copy of the two files while others work, and the move from SQLite to PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, MetaData, Table, func, insert, literal, select, text

from aimwell.core.errors import BadQuestion
from aimwell.store.ledger.engines import copy_file
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema import EVENTS, STATE

ROWS_AT_ONCE = 10_000
"""Rows that a move holds in memory."""


def back_up(folder: Path, into: Path) -> list[Path]:
    """Copy the ledger in a folder into another folder while it is in use; returns the copies.

    The state goes first: its cursors then never point beyond the copied events, and a message that came in between is
    read after the restoring. In the other order it would never be read.
    Raises BadQuestion where there is no ledger, or already a copy.
    """
    into.mkdir(parents=True, exist_ok=True)
    made = []
    for name in ("state.db", "events.db"):
        source, target = folder / name, into / name
        if not source.exists():
            raise BadQuestion(f"There is no ledger in {folder}", expected=f"the file {name}")
        if target.exists():
            raise BadQuestion(f"{target} exists already", remedy="Name a new folder for each copy.")
        copy_file(source, target)
        made.append(target)
    return made


def move(source: Ledger, target: Ledger) -> dict[str, int]:
    """Copy everything from a ledger in SQLite into an empty one in PostgreSQL; returns the rows of each table.

    In one transaction: all or nothing. Whoever wants to write to the source waits meanwhile; it stays as it is.
    Raises BadQuestion for a target that holds something, BadInput for a text that PostgreSQL does not keep.
    """
    if (source.backend, target.backend) != ("sqlite", "postgresql"):
        raise BadQuestion("A ledger moves from SQLite to PostgreSQL", seen=f"from {source.backend} to {target.backend}")
    counts: dict[str, int] = {}
    with source.writing() as state, source.writing_events() as events, target.writing() as into:
        for connection, tables in ((state, STATE), (events, EVENTS)):
            _require_empty(into, tables)
            for table in tables.sorted_tables:
                counts[table.name] = _copy_rows(connection, into, table)
                _go_on_counting(connection, into, table)
    return counts


def _require_empty(connection: Connection, tables: MetaData) -> None:
    for table in tables.sorted_tables:
        if connection.scalar(select(literal(1)).select_from(table).limit(1)):
            raise BadQuestion(
                f"The ledger to move into has rows in {table.name} already", remedy="Make a new, empty database."
            )


def _copy_rows(source: Connection, target: Connection, table: Table) -> int:
    copied = 0
    for rows in source.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table)).partitions():
        target.execute(insert(table), [row._asdict() for row in rows])
        copied += len(rows)
    return copied


def _go_on_counting(source: Connection, target: Connection, table: Table) -> None:
    """Numbers go on after the last one ever given, also if its row is gone: cursors point at it."""
    column = table.autoincrement_column
    if column is None or not table.dialect_options["sqlite"]["autoincrement"]:
        return
    last = source.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
    if last:
        counter = func.pg_get_serial_sequence(table.name, column.name)
        target.execute(select(func.setval(counter, last)))
