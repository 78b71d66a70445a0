"""Small warehouses made of a few rows written out, for features that can be checked by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa

from aimwell.core.tables import TABLES
from aimwell.core.time import to_store, zone
from aimwell.insight.features.build import Features
from aimwell.insight.features.library import library
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse

SHANGHAI = zone("Asia/Shanghai")
_ARROW = {
    "text": pa.string(),
    "json": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "money": pa.decimal128(18, 2),
    "instant": pa.timestamp("us"),
    "day": pa.date32(),
    "boolean": pa.bool_(),
}
Rows = Sequence[Mapping[str, object]]


def local(*moment: int) -> datetime:
    """An instant on the clock of Shanghai, as the warehouse keeps it."""
    year, month, day, hour, minute = (*moment, 0, 0)[:5]
    return to_store(datetime(year, month, day, hour, minute, tzinfo=SHANGHAI))


def warehouse_with(**tables: Rows) -> Warehouse:
    """A warehouse of the given rows; columns that no row has are not there, money may be written as a number."""
    engine = DuckEngine(threads=2)
    for name, rows in tables.items():
        columns = [column for column in TABLES[name].columns if any(column.name in row for row in rows)]
        arrays = [
            pa.array([_value(row.get(column.name), column.kind) for row in rows], _ARROW[column.kind])
            for column in columns
        ]
        engine.write(name, pa.table(arrays, names=[column.name for column in columns]))
    return Warehouse(engine, SHANGHAI)


def values(warehouse: Warehouse, as_of: datetime, *names: str) -> dict[str, dict[str, object]]:
    """The named features of every customer known at an instant on the clock of Shanghai."""
    cut = as_of if as_of.tzinfo else as_of.replace(tzinfo=UTC)
    history = warehouse.history(cut)
    warehouse.engine.write("everyone", history.to_arrow("SELECT customer_id FROM customer"))
    rows = Features(history, library()).to_arrow("everyone", names).to_pylist()
    return {row["customer_id"]: {name: _plain(row[name]) for name in names} for row in rows}


def _value(value: object, kind: str) -> object:
    return Decimal(str(value)) if kind == "money" and isinstance(value, int | float) else value


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value
