"""CSV and its relatives: any delimiter, quoting and encoding, streamed; rows of the wrong width are kept aside."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from pydantic import Field

from aimwell.core.errors import BadSource
from aimwell.store.sources.encoding import check_encoding, encoding_of
from aimwell.store.sources.parts import Mistake
from aimwell.store.sources.places import file_of, file_pieces, open_binary
from aimwell.store.sources.reading import Batch, Broken, FileRead, Piece, RawColumn, Reader, unique_names

_BLOCK = 1 << 22
_HEAD = 1 << 20


class CsvRead(FileRead):
    """`read:` for text files with a delimiter."""

    format: Literal["csv"] = "csv"
    delimiter: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="One sign; by default a comma, a tab in .tsv and .tab files",
    )
    quote: str | None = Field(default='"', max_length=1, description="Sign around values; null for none")
    escape: str | None = Field(default=None, max_length=1, description="Sign before a literal quote")
    encoding: str = Field(default="auto", description="A codec such as utf-8 or gb18030; auto looks at every file")
    header: bool = Field(default=True, description="Whether the first row names the columns")
    names: tuple[str, ...] = Field(default=(), description="Column names of files without a header")
    skip_rows: int = Field(default=0, ge=0, description="Lines above the header")

    @classmethod
    def mistakes(cls, written: Mapping[str, object]) -> Iterator[Mistake]:
        """Names belong to files without a header."""
        yield from super().mistakes(written)
        if written.get("names") and written.get("header", True):
            yield Mistake(("names",), "the header names the columns already (write header: false, or leave names out)")

    @property
    def separator(self) -> str:
        """The delimiter, as given or by the file's ending."""
        tab = self.path.lower().removesuffix(".gz").endswith((".tsv", ".tab"))
        return self.delimiter or ("\t" if tab else ",")


class CsvReader(Reader[CsvRead]):
    """Reads delimited text by Arrow, every value as text."""

    name = "csv"
    suffixes = (".csv", ".tsv", ".tab", ".txt")
    options = CsvRead

    def pieces(self, read: CsvRead, folder: Path, mark: str | None) -> list[Piece]:
        return file_pieces(read, folder)

    def columns(self, piece: Piece, read: CsvRead) -> tuple[RawColumn, ...]:
        if read.names:
            return tuple(RawColumn(name) for name in unique_names(read.names))
        first = _first_row(piece, read, codec_of(piece, read))
        names = unique_names(first) if read.header else [f"column {n}" for n in range(1, len(first) + 1)]
        return tuple(RawColumn(name) for name in names)

    def batches(self, piece: Piece, read: CsvRead) -> Iterator[Batch]:
        names = [column.name for column in self.columns(piece, read)]
        if not names:
            return
        broken: list[Broken] = []
        above = 1 if read.header else 0

        def set_aside(row: arrow_csv.InvalidRow) -> str:
            broken.append(Broken(row.number - above, row.text))
            return "skip"

        reached = 0
        with open_binary(file_of(piece)) as stream:
            try:
                for rows in arrow_csv.open_csv(stream, *_settings(read, codec_of(piece, read), len(names), set_aside)):
                    aside, broken = _split(broken, reached, rows.num_rows)
                    numbers = _numbers(reached, rows.num_rows, [row.number for row in aside])
                    reached += rows.num_rows + len(aside)
                    yield Batch(pa.table(rows.columns, names=names), numbers, tuple(aside))
            except pa.ArrowInvalid as error:
                if "Empty CSV" not in str(error):
                    raise _unreadable(piece, str(error)) from error
            except UnicodeDecodeError as error:
                raise _unreadable(piece, f"it is not {error.encoding}: {error.reason}") from error
        if broken:
            yield Batch(
                pa.table([pa.array([], pa.string())] * len(names), names=names), _numbers(0, 0, []), tuple(broken)
            )

    def encoding(self, piece: Piece, read: CsvRead) -> str | None:
        return codec_of(piece, read)


def codec_of(piece: Piece, read: CsvRead) -> str:
    """The encoding of one file, found or as written; raises BadSource when the file is not in it."""
    path = file_of(piece)
    if read.encoding == "auto":
        return encoding_of(path, piece.size, piece.modified).codec
    check_encoding(path, piece.size, piece.modified, read.encoding)
    return read.encoding


def _settings(
    read: CsvRead, codec: str, width: int, set_aside: object
) -> tuple[arrow_csv.ReadOptions, arrow_csv.ParseOptions, arrow_csv.ConvertOptions]:
    physical = [f"c{number}" for number in range(width)]
    reading = arrow_csv.ReadOptions(
        use_threads=False,  # with threads Arrow does not say which rows it sets aside
        block_size=_BLOCK,
        column_names=physical,
        skip_rows=read.skip_rows,
        skip_rows_after_names=1 if read.header else 0,
        encoding="utf8" if codec in {"utf-8", "utf-8-sig"} else codec,
    )
    parsing = arrow_csv.ParseOptions(
        delimiter=read.separator,
        quote_char=read.quote or False,
        double_quote=bool(read.quote),
        escape_char=read.escape or False,
        newlines_in_values=bool(read.quote),
        invalid_row_handler=set_aside,
    )
    converting = arrow_csv.ConvertOptions(
        column_types={name: pa.string() for name in physical}, strings_can_be_null=False
    )
    return reading, parsing, converting


def _first_row(piece: Piece, read: CsvRead, codec: str) -> list[str]:
    """The cells of the first row below the skipped lines; empty when the file holds nothing."""
    with open_binary(file_of(piece)) as stream:
        head = stream.read(_HEAD).decode(codec, errors="ignore").lstrip("\ufeff")
    lines = io.StringIO("".join(head.splitlines(keepends=True)[read.skip_rows :]), newline="")
    rows = csv.reader(
        lines,
        delimiter=read.separator,
        quotechar=read.quote or None,
        escapechar=read.escape,
        quoting=csv.QUOTE_MINIMAL if read.quote else csv.QUOTE_NONE,
    )
    try:
        return next((row for row in rows if row), [])
    except csv.Error as error:
        raise _unreadable(piece, str(error)) from error


def _split(broken: list[Broken], reached: int, good: int) -> tuple[list[Broken], list[Broken]]:
    """The broken rows that stand among the next `good` ones, and those after them (Arrow parses ahead)."""
    end = reached + good
    for position, row in enumerate(broken):
        if row.number > end:
            return broken[:position], broken[position:]
        end += 1
    return broken, []


def _numbers(reached: int, good: int, broken: list[int]) -> pa.Array:
    """The numbers of the good rows of a batch: those after `reached` that are not broken."""
    every = np.arange(reached + 1, reached + good + len(broken) + 1, dtype=np.int64)
    return pa.array(np.setdiff1d(every, np.array(broken, dtype=np.int64), assume_unique=True) if broken else every)


def _unreadable(piece: Piece, reason: str) -> BadSource:
    return BadSource(
        f"{piece.name} cannot be read as CSV",
        seen=reason,
        remedy="Check the delimiter and the quotes (quote: null if quotes are plain signs).",
    )


CSV = CsvReader()
