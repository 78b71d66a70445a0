"""Unknown files get a proposal that loads them, or a question where only a person knows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as arrow_parquet
import pytest
from tests.store.sources.test_invoices import write_invoices
from tests.store.sources.workbench import SHANGHAI, write

from aimwell.core.errors import BadQuestion, BadSource
from aimwell.store.sources.proposing.propose import Proposal, propose

ORDERS_ZH = """
    订单号,会员编号,商品编码,商品名称,数量,实付金额,下单时间,门店
    A1,u1,P1,绿茶,2,"1,234.5元",2024年5月1日 08:30,北京店
    A1,u1,P2,红茶,1,20元,2024年5月1日 08:30,北京店
    A2,u2,P1,绿茶,-1,-12元,2024年5月2日 09:30,上海店
"""


def proposed(folder: Path, path: str, **options: object) -> Proposal:
    return propose(path, folder, SHANGHAI, at=datetime(2026, 1, 1, tzinfo=UTC), **options)  # type: ignore[arg-type]


def test_chinese_orders_in_an_old_encoding_are_understood(tmp_path: Path) -> None:
    write(tmp_path, "订单.csv", ORDERS_ZH, "gb18030")
    found = proposed(tmp_path, "订单.csv")
    assert found.confidence > 0.8
    assert found.questions == ()
    assert found.definition is not None
    assert [table.table for table in found.definition.tables] == ["purchase", "product"]
    assert found.preview is not None
    first = found.preview.rows["purchase"][0]
    assert first["amount"] == Decimal("1234.50")
    assert first["occurred_at"] == datetime(2024, 5, 1, 0, 30)
    assert (first["order_id"], first["line"], first["customer_id"], first["place"]) == ("A1", "1", "u1", "北京店")
    notes = " ".join(note.zh for note in found.notes)
    assert "gb18030" in notes
    assert "数量 有负数" in notes


def test_invoices_of_an_unknown_shop_are_understood_with_what_to_ask(tmp_path: Path) -> None:
    write_invoices(tmp_path, days=60)
    found = proposed(tmp_path, "invoices/*.csv")
    assert found.name == "invoices"
    assert [question.name for question in found.questions] == ["codes"]
    assert found.definition is not None
    columns = found.definition.tables[0].columns
    assert columns["amount"].expression == "number(Quantity) * number(UnitPrice)"
    assert columns["occurred_at"].format == ("%d/%m/%Y %H:%M",)
    assert columns["customer_id"].expression == "regexp_replace(CustomerID, '[.]0$', '')"
    assert columns["line"].expression == "cast(nth(InvoiceNo) AS text)"
    assert found.definition.read.nulls == ("NULL",)
    assert found.definition.tables[2].where == "CustomerID IS NOT NULL", "who is not known is not refused twice"
    assert {table.table for table in found.definition.tables} == {"purchase", "product", "customer"}
    without = proposed(tmp_path, "invoices/*.csv", answers={"codes": "leave_out"})
    assert without.definition is not None
    assert without.definition.tables[0].where == "StockCode NOT IN ('DOT', 'M', 'POST')"
    assert without.preview is not None
    assert without.preview.report.balanced


def test_day_or_month_first_is_asked_and_nothing_is_loaded_before(tmp_path: Path) -> None:
    write(tmp_path, "d.csv", "order,customer,date,total\n1,a,03/04/2024,1.5\n2,b,05/06/2024,2.25\n")
    found = proposed(tmp_path, "d.csv")
    assert [(question.name, question.default) for question in found.questions] == [("date:date", None)]
    assert "is the day or the month first in 03/04/2024?" in found.questions[0].asked.en
    assert (found.definition, found.preview) == (None, None)
    assert "# occurred_at: {column: date, format: '%d/%m/%Y'} # day first" in found.yaml
    assert "# occurred_at: {column: date, format: '%m/%d/%Y'} # month first" in found.yaml
    midnight = {"day_first": datetime(2024, 4, 2, 16), "month_first": datetime(2024, 3, 3, 16)}  # in Shanghai
    for answer, at in midnight.items():
        told = proposed(tmp_path, "d.csv", answers={"date:date": answer})
        assert told.preview is not None
        assert told.confidence > found.confidence
        assert told.preview.rows["purchase"][0]["occurred_at"] == at
    with pytest.raises(BadQuestion, match="'day' does not answer 'date:date'"):
        proposed(tmp_path, "d.csv", answers={"date:date": "day"})
    with pytest.raises(BadQuestion, match="Nothing was asked under 'dates'"):
        proposed(tmp_path, "d.csv", answers={"dates": "day_first"})


def test_thousands_or_decimals_is_asked(tmp_path: Path) -> None:
    write(tmp_path, "orders.csv", 'order;customer;date;total\n1;a;2024-05-01;"1,234"\n2;b;2024-05-02;"5,678"\n')
    found = proposed(tmp_path, "orders.csv")
    assert [question.name for question in found.questions] == ["decimal"]
    for answer, amount in ((".", Decimal("1234.00")), (",", Decimal("1.23"))):
        told = proposed(tmp_path, "orders.csv", answers={"decimal": answer})
        assert told.preview is not None
        assert told.preview.rows["purchase"][0]["amount"] == amount


def test_delimiters_preambles_and_missing_headers_are_found(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "Export of May\n\norder;customer;date;total\n1;a;2024-05-01;1,5\n2;b;2024-05-02;2,25\n")
    found = proposed(tmp_path, "a.csv")
    assert found.definition is not None
    read = found.definition.read.model_dump()
    assert (read["delimiter"], read["skip_rows"], read["decimal"]) == (";", 2, ",")
    write(tmp_path, "b.csv", "1,2024-05-01,2.5\n2,2024-05-02,3.5\n")
    with pytest.raises(BadSource, match=r"resembles no canonical table.*column 1, column 2"):
        proposed(tmp_path, "b.csv")


def test_people_keep_what_else_is_said_about_them(tmp_path: Path) -> None:
    people = "1,F,1980-01-02,Berlin,12,2020-01-01\n2,M,1990-05-06,Paris,3,2020-02-01\n"
    write(tmp_path, "members.csv", "member_id,Sex,DOB,City,Points,signup date\n" + people)
    found = proposed(tmp_path, "members.csv")
    assert found.preview is not None
    assert found.preview.rows["customer"][0] == {
        "customer_id": "1",
        "created_at": datetime(2019, 12, 31, 16),
        "birth_date": datetime(1980, 1, 2).date(),
        "gender": "F",
        "city": "Berlin",
        "points": 12,
    }


def test_events_products_and_spreadsheets_are_recognised(tmp_path: Path) -> None:
    events = [
        {"userId": n, "event": "open", "timestamp": f"2024-05-0{n}T08:00:00Z", "properties": {"x": n}} for n in (1, 2)
    ]
    write(tmp_path, "e.jsonl", "\n".join(map(json.dumps, events)))
    found = proposed(tmp_path, "e.jsonl")
    assert found.preview is not None
    assert found.preview.rows["event"][0]["occurred_at"] == datetime(2024, 5, 1, 8)
    arrow_parquet.write_table(
        pa.table({"sku": [1, 2], "title": ["a", "b"], "品类": ["x", "y"]}), tmp_path / "catalog.parquet"
    )
    goods = proposed(tmp_path, "catalog.parquet")
    assert goods.preview is not None
    assert goods.preview.rows["product"][0] == {"product_id": "1", "name": "a", "category": "x"}
    book = openpyxl.Workbook()
    for row in (["日期", "渠道", "花费", "点击"], ["2024-05-01", "sem", 12.5, 3], ["2024-05-02", "sem", 10, 2]):
        book.active.append(row)
    book.save(tmp_path / "广告.xlsx")
    spend = proposed(tmp_path, "广告.xlsx")
    assert spend.preview is not None
    assert spend.preview.rows["spend"][0]["clicks"] == 3


def test_orders_without_a_number_are_those_of_one_customer_at_one_time(tmp_path: Path) -> None:
    write(
        tmp_path, "log.csv", "customer_id,date,quantity,amount\n1,19970101,1,11.77\n2,19970112,1,12\n2,19970112,5,77\n"
    )
    found = proposed(tmp_path, "log.csv")
    assert [(question.name, question.default) for question in found.questions] == [("order_id", "yes")]
    assert found.preview is not None
    assert [row["order_id"] for row in found.preview.rows["purchase"]] == ["1-19970101", "2-19970112", "2-19970112"]
    assert [row["line"] for row in found.preview.rows["purchase"]] == ["1", "1", "2"]


def test_a_table_may_be_named_and_must_exist(tmp_path: Path) -> None:
    write(tmp_path, "list.csv", "member,name\n1,a\n2,b\n")
    assert proposed(tmp_path, "list.csv", table="customer").definition is not None
    with pytest.raises(BadQuestion, match=r"no canonical table 'customers' \(did you mean 'customer'\?\)"):
        proposed(tmp_path, "list.csv", table="customers")


def test_what_resembles_nothing_or_holds_nothing_is_said(tmp_path: Path) -> None:
    write(tmp_path, "x.csv", "foo,bar\n1,2\n")
    with pytest.raises(BadSource, match=r"resembles no canonical table.*foo, bar"):
        proposed(tmp_path, "x.csv")
    write(tmp_path, "y.csv", "")
    with pytest.raises(BadSource, match="nothing in y.csv"):
        proposed(tmp_path, "y.csv")
