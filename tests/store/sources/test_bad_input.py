"""Bad input gets one clear sentence with the remedy, and leaves the tables as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.store.sources.workbench import ORDERS, load, rows, source, tally, write

from aimwell.core.errors import BadSource
from aimwell.store.sources.planning import UnreadableSources
from aimwell.store.warehouse.duck import DuckEngine

HEAD = "order,line,customer,at,paid\n"
GOOD = HEAD + "1,1,ann,2024-05-01,1\n"
DAILY = ORDERS.replace("orders.csv", "d/*.csv")


def refused(folder: Path, yaml: str = ORDERS) -> str:
    engine = DuckEngine()
    with pytest.raises(BadSource) as error:
        load(engine, folder, source(yaml))
    assert "purchase" not in engine.tables()
    return str(error.value)


def test_a_missing_file_is_named_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, "order.csv", GOOD)
    assert "no file 'orders.csv'" in refused(tmp_path)
    assert "Did you mean order.csv?" in refused(tmp_path)
    assert "The folder" in refused(tmp_path, DAILY)
    assert "does not exist" in refused(tmp_path, DAILY)


def test_a_missing_package_and_a_path_out_of_it_are_refused(tmp_path: Path) -> None:
    absent = ORDERS.replace("path: orders.csv", "path: orders.csv, package: no_such_package")
    assert "pip install no-such-package" in refused(tmp_path, absent)
    outside = ORDERS.replace("path: orders.csv", "path: ../../secret.csv, package: yaml")
    assert "leaves the package yaml" in refused(tmp_path, outside)


def test_an_unknown_column_is_named_with_the_nearest_in_each_file(tmp_path: Path) -> None:
    write(tmp_path, "d/1.csv", GOOD)
    write(tmp_path, "d/2.csv", GOOD.replace("customer", "custmer"))
    write(tmp_path, "d/3.csv", GOOD.replace("paid", "amount_paid").replace("line", "pos"))
    with pytest.raises(UnreadableSources) as error:
        load(DuckEngine(), tmp_path, source(DAILY))
    found = {(problem.path, problem.message): problem.remedy for problem in error.value.problems}
    assert found["d/2.csv", "there is no column 'customer'"] == "did you mean 'custmer'?"
    assert ("d/3.csv", "there is no column 'line'") in found
    assert ("d/3.csv", "there is no column 'paid'") in found
    assert len(found) == 3


def test_a_wrong_delimiter_is_suspected(tmp_path: Path) -> None:
    write(tmp_path, "orders.csv", GOOD.replace(",", ";"))
    assert "is the delimiter another one?" in refused(tmp_path)


def test_an_empty_file_alone_is_an_error_and_among_others_a_note(tmp_path: Path) -> None:
    write(tmp_path, "orders.csv", "")
    assert "it is empty" in refused(tmp_path)
    write(tmp_path, "d/1.csv", GOOD)
    write(tmp_path, "d/2.csv", "")
    write(tmp_path, "d/3.csv", HEAD)
    engine = DuckEngine()
    report = load(engine, tmp_path, source(DAILY))
    assert [note.en for note in report.sources[0].notes] == ["1 file(s) hold nothing: d/2.csv"]
    assert tally(report).read == 1
    write(tmp_path, "d/2.csv", GOOD.replace("1,1", "2,1"))
    assert load(engine, tmp_path, source(DAILY)).sources[0].changed == ("d/2.csv",)
    assert len(rows(engine, "purchase", "order_id")) == 2


def test_files_of_several_encodings_are_read_each_in_its_own(tmp_path: Path) -> None:
    for number, encoding in enumerate(["utf-8", "utf-8-sig", "gb18030", "utf-16"]):
        write(tmp_path, f"d/{number}.csv", HEAD + f"{number},1,张三丰,2024-05-01,1\n", encoding)
    engine = DuckEngine()
    report = load(engine, tmp_path, source(DAILY))
    assert set(rows(engine, "purchase", "customer_id")) == {("张三丰",)}
    assert report.sources[0].encodings == {"utf-8": 1, "utf-8-sig": 1, "gb18030": 1, "utf-16": 1}
    assert "gb18030 × 1" in report.sources[0].notes[0].zh


def test_a_file_of_another_encoding_than_the_one_named_stops_the_load(tmp_path: Path) -> None:
    write(tmp_path, "d/1.csv", HEAD + "1,1,张三,2024-05-01,1\n")
    write(tmp_path, "d/2.csv", HEAD + "2,1,张三,2024-05-01,1\n", "gb18030")
    message = refused(tmp_path, DAILY.replace("d/*.csv", "d/*.csv, encoding: utf-8"))
    assert "d/2.csv" in message
    assert "in line 2" in message
    assert "encoding: auto" in message


def test_columns_may_be_missing_from_some_files_if_the_mapping_says_so(tmp_path: Path) -> None:
    write(tmp_path, "d/1.csv", GOOD)
    write(tmp_path, "d/2.csv", "order,line,customer,at,paid,coupon\n2,1,bob,2024-05-01,1,0.5\n")
    yaml = DAILY.replace("amount: paid", "amount: paid, discount: {column: coupon, optional: true}")
    engine = DuckEngine()
    report = load(engine, tmp_path, source(yaml))
    assert sorted(str(row[0]) for row in rows(engine, "purchase", "discount")) == ["0.50", "None"]
    assert report.sources[0].unmapped == ()


def test_the_same_column_in_other_letters_is_the_same(tmp_path: Path) -> None:
    write(tmp_path, "d/1.csv", GOOD)
    write(tmp_path, "d/2.csv", "Order,LINE,Customer,At,Paid\n2,1,bob,2024-05-01,1\n")
    engine = DuckEngine()
    assert tally(load(engine, tmp_path, source(DAILY))).kept == 2


def test_files_whose_columns_have_several_types_are_read_together(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as arrow_parquet

    common = {"line": ["1"], "at": ["2024-05-01"], "paid": [1.5]}
    (tmp_path / "d").mkdir()
    for name, order, customer in (("1", 1, "a"), ("2", "x2", "b")):
        table = pa.table({"order": [order], "customer": [customer], **common})
        arrow_parquet.write_table(table, tmp_path / f"d/{name}.parquet")
    engine = DuckEngine()
    load(engine, tmp_path, source(DAILY.replace(".csv", ".parquet")))
    assert rows(engine, "purchase", "order_id") == [("1",), ("x2",)]


def test_a_load_of_only_bad_rows_keeps_them_all_as_refused(tmp_path: Path) -> None:
    write(tmp_path, "orders.csv", HEAD + "1,1,ann,99/99/9999,x\n,,,,\n")
    report = load(DuckEngine(), tmp_path, source(ORDERS))
    assert tally(report).rejected == {"missing_order_id": 1, "unreadable_occurred_at": 1}
    assert not report.changed


def test_one_customer_and_one_row_are_enough(tmp_path: Path) -> None:
    write(tmp_path, "orders.csv", GOOD)
    report = load(DuckEngine(), tmp_path, source(ORDERS))
    assert report.quality[0].rows == 1
    assert report.quality[0].oddities == ()


def test_days_at_the_edges_of_the_calendar_stop_nothing(tmp_path: Path) -> None:
    days = ["0001-01-01", "9999-12-31 23:59:59", "10000-01-01", "2024-02-31", "2024-02-29"]
    write(tmp_path, "orders.csv", HEAD + "".join(f"{at},1,ann,{day},1\n" for at, day in enumerate(days)))
    engine = DuckEngine()
    report = load(engine, tmp_path, source(ORDERS.replace("UTC", "America/New_York")))
    assert tally(report).rejected == {"unreadable_occurred_at": 3}
    found = rows(engine, "purchase", "occurred_at")
    assert [str(row[0]) for row in sorted(found, key=str)] == ["2024-02-29 05:00:00", "9999-12-31 23:59:59"]
