"""Days that stand out: missing ones, and such with far fewer or more rows than their weekday usually has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from statistics import median

from aimwell.core.text import Text
from aimwell.store.sources.report import Oddity

_LEAST_DAYS = 14
_USUAL_SHARE = 0.9  # below it the rows do not come daily, and a missing day means nothing
_FACTOR = 5
_LEAST_ROWS = 5
_EXAMPLES = 5


def odd_days(name: str, counts: Mapping[date, int]) -> list[Oddity]:
    """Missing and unusual days between the first and last, which may be partial themselves.

    counts: rows by day. A weekday on which the shop is usually closed is not missed. Fewer than 14 days say nothing.
    """
    if not counts:
        return []
    first, last = min(counts), max(counts)
    span = (last - first).days + 1
    if span < _LEAST_DAYS or len(counts) < _USUAL_SHARE * span:
        return []
    usual = _usual(counts, first, span)
    missing: list[date] = []
    unusual: list[date] = []
    for offset in range(1, span - 1):
        day = first + timedelta(days=offset)
        rows, typical = counts.get(day, 0), usual[day.weekday()]
        if not rows and typical:
            missing.append(day)
        elif typical >= _LEAST_ROWS and rows and not typical / _FACTOR <= rows <= typical * _FACTOR:
            unusual.append(day)
    return [
        *_said("missing_days", name, missing, span, Text("{n} 天没有数据:{days}", "{n} day(s) have no rows: {days}")),
        *_said(
            "unusual_days",
            name,
            unusual,
            span,
            Text("{n} 天的行数异常:{days}", "{n} day(s) have far fewer or more rows than usual: {days}"),
        ),
    ]


def _usual(counts: Mapping[date, int], first: date, span: int) -> dict[int, float]:
    """The median number of rows of each weekday, 0 for one that is mostly without."""
    found: dict[int, list[int]] = defaultdict(list)
    for offset in range(span):
        day = first + timedelta(days=offset)
        found[day.weekday()].append(counts.get(day, 0))
    return defaultdict(float, {weekday: median(rows) for weekday, rows in found.items()})


def _said(kind: str, name: str, days: list[date], span: int, said: Text) -> list[Oddity]:
    if not days:
        return []
    shown = tuple(day.isoformat() for day in days[:_EXAMPLES])
    listed = ", ".join(shown) + (", …" if len(days) > _EXAMPLES else "")
    column = Text(f"{name}:", f"{name}: ")
    text = said.format(n=len(days), days=listed)
    return [Oddity(kind, name, len(days), len(days) / span, Text(column.zh + text.zh, column.en + text.en), shown)]
