"""Temporary tables: what a chunk asks for is laid beside the ledger's tables, so that one statement answers for all.

A planner that knows nothing of a temporary table may take it for a large one and read the ledger's table row by row
instead (measured with SQLite: an update of 20,000 among a million enrolments took ten times as long). So each is
introduced as what it is: small.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, MetaData, Table, Text, delete, insert, select, text
from sqlalchemy.schema import CreateTable

_SMALL = "1000"
"""Rows that SQLite's planner is told to expect; by the order of magnitude it begins with this table."""
_TEMPORARY = MetaData(schema="temp")
_schema = Table("sqlite_temp_master", MetaData(), Column("name", Text))
_statistics = Table("sqlite_stat1", _TEMPORARY, Column("tbl", Text), Column("idx", Text), Column("stat", Text))


def lay_out(connection: Connection, table: Table) -> None:
    """Have a temporary table, and have it empty."""
    have(connection, table)
    connection.execute(delete(table))


def have(connection: Connection, table: Table) -> None:
    """Have a temporary table, whatever is in it."""
    if connection.dialect.name != "sqlite":
        connection.execute(CreateTable(table, if_not_exists=True))
    elif not _known(connection, table):
        connection.execute(CreateTable(table))
        _introduce(connection, table)


def tell_size(connection: Connection, table: Table) -> None:
    """Tell PostgreSQL how many rows a filled temporary table has; it guesses badly and would then read whole tables."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ANALYZE {table.name}"))


def _known(connection: Connection, table: Table) -> bool:
    """Asked each time: a transaction that is rolled back takes its temporary tables along."""
    return connection.scalar(select(_schema.c.name).where(_schema.c.name == table.name)) is not None


def _introduce(connection: Connection, table: Table) -> None:
    connection.execute(text(f"ANALYZE temp.{table.name}"))  # makes the table of statistics, if it is the first
    connection.execute(insert(_statistics), [{"tbl": table.name, "idx": None, "stat": _SMALL}])
    connection.execute(text("ANALYZE temp.sqlite_temp_master"))  # reads the statistics again
