"""The calendar of a country as a source: public holidays and days off, from an installed package, no file needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import Field

from aimwell.core.text import Language
from aimwell.store.calendar import calendar_rows
from aimwell.store.sources.parts import Mistake
from aimwell.store.sources.reading import BATCH_ROWS, Batch, Piece, RawColumn, Read, Reader


class CalendarRead(Read):
    """`read:` for the calendar of a country, from one day to before another."""

    format: Literal["calendar"] = "calendar"
    country: str = Field(pattern=r"^[A-Z]{2}$", description="ISO 3166 code, such as CN")
    since: date = Field(description="First day; begin a year before the data, so that habits around holidays show")
    until: date = Field(description="Day after the last; go as far ahead as you plan")
    language: Language = Field(default="zh", description="Language of the holidays' names, zh or en")

    @classmethod
    def mistakes(cls, written: Mapping[str, object]) -> Iterator[Mistake]:
        """The calendar must have days."""
        yield from super().mistakes(written)
        since, until = (written.get(name) for name in ("since", "until"))
        if isinstance(since, date) and isinstance(until, date) and until <= since:
            yield Mistake(("until",), f"the calendar has no days: until {until} is not after since {since}")


class CalendarReader(Reader[CalendarRead]):
    """Gives the rows of `aimwell.store.calendar`, ready for the table `context`."""

    name = "calendar"
    options = CalendarRead

    def pieces(self, read: CalendarRead, folder: Path, mark: str | None) -> list[Piece]:
        return [Piece(f"calendar:{read.country}")]

    def columns(self, piece: Piece, read: CalendarRead) -> tuple[RawColumn, ...]:
        return (
            RawColumn("day", "day"),
            RawColumn("place"),
            RawColumn("kind"),
            RawColumn("value", "number"),
            RawColumn("label"),
            RawColumn("issued_at", "aware"),
        )

    def batches(self, piece: Piece, read: CalendarRead) -> Iterator[Batch]:
        rows = calendar_rows(read.country, read.since, read.until, language=read.language)
        reached = 0
        for batch in rows.to_batches(BATCH_ROWS):
            numbers = pa.array(range(reached + 1, reached + batch.num_rows + 1), pa.int64())
            reached += batch.num_rows
            yield Batch(pa.Table.from_batches([batch]), numbers)


CALENDAR = CalendarReader()
