"""Rows that pile up column by column while simulated time passes, and the canonical Arrow tables made of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aimwell.core.tables import TABLES, Kind
from aimwell.simulation.chance import Instants

Array = npt.NDArray[np.generic]
_TYPES: Mapping[Kind, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "money": pa.decimal128(18, 2),
    "instant": pa.timestamp("us"),
    "day": pa.date32(),
    "boolean": pa.bool_(),
    "json": pa.string(),
}


class Records:
    """Collects rows of several kinds; single values stand for whole columns."""

    def __init__(self) -> None:
        self._parts: dict[str, list[dict[str, Array]]] = {}

    def add(self, kind: str, /, **columns: object) -> None:
        """Add rows of a kind: equally long arrays, or single values that hold for all of them."""
        arrays = {name: np.asarray(value) for name, value in columns.items()}
        count = max((len(value) for value in arrays.values() if value.ndim), default=1)
        full = {n: v if v.ndim else np.full(count, v, dtype=_kept(v)) for n, v in arrays.items()}
        self._parts.setdefault(kind, []).append(full)

    def of(self, kind: str) -> dict[str, Array]:
        """All rows of a kind, in the order in which they were added; no columns if nothing was ever added."""
        parts = self._parts.get(kind, [])
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}


def _kept(value: Array) -> np.dtype[np.generic]:
    return np.dtype(object) if value.dtype.kind == "U" else value.dtype


def canonical(name: str, columns: Mapping[str, Array]) -> pa.Table:
    """A canonical table from arrays by column, in the table's types; columns that it does not have are an error.

    NaN, NaT and None become NULL; money is rounded to two digits.
    """
    declared = TABLES[name]
    unknown = [column for column in columns if column not in declared.names]
    if unknown:
        raise KeyError(f"{name} has no column {', '.join(unknown)}")
    arrays, fields = [], []
    for column in declared.columns:
        if column.name in columns:
            arrays.append(_arrow(columns[column.name], column.kind))
            fields.append(pa.field(column.name, _TYPES[column.kind]))
    return pa.table(arrays, schema=pa.schema(fields))


def _arrow(values: Array, kind: Kind) -> pa.Array:
    if kind == "money":
        return pa.array(np.round(values.astype(np.float64), 2), from_pandas=True).cast(_TYPES["money"])
    if kind == "integer" and values.dtype.kind == "f":
        return pa.array(values, from_pandas=True).cast(pa.int64())
    if kind == "instant":
        return pa.array(values.astype("datetime64[us]"))
    if kind == "day":
        return pa.array(values.astype("datetime64[D]"))
    return pa.array(values.astype(object) if kind in {"text", "json"} else values, _TYPES[kind], from_pandas=True)


def utc(day: Array, second: Array, offset_seconds: Array | int) -> Instants:
    """Naive UTC instants from local days, seconds after local midnight and the offset of the local clock."""
    local = day.astype("datetime64[D]").astype("datetime64[s]") + second.astype("timedelta64[s]")
    moved: Instants = (local - np.asarray(offset_seconds).astype("timedelta64[s]")).astype("datetime64[us]")
    return moved


def ids(prefix: str, count: int, *, first: int = 1) -> npt.NDArray[np.object_]:
    """Ids of equal length with a prefix, counted from `first`."""
    return np.asarray([f"{prefix}{number:06d}" for number in range(first, first + count)], dtype=object)
