"""Files that come one by one give the same tables as all of them at once; changed and archived files are understood."""

from __future__ import annotations

import sqlite3
import tempfile
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.sources.workbench import ORDERS, load, rows, source, tally, write

from aimwell.core.errors import BadQuestion
from aimwell.store.sources.load import load as load_workspace
from aimwell.store.sources.load import unload
from aimwell.store.sources.log import data_version, read_log
from aimwell.store.sources.rejects import rejects
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.workspace import open_workspace

HEAD = "order,line,customer,at,paid\n"
DAILY = ORDERS.replace("orders.csv", "d/*.csv")
COLUMNS = ("order_id", "line", "customer_id", "occurred_at", "amount")
RULES = ("", "    deduplicate: {keep: first, by: occurred_at}\n", "    deduplicate: {keep: last}\n")

line = st.tuples(st.sampled_from("1234"), st.sampled_from(["2024-05-01", "2024-05-02"]), st.sampled_from("12"))
content = st.lists(line, max_size=4)


def put(folder: Path, name: str, lines: list[tuple[str, str, str]]) -> None:
    body = "".join(f"{order},1,ann,{at},{paid}\n" for order, at, paid in lines)
    write(folder, f"d/{name}.csv", HEAD + body)


@settings(max_examples=settings().max_examples // 25)
@given(days=st.lists(content, min_size=2, max_size=3), rule=st.sampled_from(RULES), step=st.integers(1, 3))
def test_day_by_day_equals_all_at_once(days: list[list[tuple[str, str, str]]], rule: str, step: int) -> None:
    orders = source(DAILY + rule)
    with tempfile.TemporaryDirectory() as folder:
        grown = DuckEngine()
        for number, lines in enumerate(days):
            put(Path(folder), f"{number}", lines)
            if number % step == 0:
                load(grown, Path(folder), orders)
        load(grown, Path(folder), orders)
        whole = DuckEngine()
        load(whole, Path(folder), orders)
    assert rows(grown, "purchase", *COLUMNS) == rows(whole, "purchase", *COLUMNS)
    assert data_version(grown) == data_version(whole)


@settings(max_examples=settings().max_examples // 25)
@given(
    days=st.lists(content, min_size=2, max_size=3),
    corrected=content,
    which=st.integers(0, 2),
    rule=st.sampled_from(RULES[1:]),
)
def test_a_corrected_file_leaves_what_a_fresh_load_would(
    days: list[list[tuple[str, str, str]]], corrected: list[tuple[str, str, str]], which: int, rule: str
) -> None:
    orders = source(DAILY + rule)
    with tempfile.TemporaryDirectory() as folder:
        engine = DuckEngine()
        for number, lines in enumerate(days):
            put(Path(folder), f"{number}", lines)
            load(engine, Path(folder), orders)
        put(Path(folder), f"{which % len(days)}", [*corrected, ("9", "2024-05-09", "9")])
        load(engine, Path(folder), orders)
        fresh = DuckEngine()
        load(fresh, Path(folder), orders)
    assert rows(engine, "purchase", *COLUMNS) == rows(fresh, "purchase", *COLUMNS)
    assert data_version(engine) == data_version(fresh)


def test_a_row_that_another_file_dropped_as_its_double_comes_back_when_that_file_changes(tmp_path: Path) -> None:
    engine = DuckEngine()
    put(tmp_path, "1", [("1", "2024-05-01", "1")])
    put(tmp_path, "2", [("1", "2024-05-01", "1"), ("2", "2024-05-01", "1")])
    load(engine, tmp_path, source(DAILY))
    assert [entry.lost for entry in read_log(engine)] == [0, 1]
    put(tmp_path, "1", [("3", "2024-05-01", "1")])
    load(engine, tmp_path, source(DAILY))
    assert [row[0] for row in rows(engine, "purchase", "order_id")] == ["1", "2", "3"]


def test_files_that_were_moved_away_leave_their_rows(tmp_path: Path) -> None:
    engine = DuckEngine()
    put(tmp_path, "1", [("1", "2024-05-01", "1")])
    load(engine, tmp_path, source(DAILY))
    put(tmp_path, "2", [("2", "2024-05-02", "1")])
    (tmp_path / "d/1.csv").unlink()
    report = load(engine, tmp_path, source(DAILY))
    assert report.sources[0].gone == ("d/1.csv",)
    assert "no longer there" in report.sources[0].notes[0].en
    (tmp_path / "d/2.csv").unlink()
    assert not load(engine, tmp_path, source(DAILY)).changed
    assert len(rows(engine, "purchase", "order_id")) == 2


def test_files_that_the_source_no_longer_means_take_their_rows_along(tmp_path: Path) -> None:
    engine = DuckEngine()
    put(tmp_path, "1", [("1", "2024-05-01", "1")])
    put(tmp_path, "2", [("1", "2024-05-01", "1"), ("2", "2024-05-01", "1")])
    load(engine, tmp_path, source(DAILY))
    report = load(engine, tmp_path, source(DAILY.replace("d/*.csv", "d/2.csv")))
    assert (report.sources[0].removed, report.sources[0].gone) == (("d/1.csv",), ())
    assert "rows are removed" in report.sources[0].notes[0].en
    assert [row[0] for row in rows(engine, "purchase", "order_id")] == ["1", "2"]
    assert [entry.file for entry in read_log(engine)] == ["d/2.csv"]


def test_what_was_loaded_can_be_taken_back(tmp_path: Path) -> None:
    settings_text = 'name = "t"\ncurrency = "CNY"\ntimezone = "UTC"\n'
    (tmp_path / "aimwell.toml").write_text(settings_text, encoding="utf-8")
    write(tmp_path, "sources/daily.yaml", DAILY)
    put(tmp_path, "1", [("1", "2024-05-01", "1")])
    put(tmp_path, "2", [("1", "2024-05-01", "1"), ("2", "", "1")])
    workspace = open_workspace(tmp_path)
    with workspace.warehouse() as warehouse:
        load_workspace(workspace, warehouse)
        with pytest.raises(BadQuestion, match=r"never loaded 'd/9.csv'"):
            unload(warehouse, "daily", ["d/9.csv"])
        with pytest.raises(BadQuestion, match="Nothing was ever loaded from 'day'"):
            unload(warehouse, "day")
        assert unload(warehouse, "daily", ["d/1.csv"]) == ("d/1.csv",)
        assert warehouse.catalog["purchase"].rows == 0
        (tmp_path / "d/1.csv").unlink()
        load_workspace(workspace, warehouse)  # the row that the second file had dropped as a double is its own now
        assert warehouse.catalog["purchase"].rows == 1
        (tmp_path / "sources/daily.yaml").unlink()
        assert load_workspace(workspace, warehouse).undefined == ("daily",)
        unload(warehouse, "daily")
        assert rejects(warehouse.engine) == []
        assert load_workspace(workspace, warehouse).undefined == ()
        assert data_version(warehouse.engine) == data_version(DuckEngine())


def test_the_version_changes_exactly_with_the_rows(tmp_path: Path) -> None:
    engine = DuckEngine()
    nothing = data_version(engine)
    put(tmp_path, "1", [])
    assert load(engine, tmp_path, source(DAILY)).version == nothing
    put(tmp_path, "2", [("1", "2024-05-01", "1")])
    first = load(engine, tmp_path, source(DAILY)).version
    assert first != nothing
    put(tmp_path, "3", [("1", "2024-05-01", "1.0")])  # the same row once more
    assert load(engine, tmp_path, source(DAILY)).version == first
    put(tmp_path, "3", [("1", "2024-05-01", "1.0"), ("2", "2024-05-01", "5")])
    assert load(engine, tmp_path, source(DAILY)).version != first
    put(tmp_path, "3", [])
    assert load(engine, tmp_path, source(DAILY)).version == first


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            'CREATE TABLE orders ("order" TEXT, line TEXT, customer TEXT, at TEXT, paid REAL, id INTEGER)'
        )
    connection.close()
    monkeypatch.setenv("SHOP_DB_URL", f"sqlite:///{path}")
    return path


def sell(path: Path, *found: tuple[object, ...]) -> None:
    with sqlite3.connect(path) as connection:
        connection.executemany("INSERT INTO orders VALUES (?, '1', ?, '2024-05-01', 1.5, ?)", found)
    connection.close()


def test_a_table_with_a_watermark_is_read_from_there_on(tmp_path: Path, shop: Path) -> None:
    engine = DuckEngine()
    read = "read: {format: database, url_env: SHOP_DB_URL, table: orders, watermark: id}"
    orders = source(ORDERS.replace("read: {path: orders.csv}", read))
    sell(shop, ("1", "ann", 5), ("2", None, 10))
    first = load(engine, tmp_path, orders)
    assert (tally(first).kept, tally(first).rejected) == (1, {"missing_customer_id": 1})
    again = load(engine, tmp_path, orders)  # only the row at the mark comes again, and is refused again
    assert (tally(again).read, again.changed) == (1, False)
    sell(shop, ("3", "bob", 10), ("4", "bob", 100))
    third = load(engine, tmp_path, orders)
    assert (tally(third).read, tally(third).kept) == (3, 2)
    assert read_log(engine)[-1].mark == "int:100"
    assert len(rejects(engine)) == 1
    sell(shop, ("5", "bob", 101))
    assert tally(load(engine, tmp_path, orders)).read == 2
    # another mapping reads everything again, and doubles nothing
    mapped = source(ORDERS.replace("read: {path: orders.csv}", read).replace("timezone: UTC", "timezone: Asia/Tokyo"))
    assert tally(load(engine, tmp_path, mapped)).read == 5
    assert rows(engine, "purchase", "order_id", "occurred_at") == [
        (order, datetime(2024, 4, 30, 15)) for order in ("1", "3", "4", "5")
    ]


def test_a_table_without_a_watermark_is_read_whole_and_taken_if_it_differs(tmp_path: Path, shop: Path) -> None:
    engine = DuckEngine()
    read = "read: {format: database, url_env: SHOP_DB_URL, query: 'SELECT * FROM orders'}"
    orders = source(ORDERS.replace("read: {path: orders.csv}", read))
    sell(shop, ("1", "ann", 1))
    load(engine, tmp_path, orders)
    again = load(engine, tmp_path, orders)
    assert (again.changed, len(again.sources[0].unchanged)) == (False, 1)
    with sqlite3.connect(shop) as connection:
        connection.execute("UPDATE orders SET customer = 'eve'")
    connection.close()
    later = load(engine, tmp_path, orders)
    assert (later.changed, len(later.sources[0].changed)) == (True, 1)
    assert rows(engine, "purchase", "customer_id") == [("eve",)]
