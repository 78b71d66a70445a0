"""An unknown shop's invoices in 300 daily files come in by configuration alone, and every line is accounted for.

The files are as such shops deliver them: one row a line of an invoice, cancellations as invoices `C…` with negative
quantities, blank customers, postage and samples among the products, two encodings, day before month, ids with `.0`.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlglot import exp
from tests.store.sources.workbench import load, rows, source, tally, write

from aimwell.store.sources.definition import Source
from aimwell.store.sources.log import data_version
from aimwell.store.sources.rejects import rejects
from aimwell.store.warehouse.duck import DuckEngine

DAYS = 300
HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"

INVOICES = """
label: {zh: 发票, en: Invoices}
read: {path: invoices/*.csv, nulls: ['NULL']}
timezone: Europe/London
tables:
  - table: purchase
    columns:
      order_id: InvoiceNo
      line: {expression: cast(nth(InvoiceNo) AS text)}
      customer_id: {expression: "regexp_replace(CustomerID, '[.]0$', '')"}
      product_id: {expression: upper(StockCode)}
      occurred_at: {column: InvoiceDate, format: "%d/%m/%Y %H:%M"}
      quantity: Quantity
      amount: {expression: number(Quantity) * number(UnitPrice)}
    where: StockCode NOT IN ('POST', 'DOT', 'M')
    reject:
      price_missing: number(UnitPrice) = 0
      returned_but_positive: InvoiceNo LIKE 'C%' AND number(Quantity) > 0
  - table: product
    columns: {product_id: {expression: upper(StockCode)}, name: Description}
    where: StockCode NOT IN ('POST', 'DOT', 'M')
    deduplicate: {keep: last}
  - table: customer
    columns:
      customer_id: {expression: "regexp_replace(CustomerID, '[.]0$', '')"}
      created_at: {column: InvoiceDate, format: "%d/%m/%Y %H:%M"}
      region: Country
    where: CustomerID IS NOT NULL
    deduplicate: {keep: first, by: created_at}
"""


@dataclass
class Shop:
    """What was written, counted as it was written."""

    lines: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    amount: Decimal = Decimal(0)
    customers: set[str] = field(default_factory=set)
    products: set[str] = field(default_factory=set)


def write_invoices(folder: Path, days: int = DAYS) -> Shop:
    """Daily files of an invented shop, with everything that real ones have."""
    chance, shop, first = random.Random(7), Shop(), date(2023, 1, 2)
    for day in range(days):
        when = first + timedelta(days=day)
        body = "".join(
            line
            for number in range(chance.randint(2, 5))
            for line in _invoice(chance, shop, f"{536000 + day * 10 + number}", when)
        )
        write(folder, f"invoices/{when.isoformat()}.csv", HEAD + body, "cp1252" if day % 7 == 3 else "utf-8-sig")
    return shop


def _invoice(chance: random.Random, shop: Shop, number: str, when: date) -> list[str]:
    cancelled = chance.random() < 0.1
    customer = "" if chance.random() < 0.2 else str(chance.randint(12_000, 12_400))
    stamp = f"{when:%d/%m/%Y} {chance.randint(9, 17)}:{chance.randint(10, 59)}"
    lines: list[str] = []
    for _ in range(chance.randint(1, 8)):
        code = chance.choice(["POST", "DOT", "M"]) if chance.random() < 0.05 else f"85{chance.randint(100, 199)}a"
        quantity = chance.randint(1, 12) * (-1 if cancelled and chance.random() < 0.98 else 1)
        price = Decimal(0) if chance.random() < 0.02 else Decimal(chance.randint(20, 2000)) / 100
        shown = "NULL" if not customer else f"{customer}.0" if when.day % 2 else customer
        at = stamp if chance.random() < 0.99 else "31/02/2023 10:00"
        invoice = f"C{number}" if cancelled else number
        lines.append(f'{invoice},{code},"Café tray, no. {code}",{quantity},{at},{price},{shown},United Kingdom\n')
        _count(shop, code, quantity, price, customer, readable=at == stamp, cancelled=cancelled)
    return lines


def _count(
    shop: Shop, code: str, quantity: int, price: Decimal, customer: str, *, readable: bool, cancelled: bool
) -> None:
    shop.lines += 1
    if customer and readable:
        shop.customers.add(customer)
    if code in {"POST", "DOT", "M"}:
        shop.ends["filtered"] += 1
        return
    shop.products.add(code.upper())
    if price == 0:
        shop.ends["price_missing"] += 1
    elif cancelled and quantity > 0:
        shop.ends["returned_but_positive"] += 1
    elif not readable:
        shop.ends["unreadable_occurred_at"] += 1
    elif not customer:
        shop.ends["missing_customer_id"] += 1
    else:
        shop.ends["kept"] += 1
        shop.amount += quantity * price


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Source, DuckEngine, Shop]:
    folder = tmp_path_factory.mktemp("shop")
    shop = write_invoices(folder)
    engine, invoices = DuckEngine(), source(INVOICES, "invoices")
    started = time.process_time()
    report = load(engine, folder, invoices)
    assert time.process_time() - started < 10, "300 daily files take a few seconds"
    found = tally(report)
    assert found.read == shop.lines
    assert (found.kept, found.filtered, found.duplicates) == (shop.ends["kept"], shop.ends["filtered"], 0)
    assert found.rejected == {end: n for end, n in shop.ends.items() if end not in {"kept", "filtered"}}
    assert report.sources[0].encodings == {"utf-8-sig": 257, "cp1252": 43}
    return folder, invoices, engine, shop


def test_purchases_are_net_of_cancellations(loaded: tuple[Path, Source, DuckEngine, Shop]) -> None:
    _, _, engine, shop = loaded
    total = exp.select(exp.Sum(this=exp.column("amount"))).from_("purchase")
    assert engine.to_arrow(total).column(0)[0].as_py() == shop.amount
    negative = exp.select(exp.Count(this=exp.Star())).from_("purchase").where("amount < 0 AND order_id LIKE 'C%'")
    assert engine.to_arrow(negative).column(0)[0].as_py() > 0


def test_products_and_customers_come_out_of_the_same_files(loaded: tuple[Path, Source, DuckEngine, Shop]) -> None:
    _, _, engine, shop = loaded
    assert {row[0] for row in rows(engine, "product", "product_id")} == shop.products
    assert {row[0] for row in rows(engine, "customer", "customer_id")} == shop.customers
    assert len(rows(engine, "customer", "customer_id")) == len(shop.customers)
    names = {row[0] for row in rows(engine, "product", "name")}
    assert all(str(name).startswith("Café tray, no. 85") for name in names)


def test_every_refused_line_is_kept_as_it_was_written(loaded: tuple[Path, Source, DuckEngine, Shop]) -> None:
    _, _, engine, shop = loaded
    found = rejects(engine, table="purchase", limit=10_000)
    assert Counter(each.reason for each in found) == {
        end: n for end, n in shop.ends.items() if end not in {"kept", "filtered"}
    }
    assert '"InvoiceNo":"' in found[0].raw
    assert found[0].file.startswith("invoices/2023-")


def test_the_next_day_is_one_more_file(loaded: tuple[Path, Source, DuckEngine, Shop]) -> None:
    folder, invoices, engine, _ = loaded
    before = data_version(engine)
    assert not load(engine, folder, invoices).changed
    write(folder, "invoices/2024-01-01.csv", HEAD + "999,85100a,x,2,01/01/2024 10:00,1.5,12001,France\n")
    report = load(engine, folder, invoices)
    assert report.sources[0].new == ("invoices/2024-01-01.csv",)
    assert (tally(report).read, tally(report).kept) == (1, 1)
    assert (tally(report, "product").replaced, tally(report, "customer").kept <= 1) == (1, True)
    (folder / "invoices/2024-01-01.csv").unlink()
    assert data_version(engine) != before
