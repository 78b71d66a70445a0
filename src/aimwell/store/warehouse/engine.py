"""What the warehouse asks of an engine: a handful of verbs, statements as syntax trees, rows as Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Literal, Protocol

import pyarrow as pa
from sqlglot import exp

Dialect = Literal["duckdb", "spark"]


class Engine(Protocol):
    """Runs statements that the binder has compiled; the only thing in Aimwell that differs between engines."""

    @property
    def dialect(self) -> Dialect:
        """The sqlglot dialect that statements are rendered in."""

    def run(self, statement: exp.Expr) -> None:
        """Run a statement for its effect."""

    def to_arrow(self, query: exp.Expr) -> pa.Table:
        """Run a query and return all of its rows."""

    def batches(self, query: exp.Expr, size: int) -> Iterator[pa.RecordBatch]:
        """Run a query and stream its rows in batches of at most `size`."""

    def create_table_as(self, name: str, query: exp.Expr) -> None:
        """Create or replace a table by a query's rows; on failure the former table stays."""

    def create_scratch_as(self, name: str, query: exp.Expr) -> None:
        """Create or replace a table that is needed for a moment only; whoever makes it drops it."""

    def write(self, name: str, rows: pa.Table) -> None:
        """Create or replace a table by Arrow rows; on failure the former table stays."""

    def append(self, name: str, rows: pa.Table) -> None:
        """Append Arrow rows to a table of the same columns, created if missing."""

    def merge(self, name: str, rows: pa.Table, key: tuple[str, ...]) -> None:
        """Replace the rows that share their key with the given ones (unique by key), add the rest."""

    def drop(self, name: str) -> None:
        """Drop a table if it exists."""

    def rename(self, name: str, to: str) -> None:
        """Give a table another name, replacing what stood there."""

    def columns(self, name: str) -> dict[str, str]:
        """Column names of a table with their types in the dialect's words; empty if there is no such table."""

    def tables(self) -> list[str]:
        """Names of all tables, sorted."""

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing for what runs inside, as far as the engine can (DuckDB: fully; Spark: each table alone)."""

    def close(self) -> None:
        """Release files and sessions."""
