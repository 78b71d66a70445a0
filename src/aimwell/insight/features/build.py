"""Builds features: one table per family and cut, kept in the warehouse until the data or the family change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from aimwell.core.progress import Progress, silent
from aimwell.core.time import to_store
from aimwell.insight.features.basis import Bases, closure, digest
from aimwell.insight.features.derived import DerivedFamily, with_above
from aimwell.insight.features.family import Column, Family
from aimwell.insight.features.library import Library
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.history import History

_TYPES: Mapping[str, exp.DType | exp.DataType] = {
    "number": exp.DType.DOUBLE,
    "share": exp.DType.DOUBLE,
    "integer": exp.DType.BIGINT,
    "money": exp.DataType.build("DECIMAL(18, 2)"),
    "text": exp.DType.TEXT,
    "boolean": exp.DType.BOOLEAN,
    "day": exp.DType.DATE,
}
_ARROW_TYPES: Mapping[str, pa.DataType] = {
    "number": pa.float64(),
    "share": pa.float64(),
    "integer": pa.int64(),
    "money": pa.decimal128(18, 2),
    "text": pa.string(),
    "boolean": pa.bool_(),
    "day": pa.date32(),
}
PREFIX = "feature_"
_DECIMALS = 6
"""Numbers keep six decimals: the last digits of a sum of doubles depend on the order of the rows, features must not."""


@dataclass(frozen=True)
class Features:
    """The features of everyone at one cut; families are built when first asked for, and kept.

    history: the view that features may see.   library: families to choose from.
    version: what the data are known by (a load changes it), so that a family's table is found again while it is valid.
    given: physical tables of relations that are part of the question (see `Family.given`); other rows, another name.
    """

    history: History
    library: Library
    version: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    _built: dict[str, str | None] = field(default_factory=dict, repr=False)

    def table(self, family: Family) -> str | None:
        """The physical table that holds a family's columns; None if the data cannot carry the family."""
        self.prepare([family])
        return self._built[family.name]

    def prepare(self, families: Iterable[Family], progress: Progress = silent) -> None:
        """Build the families together, so that what they share is read once; on failure nothing is left behind."""
        waiting = [family for family in with_above(families) if family.name not in self._built]
        self._prepare([family for family in waiting if not isinstance(family, DerivedFamily)], progress)
        for family in waiting:
            if isinstance(family, DerivedFamily):
                self._built[family.name] = self._derive(family)

    def _prepare(self, waiting: list[Family], progress: Progress) -> None:
        if not waiting:
            return
        found: dict[str, str | None] = {}
        engine = self.history.engine
        standing = set(engine.tables())
        with engine.transaction():
            bases = Bases(self._bound, self.mark)
            for number, family in enumerate(waiting):
                progress(family.name, number / len(waiting))
                found[family.name] = self._build(family, bases, standing)
            bases.drop()
        self._built.update(found)

    def available(self, family: Family) -> tuple[Column, ...]:
        """The columns of a family that the data can carry, and the question."""
        return family.available(self.history) if set(family.given) <= set(self.given) else ()

    def columns(self, names: Iterable[str] | None = None) -> list[Column]:
        """The columns that the data can carry, in the order of the library; restricted to names if given."""
        wanted = None if names is None else set(names)
        return [
            column
            for family in self.library.families.values()
            for column in self.available(family)
            if wanted is None or column.name in wanted
        ]

    def select(self, population: str, names: Iterable[str]) -> exp.Select:
        """A query for the given columns of everyone in a physical table of customer ids; missing rows become `empty`.

        The result has `customer_id` and the columns, in the order given; unknown names raise BadQuestion.
        """
        listed = list(names)
        people = exp.to_table(population).as_("people")
        query = exp.select(exp.column("customer_id", table="people")).from_(people)
        self.prepare({family.name: family for family in map(self.library.owner, listed)}.values())
        carried = {column.name for column in self.columns(listed)}
        joined: set[str] = set()
        for name in listed:
            family, column = self.library.owner(name), self.library.column(name)
            physical = self._built[family.name]
            if physical is None or name not in carried:
                query = query.select(exp.alias_(exp.cast(exp.null(), _TYPES[column.kind]), name))
                continue
            if family.name not in joined:
                joined.add(family.name)
                on = exp.EQ(
                    this=exp.column("customer_id", table=family.name),
                    expression=exp.column("customer_id", table="people"),
                )
                query = query.join(exp.to_table(physical).as_(family.name), on=on, join_type="left", copy=False)
            query = query.select(exp.alias_(_filled(family, column), name), copy=False)
        return query

    def to_arrow(self, population: str, names: Iterable[str]) -> pa.Table:
        """The given columns of everyone in a table of customer ids, sorted by customer."""
        ordered = self.select(population, names).order_by(exp.column("customer_id", table="people"))
        return self.history.engine.to_arrow(ordered)

    @cached_property
    def _bound(self) -> History:
        """The history with the thresholds' defaults beneath the workspace's own settings."""
        return replace(self.history, settings=self.library.settings(self.history.settings))

    @cached_property
    def mark(self) -> str:
        """What tells the tables of this cut, workspace and load from others."""
        history = self._bound
        parts = [history.zone.key, repr(sorted(history.settings.items())), self.version]
        return f"{to_store(history.as_of):%Y%m%dt%H%M%S}_{digest(parts)}"

    def _build(self, family: Family, bases: Bases, standing: set[str]) -> str | None:
        available = self.available(family)
        if not available:
            return None
        name = self._name(family, available)
        if name in standing:
            return name
        history = self._bound
        relations = bases.stand(family.reads) | {each: self.given[each] for each in family.given}
        if family.compute is None:
            history.create_table_as(name, _projected(family.sql, available), relations)
        else:
            # In the order of customers: what is fitted must not depend on the order in which an engine yields rows.
            rows = family.compute(history.to_arrow(family.sql.order_by("customer_id"), relations), history)
            history.engine.write(name, _cast(rows, available))
        return name

    def _derive(self, family: DerivedFamily) -> str | None:
        """Build a family from the tables of the families above it, which stand already."""
        available = self.available(family)
        if not available or family.author is None:
            return None
        name = self._name(family, available)
        if name not in self.history.engine.tables():
            authored = family.author(self)
            self._bound.create_table_as(name, _projected(authored.query, available), authored.relations)
        return name

    def _name(self, family: Family, columns: tuple[Column, ...]) -> str:
        empty = [column.name for basis in closure(family.reads) for column in basis.absent(self.history)]
        given = [self.given[each] for each in family.given]
        parts = [family.fingerprint, *(column.name for column in columns), "without", *empty, "given", *given]
        return f"{PREFIX}{family.name}_{self.mark}_{digest(parts)}"


def forget(engine: Engine) -> None:
    """Drop every table of features (after a load they are of no more use)."""
    with engine.transaction():
        for name in engine.tables():
            if name.startswith(PREFIX):
                engine.drop(name)


def _filled(family: Family, column: Column) -> exp.Expr:
    value: exp.Expr = exp.column(column.name, table=family.name)
    if column.empty is None:
        return value
    return exp.func("coalesce", value, exp.cast(exp.convert(column.empty), _TYPES[column.kind]))


def _projected(query: exp.Select, columns: tuple[Column, ...]) -> exp.Select:
    """A family's query with its columns cast to their declared kinds, only those that the data can carry."""
    query = query.copy()
    by_name = {projection.alias_or_name: projection for projection in query.expressions}
    kept = [by_name["customer_id"]]
    for column in columns:
        projection = by_name[column.name]
        value = projection.this if isinstance(projection, exp.Alias) else projection
        kept.append(exp.alias_(_typed(value, column), column.name))
    query.set("expressions", kept)
    return query


def _typed(value: exp.Expr, column: Column) -> exp.Expr:
    if column.kind == "integer":
        return exp.Anonymous(this="whole", expressions=[value])
    if column.kind == "money":
        return exp.Anonymous(this="cents", expressions=[value])
    if column.kind in {"number", "share"}:
        return _rounded(value)
    return exp.cast(value, _TYPES[column.kind], copy=False)


def _rounded(value: exp.Expr) -> exp.Expr:
    scale = exp.Literal.number(10**_DECIMALS)
    double = exp.cast(exp.paren(value, copy=False), exp.DType.DOUBLE, copy=False)
    whole = exp.Floor(this=exp.Add(this=exp.Mul(this=double, expression=scale), expression=exp.Literal.number("0.5")))
    return exp.Anonymous(this="ratio", expressions=[whole, scale.copy()])


def _cast(rows: pa.Table, columns: tuple[Column, ...]) -> pa.Table:
    """Computed rows with their columns cast to their declared kinds."""
    arrays = [rows.column("customer_id").cast(pa.string())]
    for column in columns:
        values = rows.column(column.name)
        if column.kind in {"number", "share"}:
            values = pc.round(values.cast(pa.float64()), ndigits=_DECIMALS)
        elif column.kind == "money":
            values = pc.round(values.cast(pa.float64()), ndigits=2).cast(pa.decimal128(18, 2), safe=False)
        arrays.append(values.cast(_ARROW_TYPES[column.kind]))
    return pa.table(arrays, names=["customer_id", *(column.name for column in columns)])
