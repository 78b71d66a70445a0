"""The calendar of a country as rows of `context`: public holidays, lunar ones too, and days off with their swaps.

Two kinds of rows, both about a local day, with the country's code as their place:

- `holiday`: a public holiday, `label` its name, `value` 1.
- `day_off`: `value` 1 if most people are off that day, 0 if a weekend day is worked instead (调休); `label` says why.

Each row carries the instant from which it was known. Dates that follow from law and moon are known two years ahead;
swaps when the country has published them, in China late in the year before. Where swaps change a day that was already
told, there are two rows, and the one issued last counts: a history sees exactly what people could know at its cut.

Swapped days are known as far as the package `holidays` carries them (China: `last_published` says until which year).
Later years have their holidays by law and moon, but no swaps: nobody can know them yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import holidays
import pyarrow as pa

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Language

_YEARS_AHEAD = 2
_PUBLISHED = (12, 20)  # swaps of a year were published between late October and 16 December of the year before
# Days that were announced after the plan of their year.
_LATE: dict[tuple[str, date, date], date] = {
    ("CN", date(2015, 9, 3), date(2015, 9, 6)): date(2015, 5, 13),
    ("CN", date(2019, 4, 28), date(2019, 5, 5)): date(2019, 3, 22),
    ("CN", date(2020, 1, 31), date(2020, 2, 2)): date(2020, 1, 27),
}
_NAMES: dict[tuple[str, Language], str] = {
    ("CN", "zh"): "zh_CN",
    ("TW", "zh"): "zh_TW",
    ("HK", "zh"): "zh_HK",
    ("MO", "zh"): "zh_MO",
}
_SCHEMA = pa.schema(
    [
        ("day", pa.date32()),
        ("place", pa.string()),
        ("kind", pa.string()),
        ("value", pa.float64()),
        ("label", pa.string()),
        ("issued_at", pa.timestamp("us")),
    ]
)


@dataclass(frozen=True, slots=True)
class _Told:
    """One thing said about one day, and since when it was known."""

    day: date
    kind: str
    value: float
    label: str
    issued: date


def calendar_rows(country: str, since: date, until: date, *, language: Language = "zh") -> pa.Table:
    """Rows of `context` for the days from `since` to before `until` in a country (ISO 3166 code, such as CN).

    language: of the names, where the package has them in it (else in the country's own).
    Raises BadQuestion for a country whose calendar nobody has written down, and for an empty stretch of days.
    >>> rows = calendar_rows("CN", date(2025, 1, 26), date(2025, 1, 27)).to_pylist()
    >>> [(row["value"], row["issued_at"].date().isoformat()) for row in rows]
    [(1.0, '2023-01-01'), (0.0, '2024-12-20')]
    """
    if until <= since:
        raise BadQuestion(f"A calendar from {since} to {until} has no days", remedy="Give an earlier `since`.")
    told = sorted(_told(country, since, until, language), key=lambda row: (row.day, row.kind, row.issued))
    return pa.table(
        {
            "day": [row.day for row in told],
            "place": [country] * len(told),
            "kind": [row.kind for row in told],
            "value": [row.value for row in told],
            "label": [row.label for row in told],
            "issued_at": [datetime.combine(row.issued, datetime.min.time()) for row in told],
        },
        schema=_SCHEMA,
    )


def last_published(country: str, *, until: int = 2100) -> int | None:
    """The last year before `until` whose swapped working days are known; None where a country has no such swaps.

    >>> last_published("US") is None
    True
    """
    known = {day.year for day in _worked_weekends(_holidays(country, range(2000, until), "en"))}
    return max(known, default=None)


def _told(country: str, since: date, until: date, language: Language) -> Iterator[_Told]:
    known = _holidays(country, range(since.year - 1, until.year + 2), language)
    worked = _worked_weekends(known)
    swapped = _swap_prefix(known)
    words = _WORDS[language]
    day = since
    while day < until:
        early = date(day.year - _YEARS_AHEAD, 1, 1)
        name = known.get(day)
        free = day.weekday() in known.weekend
        if name and swapped and name.startswith(swapped):
            yield _Told(day, "day_off", 1.0, name, _announced(country, day))
        elif name:
            yield _Told(day, "holiday", 1.0, name, _announced(country, day) if _late(country, day) else early)
            yield _Told(day, "day_off", 1.0, name, _announced(country, day) if _late(country, day) else early)
        elif free:
            yield _Told(day, "day_off", 1.0, words[0], early)
        if day in worked:
            yield _Told(day, "day_off", 0.0, words[1], _announced(country, day))
        day += timedelta(days=1)


_WORDS: dict[Language, tuple[str, str]] = {"zh": ("周末", "调休上班"), "en": ("weekend", "working day")}


def _announced(country: str, day: date) -> date:
    """When a swapped day became known: with the plan of its year, or later where it is known to have been later.

    The last days of December belong to the plan of the year after.
    """
    if late := _late(country, day):
        return late
    planned = day.year if (day.month, day.day) > _PUBLISHED else day.year - 1
    return date(planned, *_PUBLISHED)


def _late(country: str, day: date) -> date | None:
    return next((when for (of, first, last), when in _LATE.items() if of == country and first <= day <= last), None)


def _holidays(country: str, years: range, language: Language) -> holidays.HolidayBase:
    try:
        plain = holidays.country_holidays(country, years=years.start)
    except NotImplementedError as error:
        raise BadQuestion(
            f"There is no calendar for the country {country!r}",
            expected="an ISO 3166 code such as CN or US",
            remedy="Set `country` in aimwell.toml.",
        ) from error
    wanted = _NAMES.get((country, language), "en_US" if language == "en" else plain.default_language)
    named = wanted if wanted in (plain.supported_languages or ()) else plain.default_language
    return holidays.country_holidays(country, years=years, language=named)


def _worked_weekends(known: holidays.HolidayBase) -> set[date]:
    return set(getattr(known, "weekend_workdays", ()))


def _swap_prefix(known: holidays.HolidayBase) -> str:
    """How the names of days begin that are off because another day is worked instead; empty if there are none."""
    label = getattr(known, "substituted_label", "") or ""
    translated = str(known.tr(label)) if label else ""
    return translated.split("%s", 1)[0]
