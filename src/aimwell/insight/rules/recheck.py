"""When to look again: until which instant a customer's answer stands if nothing new happens.

"No purchase in 30 days" becomes true when nothing happens. Every leaf yields the instants at which one of its rows
enters or leaves its window; the earliest of them is the customer's `recheck_at`. The answer holds up to and including
that instant: a customer is due as soon as the cut lies after it. It is a lower bound, so that looking again may find no
change, never a change too late. Where clocks are put forward or back within reach of the window, it is earlier by that
much. Tags and scores change when they are built again, not by themselves; see `Freshness`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from sqlglot import exp

from aimwell.core.comparisons import Window
from aimwell.core.rules import (
    AttributeIs,
    Events,
    InSequence,
    Leaf,
    MemberOf,
    Outcomes,
    Purchases,
    Rule,
    ScoreIs,
    TagIs,
    Touches,
    leaves,
)
from aimwell.core.time import add_days, local_day, parse_instant, to_store, transitions
from aimwell.insight.rules.comparing import length_of
from aimwell.insight.rules.compile import attribute_kind
from aimwell.insight.rules.context import RuleContext
from aimwell.insight.rules.facts import Rows, matching_rows, step_rows, window_of
from aimwell.insight.rules.windows import DAY, ago, instant_of
from aimwell.store.warehouse.cut import instant_literal
from aimwell.store.warehouse.history import History

Freshness = Literal["live", "batch"]


def freshness(rule: Rule, segments: Callable[[str], Rule | None] = lambda name: None) -> Freshness:
    """How fresh a rule can be kept: `live` if facts alone decide, `batch` if it reads scores or tags.

    Tags of `live` families follow the facts of a customer, yet their windows move by themselves; so they too are
    exact for everyone only when all are built.
    """
    for _, leaf in leaves(rule):
        if isinstance(leaf, TagIs | ScoreIs):
            return "batch"
        if isinstance(leaf, MemberOf):
            inner = segments(leaf.segment)
            if inner is None or freshness(inner, segments) == "batch":
                return "batch"
    return "live"


def rechecks(rule: Rule, context: RuleContext, view: History) -> exp.Select | None:
    """Until when each customer's answer stands by itself: a bound query of `customer_id`, `recheck_at` (naive UTC).

    Customers for whom nothing can change without new facts are left out; None if that holds for everyone.
    """
    found = [query for _, leaf in leaves(rule) for query in _of_leaf(leaf, context, view)]
    if not found:
        return None
    union: exp.Query = found[0]
    for query in found[1:]:
        union = exp.union(union, query, distinct=False)
    earliest = exp.alias_(exp.Min(this=exp.column("recheck_at")), "recheck_at")
    query = exp.select("customer_id", earliest).from_("edges").group_by("customer_id").with_("edges", as_=union)
    return view.bind(query)


def _of_leaf(leaf: Leaf, context: RuleContext, view: History) -> list[exp.Select]:
    if isinstance(leaf, Purchases | Events | Touches | Outcomes):
        return _edges(matching_rows(leaf, view), window_of(leaf), view)
    if isinstance(leaf, InSequence):
        return [edge for step in leaf.sequence.steps for edge in _edges(step_rows(step, view), leaf.sequence, view)]
    if isinstance(leaf, AttributeIs) and leaf.within is not None:
        return _attribute_edges(leaf, leaf.within, view)
    if isinstance(leaf, MemberOf) and leaf.segment not in context.members and leaf.segment in context.segments:
        inner = context.segments[leaf.segment]
        return [edge for _, part in leaves(inner) for edge in _of_leaf(part, context, view)]
    return []


def _edges(rows: Rows, window: Window, view: History) -> list[exp.Select]:
    """When rows inside the window leave it, and rows not yet inside enter it."""
    since, until = window.within or window.since, window.until
    found: list[exp.Select] = []
    inside = [exp.GTE(this=rows.at, expression=instant_of(since, view))] if since is not None else []
    if isinstance(since, timedelta):
        outlived = exp.LT(this=rows.at, expression=instant_of(until, view)) if until is not None else exp.true()
        found.append(_earliest(rows.narrowed(*inside, outlived), since, view))
    if isinstance(until, timedelta):
        waiting = exp.GTE(this=rows.at, expression=ago(until))
        found.append(_earliest(rows.narrowed(*inside, waiting), until, view))
    return found


def _earliest(rows: Rows, length: timedelta, view: History) -> exp.Select:
    edge = exp.Add(this=exp.Min(this=rows.at), expression=length_of(length))
    return rows.select(exp.column("customer_id"), exp.alias_(_safe(edge, length, view), "recheck_at")).group_by(
        "customer_id"
    )


def _safe(edge: exp.Expr, length: timedelta, view: History) -> exp.Expr:
    """The edge, earlier by what clocks may have been put forward or back in between, but not before the cut."""
    slack = _clock_changes(length, view)
    if slack:
        edge = exp.Sub(this=exp.paren(edge), expression=length_of(slack))
    return exp.func("greatest", edge, exp.Anonymous(this="as_of"))


def _clock_changes(length: timedelta, view: History) -> timedelta:
    """How far apart the zone's offsets lie within reach of a window; lengths of hours do not follow the clock."""
    if length % DAY:
        return timedelta(0)
    reach = length // DAY + 2
    steps = transitions(
        view.zone, since=add_days(view.as_of, -reach, view.zone), until=add_days(view.as_of, reach, view.zone)
    )
    offsets = [offset for _, offset in steps]
    return max(offsets) - min(offsets)


def _attribute_edges(leaf: AttributeIs, length: timedelta, view: History) -> list[exp.Select]:
    kind = attribute_kind(leaf.attribute, view)
    value = exp.column(leaf.attribute, quoted=True)
    rows = Rows("customer", (exp.Not(this=exp.Is(this=value.copy(), expression=exp.null())),))
    cut = exp.Anonymous(this="as_of")
    if kind == "day":
        days = exp.Literal.number(-(-length // DAY))
        near = rows.narrowed(
            exp.GTE(this=value.copy(), expression=exp.Anonymous(this="day_before", expressions=[days]))
        )
        return [near.select(exp.column("customer_id"), exp.alias_(_end_of_day(view), "recheck_at"))]
    inside = rows.narrowed(exp.GTE(this=value.copy(), expression=ago(length)))
    past = exp.LT(this=value.copy(), expression=cut.copy())
    leaves_at = _safe(exp.Add(this=value.copy(), expression=length_of(length)), length, view)
    return [
        inside.narrowed(past).select(exp.column("customer_id"), exp.alias_(leaves_at, "recheck_at")),
        inside.narrowed(exp.Not(this=past.copy())).select(
            exp.column("customer_id"), exp.alias_(exp.func("greatest", value.copy(), cut), "recheck_at")
        ),
    ]


def _end_of_day(view: History) -> exp.Expr:
    """The last instant of the local day of the cut: what depends on days changes after it."""
    tomorrow = local_day(view.as_of, view.zone) + DAY
    midnight = to_store(parse_instant(tomorrow, view.zone))
    return instant_literal(max(midnight - timedelta(microseconds=1), to_store(view.as_of)))
