"""Spreadsheets: cells as the text that a person would type, the sheet by name, rows below a title."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from aimwell.core.errors import BadSource
from aimwell.store.sources.readers.excel import EXCEL, ExcelRead


def book(folder: Path, sheets: dict[str, list[list[object]]]) -> None:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(folder / "a.xlsx")


def rows(folder: Path, **options: object) -> list[dict[str, object]]:
    read = ExcelRead.model_validate({"path": "a.xlsx", **options})
    piece = EXCEL.pieces(read, folder, None)[0]
    return [row for batch in EXCEL.batches(piece, read) for row in batch.rows.to_pylist()]


def test_cells_become_the_text_that_a_person_would_type(tmp_path: Path) -> None:
    cells = [17850.0, 2.5, "007", True, datetime(2024, 5, 1, 8, 30), date(2024, 5, 1), None]
    book(tmp_path, {"a": [["id", "x", "code", "ok", "at", "day", "none"], cells]})
    assert list(rows(tmp_path)[0].values()) == [
        "17850",
        "2.5",
        "007",
        "true",
        "2024-05-01T08:30:00",
        "2024-05-01",
        None,
    ]


def test_the_sheet_is_named_and_begins_below_its_title(tmp_path: Path) -> None:
    book(tmp_path, {"first": [["x"], [1]], "订单": [["Export", None], ["id", "n"], [1, 2], [None, None], [3, 4]]})
    assert rows(tmp_path) == [{"x": "1"}]
    assert rows(tmp_path, sheet="订单", skip_rows=1) == [{"id": "1", "n": "2"}, {"id": "3", "n": "4"}]
    with pytest.raises(BadSource, match=r"no sheet '订 单' \(did you mean '订单'\?\)"):
        rows(tmp_path, sheet="订 单")
