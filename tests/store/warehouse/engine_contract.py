"""What every engine must do: the contract, run on DuckDB in the fast tests and on Spark in its own."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from sqlglot import exp, parse_one

from aimwell.core.errors import QueryFailed
from aimwell.store.warehouse.engine import Engine

ROWS = pa.table(
    {
        "id": pa.array(["a", "b", "c"]),
        "n": pa.array([1, None, 3], pa.int64()),
        "x": pa.array([0.5, 1.5, None]),
        "amount": pa.array([Decimal("1.10"), Decimal("2.20"), None], pa.decimal128(18, 2)),
        "at": pa.array([datetime(2017, 1, 1), None, datetime(2017, 6, 1, 12, 30)], pa.timestamp("us")),
        "day": pa.array([date(2017, 1, 1), None, date(2017, 6, 1)]),
        "word": pa.array(["千面", "", None]),
        "yes": pa.array([True, False, None]),
    }
)


def _query(sql: str) -> exp.Expr:
    return parse_one(sql, read="duckdb")


def _all(engine: Engine, name: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = engine.to_arrow(_query(f"SELECT * FROM {name} ORDER BY id")).to_pylist()
    return found


def every_value_comes_back_as_it_was_written(engine: Engine) -> None:
    engine.write("kept", ROWS)
    assert _all(engine, "kept") == ROWS.to_pylist()
    assert list(engine.columns("kept")) == ROWS.column_names
    assert engine.columns("absent") == {}
    assert "kept" in engine.tables()


def appending_adds_and_creates(engine: Engine) -> None:
    engine.append("grown", ROWS.slice(0, 1))
    engine.append("grown", ROWS.slice(1, 2))
    assert _all(engine, "grown") == ROWS.to_pylist()


def merging_replaces_by_key_and_can_be_repeated(engine: Engine) -> None:
    engine.merge("merged", ROWS.slice(0, 2), ("id",))
    changed = ROWS.slice(1, 2).set_column(6, "word", pa.array(["新", "new"]))
    for _ in range(2):
        engine.merge("merged", changed, ("id",))
    assert [(row["id"], row["word"]) for row in _all(engine, "merged")] == [("a", "千面"), ("b", "新"), ("c", "new")]


def merging_compares_empty_keys_as_equal(engine: Engine) -> None:
    keyed = pa.table({"id": ["a", "a"], "part": pa.array([None, "x"]), "n": [1, 2]})
    engine.merge("parted", keyed, ("id", "part"))
    engine.merge("parted", keyed, ("id", "part"))
    assert len(_all(engine, "parted")) == 2


def a_failed_build_leaves_the_last_good_table(engine: Engine) -> None:
    engine.write("good", ROWS)
    with pytest.raises(QueryFailed) as failed:
        engine.create_table_as("good", _query("SELECT missing_column FROM good"))
    assert "missing_column" in str(failed.value)
    assert _all(engine, "good") == ROWS.to_pylist()


def a_table_is_made_from_a_query_and_may_replace_what_it_read(engine: Engine) -> None:
    engine.write("self", ROWS)
    engine.create_table_as("self", _query("SELECT * FROM self WHERE id <> 'b'"))
    assert [row["id"] for row in _all(engine, "self")] == ["a", "c"]


def renaming_replaces_what_stood_there_and_dropping_forgets(engine: Engine) -> None:
    engine.write("fresh", ROWS.slice(0, 1))
    engine.write("former", ROWS)
    engine.rename("fresh", "former")
    assert [row["id"] for row in _all(engine, "former")] == ["a"]
    assert engine.columns("fresh") == {}
    engine.drop("former")
    engine.drop("former")
    assert engine.columns("former") == {}


def batches_stream_every_row(engine: Engine) -> None:
    engine.write("many", pa.table({"id": list(range(1000))}))
    found = list(engine.batches(_query("SELECT id FROM many"), 300))
    assert sum(batch.num_rows for batch in found) == 1000


CONTRACT = (
    every_value_comes_back_as_it_was_written,
    appending_adds_and_creates,
    merging_replaces_by_key_and_can_be_repeated,
    merging_compares_empty_keys_as_equal,
    a_failed_build_leaves_the_last_good_table,
    a_table_is_made_from_a_query_and_may_replace_what_it_read,
    renaming_replaces_what_stood_there_and_dropping_forgets,
    batches_stream_every_row,
)
