"""Insert what is not there yet, or put it in place: both databases spell it alike, SQLAlchemy's core does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, text
from sqlalchemy.dialects import postgresql, sqlite

_COUNTED = {"preserve_rowcount": True}


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> int:
    """Insert rows whose key is not there yet and leave the others as they are; returns how many are new.

    rows: mappings with the same keys. Of rows that share a key the first counts.
    """
    if not rows:
        return 0
    statement = _insert(connection, table).on_conflict_do_nothing()
    return connection.execute(statement, list(rows), execution_options=_COUNTED).rowcount


def insert_new_from(
    connection: Connection, table: Table, columns: Sequence[str], query: Select[*tuple[Any, ...]]
) -> int:
    """Insert the rows of a query whose key is not there yet, in one statement; returns how many are new."""
    if query.whereclause is None:
        query = query.where(text("1 = 1"))  # without WHERE, SQLite reads ON as the beginning of a join's condition
    statement = _insert(connection, table).from_select(list(columns), query).on_conflict_do_nothing()
    return connection.execute(statement, execution_options=_COUNTED).rowcount


def put(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows, or replace the values of those whose key is there already.

    rows: mappings with the same keys, each key of the table at most once.
    """
    if not rows:
        return
    statement = _insert(connection, table)
    keys = [column.name for column in table.primary_key.columns]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    if changed:
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
    else:  # a row that is nothing but its key
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    connection.execute(statement, list(rows))


def _insert(connection: Connection, table: Table) -> sqlite.Insert:
    """The dialect's own INSERT; both have `on_conflict_…` with one meaning."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)  # type: ignore[return-value]
    return sqlite.insert(table)
