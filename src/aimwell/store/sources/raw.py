"""Arrow values as the few plain kinds that staging knows."""

from __future__ import annotations

import json

import pyarrow as pa
from pyarrow import compute

from aimwell.store.sources.reading import RawKind

_DIGITS_OF_BIGINT = 18


def kind_of(arrow: pa.DataType) -> RawKind:
    """What the values of an Arrow type are to us; nested and binary values count as text."""
    if pa.types.is_dictionary(arrow):
        return kind_of(arrow.value_type)
    if pa.types.is_boolean(arrow):
        return "boolean"
    if pa.types.is_integer(arrow) and arrow != pa.uint64():
        return "integer"
    if pa.types.is_floating(arrow):
        return "number"
    if pa.types.is_decimal(arrow) and arrow.scale == 0 and arrow.precision <= _DIGITS_OF_BIGINT:
        return "integer"
    if pa.types.is_decimal(arrow):
        return "decimal"
    if pa.types.is_timestamp(arrow):
        return "aware" if arrow.tz else "instant"
    return "day" if pa.types.is_date(arrow) else "text"


def plain(values: pa.Array) -> pa.Array:
    """Values in the one Arrow type of their kind: what is not a number becomes null, offsets become UTC."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = kind_of(values.type)
    if kind == "integer":
        return values.cast(pa.int64())
    if kind == "number":
        wide = values.cast(pa.float64())
        return compute.if_else(compute.is_finite(wide), wide, pa.scalar(None, pa.float64()))
    if kind == "aware":
        return values.cast(pa.timestamp("us", values.type.tz), safe=False).cast(pa.timestamp("us"))
    if kind == "instant":
        return values.cast(pa.timestamp("us"), safe=False)
    if kind == "day":
        return values.cast(pa.date32())
    return _text(values) if kind == "text" else values


def _text(values: pa.Array) -> pa.Array:
    if pa.types.is_nested(values.type):
        written = [
            None if row is None else json.dumps(row, ensure_ascii=False, default=str) for row in values.to_pylist()
        ]
        return pa.array(written, pa.string())
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        return pa.array([None if v is None else v.decode("utf-8", "replace") for v in values.to_pylist()], pa.string())
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), pa.string())
    return values.cast(pa.string())
