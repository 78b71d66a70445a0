"""Windows of time as authored SQL: back from the cut of a history, forward into the horizon of a label."""

from __future__ import annotations

from datetime import date, timedelta

from sqlglot import exp

from aimwell.core.comparisons import Window
from aimwell.core.errors import BadQuestion
from aimwell.core.time import parse_instant, to_store
from aimwell.insight.rules.comparing import ValueKind, length_of
from aimwell.insight.rules.context import View
from aimwell.store.warehouse.cut import instant_literal
from aimwell.store.warehouse.history import Horizon

DAY = timedelta(days=1)


def window_conditions(window: Window, at: exp.Expr, view: View) -> list[exp.Expr]:
    """The conditions that an instant lies in the window; none for all of time.

    Raises BadQuestion for a window that looks back from a horizon, which begins at the cut.
    """
    if isinstance(view, Horizon):
        return _forward(window, at, view)
    conditions: list[exp.Expr] = []
    since = window.within or window.since
    if since is not None:
        conditions.append(exp.GTE(this=at.copy(), expression=instant_of(since, view)))
    if window.until is not None:
        conditions.append(exp.LT(this=at.copy(), expression=instant_of(window.until, view)))
    return conditions


def recent(value: exp.Expr, kind: ValueKind, length: timedelta, view: View) -> list[exp.Expr]:
    """The conditions that a date or instant lies in the last so many days before the cut (the first of a horizon)."""
    cut: exp.Expr = exp.Anonymous(this="as_of")
    edge = ago(-length if isinstance(view, Horizon) else length)
    if kind == "day":
        days = -(-length // DAY)
        number: exp.Expr = exp.Literal.number(days)
        cut = exp.Anonymous(this="as_of_day")
        edge = exp.Anonymous(
            this="day_before", expressions=[exp.Neg(this=number) if isinstance(view, Horizon) else number]
        )
    low, high = (cut, edge) if isinstance(view, Horizon) else (edge, cut)
    return [exp.GTE(this=value.copy(), expression=low), exp.LT(this=value.copy(), expression=high)]


def _forward(window: Window, at: exp.Expr, view: View) -> list[exp.Expr]:
    conditions: list[exp.Expr] = []
    for side in (window.since, window.until):
        if isinstance(side, timedelta):
            raise BadQuestion(
                "A label is about what comes after the cut; since and until look back from it",
                remedy="Leave the window out (the whole horizon), or write within: 7d for its first days.",
            )
    if window.within is not None:
        conditions.append(exp.LT(this=at.copy(), expression=ago(-window.within)))
    if isinstance(window.since, date):
        conditions.append(exp.GTE(this=at.copy(), expression=instant_of(window.since, view)))
    if isinstance(window.until, date):
        conditions.append(exp.LT(this=at.copy(), expression=instant_of(window.until, view)))
    return conditions


def instant_of(moment: timedelta | date, view: View) -> exp.Expr:
    """The instant so long before the cut, or the local midnight with which a date begins."""
    if isinstance(moment, timedelta):
        return ago(moment)
    return instant_literal(to_store(parse_instant(moment, view.zone)))


def ago(length: timedelta) -> exp.Expr:
    """The instant so long before the cut (after it when negative): whole days on the clock on the wall."""
    days, rest = divmod(abs(length), DAY)
    if not rest:
        number: exp.Expr = exp.Literal.number(days)
        return exp.Anonymous(
            this="days_before", expressions=[exp.Neg(this=number) if length < timedelta(0) else number]
        )
    cut = exp.Anonymous(this="as_of")
    if length < timedelta(0):
        return exp.Add(this=cut, expression=length_of(-length))
    return exp.Sub(this=cut, expression=length_of(length))
