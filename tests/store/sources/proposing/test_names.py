"""Names of columns are recognised in both languages, however they are spelled."""

from __future__ import annotations

import pytest

from aimwell.core.tables import TABLES
from aimwell.store.sources.proposing.names import _words, hinted, nearness


@pytest.mark.parametrize(
    ("raw", "table", "column"),
    [
        ("CustomerID", "purchase", "customer_id"),
        ("会员编号", "purchase", "customer_id"),
        ("household_id", "purchase", "customer_id"),
        ("Invoice No.", "purchase", "order_id"),
        ("订单号", "purchase", "order_id"),
        ("实付金额(元)", "purchase", "amount"),
        ("sales_value", "purchase", "amount"),
        ("下单时间", "purchase", "occurred_at"),
        ("StockCode", "purchase", "product_id"),
        ("门店编号", "purchase", "place"),
        ("品类", "product", "category"),
        ("出生日期", "customer", "birth_date"),
        ("customer_city", "customer", "city"),
    ],
)
def test_common_names_are_known(raw: str, table: str, column: str) -> None:
    scores = {each.name: nearness(raw, table, each.name) for each in TABLES[table].columns}
    assert max(scores, key=lambda name: scores[name]) == column
    assert scores[column] >= 0.6


def test_other_names_are_near_nothing() -> None:
    for raw in ("foo", "x1", "备用字段"):
        assert all(nearness(raw, "purchase", each.name) < 0.6 for each in TABLES["purchase"].columns)


def test_every_word_is_of_a_column_that_exists() -> None:
    columns = {column.name for table in TABLES.values() for column in table.columns}
    for name in _words()["columns"]:
        table, _, column = name.rpartition(".")
        assert column in columns
        assert not table or TABLES[table].column(column)
    assert set(_words()["files"]) <= set(TABLES)


def test_a_file_name_speaks_of_its_table() -> None:
    assert hinted("data/orders_2024.csv") == {"purchase"}
    assert hinted("导出/会员列表.xlsx") == {"customer"}
    assert hinted("export.csv") == set()
