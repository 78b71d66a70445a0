"""Leaves about what happened: the customers whose purchases, events, contacts or outcomes meet the bounds.

Each leaf becomes a set of customer ids. A leaf that also holds for customers without any matching row ("no purchase in
30 days") becomes the set of those for whom it does *not* hold, so that it is still one pass over the matching rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlglot import exp

from aimwell.core.comparisons import Bounds, Comparison, Window, Words
from aimwell.core.errors import BadQuestion
from aimwell.core.rules import (
    EventFacts,
    EventMatch,
    Events,
    EventStep,
    OutcomeFacts,
    OutcomeMatch,
    Outcomes,
    OutcomeStep,
    PurchaseMatch,
    Purchases,
    PurchaseStep,
    Step,
    Touches,
    TouchFacts,
    TouchMatch,
)
from aimwell.core.tables import TABLES
from aimwell.insight.rules.comparing import ValueKind, compared, words_condition
from aimwell.insight.rules.context import View
from aimwell.insight.rules.windows import window_conditions

AT_LEAST_ONE = Bounds(at_least=1)
FactLeaf = Purchases | Events | Touches | Outcomes
_PRODUCT_FILTERS = ("category", "subcategory", "department", "brand")


@dataclass(frozen=True, slots=True)
class IdSet:
    """Customers by id: those for whom a leaf holds or, when `inverse`, those for whom it does not."""

    query: exp.Query
    inverse: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """Matching rows of one canonical table of facts."""

    table: str
    conditions: tuple[exp.Expr, ...]

    def select(self, *columns: exp.Expr) -> exp.Select:
        """The given columns of the matching rows."""
        query = exp.select(*columns).from_(exp.to_table(self.table))
        return query.where(*[condition.copy() for condition in self.conditions]) if self.conditions else query

    def narrowed(self, *conditions: exp.Expr) -> Rows:
        """Those of the rows that meet further conditions."""
        return Rows(self.table, (*self.conditions, *conditions))

    @property
    def at(self) -> exp.Expr:
        """The column that says when it happened."""
        return exp.column(TABLES[self.table].occurred or "")


def fact_set(leaf: FactLeaf, view: View) -> IdSet:
    """The customers whose facts meet the bounds of a leaf."""
    rows = rows_of(leaf, view)
    if isinstance(leaf, Purchases):
        facts = leaf.purchases
        bounds = [
            (_distinct("order_id"), facts.count or (None if facts.amount or facts.products else AT_LEAST_ONE)),
            (exp.func("coalesce", exp.Sum(this=exp.column("amount")), exp.Literal.number(0)), facts.amount),
            (_distinct("product_id"), facts.products),
        ]
        given = [(measure, bound) for measure, bound in bounds if bound is not None]
        if facts.amount is None:
            return _bounded(rows.narrowed(_no_return()), given)
        return _bounded(rows, [(_without_returns(measure), bound) for measure, bound in given])
    count = _window(leaf).count or AT_LEAST_ONE
    return _bounded(rows, [(exp.Count(this=exp.Star()), count)])


def rows_of(leaf: FactLeaf, view: View) -> Rows:
    """The rows that a leaf counts, inside its window."""
    if isinstance(leaf, Purchases):
        rows = _purchases(leaf.purchases, view)
    elif isinstance(leaf, Events):
        rows = _events(leaf.events, view)
    elif isinstance(leaf, Touches):
        rows = _touches(leaf.touches, view)
    else:
        rows = _outcomes(leaf.outcomes, view)
    return rows.narrowed(*window_conditions(window_of(leaf), rows.at, view))


def step_rows(step: Step, view: View) -> Rows:
    """The rows that one step of a sequence means."""
    if isinstance(step, PurchaseStep):
        return _purchases(step.purchases, view).narrowed(_no_return())
    if isinstance(step, EventStep):
        return _events(step.events, view)
    if isinstance(step, OutcomeStep):
        return _outcomes(step.outcomes, view)
    return _touches(step.touches, view)


def window_of(leaf: FactLeaf) -> Window:
    """The window of a leaf."""
    return leaf.purchases if isinstance(leaf, Purchases) else _window(leaf)


def need(view: View, table: str, *columns: str) -> None:
    """Raise BadQuestion unless the table is loaded with these columns."""
    facts = view.catalog.get(table)
    missing = [column for column in columns if facts is not None and column not in facts.columns]
    if facts is None or missing:
        what = f"the table {table}" if facts is None else f"{', '.join(missing)} of the table {table}"
        raise BadQuestion(f"The rule needs {what}, which is not loaded", remedy="Load a source that fills it.")


def _window(leaf: Events | Touches | Outcomes) -> EventFacts | TouchFacts | OutcomeFacts:
    if isinstance(leaf, Events):
        return leaf.events
    return leaf.touches if isinstance(leaf, Touches) else leaf.outcomes


def _purchases(match: PurchaseMatch, view: View) -> Rows:
    need(view, "purchase", "order_id", "occurred_at", "amount")
    conditions = _word_conditions(view, "purchase", product_id=match.product, channel=match.channel, place=match.place)
    filters = {name: words for name in _PRODUCT_FILTERS if (words := getattr(match, name)) is not None}
    if filters:
        need(view, "purchase", "product_id")
        of_products = exp.select("product_id").from_("product").where(*_word_conditions(view, "product", **filters))
        conditions.append(exp.In(this=exp.column("product_id"), query=of_products.subquery()))
    return Rows("purchase", tuple(conditions))


def _events(match: EventMatch, view: View) -> Rows:
    need(view, "event", "name", "occurred_at")
    conditions = _word_conditions(view, "event", name=match.name, channel=match.channel)
    if match.where:
        need(view, "event", "properties")
    conditions += [_property_condition(name, comparison) for name, comparison in match.where.items()]
    return Rows("event", tuple(conditions))


def _touches(match: TouchMatch, view: View) -> Rows:
    need(view, "touch", "occurred_at")
    return Rows("touch", tuple(_touch_conditions(match, view)))


def _outcomes(match: OutcomeMatch, view: View) -> Rows:
    need(view, "outcome", "kind", "occurred_at")
    conditions = _word_conditions(view, "outcome", kind=match.kind)
    if of_touch := _touch_conditions(match, view):
        need(view, "outcome", "touch_id")
        touches = exp.select("touch_id").from_("touch").where(*of_touch)
        conditions.append(exp.In(this=exp.column("touch_id"), query=touches.subquery()))
    return Rows("outcome", tuple(conditions))


def _touch_conditions(match: TouchMatch, view: View) -> list[exp.Expr]:
    return _word_conditions(
        view, "touch", campaign=match.campaign, journey=match.journey, channel=match.channel, offer_id=match.offer
    )


def _word_conditions(view: View, table: str, **filters: Words | None) -> list[exp.Expr]:
    given = {column: words for column, words in filters.items() if words is not None}
    if given:
        need(view, table, *given)
    return [words_condition(exp.column(column), words) for column, words in given.items()]


def _property_condition(name: str, comparison: Comparison) -> exp.Expr:
    """A property is read as what it is compared with: numbers as numbers, dates as days, anything else as text."""
    text = exp.JSONExtractScalar(
        this=exp.column("properties"),
        expression=exp.JSONPath(expressions=[exp.JSONPathRoot(), exp.JSONPathKey(this=name)]),
    )
    kind = _property_kind(comparison)
    value: exp.Expr = text
    if kind == "number":
        value = exp.TryCast(this=text, to=exp.DataType.build("DOUBLE"))
    elif kind == "day":
        first = exp.Substring(this=text, start=exp.Literal.number(1), length=exp.Literal.number(10))
        value = exp.TryCast(this=first, to=exp.DataType.build("DATE"))
    return compared(value, kind, comparison, f"the property {name!r}")


def _property_kind(comparison: Comparison) -> ValueKind:
    seen: list[object] = []
    for value in comparison.model_dump(exclude={"known"}, exclude_none=True).values():
        seen += value if isinstance(value, tuple | list) else [value]
    if seen and all(isinstance(value, int | float) and not isinstance(value, bool) for value in seen):
        return "number"
    return "day" if seen and all(isinstance(value, date) for value in seen) else "text"


def _distinct(column: str) -> exp.Expr:
    return exp.Count(this=exp.Distinct(expressions=[exp.column(column)]))


def _no_return() -> exp.Expr:
    """Returns have negative amounts; a line that cost nothing was still bought."""
    return exp.GTE(this=exp.column("amount"), expression=exp.Literal.number(0))


def _without_returns(measure: exp.Expr) -> exp.Expr:
    if isinstance(measure, exp.Count):
        return exp.Filter(this=measure, expression=exp.Where(this=_no_return()))
    return measure


def _bounded(rows: Rows, given: Sequence[tuple[exp.Expr, Bounds]]) -> IdSet:
    """One group per customer with matching rows, kept where the bounds hold (or fail, if they hold for 0)."""
    inverse = all(bounds.hold(0) for _, bounds in given)
    if len(given) == 1 and isinstance(given[0][0], exp.Count) and _means_any(given[0][1], inverse=inverse):
        return IdSet(rows.select(exp.column("customer_id")).distinct(), inverse)
    holds = exp.and_(*[compared(measure, "number", bounds, "the count") for measure, bounds in given])
    kept = exp.Not(this=exp.paren(holds)) if inverse else holds
    return IdSet(rows.select(exp.column("customer_id")).group_by("customer_id").having(kept), inverse)


def _means_any(bounds: Bounds, *, inverse: bool) -> bool:
    """Whether one matching row settles it: the bounds hold for no count from 1 on (inverse), or for each."""
    edges = {1, 2, 10**15}
    for value in bounds.model_dump(exclude_none=True).values():
        for number in value if isinstance(value, tuple | list) else (value,):
            edges |= {int(number) - 1, int(number), int(number) + 1}
    return all(bounds.hold(count) is not inverse for count in edges if count >= 1)
