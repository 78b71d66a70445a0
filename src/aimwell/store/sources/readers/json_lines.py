"""JSON lines: one object a line; what is nested is JSON text under its name, and in parts under dotted ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import Field

from aimwell.core.errors import BadSource
from aimwell.store.sources.places import file_of, file_pieces, open_binary
from aimwell.store.sources.reading import Batch, Broken, FileRead, Piece, RawColumn, Reader

_LOOKED_AT = 1_000
_ROWS = 20_000  # as Python objects these take some 50 MB


class JsonLinesRead(FileRead):
    """`read:` for files with one JSON object a line."""

    format: Literal["jsonl"] = "jsonl"
    encoding: str = Field(default="utf-8-sig", description="A codec such as utf-8 or gb18030")


class JsonLinesReader(Reader[JsonLinesRead]):
    """Reads JSON lines; numbers keep the digits that were written."""

    name = "jsonl"
    suffixes = (".jsonl", ".ndjson")
    options = JsonLinesRead
    sparse = True

    def pieces(self, read: JsonLinesRead, folder: Path, mark: str | None) -> list[Piece]:
        return file_pieces(read, folder)

    def columns(self, piece: Piece, read: JsonLinesRead) -> tuple[RawColumn, ...]:
        names: dict[str, None] = {}
        for _, row in islice(_rows(piece, read), _LOOKED_AT):
            if isinstance(row, dict):
                names |= dict.fromkeys(row)
        return tuple(RawColumn(name) for name in names)

    def batches(self, piece: Piece, read: JsonLinesRead) -> Iterator[Batch]:
        rows = _rows(piece, read)
        while taken := list(islice(rows, _ROWS)):
            good = [(number, row) for number, row in taken if isinstance(row, dict)]
            names = dict.fromkeys(name for _, row in good for name in row)
            columns = [pa.array([row.get(name) for _, row in good], pa.string()) for name in names]
            numbers = pa.array([number for number, _ in good], pa.int64())
            broken = tuple(Broken(number, row) for number, row in taken if isinstance(row, str))
            yield Batch(pa.table(columns, names=list(names)), numbers, broken)


def _rows(piece: Piece, read: JsonLinesRead) -> Iterator[tuple[int, dict[str, str | None] | str]]:
    """Every line with its number: its flat values, or its text when it is no object."""
    with open_binary(file_of(piece)) as stream:
        for number, line in enumerate(stream, 1):
            try:
                text = line.decode(read.encoding).strip()
            except (UnicodeDecodeError, LookupError) as error:
                raise BadSource(
                    f"{piece.name} is not written in {read.encoding}",
                    seen=f"line {number}: {error}",
                    remedy="Set encoding.",
                ) from error
            if number == 1 and text == "[":
                raise BadSource(
                    f"{piece.name} is one JSON list",
                    expected="one object a line",
                    remedy="Write each object on a line.",
                )
            if text:
                yield number, _parsed(text)


def _parsed(text: str) -> dict[str, str | None] | str:
    try:
        value = json.loads(text, parse_float=_Written)
    except (json.JSONDecodeError, RecursionError):
        return text
    return dict(_flat(value, "")) if isinstance(value, dict) else text


class _Written(float):
    """A number with the digits that were written (1.10 stays 1.10)."""

    def __new__(cls, text: str) -> _Written:
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str


def _flat(value: Mapping[str, object], above: str) -> Iterator[tuple[str, str | None]]:
    """The values of an object: nested ones as JSON under their own name, and each of theirs under a dotted one."""
    for key, inner in value.items():
        name = f"{above}{key}"
        if isinstance(inner, dict):
            yield name, json.dumps(inner, ensure_ascii=False)
            yield from _flat(inner, f"{name}.")
        elif inner is None or isinstance(inner, str):
            yield name, inner
        elif isinstance(inner, _Written):
            yield name, inner.text
        else:
            yield name, json.dumps(inner, ensure_ascii=False)


JSON_LINES = JsonLinesReader()
