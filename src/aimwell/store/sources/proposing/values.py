"""What the values of a raw column are: numbers with their signs, dates with the formats that fit, ids, words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aimwell.store.sources.reading import RawKind

Meaning = Literal["number", "integer", "instant", "day", "boolean", "json", "text"]

_ENOUGH = 0.95  # of the values must fit; the rest are the mistakes that every file has
_MOST = 1_000
_SIGN = r"(?:CNY|RMB|USD|EUR|GBP|JPY|HKD|TWD|US\$|HK\$|NT\$|人民币|[¥￥$€£])?\s*"
_AFTER = r"\s*(?:元|圆|块|块钱|CNY|RMB|USD|EUR|GBP|JPY|HKD|TWD|[¥￥$€£])?"
_POINT = re.compile(rf"[+-]?\(?{_SIGN}[+-]?(?:\d+|\d{{1,3}}(?:,\d{{3}})+)(?:\.\d*)?\)?{_AFTER}")
_COMMA = re.compile(rf"[+-]?\(?{_SIGN}[+-]?(?:\d+|\d{{1,3}}(?:\.\d{{3}})+)(?:,\d*)?\)?{_AFTER}")
_WHOLE = re.compile(r"[+-]?\d+")
_ID_WITH_POINT = re.compile(r"\d+\.0")
_THOUSANDS_OR_DECIMALS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_UNIX = (631_152_000, 4_102_444_800)  # 1990 to 2100
_WORDS = {"true", "false", "yes", "no", "y", "n", "是", "否", "有", "无"}

_CLEAR_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y")
_DAY_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y")
_MONTH_FIRST = ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y", "%m/%d/%y")
_CLOCKS = ("", " %H:%M:%S", " %H:%M", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S.%f")
_DENSE = {"": 8, "%H%M": 12, "%H%M%S": 14, " %H:%M:%S": 17}  # with the number of signs: strptime itself is lenient
_ISO = {f"{day}{clock}" for day in ("%Y-%m-%d", "%Y/%m/%d") for clock in _CLOCKS if "%I" not in clock}
_YEARS = (1900, 2100)
_OFFSET = re.compile(r"\d[T ]\d{2}:\d{2}.*(?:Z|[+-]\d{2}:?\d{2})$")


@dataclass(frozen=True, slots=True)
class Guess:
    """What a column seems to hold.

    formats: the formats of dates that fit; none for ISO.   either: those for day first and for month first, when both
    fit: to be asked.   clock: how whole numbers could be instants.   decimal: the decimal sign of numbers; None if it
    cannot be told from thousands.   pointed: whether whole numbers end in `.0`, as ids do that passed through a
    spreadsheet.
    """

    meaning: Meaning
    formats: tuple[str, ...] = ()
    either: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    decimal: Literal[".", ","] | None = "."
    pointed: bool = False
    distinct: int = 0
    negative: bool = False
    clock: tuple[str, ...] = ()


def guess(kind: RawKind, values: Sequence[object]) -> Guess:
    """What a column of that raw kind holds, by its values that are not blank; text if there are none."""
    distinct = len({str(value) for value in values})
    if kind == "text":
        return _of_texts([str(value).strip() for value in values], distinct)
    if kind in {"integer", "number", "decimal"}:
        negative = any(float(str(value)) < 0 for value in values)
        whole = kind == "integer" or all(float(str(value)).is_integer() for value in values)
        clock = _clock([str(int(float(str(value)))) for value in values[:_MOST]]) if values and whole else ()
        return Guess("integer" if whole else "number", distinct=distinct, negative=negative, clock=clock)
    meaning: Meaning = "boolean" if kind == "boolean" else "day" if kind == "day" else "instant"
    return Guess(meaning, distinct=distinct)


def looks_like_data(cell: str) -> bool:
    """Whether a cell is a value rather than the name of a column.

    >>> looks_like_data("2024-05-01"), looks_like_data("12,5"), looks_like_data("amount")
    (True, True, False)
    """
    text = cell.strip()
    return bool(_POINT.fullmatch(text) or _COMMA.fullmatch(text)) or bool(_formats([text]))


def _of_texts(values: Sequence[str], distinct: int) -> Guess:
    if not values:
        return Guess("text")
    sample = values[:: max(1, len(values) // _MOST)]
    if _fit(sample, _OFFSET.search):
        return Guess("instant", distinct=distinct)
    if found := _formats(sample):
        return _of_dates(found, sample, distinct)
    negative = any("-" in value or value.startswith("(") for value in sample)
    if _fit(sample, lambda value: _ID_WITH_POINT.fullmatch(value) or _WHOLE.fullmatch(value)):
        pointed = any(_ID_WITH_POINT.fullmatch(value) for value in sample)
        return Guess("integer", pointed=pointed, distinct=distinct, negative=negative, clock=_clock(sample))
    for sign, pattern in ((".", _POINT), (",", _COMMA)):
        if _fit(sample, pattern.fullmatch):
            return Guess("number", decimal=_decimal(sign, sample), distinct=distinct, negative=negative)
    if {value.lower() for value in sample} <= _WORDS:
        return Guess("boolean", distinct=distinct)
    if all(value.startswith("{") and value.endswith("}") for value in sample):
        return Guess("json", distinct=distinct)
    return Guess("text", distinct=distinct)


def _fit(sample: Sequence[str], test: Callable[[str], object]) -> bool:
    return sum(bool(test(value)) for value in sample) >= _ENOUGH * len(sample)


def _decimal(sign: str, sample: Sequence[str]) -> Literal[".", ","] | None:
    """The decimal sign; None when every sign could part thousands as well as decimals (1,234)."""
    signed = [value for value in sample if "," in value]
    if sign == "." and signed and all(_THOUSANDS_OR_DECIMALS.fullmatch(value) for value in signed):
        return "." if any("." in value for value in sample) else None
    return "." if sign == "." else ","


def _clock(sample: Sequence[str]) -> tuple[str, ...]:
    """The way in which whole numbers could be instants: seconds or thousandths since 1970."""
    whole = [int(value.split(".")[0]) for value in sample if _ID_WITH_POINT.fullmatch(value) or _WHOLE.fullmatch(value)]
    for word, scale in (("unix", 1), ("unix_ms", 1_000)):
        if sum(_UNIX[0] * scale <= number <= _UNIX[1] * scale for number in whole) >= _ENOUGH * len(sample):
            return (word,)
    return ()


def _formats(sample: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The ways to write a day that fit best, each with the formats (with and without a time) that are used."""
    found: dict[str, tuple[str, ...]] = {}
    fitting: dict[str, int] = {}
    for day in (*_CLEAR_DAYS, *_DAY_FIRST, *_MONTH_FIRST):
        clocks = _DENSE if day == "%Y%m%d" else _CLOCKS
        used = [f"{day}{clock}" for clock in clocks if any(_parsed(value, f"{day}{clock}") for value in sample[:20])]
        fitting[day] = sum(any(_parsed(value, each) for each in used) for value in sample) if used else 0
        found[day] = tuple(used)
    best = max(fitting.values())
    if best < _ENOUGH * len(sample):
        return {}
    return {day: found[day] for day, count in fitting.items() if count == best}


def _parsed(value: str, written: str) -> datetime | None:
    if written.startswith("%Y%m%d") and len(value) != _DENSE[written.removeprefix("%Y%m%d")]:
        return None
    try:
        moment = datetime.strptime(value, written)  # noqa: DTZ007 (naive on purpose: only whether it fits)
    except ValueError:
        return None
    return moment if _YEARS[0] <= moment.year <= _YEARS[1] else None


def _of_dates(found: dict[str, tuple[str, ...]], sample: Sequence[str], distinct: int) -> Guess:
    for first, second in zip(_DAY_FIRST, _MONTH_FIRST, strict=True):
        if first in found and second in found and not set(found) & set(_CLEAR_DAYS):
            return Guess(_moment(found[first]), either=(found[first], found[second]), distinct=distinct)
    formats = next(iter(found.values()))
    iso = set(formats) <= _ISO and _fit(sample, lambda value: "年" not in value)
    return Guess(_moment(formats), formats=() if iso else formats, distinct=distinct)


def _moment(formats: Sequence[str]) -> Meaning:
    return "instant" if any("%H" in each or "%I" in each for each in formats) else "day"
