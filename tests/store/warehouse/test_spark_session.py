"""The Spark session of the tests is what the comparisons with DuckDB rely on."""

from __future__ import annotations

import datetime as dt
import decimal
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def test_two_executors_run_as_processes_of_their_own(spark: SparkSession) -> None:
    def home(_: Iterable[int]) -> Iterator[int]:
        yield os.getppid()

    # A barrier starts only when both tasks have a core, and each executor has one.
    pids = spark.sparkContext.parallelize(range(2), 2).barrier().mapPartitions(home).collect()
    assert len(set(pids)) == 2
    assert os.getpid() not in pids


def test_rows_from_arrow_keep_their_instants_and_cents(spark: SparkSession) -> None:
    rows = pa.table(
        {
            "customer_id": ["a", "b"],
            "occurred_at": pa.array([dt.datetime(2017, 11, 1, 23, 59), dt.datetime(2017, 3, 26, 2, 30)]),
            "amount": pa.array([decimal.Decimal("0.10"), None], pa.decimal128(18, 2)),
        }
    )
    frame = spark.createDataFrame(rows)
    assert dict(frame.dtypes)["occurred_at"] == "timestamp_ntz"
    assert frame.toArrow().sort_by("customer_id").to_pylist() == rows.to_pylist()


def test_the_session_is_ansi_and_knows_one_timezone(spark: SparkSession) -> None:
    row = spark.sql("SELECT current_timezone() AS zone, typeof(CAST('2017-01-01' AS TIMESTAMP)) AS kind").first()
    assert row is not None
    assert (row.zone, row.kind) == ("UTC", "timestamp_ntz")
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"
