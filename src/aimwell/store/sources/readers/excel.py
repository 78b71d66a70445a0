"""Excel and OpenDocument sheets: every cell as the text that a person would type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import Field
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from aimwell.core.errors import BadSource
from aimwell.store.sources.parts import nearest
from aimwell.store.sources.places import file_of, file_pieces
from aimwell.store.sources.reading import BATCH_ROWS, Batch, FileRead, Piece, RawColumn, Reader, unique_names

Cell = int | float | str | bool | time | date | datetime | timedelta


class ExcelRead(FileRead):
    """`read:` for spreadsheets."""

    format: Literal["excel"] = "excel"
    sheet: str | None = Field(default=None, description="Name of the sheet; by default the first")
    header: bool = Field(default=True, description="Whether the first row names the columns")
    skip_rows: int = Field(default=0, ge=0, description="Rows above the header")


class ExcelReader(Reader[ExcelRead]):
    """Reads one sheet of a workbook; the whole sheet is held in memory while it is read."""

    name = "excel"
    suffixes = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
    options = ExcelRead

    def pieces(self, read: ExcelRead, folder: Path, mark: str | None) -> list[Piece]:
        return file_pieces(read, folder)

    def columns(self, piece: Piece, read: ExcelRead) -> tuple[RawColumn, ...]:
        first = next(_rows(piece, read), None)
        if first is None:
            return ()
        names = [_text(cell) or "" for cell in first] if read.header else [""] * len(first)
        return tuple(RawColumn(name) for name in unique_names(names))

    def batches(self, piece: Piece, read: ExcelRead) -> Iterator[Batch]:
        names = [column.name for column in self.columns(piece, read)]
        rows = islice(_rows(piece, read), 1 if read.header else 0, None)
        reached = 0
        while taken := list(islice(rows, BATCH_ROWS)):
            numbered = [
                (reached + place, row) for place, row in enumerate(taken, 1) if any(_text(cell) for cell in row)
            ]
            reached += len(taken)
            columns = [pa.array([_text(row[at]) for _, row in numbered], pa.string()) for at in range(len(names))]
            yield Batch(pa.table(columns, names=names), pa.array([number for number, _ in numbered], pa.int64()))


def _rows(piece: Piece, read: ExcelRead) -> Iterator[Sequence[Cell]]:
    sheet = _sheet(piece, read)
    yield from islice(sheet.to_python(skip_empty_area=False), read.skip_rows, None)


def _sheet(piece: Piece, read: ExcelRead) -> CalamineSheet:
    try:
        book = CalamineWorkbook.from_path(file_of(piece))
        if read.sheet is None:
            return book.get_sheet_by_index(0)
        if read.sheet not in book.sheet_names:
            raise BadSource(f"{piece.name} has no sheet {read.sheet!r}{nearest(read.sheet, book.sheet_names)}")
        return book.get_sheet_by_name(read.sheet)
    except (CalamineError, OSError) as error:
        raise BadSource(
            f"{piece.name} cannot be read as a spreadsheet", seen=str(error), remedy="Is it protected, or not Excel?"
        ) from error


def _text(cell: Cell) -> str | None:
    """A cell as text: whole numbers without a point, instants and days in ISO form, nothing for an empty one.

    >>> _text(17850.0), _text(2.5), _text("")
    ('17850', '2.5', None)
    """
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell) or None


EXCEL = ExcelReader()
