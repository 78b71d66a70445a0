"""The definition of a source: what is read, and how it becomes rows of canonical tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, ModelWrapValidatorHandler, model_validator

from aimwell.core.definitions import NAME_PATTERN, Definition
from aimwell.core.errors import BadQuestion
from aimwell.core.tables import TABLES, Kind, Table
from aimwell.core.time import zone
from aimwell.store.sources.checks import column_mistakes, table_mistakes
from aimwell.store.sources.parts import Mistake, Part, collected
from aimwell.store.sources.reading import Chosen, Read


def _several(written: object) -> object:
    return (written,) if isinstance(written, str) else written


def _named(written: object) -> object:
    return {"column": written} if isinstance(written, str) else written


Words = Annotated[tuple[str, ...], BeforeValidator(_several, json_schema_input_type=str | list[str])]


def _known_zone(written: str | None) -> str | None:
    if written is not None:
        try:
            zone(written)
        except BadQuestion as error:
            raise ValueError(str(error)) from error
    return written


Zone = Annotated[str | None, BeforeValidator(_known_zone)]


class ColumnMapping(Part):
    """Where the values of one column come from: a raw column, an expression over some, a constant, or a JSON object."""

    column: str | None = Field(default=None, description="Raw column, as the file calls it; lookup.column for a lookup")
    expression: str | None = Field(default=None, description="Scalar expression over raw columns, in DuckDB's dialect")
    constant: str | int | float | bool | None = Field(default=None, description="The same value in every row")
    collect: Words = Field(default=(), description="Raw columns to keep together as one JSON object")
    cast: Kind | None = Field(default=None, description="Kind of an extra attribute; text by default")
    format: Words = Field(
        default=(), description="Formats of dates, tried in turn (%d/%m/%Y %H:%M), or unix, unix_ms or excel"
    )
    timezone: Zone = Field(default=None, description="Timezone of these naive times, if not that of the source")
    optional: bool = Field(default=False, description="Whether files may lack the raw column")

    @classmethod
    def mistakes(cls, written: Mapping[str, object]) -> Iterator[Mistake]:
        """Exactly one origin, a readable expression, formats that go together."""
        yield from column_mistakes(written)


Mapped = Annotated[ColumnMapping, BeforeValidator(_named, json_schema_input_type=str | ColumnMapping)]


class Deduplicate(Part):
    """Which row stays when several carry one key: the first or last by some columns, then by file and row."""

    keep: Literal["first", "last"]
    by: Words = Field(default=(), description="Columns of the table that order the rows; by default file and row")
    key: Words = Field(default=(), description="Columns of the key; by default the table's own")


class TableMapping(Part):
    """How rows that were read become rows of one canonical table.

    A row is filtered if `where` is not true; rejected with the name of the first `reject` rule that is true;
    rejected if a value cannot be read or a required one is missing; and otherwise kept once for its key.
    """

    table: str
    columns: dict[str, Mapped] = Field(min_length=1, description="Canonical column: raw column or mapping")
    attributes: dict[str, Mapped] = Field(default_factory=dict, description="Extra columns of customer or product")
    where: str | None = Field(default=None, description="Only rows for which this holds are of this table")
    reject: dict[Annotated[str, Field(pattern=NAME_PATTERN)], str] = Field(
        default_factory=dict, description="Name of a rule: expression that is true for rows to refuse"
    )
    deduplicate: Deduplicate | None = None

    @classmethod
    def mistakes(cls, written: Mapping[str, object]) -> Iterator[Mistake]:
        """Known table and columns, required columns mapped, readable expressions."""
        yield from table_mistakes(written)

    @property
    def canonical(self) -> Table:
        """The table that is filled."""
        return TABLES[self.table]

    @property
    def mappings(self) -> dict[str, ColumnMapping]:
        """Columns and attributes with their mappings."""
        return {**self.columns, **self.attributes}

    def kind(self, name: str) -> Kind:
        """The kind of a column or attribute."""
        declared = self.canonical.column(name)
        return declared.kind if declared else self.attributes[name].cast or "text"

    @property
    def key(self) -> tuple[str, ...]:
        """The columns in which no two rows agree; versions of a state differ by the instant they became known."""
        if self.deduplicate and self.deduplicate.key:
            return self.deduplicate.key
        canonical = self.canonical
        return (*canonical.key, canonical.known) if canonical.shape == "state" else canonical.key


_TAKEN = frozenset({"staged", "files"})


class Lookup(Part):
    """Another file whose columns are joined to each row: one row of it for each value of `on`.

    Where a value stands in several rows, `keep` and `by` say which one counts.
    """

    name: str = Field(pattern=NAME_PATTERN)
    read: Annotated[Read, Chosen()]
    on: dict[str, str] = Field(min_length=1, description="Raw column: column of the lookup that equals it")
    keep: Literal["first", "last"] | None = Field(default=None, description="Which of several rows counts")
    by: Words = Field(default=(), description="Columns of the lookup that order its rows; by default file and row")

    @classmethod
    def mistakes(cls, written: Mapping[str, object]) -> Iterator[Mistake]:
        """An order without a choice means nothing, and two names are taken."""
        if written.get("name") in _TAKEN:
            yield Mistake(("name",), f"a lookup must not be called {written['name']!r}")
        if written.get("by") and not written.get("keep"):
            yield Mistake(("by",), "say which row counts (keep: first or keep: last)")


class Source(Definition):
    """Files or tables of any shape, mapped to canonical tables by configuration alone."""

    folder: ClassVar[str] = "sources"

    read: Annotated[Read, Chosen()]
    timezone: Zone = Field(default=None, description="Timezone of naive times; by default the workspace's")
    lookup: tuple[Lookup, ...] = ()
    tables: tuple[TableMapping, ...] = Field(min_length=1)

    @model_validator(mode="wrap")
    @classmethod
    def _collect(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return collected(cls, value, handler)


def source_schema() -> dict[str, object]:
    """The JSON Schema of a source file, for editors and forms."""
    return Source.model_json_schema()
