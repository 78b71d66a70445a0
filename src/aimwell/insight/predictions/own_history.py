"""The target's own past as features: who is asked about coffee is described by the coffee that he bought before."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from aimwell.core.rules import (
    EventFacts,
    EventMatch,
    Events,
    Not,
    PurchaseFacts,
    PurchaseMatch,
    Purchases,
    Rule,
)
from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.rules.facts import rows_of
from aimwell.store.warehouse.history import History

PREFIX = "target_"
WINDOWS = (28, 84, 182, 364)
FAMILY = "target"
"""Under this name a definition may leave them out: `exclude: [family:target]`."""

Leaf = Purchases | Events


def own_leaf(definition: Prediction) -> Leaf | None:
    """What the target speaks of, without its window and bounds: certain purchases, or certain events.

    None when it speaks of several things, of contacts, or of all purchases alike (the usual features tell those).
    """
    target = definition.target
    if target is None:
        return None
    if target.amount is not None and target.amount.purchases is not None:
        return _purchases(target.amount.purchases)
    return _leaf(target.happens) if target.happens is not None else None


def own_columns(definition: Prediction) -> tuple[Column, ...]:
    """The columns that describe the target's own past; none where `own_leaf` is None or they are excluded."""
    leaf = own_leaf(definition)
    if leaf is None:
        return ()
    bought = isinstance(leaf, Purchases)
    found: list[Column] = []
    for days in WINDOWS:
        label = Text(f"目标发生次数（近{days}天）", f"Times of the target (last {days} days)")
        unit = units.ORDERS if bought else Text("次", "times")
        found.append(Column(f"{PREFIX}times_{days}d", label, "integer", label, unit, measure=f"{PREFIX}times", empty=0))
        if bought:
            label = Text(f"目标商品消费额（近{days}天）", f"Spend on the target (last {days} days)")
            found.append(Column(f"{PREFIX}spend_{days}d", label, "money", label, measure=f"{PREFIX}spend", empty=0))
    label = Text("距上次目标行为天数", "Days since the target was last done")
    found.append(Column(f"{PREFIX}days_since", label, "integer", label, units.DAYS))
    choice = definition.features
    return tuple(column for column in found if choice.chosen(column.name, FAMILY))


def own_history(definition: Prediction, history: History, people: str) -> pa.Table:
    """The columns for everybody in a physical table of ids, sorted by id, without the id; nothing done counts 0."""
    leaf, columns = own_leaf(definition), own_columns(definition)
    if leaf is None or not columns:
        return pa.table({})
    rows = rows_of(leaf, history)
    done = rows.select(exp.column("customer_id"), *[_measure(column, leaf, rows.at) for column in columns])
    done = done.group_by("customer_id")
    query = exp.select().from_("people").with_("done", as_=done)
    for column in columns:
        value: exp.Expr = exp.column(column.name, table="done")
        if column.empty is not None:
            value = exp.func("coalesce", value, exp.Literal.number(0))
        query = query.select(exp.alias_(exp.cast(value, exp.DType.DOUBLE), column.name))
    same = exp.EQ(this=exp.column("customer_id", table="done"), expression=exp.column("customer_id", table="people"))
    query = query.join("done", on=same, join_type="left").order_by(exp.column("customer_id", table="people"))
    return history.to_arrow(query, {"people": people})


def _leaf(rule: Rule) -> Leaf | None:
    if isinstance(rule, Not):
        return _leaf(rule.not_)
    if isinstance(rule, Purchases):
        return _purchases(rule.purchases)
    if isinstance(rule, Events):
        return Events(events=EventFacts.model_validate(_given(rule.events, EventMatch)))
    return None


def _purchases(match: PurchaseMatch) -> Purchases | None:
    given = _given(match, PurchaseMatch)
    return Purchases(purchases=PurchaseFacts.model_validate(given)) if given else None


def _given(match: PurchaseMatch | EventMatch, kind: type[PurchaseMatch | EventMatch]) -> dict[str, object]:
    """The filters that are set, without windows and bounds."""
    filters = {name: getattr(match, name) for name in kind.model_fields}
    return {name: value for name, value in filters.items() if value is not None and value != {}}


def _measure(column: Column, leaf: Leaf, at: exp.Expr) -> exp.Expr:
    if column.name == f"{PREFIX}days_since":
        now = exp.Anonymous(this="as_of")
        since = exp.Anonymous(this="days_between", expressions=[exp.Max(this=at.copy()), now])
        return exp.alias_(since, column.name)
    days = int(column.name.rsplit("_", 1)[1].removesuffix("d"))
    start = exp.Anonymous(this="days_before", expressions=[exp.Literal.number(days)])
    inside = exp.Where(this=exp.GTE(this=at.copy(), expression=start))
    value: exp.Expr
    if column.kind == "money":
        value = exp.Sum(this=exp.column("amount"))
    elif isinstance(leaf, Purchases):
        value = exp.Count(this=exp.Distinct(expressions=[exp.column("order_id")]))
    else:
        value = exp.Count(this=exp.Star())
    return exp.alias_(exp.Filter(this=value, expression=inside), column.name)
