"""How figures are written for people: counts, money, shares, intervals and dates, in Chinese and English."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from aimwell.core.text import Text

Number = int | float | Decimal
UNKNOWN = "—"
_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "HKD": "HK$"}


def same(words: str) -> Text:
    """A phrase that reads the same in both languages.

    >>> same("AUC").zh
    'AUC'
    """
    return Text(words, words)


def missing(value: Number | None) -> bool:
    """Whether there is no figure to write."""
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def count(value: Number | None) -> str:
    """A whole number with separators.

    >>> count(48210)
    '48,210'
    """
    return UNKNOWN if value is None or missing(value) else _minus(f"{round(value):,}")


def number(value: Number | None, digits: int = 3) -> str:
    """A number with so many decimals.

    >>> number(-0.8613, 2)
    '−0.86'
    """
    return UNKNOWN if value is None or missing(value) else _minus(f"{float(value):,.{digits}f}")


def share(value: Number | None, digits: int = 1) -> str:
    """A share as per cent.

    >>> share(0.377)
    '37.7%'
    """
    return UNKNOWN if value is None or missing(value) else _minus(f"{100 * float(value):.{digits}f}%")


def money(value: Number | None, currency: str, digits: int = 2) -> str:
    """An amount with its currency's sign.

    >>> money(4596.5, "USD")
    '$4,596.50'
    """
    if value is None or missing(value):
        return UNKNOWN
    sign = "−" if value < 0 else ""
    return f"{sign}{_SYMBOLS.get(currency, currency + ' ')}{abs(float(value)):,.{digits}f}"


def between(low: str, high: str) -> str:
    """An interval from two written figures; with room around the dash where a minus or money stands beside it.

    >>> between("9%", "16%"), between("−0.05", "0.02")
    ('9%–16%', '−0.05 – 0.02')
    """
    return f"{low}–{high}" if low[:1].isdigit() and high[:1].isdigit() else f"{low} – {high}"


def day(instant: datetime, zone: ZoneInfo) -> Text:
    """A local calendar day, in words.

    >>> from aimwell.core.time import zone as at
    >>> day(datetime(2017, 11, 1, tzinfo=at("UTC")), at("UTC")).en
    '1 Nov 2017'
    """
    local = instant.astimezone(zone)
    return Text(f"{local.year} 年 {local.month} 月 {local.day} 日", f"{local.day} {local:%b %Y}")


def instant(when: datetime, zone: ZoneInfo) -> Text:
    """A local date and time of day, for tables and timelines.

    >>> from aimwell.core.time import zone as at
    >>> instant(datetime(2017, 11, 1, 17, 5, tzinfo=at("UTC")), at("UTC")).en
    '1 Nov 2017, 17:05'
    """
    local = when.astimezone(zone)
    return Text(f"{local:%Y-%m-%d %H:%M}", f"{local.day} {local:%b %Y, %H:%M}")


def moment(name: str) -> Text:
    """What a cut-off is called: a calendar day in words, or the name of a campaign as it stands.

    >>> moment("2017-11-01").en, moment("18").en
    ('1 Nov 2017', '18')
    """
    try:
        found = date.fromisoformat(name)
    except ValueError:
        return same(name)
    return Text(f"{found.year} 年 {found.month} 月 {found.day} 日", f"{found.day} {found:%b %Y}")


def short_moment(name: str) -> Text:
    """The same for the ticks of an axis, where room is short.

    >>> short_moment("2017-11-01").en, short_moment("2017-11-01").zh
    ('1 Nov', '11-01')
    """
    try:
        found = date.fromisoformat(name)
    except ValueError:
        return same(name)
    return Text(f"{found:%m-%d}", f"{found.day} {found:%b}")


def listed(words: Sequence[Text]) -> Text:
    """Several phrases in one line.

    >>> listed([same("a"), same("b")])
    Text(zh='a、b', en='a, b')
    """
    return Text("、".join(word.zh for word in words), ", ".join(word.en for word in words))


def cleft(words: Sequence[Text]) -> Text:
    """Several statements in one line, parted by semicolons."""
    return Text("；".join(word.zh for word in words), "; ".join(word.en for word in words))


def _minus(text: str) -> str:
    return text.replace("-", "−")
