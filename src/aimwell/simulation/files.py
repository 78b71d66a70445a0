"""Writes simulated tables as a company would deliver them: own column names, local times, one file a month."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as arrow_parquet
from pyarrow import compute

_BOM = b"\xef\xbb\xbf"


def delivered(table: pa.Table, names: Mapping[str, str], *, offset_hours: int) -> pa.Table:
    """The columns that are delivered, under the company's names, instants on the company's clock.

    names: canonical column by the company's name for it.
    """
    arrays: list[pa.ChunkedArray] = []
    for canonical in names.values():
        values = table.column(canonical)
        arrays.append(_local(values, offset_hours) if pa.types.is_timestamp(values.type) else values)
    return pa.table(arrays, names=list(names))


def write_csv(path: Path, rows: pa.Table, *, bom: bool = False) -> None:
    """One CSV file, in UTF-8, with a byte-order mark if a spreadsheet program shall open it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        if bom:
            stream.write(_BOM)
        arrow_csv.write_csv(rows, stream)


def write_parquet(path: Path, rows: pa.Table) -> None:
    """One Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrow_parquet.write_table(rows, path)


def write_json_lines(path: Path, rows: pa.Table) -> None:
    """One object a line; instants as texts that say their offset if they are texts already, empty values left out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        for row in rows.to_pylist():
            kept = {name: value for name, value in row.items() if value is not None}
            stream.write(json.dumps(kept, ensure_ascii=False) + "\n")


def by_month(rows: pa.Table, column: str) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each month of a date or instant column, as `2025-01` and rows, in order."""
    month = compute.strftime(rows.column(column).cast(pa.timestamp("us")), format="%Y-%m")
    for name in sorted(compute.unique(month).to_pylist()):
        yield name, rows.filter(compute.equal(month, name))


def as_text(rows: pa.Table, *columns: str, offset: str = "") -> pa.Table:
    """The rows with these instants written out to the second, with the offset after them."""
    for column in columns:
        written = compute.strftime(rows.column(column), format="%Y-%m-%dT%H:%M:%S")
        text = compute.binary_join_element_wise(written.cast(pa.string()), offset, "")
        rows = rows.set_column(rows.column_names.index(column), column, text)
    return rows


def write_truth(folder: Path, truth: Mapping[str, pa.Table]) -> None:
    """The truth, beside the data and never among them."""
    for name, rows in truth.items():
        write_parquet(folder / f"{name}.parquet", rows)


def _local(values: pa.ChunkedArray, offset_hours: int) -> pa.ChunkedArray:
    shift = pa.scalar(offset_hours * 3_600_000_000, pa.duration("us"))
    return compute.add(values, shift).cast(pa.timestamp("s"), safe=False)
