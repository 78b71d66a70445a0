"""Audience files: lists of customers as CSV and Parquet, safe to open in a spreadsheet."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from aimwell.core.errors import BadQuestion

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_table(rows: pa.Table, path: Path) -> Path:
    """Write rows to a .csv (UTF-8 with BOM, as spreadsheets expect) or .parquet file; a failed write leaves the former.

    Text cells that a spreadsheet would run as a formula are quoted with an apostrophe.
    """
    if path.suffix not in {".csv", ".parquet"}:
        raise BadQuestion(f"Cannot tell the format of {path.name}", expected="a name ending in .csv or .parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(rows, fresh)
    else:
        with fresh.open("wb") as sink:
            sink.write(b"\xef\xbb\xbf")
            pyarrow.csv.write_csv(_quoted(rows), sink)
    fresh.replace(path)
    return path


def _quoted(rows: pa.Table) -> pa.Table:
    """The rows with formula-like text made harmless."""
    for index, field in enumerate(rows.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            safe = [_harmless(value) for value in rows.column(index).to_pylist()]
            rows = rows.set_column(index, field.name, pa.array(safe, pa.string()))
    return rows


def _harmless(value: str | None) -> str | None:
    return f"'{value}" if value and value.startswith(_FORMULA) else value
