"""A very small shop, made of rows that can be read by eye, for tests of the warehouse."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa

from aimwell.core.tables import TABLES, Table
from aimwell.core.time import zone
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.warehouse import Warehouse

NEW_YORK = zone("America/New_York")
AS_OF = datetime(2017, 11, 1, tzinfo=NEW_YORK)  # 04:00 UTC

_ARROW = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "money": pa.decimal128(18, 2),
    "instant": pa.timestamp("us"),
    "day": pa.date32(),
    "boolean": pa.bool_(),
    "json": pa.string(),
}


def instant(text: str) -> datetime:
    """A naive UTC instant, as the warehouse keeps it."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).replace(tzinfo=None)


def rows(name: str, *given: dict[str, object]) -> pa.Table:
    """Rows of a canonical table; what is not given is empty."""
    table: Table = TABLES[name]
    unknown = {key for row in given for key in row} - set(table.names)
    assert not unknown, unknown
    return pa.table(
        {
            column.name: pa.array([row.get(column.name) for row in given], _ARROW[column.kind])
            for column in table.columns
        }
    )


def purchase(customer: str, at: str, amount: str, *, order: str | None = None, **more: object) -> dict[str, object]:
    """One purchase line."""
    occurred = instant(at)
    return {
        "order_id": order or f"{customer}-{at}",
        "line": "1",
        "customer_id": customer,
        "occurred_at": occurred,
        "amount": Decimal(amount),
        "quantity": 1.0,
        **more,
    }


def shop(engine: Engine | None = None, **tables: pa.Table) -> Warehouse:
    """A warehouse in New York that holds the given tables."""
    chosen = engine or DuckEngine()
    for name, given in tables.items():
        chosen.write(name, given)
    return Warehouse(chosen, NEW_YORK, {"high": 100, "word": "it's; DROP TABLE purchase"})


def small_shop(engine: Engine | None = None) -> Warehouse:
    """Two customers, four purchases around the cut, two products whose price changes."""
    return shop(
        engine,
        purchase=rows(
            "purchase",
            purchase("ann", "2017-10-01T12:00:00", "10.00", product_id="tea"),
            purchase("ann", "2017-10-31T23:00:00", "20.50", product_id="cup"),
            purchase("ann", "2017-11-01T04:00:00", "99.00", product_id="tea"),  # exactly at the cut: not yet known
            purchase("bob", "2017-09-01T12:00:00", "5.00", product_id="tea"),
        ),
        product=rows(
            "product",
            {"product_id": "tea", "category": "drinks", "price": Decimal("3.00"), "known_at": instant("2017-01-01")},
            {"product_id": "tea", "price": Decimal("4.00"), "known_at": instant("2017-10-15")},
            {"product_id": "tea", "price": Decimal("9.00"), "known_at": instant("2017-11-01T04:00:00")},
            {"product_id": "cup", "category": "ware", "price": Decimal("8.00"), "known_at": instant("2017-01-01")},
        ),
    )
