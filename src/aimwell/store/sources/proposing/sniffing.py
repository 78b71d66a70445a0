"""What an unknown file is: its format, delimiter, header and encoding, and the first of its rows."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aimwell.core.errors import BadSource
from aimwell.store.sources.encoding import encoding_of
from aimwell.store.sources.places import file_of, file_pieces, open_binary
from aimwell.store.sources.proposing.values import looks_like_data
from aimwell.store.sources.reading import FileRead, Piece, RawKind, format_of, readers

_DELIMITERS = ",;\t|"
_LOOKED_AT = 50
_ROWS = 5_000
_FILES = 12
_HEAD = 1 << 18
_USUAL = 0.8
# What exports write for nothing; words that may be values (NA is a country, - a size) are left alone.
_NOTHING = frozenset({"NULL", "null", "N/A", "n/a", "#N/A", "NaN", "nan", "\\N", "<NA>"})


@dataclass(frozen=True)
class Sniffed:
    """A file as it seems to be: the `read:` part that reads it, its columns, and some of its rows.

    certain: whether the encoding is certain.   files: how many files the path means.
    """

    read: FileRead
    columns: Mapping[str, RawKind]
    rows: Sequence[Mapping[str, object]]
    encoding: str | None = None
    certain: bool = True
    files: int = 1
    options: Mapping[str, object] = field(default_factory=dict)
    nulls: tuple[str, ...] = ()

    def values(self, name: str) -> list[object]:
        """The values of a column that are neither blank nor a word for nothing."""
        found = (row.get(name) for row in self.rows)
        return [value for value in found if value is not None and str(value).strip() not in {"", *self.nulls}]


def sniff(path: str, folder: Path) -> Sniffed:
    """What the files of a path or glob are: the shape of the first that is not empty, rows of several.

    Raises BadSource if there is none, or if it is of no known format.
    """
    pieces = file_pieces(FileRead(format="csv", path=path), folder)
    filled = [piece for piece in pieces if piece.size and piece.path]
    if not filled:
        raise BadSource(f"There is nothing in {path}", seen="empty files", remedy="Was the export cut short?")
    file = file_of(filled[0])
    name = format_of(file.name) or _format(file)
    options: dict[str, object] = {}
    encoding, certain = None, True
    if name == "csv":
        found = encoding_of(file, filled[0].size, filled[0].modified)
        encoding, certain = found.codec, found.certain
        options = _shape(file, found.codec)
    reader = readers()[name]
    read = reader.options.model_validate({"format": name, "path": path, **options})
    columns = {column.name: column.kind for column in reader.columns(filled[0], read)}
    if not isinstance(read, FileRead) or not columns:
        raise BadSource(f"{filled[0].name} has no columns", remedy="Is there a header?")
    few = _spread(filled)
    rows = [row for piece in few for row in _first_rows(piece, read, _ROWS // len(few))]
    nulls = tuple(sorted({str(v).strip() for row in rows for v in row.values() if str(v).strip() in _NOTHING}))
    if nulls:
        options["nulls"] = list(nulls)
    return Sniffed(read, columns, rows, encoding, certain, len(pieces), options, nulls)


def _spread(pieces: Sequence[Piece]) -> list[Piece]:
    """A few files, spread over all: what stands in none of the first days may stand in later ones."""
    step = max(1, -(-len(pieces) // _FILES))
    return list(pieces[::step])


def _first_rows(piece: Piece, read: FileRead, limit: int) -> list[Mapping[str, object]]:
    rows: list[Mapping[str, object]] = []
    for batch in readers()[read.format].batches(piece, read):
        rows += batch.rows.slice(0, limit - len(rows)).to_pylist()
        if len(rows) >= limit:
            break
    return rows


def _format(path: Path) -> str:
    """The format of a file whose ending says nothing, by its first bytes."""
    with open_binary(path) as stream:
        head = stream.read(16)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "excel"
    return "jsonl" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else "csv"


def _shape(path: Path, codec: str) -> dict[str, object]:
    """Delimiter, lines above the header, and whether there is a header, by the first lines of a text file."""
    with open_binary(path) as stream:
        lines = stream.read(_HEAD).decode(codec, errors="ignore").lstrip("\ufeff").splitlines(keepends=True)
    if len(lines) > _LOOKED_AT:
        lines = lines[:_LOOKED_AT]
    best = max(_DELIMITERS, key=lambda sign: _consistency(lines, sign))
    rows = list(csv.reader(io.StringIO("".join(lines), newline=""), delimiter=best))
    width = _usual_width(rows)
    first = next((at for at, row in enumerate(rows) if len(row) == width), 0)
    found: dict[str, object] = {}
    tab = path.name.lower().removesuffix(".gz").endswith((".tsv", ".tab"))
    if best != ("\t" if tab else ","):
        found["delimiter"] = best
    if first:
        found["skip_rows"] = first
    if rows and not _is_header(rows[first]):
        found["header"] = False
    return found


def _consistency(lines: Sequence[str], sign: str) -> tuple[float, int]:
    """How well a delimiter fits: the share of lines with the usual number of cells, and that number."""
    rows = [row for row in csv.reader(io.StringIO("".join(lines), newline=""), delimiter=sign) if row]
    width = _usual_width(rows)
    if width < 2:  # a single column fits everything and says nothing
        return 0.0, width
    share = sum(len(row) == width for row in rows) / len(rows)
    return (1.0 if share >= _USUAL else share), width


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    counted = Counter(len(row) for row in rows if row)
    return counted.most_common(1)[0][0] if counted else 0


def _is_header(row: Sequence[str]) -> bool:
    """Whether a row names columns: different words, none of which looks like a value."""
    cells = [cell.strip() for cell in row if cell.strip()]
    return bool(cells) and len(set(cells)) == len(cells) and not any(looks_like_data(cell) for cell in cells)
