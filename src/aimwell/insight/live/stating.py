"""What people say of themselves, as rows of `customer`: each says only what was said, from when we knew it on.

A trait becomes the column of its name, if the canonical table has one (or the company's own has added it); `birthday`
and the parts of `address`, as the Segment specification calls them, have theirs. A value that does not fit the column
is left out: it stays in the ledger's profile as it was said.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa

from aimwell.core.tables import TABLES, Kind
from aimwell.core.time import to_store
from aimwell.insight.identity.traits import flatten
from aimwell.insight.live.renaming import UNDER

INSTANT = pa.timestamp("us")
ALIASES = {"birthday": "birth_date", "address.city": "city", "address.state": "region"}
_TYPES: Mapping[Kind, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "money": pa.decimal128(18, 2),
    "instant": INSTANT,
    "day": pa.date32(),
    "boolean": pa.bool_(),
    "json": pa.string(),
}
_OWN = {"customer_id", "created_at", "known_at", "unit"}
"""Columns that no trait may set: who it is, since when, and to whom the customer belongs."""


def columns_of_traits() -> dict[str, Kind]:
    """The columns that traits may set, with their kinds."""
    return {column.name: column.kind for column in TABLES["customer"].columns if column.name not in _OWN}


def stated_rows(stated: Iterable[tuple[str, str, int, str]]) -> pa.Table:
    """Rows of `customer` from traits.

    stated: customer, who the sender would be alone, instant at which we learnt it (microseconds) and traits (JSON), one
    for each message. Messages that say nothing of any column give no row; columns of which nothing is said are not
    there.
    """
    kinds = columns_of_traits()
    rows = []
    for customer_id, sender, received_at, traits in stated:
        values = {
            column: value
            for name, content in flatten(json.loads(traits))
            if (column := ALIASES.get(name, name)) in kinds
            and content is not None
            and (value := _fit(content.text if content.text is not None else content.number, kinds[column])) is not None
        }
        if values:
            rows.append({"customer_id": customer_id, "known_at": received_at, UNDER: sender, **values})
    said = [name for name in kinds if any(name in row for row in rows)]
    columns: dict[str, pa.Array] = {
        "customer_id": pa.array([row["customer_id"] for row in rows], pa.string()),
        "known_at": pa.array([row["known_at"] for row in rows], pa.int64()).cast(INSTANT),
        UNDER: pa.array([row[UNDER] for row in rows], pa.string()),
    }
    for name in said:
        columns[name] = pa.array([row.get(name) for row in rows], _TYPES[kinds[name]])
    return pa.table(columns)


def _fit(value: Any, kind: Kind) -> object | None:  # noqa: ANN401 (whatever a trait holds)
    """The value as the column keeps it; None if it does not fit."""
    try:
        return _READERS[kind](value)
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        return None


def _whole(value: Any) -> int:  # noqa: ANN401
    number = float(value)
    if number != int(number):
        raise ValueError(value)
    return int(number)


def _text(value: Any) -> str:  # noqa: ANN401
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def _instant(value: Any) -> datetime:  # noqa: ANN401
    return to_store(datetime.fromisoformat(str(value)))


_READERS: Mapping[Kind, Callable[[Any], object]] = {
    "text": _text,
    "integer": _whole,
    "number": float,
    "money": lambda value: Decimal(str(value)).quantize(Decimal("0.01")),
    "instant": _instant,
    "day": lambda value: date.fromisoformat(str(value)[:10]),
    "boolean": lambda value: {"true": True, "false": False, "1.0": True, "0.0": False}[str(value).lower()],
    "json": str,
}
