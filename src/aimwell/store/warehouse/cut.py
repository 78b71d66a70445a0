"""Cuts: what of each canonical table was known at an instant, as syntax trees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlglot import exp

from aimwell.core.tables import Table
from aimwell.core.time import local_day, to_store

_ALWAYS = datetime(1900, 1, 1)  # noqa: DTZ001 (naive UTC by contract: timeless rows count as known since then)


@dataclass(frozen=True, slots=True)
class Cut:
    """The instant that bounds what may be read, and the zone whose days count.

    With `until`, facts are those of the label window `[as_of, until)` and states are as known at `until`: that view is
    for labels alone, never for features.
    """

    as_of: datetime
    zone: ZoneInfo
    until: datetime | None = None

    @property
    def bound(self) -> datetime:
        """The instant before which things must have become known."""
        return self.until or self.as_of


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What is physically there of a canonical table: columns, which of them hold any value, rows, repeated keys.

    `earliest` is the first (naive UTC) instant in any of its columns.
    """

    table: Table
    columns: tuple[str, ...]
    filled: frozenset[str]
    rows: int
    versioned: bool = False
    earliest: datetime | None = None

    @property
    def timeless(self) -> bool:
        """Whether nothing says when a state row became known, so that it counts as always known."""
        return self.table.shape == "state" and self.table.known not in self.filled


def instant_literal(instant: datetime) -> exp.Expr:
    """A timestamp constant, the same on every engine."""
    return exp.cast(exp.Literal.string(instant.strftime("%Y-%m-%d %H:%M:%S.%f")), exp.DType.TIMESTAMPNTZ)


def cut_table(facts: TableFacts, cut: Cut) -> exp.Select:
    """The rows and values of one table that were known at the cut (strictly before it)."""
    if facts.table.shape == "state":
        return _state(facts, cut)
    columns = [exp.column(name) for name in facts.columns]
    return exp.select(*columns).from_(exp.to_table(facts.table.name)).where(*_fact_conditions(facts, cut))


def _fact_conditions(facts: TableFacts, cut: Cut) -> list[exp.Expr]:
    table = facts.table
    bound = instant_literal(to_store(cut.bound))
    known = exp.column(table.known)
    occurred = exp.column(table.occurred or "")
    conditions: list[exp.Expr] = []
    if table.shape == "forecast":
        ended = exp.LT(this=occurred.copy(), expression=_day(cut.bound, cut.zone))
        issued = exp.LT(this=known.copy(), expression=bound)
        return [exp.or_(exp.and_(exp.Is(this=known.copy(), expression=exp.null()), ended), issued)]
    if table.shape == "day_fact":
        conditions.append(exp.LT(this=occurred.copy(), expression=_day(cut.bound, cut.zone)))
        if cut.until:
            conditions.append(exp.GTE(this=occurred.copy(), expression=_day(cut.as_of, cut.zone)))
    else:
        conditions.append(exp.LT(this=occurred.copy(), expression=bound.copy()))
        if cut.until:
            conditions.append(exp.GTE(this=occurred.copy(), expression=instant_literal(to_store(cut.as_of))))
    if table.known in facts.filled and not cut.until:
        conditions.append(
            exp.or_(
                exp.Is(this=known.copy(), expression=exp.null()), exp.LT(this=known.copy(), expression=bound.copy())
            )
        )
    return conditions


def _day(instant: datetime, zone: ZoneInfo) -> exp.Expr:
    return exp.cast(exp.Literal.string(local_day(instant, zone).isoformat()), exp.DType.DATE)


def _state(facts: TableFacts, cut: Cut) -> exp.Select:
    """The state as known: rows known before the cut, merged by key, later values over earlier, empty ones over none."""
    table = facts.table
    bound = instant_literal(to_store(cut.bound))
    conditions: list[exp.Expr] = []
    if table.known in facts.filled:
        known = exp.column(table.known)
        conditions.append(
            exp.or_(exp.Is(this=known, expression=exp.null()), exp.LT(this=known.copy(), expression=bound.copy()))
        )
    for since in ("created_at", "available_since", "first_seen"):
        if since in facts.columns and since in facts.filled and table.column(since):
            column = exp.column(since)
            conditions.append(
                exp.or_(exp.Is(this=column, expression=exp.null()), exp.LT(this=column.copy(), expression=bound.copy()))
            )
    query = exp.select(*[_state_column(name, facts, bound) for name in facts.columns]).from_(exp.to_table(table.name))
    query = query.where(*conditions) if conditions else query
    return query.group_by(*[exp.column(part) for part in table.key]) if facts.versioned else query


def _state_column(name: str, facts: TableFacts, bound: exp.Expr) -> exp.Expr:
    table = facts.table
    value: exp.Expr = exp.column(name)
    if name in table.key:
        return value
    if facts.versioned:
        value = _latest(name, table.known)
    if name in table.masked:
        # Last, so that a later version that points beyond the cut goes before an earlier one that does not.
        value = exp.Case(ifs=[exp.If(this=exp.LT(this=value.copy(), expression=bound.copy()), true=value)])
    return exp.alias_(value, name) if not isinstance(value, exp.Column) else value


def _latest(name: str, known: str) -> exp.Expr:
    """The value known last; at equal instants the greatest value, so that loading order never matters."""
    value = exp.column(name)
    if name == known:
        return exp.Max(this=value)
    when = exp.func("coalesce", exp.column(known), instant_literal(_ALWAYS))
    last = exp.ArgMax(this=value, expression=exp.Tuple(expressions=[when, value.copy()]))
    return exp.Filter(
        this=last, expression=exp.Where(this=exp.Not(this=exp.Is(this=exp.column(name), expression=exp.null())))
    )
