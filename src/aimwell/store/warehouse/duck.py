"""The default engine: one DuckDB file in the workspace, or memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlglot import exp, parse_one

from aimwell.core.errors import QueryFailed, Unavailable
from aimwell.store.warehouse.engine import Dialect
from aimwell.store.warehouse.interrupts import stopping

_BATCH = "aimwell_batch"
_INTERRUPTED = "Query interrupted"
_DROP = parse_one("DROP TABLE IF EXISTS nothing", read="duckdb")  # the node's arguments have changed between versions


class Held(Unavailable):
    """Another process has the warehouse open; one at a time may."""


class DuckEngine:
    """DuckDB behind the `Engine` protocol; a second process that opens the same file is told so in one sentence."""

    dialect: Dialect = "duckdb"

    def __init__(self, path: Path | None = None, *, threads: int | None = None) -> None:
        self.path = path
        settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads or min(8, os.cpu_count() or 2),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "preserve_insertion_order": "false",
        }
        try:
            self._connection = duckdb.connect(str(path) if path else ":memory:", config=settings)
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise Unavailable(f"The warehouse {path} cannot be opened: {error}") from error
            raise Held(
                f"The warehouse {path} is open in another process",
                remedy="Close the other notebook, command or server of this workspace, then try again.",
            ) from error
        self._connection.execute("SET TimeZone = 'UTC'")

    def run(self, statement: exp.Expr) -> None:
        self._execute(self._render(statement))

    def to_arrow(self, query: exp.Expr) -> pa.Table:
        sql = self._render(query)
        with stopping(self.interrupt), _explained(sql):
            return self._connection.sql(sql).to_arrow_table()

    def batches(self, query: exp.Expr, size: int) -> Iterator[pa.RecordBatch]:
        sql = self._render(query)
        with _explained(sql):
            yield from self._connection.sql(sql).to_arrow_reader(size)

    def create_table_as(self, name: str, query: exp.Expr) -> None:
        self.run(exp.Create(this=exp.to_table(name), kind="TABLE", replace=True, expression=query))

    def create_scratch_as(self, name: str, query: exp.Expr) -> None:
        # In memory and not compressed: half the time of a table in the file (740,000 rows of eleven columns).
        temporary = exp.Properties(expressions=[exp.TemporaryProperty()])
        self.run(
            exp.Create(this=exp.to_table(name), kind="TABLE", replace=True, properties=temporary, expression=query)
        )

    def write(self, name: str, rows: pa.Table) -> None:
        with self._registered(rows):
            self.create_table_as(name, exp.select("*").from_(_BATCH))

    def append(self, name: str, rows: pa.Table) -> None:
        if not self.columns(name):
            self.write(name, rows)
            return
        names = [exp.to_identifier(column, quoted=True) for column in rows.column_names]
        with self._registered(rows):
            self.run(
                exp.Insert(
                    this=exp.Schema(this=exp.to_table(name), expressions=names),
                    expression=exp.select(*[exp.column(n.copy()) for n in names]).from_(_BATCH),
                )
            )

    def merge(self, name: str, rows: pa.Table, key: tuple[str, ...]) -> None:
        if not self.columns(name):
            self.write(name, rows)
            return
        same = [
            exp.NullSafeEQ(this=exp.column(part, table=name, quoted=True), expression=exp.column(part, table=_BATCH))
            for part in key
        ]
        with self.transaction():
            with self._registered(rows):
                matched = exp.Exists(this=exp.select("1").from_(_BATCH).where(*same))
                self.run(exp.Delete(this=exp.to_table(name), where=exp.Where(this=matched)))
            self.append(name, rows)

    def drop(self, name: str) -> None:
        self.run(_DROP.transform(lambda node: exp.to_table(name) if isinstance(node, exp.Table) else node))

    def rename(self, name: str, to: str) -> None:
        with self.transaction():
            self.drop(to)
            self.run(exp.Alter(this=exp.to_table(name), kind="TABLE", actions=[exp.AlterRename(this=exp.to_table(to))]))

    def columns(self, name: str) -> dict[str, str]:
        found = self._execute(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_name = ? ORDER BY ordinal_position",
            [name],
        ).fetchall()
        return {str(column): str(kind) for column, kind in found}

    def tables(self) -> list[str]:
        found = self._execute("SELECT table_name FROM information_schema.tables ORDER BY table_name").fetchall()
        return [str(row[0]) for row in found]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if self._inside:
            yield
            return
        self._inside = True
        self._execute("BEGIN")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        finally:
            self._inside = False

    def close(self) -> None:
        self._connection.close()

    def interrupt(self) -> None:
        """Stop the statement that is running (called from another thread)."""
        self._connection.interrupt()

    _inside = False

    @contextmanager
    def _registered(self, rows: pa.Table) -> Iterator[None]:
        self._connection.register(_BATCH, rows)
        try:
            yield
        except BaseException:
            with suppress(duckdb.Error):  # a transaction that has failed refuses even this, and would hide why
                self._connection.unregister(_BATCH)
            raise
        self._connection.unregister(_BATCH)

    def _render(self, statement: exp.Expr) -> str:
        return statement.sql(dialect="duckdb")

    def _execute(self, sql: str, parameters: list[object] | None = None) -> duckdb.DuckDBPyConnection:
        with stopping(self.interrupt), _explained(sql):
            return self._connection.execute(sql, parameters) if parameters else self._connection.execute(sql)


@contextmanager
def _explained(sql: str) -> Iterator[None]:
    """Failures of a statement carry its text; an interrupt stays one (DuckDB makes a RuntimeError of it)."""
    try:
        yield
    except duckdb.Error as error:
        raise QueryFailed(str(error), statement=sql) from error
    except RuntimeError as error:
        if str(error) == _INTERRUPTED:
            raise KeyboardInterrupt from error
        raise
