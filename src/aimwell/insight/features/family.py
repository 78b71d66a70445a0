"""What a feature family is: a table keyed by customer, with every column declared in both languages.

A family states one authored query (or a list of windowed measures over one table, from which the query is built), the
tables and columns it needs, and what each of its columns means. A family whose needs are not met says so and yields
nothing. Families that need more than SQL add `compute`, a pure function of the query's rows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import pyarrow as pa
from sqlglot import exp, parse_one

from aimwell.core.text import Text
from aimwell.insight.features.basis import Basis, closure, digest, parsed
from aimwell.insight.features.basis import missing as missing  # noqa: PLC0414 (told here too)
from aimwell.store.warehouse.history import History
from aimwell.store.warehouse.macros import Setting

TagFamily = Literal["basic", "tier", "preference", "transaction", "churn", "credit", "lifetime_value", "latent_demand"]
Kind = Literal["number", "integer", "money", "share", "text", "boolean", "day"]
Freshness = Literal["live", "batch"]

TAG_FAMILIES: Mapping[TagFamily, Text] = {
    "basic": Text("基本信息", "Basic"),
    "tier": Text("等级", "Tier"),
    "preference": Text("偏好", "Preference"),
    "transaction": Text("交易", "Transaction"),
    "churn": Text("流失", "Churn"),
    "credit": Text("信用", "Credit"),
    "lifetime_value": Text("终身价值", "Lifetime value"),
    "latent_demand": Text("潜在需求", "Latent demand"),
}

NO_UNIT = Text("", "")


@dataclass(frozen=True, slots=True)
class Column:
    """One feature: what marketers read, its unit, and what it means.

    measure: the name of the meaning, shared by the windows of one measure (`spend` for `spend_28d` and `spend_84d`).
    empty: the value of customers for whom the query has no row (None: unknown).
    needs: columns, written `table.column`, without which this one cannot be known.
    inferred: whether the value is inferred rather than stated by the customer; `meaning` then says from what.
    words: what marketers read for each value of a text that is a code.
    """

    name: str
    label: Text
    kind: Kind
    meaning: Text
    unit: Text = NO_UNIT
    measure: str = ""
    empty: float | int | str | bool | None = None
    needs: tuple[str, ...] = ()
    inferred: bool = False
    words: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measure:
    """A windowed aggregate: one expression, computed over several windows of days before the cut.

    `{days}` in the label and meaning stands for the window; a window of None means all of the history.
    """

    name: str
    expression: str
    label: Text
    meaning: Text
    kind: Kind
    windows: tuple[int | None, ...]
    unit: Text = NO_UNIT
    empty: float | int | None = None
    needs: tuple[str, ...] = ()

    def columns(self) -> list[Column]:
        """One column per window."""
        return [
            Column(
                name=window_name(self.name, days),
                label=Text(self.label.zh.format(days=_zh(days)), self.label.en.format(days=_en(days))),
                kind=self.kind,
                meaning=Text(self.meaning.zh.format(days=_zh(days)), self.meaning.en.format(days=_en(days))),
                unit=self.unit,
                measure=self.name,
                empty=self.empty,
                needs=self.needs,
            )
            for days in self.windows
        ]


def window_name(name: str, days: int | None) -> str:
    """The column name of a measure in a window.

    >>> window_name("spend", 28), window_name("spend", None)
    ('spend_28d', 'spend_ever')
    """
    return f"{name}_ever" if days is None else f"{name}_{days}d"


def _zh(days: int | None) -> str:
    return "历史以来" if days is None else f"近{days}天"


def _en(days: int | None) -> str:
    return "all of history" if days is None else f"last {days} days"


Compute = Callable[[pa.Table, History], pa.Table]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number or word that a workspace may set under `[settings]`; authored SQL reads it as `setting('name')`."""

    name: str
    default: Setting
    meaning: Text


@dataclass(frozen=True, eq=False)
class Family:
    """One feature family.

    sql: the authored query, one row per customer, with `customer_id` and the columns.
    needs: tables and columns (`purchase.amount`) without which the family yields nothing.
    compute: turns the query's rows into the columns, where SQL is not enough; sees nothing but those rows.
    freshness: `live` if it can be computed for a few customers at once, `batch` if it needs everyone.
    reads: the bases that the query reads by name.   thresholds: the settings that it reads, with their defaults.
    uses: further columns that the query takes into account, and does without where they are empty.
    given: relations that whoever asks must give by name, since they are part of the question, such as the goods of the
    campaign that is asked about.
    """

    name: str
    tag_family: TagFamily
    label: Text
    needs: tuple[str, ...]
    columns: tuple[Column, ...]
    sql: exp.Select
    freshness: Freshness = "live"
    compute: Compute | None = None
    reads: tuple[Basis, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    uses: tuple[str, ...] = ()
    given: tuple[str, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """What the family computes, in few letters: changes when its query, its bases or its code do."""
        code = inspect.getsource(inspect.getmodule(self.compute) or self.compute) if self.compute else ""
        shared = [basis.fingerprint for basis in closure(self.reads)]
        return digest([self.sql.sql(dialect="duckdb"), code, *shared])

    def missing(self, history: History) -> list[str]:
        """Which needs of the family and of its bases are not met; empty if the family can be computed."""
        return missing(_with_shared(self.needs, self.reads), history)

    def available(self, history: History) -> tuple[Column, ...]:
        """The columns that this history can carry; none if a need of the family is not met."""
        if self.missing(history):
            return ()
        return tuple(column for column in self.columns if not missing(column.needs, history))


def query_family(  # noqa: PLR0913 (a declaration: all but the first three by keyword)
    name: str,
    tag_family: TagFamily,
    label: Text,
    *,
    needs: tuple[str, ...],
    columns: tuple[Column, ...],
    sql: str,
    freshness: Freshness = "live",
    compute: Compute | None = None,
    reads: tuple[Basis, ...] = (),
    thresholds: tuple[Threshold, ...] = (),
    uses: tuple[str, ...] = (),
    given: tuple[str, ...] = (),
) -> Family:
    """A family written as one query."""
    query, needs = parsed(sql), _with_shared(needs, reads)
    return Family(name, tag_family, label, needs, columns, query, freshness, compute, reads, thresholds, uses, given)


def measure_family(
    name: str,
    tag_family: TagFamily,
    label: Text,
    *,
    needs: tuple[str, ...],
    base: str,
    at: str,
    measures: tuple[Measure, ...],
    freshness: Freshness = "live",
    reads: tuple[Basis, ...] = (),
    thresholds: tuple[Threshold, ...] = (),
) -> Family:
    """A family of windowed measures: each expression over the rows of `base` in each window, by customer.

    base: an authored query (or the name of a table or basis) with `customer_id` and the instant `at`.
    """
    columns = tuple(column for measure in measures for column in measure.columns())
    query, needs = _windowed(base, at, measures), _with_shared(needs, reads)
    return Family(name, tag_family, label, needs, columns, query, freshness, None, reads, thresholds)


def _with_shared(needs: tuple[str, ...], reads: tuple[Basis, ...]) -> tuple[str, ...]:
    """The needs of a family and of all that it is computed from, each once."""
    return tuple(dict.fromkeys([*needs, *(need for basis in closure(reads) for need in basis.needs)]))


def _windowed(base: str, at: str, measures: tuple[Measure, ...]) -> exp.Select:
    if " " in base.strip():
        query = exp.select("customer_id").from_("base").with_("base", as_=parsed(base))
    else:
        query = exp.select("customer_id").from_(exp.to_table(base))
    for measure in measures:
        for days in measure.windows:
            expression: exp.Expr = parse_one(measure.expression, read="duckdb")
            if days is not None:
                expression = _within(expression, at, days)
            query = query.select(exp.alias_(expression, window_name(measure.name, days)))
    return query.group_by("customer_id")


def _within(expression: exp.Expr, at: str, days: int) -> exp.Expr:
    """The expression with each of its aggregates restricted to the window."""
    since = exp.GTE(
        this=exp.column(at), expression=exp.Anonymous(this="days_before", expressions=[exp.Literal.number(days)])
    )

    def step(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Filter):
            kept = exp.Where(this=exp.and_(node.expression.this.copy(), since.copy()))
            return exp.Filter(this=node.this.copy(), expression=kept)
        if isinstance(node, exp.AggFunc) or (isinstance(node, exp.Anonymous) and node.name in _AGGREGATE_MACROS):
            return exp.Filter(this=node.copy(), expression=exp.Where(this=since.copy()))
        return node

    return _outermost(expression, step)


_AGGREGATE_MACROS = frozenset({"mean", "spread", "quantile_at"})


def _outermost(node: exp.Expr, step: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    changed = step(node)
    if changed is not node:
        return changed
    copied = node.copy()
    for child in list(copied.iter_expressions()):
        replaced = _outermost(child, step)
        if replaced is not child:
            child.replace(replaced)
    return copied
