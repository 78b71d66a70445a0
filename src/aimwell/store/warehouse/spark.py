"""The engine for what outgrows one machine: Apache Spark (extra `aimwell[spark]`), on the same authored SQL.

A table is a folder of Parquet files under the warehouse's root; a session shows each as a view. A rewrite builds a new
folder and swaps names, so a failed one leaves the last good table; between tables there is no transaction.
"""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from aimwell.core.errors import QueryFailed, Unavailable
from aimwell.store.warehouse.engine import Dialect
from aimwell.store.warehouse.java import find_java

try:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import DataFrame, SparkSession
except ModuleNotFoundError as absent:
    raise Unavailable("Spark is not installed", remedy="Install it with `pip install 'aimwell[spark]'`.") from absent

SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
}
"""What values depend on: errors instead of silent NULLs, and instants as naive UTC."""

_BATCH = "aimwell_batch"
_DRIVER = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


class SparkEngine:
    """Spark behind the `Engine` protocol."""

    dialect: Dialect = "spark"

    def __init__(self, root: Path, session: SparkSession) -> None:
        self.root = root
        self._session = session
        for name, value in SETTINGS.items():
            session.conf.set(name, value)
        root.mkdir(parents=True, exist_ok=True)
        for name in self.tables():
            self._show(name)

    @classmethod
    def open(cls, root: Path, *, master: str | None = None) -> SparkEngine:
        """An engine with a session of its own; `master` (or the environment's AIMWELL_SPARK_MASTER) is the cluster.

        Raises Unavailable when Java is missing, with the remedy (as the import does when pyspark is).
        """
        os.environ["JAVA_HOME"] = str(find_java())
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        chosen = master or os.environ.get("AIMWELL_SPARK_MASTER", "local[*]")
        builder = SparkSession.builder.master(chosen).appName("aimwell")
        for name, value in {**SETTINGS, **_DRIVER}.items():
            builder = builder.config(name, value)
        return cls(root, builder.getOrCreate())

    def run(self, statement: exp.Expr) -> None:
        self._frame(statement).collect()

    def to_arrow(self, query: exp.Expr) -> pa.Table:
        frame = self._frame(query)
        try:
            return frame.toArrow()
        except (PySparkException, Py4JError) as error:
            raise self._failed(error, query) from error

    def batches(self, query: exp.Expr, size: int) -> Iterator[pa.RecordBatch]:
        yield from self.to_arrow(query).to_batches(max_chunksize=size)

    def create_table_as(self, name: str, query: exp.Expr) -> None:
        frame = self._frame(query)
        fresh = self._fresh(name)
        try:
            frame.write.parquet(str(fresh))
        except (PySparkException, Py4JError) as error:
            shutil.rmtree(fresh, ignore_errors=True)
            raise self._failed(error, query) from error
        self._swap(fresh, name)

    def write(self, name: str, rows: pa.Table) -> None:
        fresh = self._fresh(name)
        self._put(fresh, rows)
        self._swap(fresh, name)

    def append(self, name: str, rows: pa.Table) -> None:
        if not self.columns(name):
            self.write(name, rows)
            return
        self._put(self._folder(name), rows)
        self._show(name)

    def merge(self, name: str, rows: pa.Table, key: tuple[str, ...]) -> None:
        if not self.columns(name):
            self.write(name, rows)
            return
        incoming = self.root / f".{_BATCH}_{uuid.uuid4().hex}"
        self._put(incoming, rows)
        try:
            self._read(incoming).createOrReplaceTempView(_BATCH)
            names = [exp.column(column, quoted=True) for column in self.columns(name)]
            same = [
                exp.NullSafeEQ(
                    this=exp.column(part, table=name, quoted=True),
                    expression=exp.column(part, table=_BATCH, quoted=True),
                )
                for part in key
            ]
            matched = exp.Exists(this=exp.select("1").from_(_BATCH).where(*same))
            kept = exp.select(*[n.copy() for n in names]).from_(name).where(exp.Not(this=matched))
            self.create_table_as(name, exp.union(kept, exp.select(*names).from_(_BATCH), distinct=False))
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def create_scratch_as(self, name: str, query: exp.Expr) -> None:
        self.create_table_as(name, query)

    def drop(self, name: str) -> None:
        self._session.catalog.dropTempView(name)
        shutil.rmtree(self._folder(name), ignore_errors=True)

    def rename(self, name: str, to: str) -> None:
        self._session.catalog.dropTempView(name)
        self._swap(self._folder(name), to)

    def columns(self, name: str) -> dict[str, str]:
        if not self._folder(name).is_dir():
            return {}
        return dict(self._read(self._folder(name)).dtypes)

    def tables(self) -> list[str]:
        return sorted(path.name for path in self.root.iterdir() if path.is_dir() and not path.name.startswith("."))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    def close(self) -> None:
        for name in self.tables():
            self._session.catalog.dropTempView(name)

    def _frame(self, statement: exp.Expr) -> DataFrame:
        sql = statement.sql(dialect="spark")
        try:
            return self._session.sql(sql)
        except (PySparkException, Py4JError) as error:
            raise self._failed(error, statement) from error

    def _failed(self, error: Exception, statement: exp.Expr) -> QueryFailed:
        return QueryFailed(str(error).split("\n\nJVM stacktrace")[0], statement=statement.sql(dialect="spark"))

    def _folder(self, name: str) -> Path:
        return self.root / name

    def _fresh(self, name: str) -> Path:
        return self.root / f".{name}_{uuid.uuid4().hex}"

    def _put(self, folder: Path, rows: pa.Table) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(_microseconds(rows), folder / f"part-{uuid.uuid4().hex}.parquet")

    def _swap(self, fresh: Path, name: str) -> None:
        former = self._folder(name)
        retired = self._fresh(name)
        if former.exists():
            former.rename(retired)
        fresh.rename(former)
        shutil.rmtree(retired, ignore_errors=True)
        self._show(name)

    def _read(self, folder: Path) -> DataFrame:
        return self._session.read.parquet(str(folder))

    def _show(self, name: str) -> None:
        self._session.catalog.clearCache()
        self._read(self._folder(name)).createOrReplaceTempView(name)


def _microseconds(rows: pa.Table) -> pa.Table:
    """The rows with instants in microseconds, the only unit that Spark reads, and without null-typed columns."""
    fields = []
    for field in rows.schema:
        kind = field.type
        if pa.types.is_timestamp(kind):
            kind = pa.timestamp("us")
        elif pa.types.is_null(kind):
            kind = pa.string()
        fields.append(pa.field(field.name, kind))
    return rows.cast(pa.schema(fields))
