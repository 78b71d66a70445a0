"""Leaves about what happened: the customers whose purchases, events, contacts or outcomes meet the bounds.

Each leaf becomes a set of customer ids. A leaf that also holds for customers without any matching row ("no purchase in
30 days") becomes the set of those for whom it does *not* hold, so that it is still one pass over the matching rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

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
from aimwell.store.warehouse.history import Horizon

AT_LEAST_ONE = Bounds(at_least=1)
FactLeaf = Purchases | Events | Touches | Outcomes
FACT_LEAVES = (Purchases, Events, Touches, Outcomes)
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
        query = exp.select(*columns).from_(exp.to_table(self.table), copy=False)
        return query.where(*[condition.copy() for condition in self.conditions], copy=False)

    def narrowed(self, *conditions: exp.Expr) -> Rows:
        """Those of the rows that meet further conditions."""
        return Rows(self.table, (*self.conditions, *conditions))

    @property
    def at(self) -> exp.Expr:
        """The column that says when it happened."""
        return exp.column(TABLES[self.table].occurred or "")


@dataclass(frozen=True, slots=True)
class Measure:
    """What matching rows add up to: rows, distinct values of a column, or a sum (0 over no row).

    settled_by_one: whether any matching row makes it at least 1.
    """

    columns: tuple[str, ...]
    distinct: bool = True
    without_returns: bool = False
    settled_by_one: bool = True

    def of(self, marked: exp.Expr | None) -> exp.Expr:
        """The aggregate over a group of rows, of which only the marked ones count."""
        conditions = [marked.copy()] if marked is not None else []
        if self.without_returns:
            conditions.append(_no_return())
        if not self.columns:
            value: exp.Expr = exp.Count(this=exp.Star())
        elif self.distinct:
            value = exp.Count(this=exp.Distinct(expressions=[exp.column(self.columns[0])]))
        else:
            value = exp.Sum(this=exp.column(self.columns[0]))
        if conditions:
            value = exp.Filter(this=value, expression=exp.Where(this=exp.and_(*conditions, copy=False)))
        return value if self.distinct else exp.func("coalesce", value, exp.Literal.number(0))


EVERY = Measure(())
ORDERS = Measure(("order_id", "amount"), without_returns=True)
AMOUNT = Measure(("amount",), distinct=False, settled_by_one=False)
PRODUCTS = Measure(("product_id", "amount"), without_returns=True, settled_by_one=False)


@dataclass(frozen=True, slots=True)
class FactTest:
    """What a leaf about facts asks: which rows it counts, and the bounds on what they add up to."""

    rows: Rows
    window: Window
    bounds: tuple[tuple[Measure, Bounds], ...]
    negated: bool = False

    @property
    def holds_without(self) -> bool:
        """Whether the leaf holds for a customer without any matching row."""
        return all(bounds.hold(0) for _, bounds in self.bounds) is not self.negated

    @property
    def shareable(self) -> bool:
        """Whether its rows can be marked with a flag in a shared scan (not on every engine, for a sub-select)."""
        return not any(condition.find(exp.Select) for condition in self.rows.conditions)

    def holds(self, marked: exp.Expr | None = None) -> exp.Expr:
        """The condition on a group of rows, of which only the marked ones count."""
        met = exp.and_(*[compared(m.of(marked), "number", b, "the count") for m, b in self.bounds], copy=False)
        return exp.Not(this=exp.paren(met)) if self.negated else met


def fact_test(leaf: FactLeaf, view: View, *, negated: bool = False) -> FactTest:
    """The rows and bounds of a leaf; `negated` for the leaf under `not:`."""
    rows = rows_of(leaf, view)
    if not isinstance(leaf, Purchases):
        body = _window(leaf)
        return FactTest(rows, body, ((EVERY, body.count or AT_LEAST_ONE),), negated)
    facts = leaf.purchases
    orders = facts.count or (None if facts.amount or facts.products else AT_LEAST_ONE)
    given = tuple((m, b) for m, b in ((ORDERS, orders), (AMOUNT, facts.amount), (PRODUCTS, facts.products)) if b)
    if facts.amount is None:
        rows = rows.narrowed(_no_return())
        given = tuple((Measure(m.columns[:1], settled_by_one=m.settled_by_one), bounds) for m, bounds in given)
    return FactTest(rows, facts, given, negated)


def fact_set(test: FactTest) -> IdSet:
    """The customers for whom one test holds: one group per customer with matching rows."""
    rows, inverse = test.rows, test.holds_without
    if len(test.bounds) == 1 and _means_any(*test.bounds[0], inverse=inverse is not test.negated):
        return IdSet(rows.select(exp.column("customer_id")).distinct(copy=False), inverse)
    kept = exp.Not(this=exp.paren(test.holds())) if inverse else test.holds()
    return IdSet(_grouped(rows.select(exp.column("customer_id")), kept), inverse)


def shared_set(
    tests: Sequence[FactTest], name: str, *, every: bool, view: View
) -> tuple[list[tuple[str, exp.Query]], bool]:
    """Named queries whose last one holds the customers for whom all tests (or any) hold, in one scan of their table.

    Each row is marked once with the tests that it counts for; then one group per customer answers all of them.
    Returns the queries, and whether the ids are those for whom it does *not* hold.
    """
    marks = [exp.column(f"counts_{number}") for number in range(1, len(tests) + 1)]
    columns = dict.fromkeys(column for test in tests for measure, _ in test.bounds for column in measure.columns)
    flags = [exp.alias_(exp.and_(*_or_true(t), copy=False), mark.name) for t, mark in zip(tests, marks, strict=True)]
    base = Rows(tests[0].rows.table, _widest(tests, view))
    marked = base.select(exp.column("customer_id"), *[exp.column(column) for column in columns], *flags)
    together = exp.and_ if every else exp.or_
    combine = all if every else any
    inverse = combine(test.holds_without for test in tests)
    holds = together(*[test.holds(mark) for test, mark in zip(tests, marks, strict=True)], copy=False)
    kept = exp.Not(this=exp.paren(holds)) if inverse else holds
    counted = exp.or_(*[mark.copy() for mark in marks], copy=False)
    found = exp.select("customer_id").from_(f"{name}_rows", copy=False).where(counted, copy=False)
    return [(f"{name}_rows", marked), (name, _grouped(found, kept))], inverse


def _grouped(query: exp.Select, kept: exp.Expr) -> exp.Select:
    return query.group_by("customer_id", copy=False).having(kept, copy=False)


def _or_true(test: FactTest) -> list[exp.Expr]:
    return [condition.copy() for condition in test.rows.conditions] or [exp.true()]


def _widest(tests: Sequence[FactTest], view: View) -> tuple[exp.Expr, ...]:
    """The longest of the windows, if all of them look back: so that the scan skips what none of them counts."""
    lengths = [test.window.within or test.window.since for test in tests]
    back = [length for length in lengths if isinstance(length, timedelta)]
    if len(back) < len(tests) or isinstance(view, Horizon):
        return ()
    return tuple(window_conditions(Window(within=max(back)), tests[0].rows.at, view))


def rows_of(leaf: FactLeaf, view: View) -> Rows:
    """The rows that a leaf counts, inside its window."""
    rows = matching_rows(leaf, view)
    return rows.narrowed(*window_conditions(window_of(leaf), rows.at, view))


def matching_rows(leaf: FactLeaf, view: View) -> Rows:
    """The rows that a leaf means, at any time."""
    if isinstance(leaf, Purchases):
        return _purchases(leaf.purchases, view)
    if isinstance(leaf, Events):
        return _events(leaf.events, view)
    if isinstance(leaf, Touches):
        return _touches(leaf.touches, view)
    return _outcomes(leaf.outcomes, view)


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
    if match.tag is not None:
        need(view, "purchase", "product_id")
        need(view, "product_tag", "tag", "value")
        tagged = exp.select("product_id").from_("product_tag").where(exp.or_(*map(_carries, match.tag)))
        conditions.append(exp.In(this=exp.column("product_id"), query=tagged.subquery()))
    return Rows("purchase", tuple(conditions))


def _carries(word: str) -> exp.Expr:
    """The condition on a row of `product_tag` that a product carries the tag, or the value of the tag."""
    tag, _, value = word.partition("=")
    named = exp.EQ(this=exp.column("tag"), expression=exp.Literal.string(tag.strip()))
    held = exp.EQ(this=exp.column("value"), expression=exp.Literal.string(value.strip() or "true"))
    return exp.and_(named, held)


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
        value = exp.TryCast(this=text, to=exp.DataType.build("DOUBLE"), safe=True)
    elif kind == "day":
        first = exp.Substring(this=text, start=exp.Literal.number(1), length=exp.Literal.number(10))
        value = exp.TryCast(this=first, to=exp.DataType.build("DATE"), safe=True)
    return compared(value, kind, comparison, f"the property {name!r}")


def _property_kind(comparison: Comparison) -> ValueKind:
    seen: list[object] = []
    for value in comparison.model_dump(exclude={"known"}, exclude_none=True).values():
        seen += value if isinstance(value, tuple | list) else [value]
    if seen and all(isinstance(value, int | float) and not isinstance(value, bool) for value in seen):
        return "number"
    return "day" if seen and all(isinstance(value, date) for value in seen) else "text"


def _no_return() -> exp.Expr:
    """Returns have negative amounts; a line that cost nothing was still bought."""
    return exp.GTE(this=exp.column("amount"), expression=exp.Literal.number(0))


def _means_any(measure: Measure, bounds: Bounds, *, inverse: bool) -> bool:
    """Whether one matching row settles it: the bounds hold for no count from 1 on (inverse), or for each."""
    if not measure.settled_by_one:
        return False
    edges = {1, 2, 10**15}
    for value in bounds.model_dump(exclude_none=True).values():
        for number in value if isinstance(value, tuple | list) else (value,):
            edges |= {int(number) - 1, int(number), int(number) + 1}
    return all(bounds.hold(count) is not inverse for count in edges if count >= 1)
