"""The staging table: raw rows as they were read, one batch after the other, before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from sqlglot import exp

from aimwell.core.errors import BadSource
from aimwell.store.sources.parts import nearest
from aimwell.store.sources.reading import Batch, RawColumn, RawKind
from aimwell.store.sources.trees import (
    FILE,
    ROW,
    add_column,
    call,
    column,
    data_type,
    delete,
    number,
    temporary,
    temporary_columns,
    text,
)
from aimwell.store.warehouse.engine import Engine

_PHYSICAL: dict[RawKind, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "decimal": "DECIMAL(38, 9)",
    "boolean": "BOOLEAN",
    "instant": "TIMESTAMP",
    "aware": "TIMESTAMP",
    "day": "DATE",
}
_ARROW: dict[RawKind, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "decimal": pa.decimal128(38, 9),
    "boolean": pa.bool_(),
    "instant": pa.timestamp("us"),
    "aware": pa.timestamp("us"),
    "day": pa.date32(),
}
_WIDER: dict[frozenset[RawKind], RawKind] = {
    frozenset({"integer", "number"}): "number",
    frozenset({"integer", "decimal"}): "decimal",
    frozenset({"decimal", "number"}): "number",
    frozenset({"day", "instant"}): "instant",
}
_FULL = 100_000


def unified(kinds: Iterable[RawKind]) -> RawKind:
    """The kind that holds values of all of them; text when nothing else does.

    >>> unified(["integer", "number"]), unified(["integer", "day"])
    ('number', 'text')
    """
    found: RawKind | None = None
    for kind in kinds:
        found = kind if found in (None, kind) else _WIDER.get(frozenset({found, kind}), "text")
    return found or "text"


@dataclass
class Staging:
    """A temporary table of raw rows under plain column names, with the number of file and row of each.

    Small batches of equal columns are gathered before they are written; columns that appear late are added.
    """

    engine: Engine
    table: str
    kinds: dict[str, RawKind]
    alias: str
    broken: list[tuple[int, int, str]] = field(default_factory=list)
    rows: dict[int, int] = field(default_factory=dict)
    _waiting: list[pa.Table] = field(default_factory=list)

    def __post_init__(self) -> None:
        columns = [(self.physical(name), _PHYSICAL[kind]) for name, kind in self.kinds.items()]
        self.engine.run(temporary_columns(self.table, [*columns, (FILE, "BIGINT"), (ROW, "BIGINT")]))

    def physical(self, name: str) -> str:
        """The column under which a raw column stands in the table (raw names may differ by case alone)."""
        return f"c{list(self.kinds).index(name)}"

    def add(self, batch: Batch, file: int) -> None:
        """Take a batch of a file; broken rows are kept aside."""
        self.broken += [(file, row.number, row.text) for row in batch.broken]
        self.rows[file] = self.rows.get(file, 0) + batch.rows.num_rows + len(batch.broken)
        self._widen([RawColumn(name) for name in batch.rows.column_names])
        if batch.rows.num_rows:
            self._waiting.append(self._aligned(batch, file))
        if sum(rows.num_rows for rows in self._waiting) >= _FULL:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._waiting:
            self.engine.append(self.table, pa.concat_tables(self._waiting))
            self._waiting = []

    def value(self, name: str) -> exp.Expr:
        """The tree of a raw column."""
        return column(self.physical(name), self.alias)

    def content(self, file: int) -> str:
        """A hash of all rows of a file, in whatever order they came."""
        hashed = call("hash", *[column(self.physical(name)) for name in self.kinds])
        total = exp.cast(exp.Sum(this=exp.cast(hashed, data_type("HUGEINT"))), data_type("VARCHAR"))
        query = exp.select(total).from_(self.table).where(self._of(file))
        return f"{self.rows.get(file, 0)}:{self.engine.to_arrow(query).column(0)[0].as_py()}"

    def discard(self, file: int) -> None:
        """Forget the rows of a file."""
        self.engine.run(delete(self.table, self._of(file)))
        self.rows.pop(file, None)

    def keep_one(self, names: Sequence[str], by: Sequence[str], *, last: bool) -> None:
        """Keep one row for the values of some columns: the first or last by others, then by file and row."""
        self._require([*names, *by])
        order = [*(column(self.physical(name)) for name in by), column(FILE), column(ROW)]
        place = exp.Window(
            this=exp.RowNumber(),
            partition_by=[column(self.physical(name)) for name in names],
            order=exp.Order(expressions=[exp.Ordered(this=each, desc=last, nulls_first=False) for each in order]),
        )
        placed = exp.select("*", exp.alias_(place, "_place")).from_(self.table)
        columns = [column(self.physical(name)) for name in self.kinds]
        first = exp.EQ(this=column("_place"), expression=number(1))
        kept = exp.select(*columns, column(FILE), column(ROW)).from_(placed.subquery("p")).where(first)
        self.engine.run(temporary(self.table, kept))

    def _require(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self.kinds:
                raise BadSource(f"The lookup {self.alias} has no column {name!r}{nearest(name, self.kinds)}")

    def require_unique(self, names: Sequence[str]) -> None:
        """Raise BadSource if some values of these columns stand in several rows."""
        self._require(names)
        keys = [column(self.physical(name)) for name in names]
        several = exp.GT(this=exp.Count(this=exp.Star()), expression=number(1))
        query = exp.select(*keys).from_(self.table).group_by(*[key.copy() for key in keys]).having(several).limit(3)
        repeated = self.engine.to_arrow(query).to_pylist()
        if repeated:
            shown = "; ".join(", ".join(str(value) for value in row.values()) for row in repeated)
            raise BadSource(
                f"The lookup {self.alias} has several rows for one {', '.join(names)}",
                seen=shown,
                remedy="A lookup has at most one row for each key.",
            )

    def raw_row(self) -> exp.Expr:
        """A tree that gives a whole raw row as one JSON object, under the names of the file."""
        pairs = [part for name in self.kinds for part in (text(name), self.value(name))]
        return exp.cast(call("json_object", *pairs), data_type("VARCHAR"))

    def _of(self, file: int) -> exp.Expr:
        return exp.EQ(this=column(FILE), expression=number(file))

    def _widen(self, columns: Iterable[RawColumn]) -> None:
        for each in columns:
            if each.name not in self.kinds:
                self.flush()
                self.kinds[each.name] = each.kind
                self.engine.run(add_column(self.table, self.physical(each.name), _PHYSICAL[each.kind]))

    def _aligned(self, batch: Batch, file: int) -> pa.Table:
        count = batch.rows.num_rows
        arrays: dict[str, pa.Array] = {}
        for name, kind in self.kinds.items():
            present = name in batch.rows.column_names
            arrays[self.physical(name)] = (
                self._cast(batch.rows.column(name), name, kind) if present else pa.nulls(count, _ARROW[kind])
            )
        arrays[FILE] = pa.repeat(pa.scalar(file, pa.int64()), count)
        arrays[ROW] = batch.numbers
        return pa.table(arrays)

    def _cast(self, values: pa.ChunkedArray, name: str, kind: RawKind) -> pa.ChunkedArray:
        try:
            return values.cast(_ARROW[kind])
        except pa.ArrowInvalid as error:
            raise BadSource(f"The column {name!r} cannot be read as {kind} everywhere", seen=str(error)) from error
