"""A basis: rows that several families are computed from, so that the purchases are read once and not thirty times.

A basis is authored like a family, over the cut tables and other bases, and so knows nothing from after the cut. It is
built when the first family needs it and dropped when the families are done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from sqlglot import exp, parse_one

from aimwell.store.warehouse.history import History

BasisKind = Literal["number", "integer", "money", "text", "boolean", "day", "instant"]

_TYPES: Mapping[BasisKind, exp.DType | exp.DataType] = {
    "number": exp.DType.DOUBLE,
    "integer": exp.DType.BIGINT,
    "money": exp.DataType.build("DECIMAL(18, 2)"),
    "text": exp.DType.TEXT,
    "boolean": exp.DType.BOOLEAN,
    "day": exp.DType.DATE,
    "instant": exp.DType.TIMESTAMPNTZ,
}


@dataclass(frozen=True, slots=True)
class BasisColumn:
    """A column of a basis that is only there when the data carry it; otherwise it is empty in every row."""

    name: str
    kind: BasisKind
    needs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Basis:
    """Rows shared by families.

    sql: the authored query.   needs: columns (`purchase.amount`) without which there is no basis.
    columns: those that are empty unless their own needs are met.   reads: the bases it is computed from.
    """

    name: str
    sql: exp.Select
    needs: tuple[str, ...]
    columns: tuple[BasisColumn, ...] = ()
    reads: tuple[Basis, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """What the basis holds, in few letters: changes when its query does."""
        return digest([self.sql.sql(dialect="duckdb"), *(inner.fingerprint for inner in self.reads)])

    def absent(self, history: History) -> list[BasisColumn]:
        """The columns that the data cannot carry."""
        return [column for column in self.columns if missing(column.needs, history)]

    def query(self, history: History) -> exp.Select:
        """The authored query, with the columns that the data cannot carry left empty."""
        absent = {column.name: column for column in self.absent(history)}
        query = self.sql.copy()
        kept: list[exp.Expr] = []
        for projection in query.expressions:
            empty = absent.get(projection.alias_or_name)
            kept.append(exp.alias_(exp.cast(exp.null(), _TYPES[empty.kind]), empty.name) if empty else projection)
        query.set("expressions", kept)
        return query


def basis(
    name: str, sql: str, *, needs: tuple[str, ...], columns: tuple[BasisColumn, ...] = (), reads: tuple[Basis, ...] = ()
) -> Basis:
    """A basis written as one query."""
    return Basis(name, parsed(sql), needs, columns, reads)


def parsed(sql: str) -> exp.Select:
    """One authored SELECT as a tree."""
    tree = parse_one(sql, read="duckdb")
    if not isinstance(tree, exp.Select):
        raise TypeError(f"a family or basis is one SELECT, not {type(tree).__name__}")
    return tree


def digest(parts: Iterable[str]) -> str:
    """Ten letters that tell different texts apart."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]


def missing(needs: tuple[str, ...], history: History) -> list[str]:
    """Which of the needed `table.column`s the warehouse does not hold; a bare table name means that it has rows."""
    return [need for need in needs if not history.has(*need.split(".", 1))]


def closure(bases: Iterable[Basis]) -> list[Basis]:
    """The bases and all that they are computed from, each after those that it reads.

    >>> orders = basis("orders", "SELECT customer_id FROM purchase", needs=("purchase",))
    >>> days = basis("days", "SELECT customer_id FROM orders", needs=(), reads=(orders,))
    >>> [found.name for found in closure([days])]
    ['orders', 'days']
    """
    found: dict[str, Basis] = {}
    for each in bases:
        found |= {inner.name: inner for inner in closure(each.reads)}
        found.setdefault(each.name, each)
    return list(found.values())


@dataclass
class Bases:
    """The bases of one history that stand in the warehouse at the moment, by name; dropped together.

    history: what they are computed from.   mark: what makes their tables' names unlike those of another history.
    """

    history: History
    mark: str
    standing: dict[str, str] = field(default_factory=dict)

    def stand(self, bases: Iterable[Basis]) -> dict[str, str]:
        """Build what is not there yet; returns the physical table behind each name."""
        needed = closure(bases)
        for each in needed:
            if each.name not in self.standing:
                physical = f"basis_{each.name}_{self.mark}"
                relations = {inner.name: self.standing[inner.name] for inner in each.reads}
                self.history.create_scratch_as(physical, each.query(self.history), relations)
                self.standing[each.name] = physical
        return {each.name: self.standing[each.name] for each in needed}

    def drop(self) -> None:
        """Drop all of them."""
        for physical in self.standing.values():
            self.history.engine.drop(physical)
        self.standing.clear()
