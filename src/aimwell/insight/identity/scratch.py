"""Temporary tables: what a chunk asks for is laid beside the ledger's tables, so that one statement answers for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, MetaData, Table, Text, insert, type_coerce

from aimwell.insight.identity.resolution import Node
from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.scratch import lay_out

_SCRATCH = MetaData()

asked_node = Table("asked_node", _SCRATCH, Column("kind", Text), Column("value", Text), prefixes=["TEMPORARY"])

asked_pair = Table(
    "asked_pair",
    _SCRATCH,
    *(Column(name, Text) for name in ("kind_a", "value_a", "kind_b", "value_b")),
    prefixes=["TEMPORARY"],
)

asked_customer = Table("asked_customer", _SCRATCH, Column("customer_id", Text), prefixes=["TEMPORARY"])

asked_value = Table("asked_value", _SCRATCH, Column("customer_id", Text), Column("name", Text), prefixes=["TEMPORARY"])


def fill(connection: Connection, table: Table, rows: Iterable[Mapping[str, object]]) -> None:
    """Put these rows, and only these, into a temporary table."""
    lay_out(connection, table)
    listed = list(rows)
    if listed and connection.dialect.name == "sqlite":  # the driver alone: the rest costs more than the database
        names = table.columns.keys()
        statement = str(insert(table).compile(dialect=connection.dialect))
        connection.exec_driver_sql(statement, [tuple(row[name] for name in names) for row in listed])
    elif listed:
        connection.execute(insert(table), listed)


def ask_nodes(connection: Connection, nodes: Iterable[Node]) -> None:
    """Lay out the identifiers that are asked for."""
    fill(connection, asked_node, [{"kind": kind, "value": value} for kind, value in sorted(nodes)])


def ask_customers(connection: Connection, customers: Iterable[str]) -> None:
    """Lay out the customers that are asked for."""
    fill(connection, asked_customer, [{"customer_id": customer_id} for customer_id in sorted(customers)])


def unindexed(column: Column[str]) -> ColumnElement[str]:
    """A column that is only to be compared: the database begins with what is asked, not with all of a kind.

    Without it SQLite reads every identifier of a kind for each one asked (measured: a thousand times slower).
    """
    return column.concat("")


def plain(column: Column[Any]) -> ColumnElement[Any]:
    """A column under its own name, instants as whole microseconds."""
    whole = type_coerce(column, BigInteger) if isinstance(column.type, Instant) else column
    return whole.label(column.name)
