"""`aimwell contribution` on three orders of two goods, counted by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run

_ORDERS = """\
read: {path: orders.csv}
tables:
  - table: purchase
    columns:
      {order_id: order, customer_id: customer, product_id: item, occurred_at: day, quantity: number, amount: amount,
      discount: reduced}
"""
_GOODS = """\
read: {path: goods.csv}
tables:
  - table: product
    columns: {product_id: item, name: name, margin: margin}
"""


@pytest.fixture
def counted(run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ann buys two teas at a margin of 2 and gets 0.50 off; bob buys a cup at 1 and a thing of unknown margin."""
    monkeypatch.chdir(shop)
    files = {
        "sources/orders.yaml": _ORDERS,
        "sources/goods.yaml": _GOODS,
        "orders.csv": "order,customer,item,day,number,amount,reduced\n1,ann,=tea,2025-05-01,2,9.50,0.50\n"
        "2,bob,cup,2025-05-02,1,5,0\n3,bob,odd,2025-05-03,1,8,2\n",
        "goods.csv": "item,name,margin\n=tea,Tea,2.00\ncup,Cup,1.00\n",
    }
    for name, text in files.items():
        (shop / name).write_text(text, encoding="utf-8")
    assert run("source", "load").code == 0
    return shop


def _asked(run: Run, *words: str) -> dict[str, Any]:
    said = run("contribution", *words, "--json")
    assert (said.code, said.err) == (0, "")
    assert isinstance(said.json, dict)
    return said.json


def test_products_are_stated_with_the_check_and_what_has_no_margin(run: Run, counted: Path) -> None:
    said = run("contribution", "--by", "product", "-l", "en").out
    for words in (
        "3 rows, in CNY",
        "=tea Tea",
        "the books, line by line, 2.50 CNY = the rows together 2.50 CNY; difference 0.00.",
        "Of 3 lines bought 1 have no margin and count as 0",
    ):
        assert words in said
    assert "核对" in run("contribution", "--by", "product", "-l", "zh").out
    found = _asked(run, "--by", "product", "--top", "1")
    assert (found["proven"], found["sum"]["contribution"], found["rows"]) == (True, "2.50", 3)
    assert [(row["product_id"], row["contribution"]) for row in found["best"] + found["worst"]] == [
        ("=tea", "3.50"),
        ("odd", "-2.00"),
    ]
    assumed = _asked(run, "--by", "customer", "--margin-percent", "50")
    assert {row["customer_id"]: row["contribution"] for row in assumed["best"]} == {"bob": "4.00", "ann": "3.50"}
    assert assumed["assumed_margin"] == 0.5


def test_segments_and_periods_are_stated(run: Run, counted: Path) -> None:
    assert run("segment", "refresh").code == 0
    found = _asked(run, "--segment", "recent")
    assert [(row["segment"], row["contribution"]) for row in found["best"]] == [("recent", "2.50")]
    early = _asked(run, "--by", "customer", "--since", "2025-05-01", "--until", "2025-05-02")
    assert [(row["customer_id"], row["contribution"]) for row in early["best"]] == [("ann", "3.50")]


def test_all_rows_are_written_so_that_no_spreadsheet_runs_them(run: Run, counted: Path) -> None:
    assert "All 3 rows" in run("contribution", "--by", "product", "--out", "goods_out.csv", "-l", "en").out
    lines = (counted / "goods_out.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == '"product_id","name","margin","incentives","contacts","contribution","currency"'
    assert lines[1] == '"\'=tea","Tea",4.00,0.50,0.00,3.50,"CNY"'
    assert len(lines) == 4


REFUSED = [
    ("--by shop", "expected --by customer, segment, product"),
    ("--segment vip", "There is no segment 'vip'; expected one of recent"),
    ("--by product --segment recent", "--segment with --by segment"),
    ("--by segment", "aimwell segment refresh"),
    ("--by product --until 2025-05-01", "Nothing was bought and nobody contacted"),
    ("--by product --since 2025-06-01 --until 2025-05-01", "some whole days"),
    ("--by product --margin-percent 101", "0 to 100 per cent"),
]


def test_what_cannot_be_stated_is_refused_with_the_remedy(run: Run, counted: Path) -> None:
    for words, why in REFUSED:
        said = run("contribution", *words.split())
        assert said.code in {1, 2}, words
        assert why in said.err, words
