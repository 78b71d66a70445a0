"""What every reader shares: the `read:` part of a source, the pieces that are read, and batches of raw rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import pyarrow as pa
from pydantic import BeforeValidator, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from aimwell.core.registry import discover
from aimwell.store.sources.parts import Mistake, Part

PACKAGE = "aimwell.store.sources.readers"
GROUP = "aimwell.readers"
BATCH_ROWS = 122_880

RawKind = Literal["text", "integer", "number", "decimal", "boolean", "instant", "aware", "day"]


def _quoted(written: object) -> object:
    if isinstance(written, list) and None in written:
        raise ValueError("write it in quotes, such as 'NULL': without them YAML reads nothing at all")
    return written


class Read(Part):
    """The keys of `read:` that every format knows; each reader adds its own."""

    format: str
    nulls: Annotated[tuple[str, ...], BeforeValidator(_quoted)] = Field(
        default=(), description="Texts that mean 'not known', besides blanks"
    )
    thousands: Literal[",", ".", " ", "'", ""] = Field(default=",", description="Sign between thousands in numbers")
    decimal: Literal[".", ","] = Field(default=".", description="Decimal sign in numbers")

    @classmethod
    def mistakes(cls, written: Mapping[str, object]) -> Iterator[Mistake]:
        """The two signs of numbers must differ."""
        if written.get("thousands", ",") == written.get("decimal", "."):
            yield Mistake(
                ("decimal",),
                "thousands and decimal are the same sign (write both: thousands: '.', decimal: ',')",
            )

    @property
    def incremental(self) -> bool:
        """Whether later loads read only what lies above a mark."""
        return False


class FileRead(Read):
    """The keys of `read:` for files: a path or glob inside the workspace, or inside an installed package."""

    path: str = Field(min_length=1, description="A file, or a glob such as orders/*.csv, from the workspace's folder")
    package: str | None = Field(default=None, description="Installed package in whose folder the path lies")


R = TypeVar("R", bound=Read)


@dataclass(frozen=True, slots=True)
class RawColumn:
    """A column as it was found: its name, and what its values are before any mapping.

    `aware` instants said their offset and are UTC by now, `instant`s are as on the clock on the wall.
    """

    name: str
    kind: RawKind = "text"


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that is read at a time: a file, or what a database table holds above a mark.

    name: stable, the same at every load.   modified: nanoseconds, of files.   since: the mark, of tables.
    """

    name: str
    path: Path | None = None
    size: int = 0
    modified: int = 0
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that does not have the columns of its file: its number and text."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a piece, with the number of each (from 1, broken rows counted), and the broken ones among them.

    mark: the highest value of the watermark column so far, where there is one.
    """

    rows: pa.Table
    numbers: pa.Array
    broken: tuple[Broken, ...] = ()
    mark: str | None = None


class Reader(ABC, Generic[R]):
    """Reads one format; an instance at the top of a file in `readers/` is all that a new format takes.

    name: the word after `format:`.   suffixes: endings of file names that mean this format.
    options: the model of `read:`.   sparse: whether a row may lack columns that others have.
    """

    name: str
    suffixes: tuple[str, ...] = ()
    options: type[R]
    sparse: bool = False

    @abstractmethod
    def pieces(self, read: R, folder: Path, mark: str | None) -> list[Piece]:
        """What there is to read, in a stable order; raises BadSource when there is nothing.

        folder: the workspace.   mark: the watermark reached by earlier loads.
        """

    @abstractmethod
    def columns(self, piece: Piece, read: R) -> tuple[RawColumn, ...]:
        """The columns of a piece (of sparse formats: of its first rows); raises BadSource if it cannot be read."""

    @abstractmethod
    def batches(self, piece: Piece, read: R) -> Iterator[Batch]:
        """The rows of a piece, a batch at a time; raises BadSource where the piece breaks its own format."""

    def encoding(self, piece: Piece, read: R) -> str | None:
        """In which encoding a piece of text is written; None for formats that are no text."""
        return None


@cache
def readers() -> Mapping[str, Reader[Any]]:
    """Every reader that was found, by format."""
    found = discover(Reader, PACKAGE, named=lambda reader: reader.name, group=GROUP)  # type: ignore[type-abstract]
    return {name: extension.value for name, extension in found.items()}


def reader_of(read: Read) -> Reader[Any]:
    """The reader for a `read:` part."""
    return readers()[read.format]


def format_of(path: str) -> str | None:
    """The format that a path's ending means; None if no reader knows it.

    >>> format_of("orders/2024-*.csv.gz")
    'csv'
    """
    bare = path.lower().removesuffix(".gz")
    for name, reader in readers().items():
        if bare.endswith(reader.suffixes):
            return name
    return None


class Chosen:
    """Marks a field as the options of whichever reader its `format:` (or the path's ending) names."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        choices = {name: handler.generate_schema(reader.options) for name, reader in readers().items()}
        return core_schema.tagged_union_schema(
            choices,
            discriminator=_format,
            custom_error_type="format",
            custom_error_message=f"say which format it is: format: {' | '.join(choices)}",
        )


def _format(written: object) -> str | None:
    if isinstance(written, Read):
        return written.format
    if not isinstance(written, Mapping):
        return None
    given = written.get("format")
    if given is None and "path" not in written and {"url_env", "query"} & set(written):
        return "database"
    return str(given) if given is not None else format_of(str(written.get("path", "")))


def unique_names(names: Sequence[str]) -> list[str]:
    """Header cells as column names: trimmed, empty ones numbered, repeated ones told apart.

    >>> unique_names(["id", "", "id"])
    ['id', 'column 2', 'id (2)']
    """
    seen: set[str] = set()
    found: list[str] = []
    for number, cell in enumerate(names, 1):
        base = cell.strip().strip("\ufeff") or f"column {number}"
        name, copy = base, 2
        while name in seen:
            name, copy = f"{base} ({copy})", copy + 1
        seen.add(name)
        found.append(name)
    return found
