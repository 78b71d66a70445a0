"""Naive local times as UTC, as syntax trees.

A time that the clock shows twice (when summer time ends) and one that it never shows (when it begins) are both read
with the offset in force before the change: the first of the two, and the skipped hour moved on. This is what Python's
`fold=0` means, and it needs no timezone functions of the engine.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlglot import exp

from aimwell.core.time import from_store, transitions
from aimwell.store.sources.trees import text, when
from aimwell.store.warehouse.cut import instant_literal

EARLIEST = datetime(1900, 1, 1)  # noqa: DTZ001 (naive by contract)
LATEST = datetime(2100, 1, 1)  # noqa: DTZ001
_MARGIN = timedelta(days=2)


def to_utc(value: exp.Expr, where: ZoneInfo, earliest: datetime, latest: datetime) -> exp.Expr:
    """The UTC instant of a naive local time; the two bounds say which changes of the clock can matter.

    Before 1900 and after 2100 the nearest offset inside holds.
    """
    changes = _changes(where, earliest, latest)
    first = changes[0][1]
    branches = []
    for (_, before), (at, after) in pairwise(changes):
        shown = at + max(before, after)
        branches.append((exp.GTE(this=value.copy(), expression=instant_literal(shown)), _minus(value, after)))
    return when(*reversed(branches), otherwise=_minus(value, first)) if branches else _minus(value, first)


def _changes(where: ZoneInfo, earliest: datetime, latest: datetime) -> tuple[tuple[datetime, timedelta], ...]:
    """The offsets in force around the bounds, with the instants (naive UTC) since which they are."""
    since = min(max(earliest, EARLIEST), LATEST) - _MARGIN
    until = min(max(latest, EARLIEST), LATEST) + _MARGIN
    return transitions(where, since=from_store(since), until=from_store(max(since, until)))


def _minus(value: exp.Expr, offset: timedelta) -> exp.Expr:
    seconds = int(offset.total_seconds())
    if not seconds:
        return value.copy()
    return exp.paren(
        exp.Sub(this=value.copy(), expression=exp.Interval(this=text(str(seconds)), unit=exp.var("SECOND")))
    )


def from_utc(value: exp.Expr, where: ZoneInfo, earliest: datetime, latest: datetime) -> exp.Expr:
    """The naive local time of a UTC instant between the two bounds."""
    changes = _changes(where, earliest, latest)
    branches = [
        (exp.GTE(this=value.copy(), expression=instant_literal(at)), _minus(value, -offset))
        for at, offset in changes[1:]
    ]
    first = _minus(value, -changes[0][1])
    return when(*reversed(branches), otherwise=first) if branches else first
