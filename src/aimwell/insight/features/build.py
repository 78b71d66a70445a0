"""Builds features: one table per family and cut, kept in the warehouse until the data or the family change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
from sqlglot import exp

from aimwell.core.time import to_store
from aimwell.insight.features.family import Column, Family
from aimwell.insight.features.library import Library
from aimwell.store.warehouse.history import History

_TYPES: Mapping[str, exp.DType | str] = {
    "number": exp.DType.DOUBLE,
    "share": exp.DType.DOUBLE,
    "integer": exp.DType.BIGINT,
    "money": "DECIMAL(18, 2)",
    "text": exp.DType.TEXT,
    "boolean": exp.DType.BOOLEAN,
    "day": exp.DType.DATE,
}
PREFIX = "feature_"


@dataclass(frozen=True)
class Features:
    """The features of everyone at one cut; families are built when first asked for, and kept.

    history: the view that features may see.   library: families to choose from.
    version: what the data are known by (a load changes it), so that a family's table is found again while it is valid.
    """

    history: History
    library: Library
    version: str = ""
    _built: dict[str, str | None] = field(default_factory=dict, repr=False)

    def table(self, family: Family) -> str | None:
        """The physical table that holds a family's columns; None if the data cannot carry the family."""
        if family.name not in self._built:
            self._built[family.name] = self._build(family)
        return self._built[family.name]

    def available(self, family: Family) -> tuple[Column, ...]:
        """The columns of a family that the data can carry."""
        return family.available(self.history)

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
        people = exp.to_table(population).as_("people")
        query = exp.select(exp.column("customer_id", table="people")).from_(people)
        joined: set[str] = set()
        for name in names:
            family = self.library.owner(name)
            column = self.library.column(name)
            physical = self.table(family)
            if physical is None or column not in self.available(family):
                query = query.select(exp.alias_(_typed(exp.null(), column), name))
                continue
            if family.name not in joined:
                joined.add(family.name)
                on = exp.EQ(
                    this=exp.column("customer_id", table=family.name),
                    expression=exp.column("customer_id", table="people"),
                )
                query = query.join(exp.to_table(physical).as_(family.name), on=on, join_type="left")
            value: exp.Expr = exp.column(name, table=family.name)
            if column.empty is not None:
                value = exp.func("coalesce", value, _typed(exp.convert(column.empty), column))
            query = query.select(exp.alias_(value, name))
        return query

    def to_arrow(self, population: str, names: Iterable[str]) -> pa.Table:
        """The given columns of everyone in a table of customer ids, sorted by customer."""
        ordered = self.select(population, names).order_by(exp.column("customer_id", table="people"))
        return self.history.engine.to_arrow(ordered)

    def _build(self, family: Family) -> str | None:
        available = self.available(family)
        if not available:
            return None
        name = self._name(family, available)
        if self.history.engine.columns(name):
            return name
        if family.compute is None:
            self.history.create_table_as(name, _projected(family, available))
        else:
            rows = family.compute(self.history.to_arrow(family.sql), self.history)
            self.history.engine.write(name, rows.select(["customer_id", *[column.name for column in available]]))
        return name

    def _name(self, family: Family, columns: tuple[Column, ...]) -> str:
        history = self.history
        parts = [
            family.sql.sql(dialect="duckdb"),
            ",".join(column.name for column in columns),
            family.compute.__module__ if family.compute else "",
            history.zone.key,
            repr(sorted(history.settings.items())),
            self.version,
        ]
        mark = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]
        return f"{PREFIX}{family.name}_{to_store(history.as_of):%Y%m%dt%H%M%S}_{mark}"


def _projected(family: Family, columns: tuple[Column, ...]) -> exp.Select:
    """The family's query with its columns cast to their declared kinds, only those that the data can carry."""
    query = family.sql.copy()
    by_name = {projection.alias_or_name: projection for projection in query.expressions}
    kept = [by_name["customer_id"]]
    for column in columns:
        projection = by_name[column.name]
        value = projection.this if isinstance(projection, exp.Alias) else projection
        kept.append(exp.alias_(_typed(value, column), column.name))
    query.set("expressions", kept)
    return query


def _typed(value: exp.Expr, column: Column) -> exp.Expr:
    if column.kind == "integer" and not isinstance(value, exp.Null | exp.Literal):
        return exp.Anonymous(this="whole", expressions=[value.copy()])
    return exp.cast(value.copy(), _TYPES[column.kind])
