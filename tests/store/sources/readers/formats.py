"""The same three rows in every format, for the contract that every reader keeps.

A new reader adds a function here that writes the rows and gives the `read:` part; without it the contract fails.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as arrow_parquet

Rows = list[dict[str, object]]

ROWS: Rows = [
    {"id": 1, "名称": "茶, 绿", "paid": 12.5, "at": "2024-05-01 08:30:00"},
    {"id": 2, "名称": 'say "hi"', "paid": None, "at": "2024-05-02 00:00:00"},
    {"id": 3, "名称": None, "paid": -3.0, "at": "2024-05-03 23:59:59"},
]


@dataclass(frozen=True)
class Sample:
    """Where the rows were written, as the keys of `read:`, and which of them the reader should give."""

    read: Mapping[str, object]
    rows: int = len(ROWS)


def _csv(folder: Path) -> Sample:
    lines = [",".join(ROWS[0])]
    for row in ROWS:
        cells = ["" if value is None else str(value).replace('"', '""') for value in row.values()]
        lines.append(",".join(f'"{cell}"' for cell in cells))
    (folder / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Sample({"path": "a.csv"})


def _jsonl(folder: Path) -> Sample:
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)
    (folder / "a.jsonl").write_text(text, encoding="utf-8")
    return Sample({"path": "a.jsonl"})


def _parquet(folder: Path) -> Sample:
    arrow_parquet.write_table(pa.Table.from_pylist(ROWS), folder / "a.parquet")
    return Sample({"path": "a.parquet"})


def _excel(folder: Path) -> Sample:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(ROWS[0]))
    for row in ROWS:
        sheet.append(list(row.values()))
    book.save(folder / "a.xlsx")
    return Sample({"path": "a.xlsx"})


def _database(folder: Path) -> Sample:
    with sqlite3.connect(folder / "a.db") as connection:
        connection.execute('CREATE TABLE orders (id INTEGER, "名称" TEXT, paid REAL, at TEXT)')
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", [tuple(row.values()) for row in ROWS])
    connection.close()
    return Sample({"format": "database", "url_env": "AIMWELL_TEST_DB", "table": "orders"})


def _calendar(folder: Path) -> Sample:
    read = {"format": "calendar", "country": "CN", "since": "2024-01-01", "until": "2024-03-01", "language": "zh"}
    return Sample(read, rows=0)


WRITERS: Mapping[str, Callable[[Path], Sample]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
    "excel": _excel,
    "database": _database,
    "calendar": _calendar,
}
