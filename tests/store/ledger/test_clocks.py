"""When clocks show a time: the table agrees with the standard library everywhere, also where clocks jump."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Connection, event, func, insert, literal, select

from aimwell.store.ledger.clocks import day_number, keep_clocks, next_shown, shown_at, shown_on
from aimwell.store.ledger.columns import instant, micros
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.people import clock, customer

NOW = datetime(2026, 3, 7, 12, tzinfo=UTC)
# Half an hour of summer time; a day that never was; more than twelve hours ahead; gaps at midnight; odd minutes.
ODD = [
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Chatham",
    "Africa/Cairo",
    "America/Havana",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Etc/GMT+12",
    "Antarctica/Troll",
    "Asia/Shanghai",
]


@lru_cache
def zones() -> list[str]:
    return sorted(available_timezones())


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def shows_first(zone: ZoneInfo, day: date, minute: int) -> None:
    """What `shown_at` promises: the first instant at which the clocks show that time, or have passed it."""
    at = shown_at(zone, day, minute)
    told = datetime.combine(day, time(minute // 60, minute % 60))
    assert wall(at, zone) >= told, "not before it is shown"
    tick = timedelta(microseconds=1)
    if wall(at, zone) == told:
        assert at.astimezone(zone).fold == 0, "the first time of two"
    else:
        assert wall(at - tick, zone) < told, "the end of the gap, to the microsecond"
        assert at.astimezone(zone).utcoffset() != (at - tick).astimezone(zone).utcoffset()


@given(st.sampled_from(zones()), st.dates(date(1902, 1, 1), date(2190, 1, 1)), st.integers(0, 1439))
def test_a_time_is_shown_at_the_first_instant_that_the_standard_library_agrees_to(
    name: str, day: date, minute: int
) -> None:
    shows_first(ZoneInfo(name), day, minute)


@given(st.sampled_from(ODD), st.integers(2000, 2037), st.integers(0, 1439))
def test_so_it_is_around_every_change_of_the_clocks(name: str, year: int, minute: int) -> None:
    zone = ZoneInfo(name)
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    noons = [datetime.combine(day, time(12), tzinfo=zone).utcoffset() for day in days]
    for before, after, day in zip(noons, noons[1:], days[1:], strict=False):
        if before != after:
            shows_first(zone, day, minute)
            shows_first(zone, day - timedelta(days=1), minute)


@pytest.mark.parametrize(
    ("zone", "day", "minute", "expected"),
    [
        ("Asia/Shanghai", date(2026, 3, 8), 600, "2026-03-08T02:00:00"),
        ("Australia/Lord_Howe", date(2026, 10, 4), 135, "2026-10-03T15:30:00"),  # 02:00 to 02:30 is skipped
        ("Australia/Lord_Howe", date(2026, 4, 5), 105, "2026-04-04T14:45:00"),  # 01:30 to 02:00 comes twice
        ("Pacific/Apia", date(2011, 12, 30), 600, "2011-12-30T10:00:00"),  # that Friday never was
        ("Pacific/Apia", date(2011, 12, 31), 0, "2011-12-30T10:00:00"),
        ("Pacific/Kiritimati", date(2026, 1, 1), 0, "2025-12-31T10:00:00"),  # fourteen hours ahead
        ("Etc/GMT+12", date(2026, 1, 1), 1439, "2026-01-02T11:59:00"),
        ("Africa/Cairo", date(2026, 4, 24), 30, "2026-04-23T22:00:00"),  # midnight is skipped
    ],
)
def test_known_changes_of_clocks(zone: str, day: date, minute: int, expected: str) -> None:
    assert shown_at(ZoneInfo(zone), day, minute).replace(tzinfo=None).isoformat() == expected


def people(connection: Connection, *names: str) -> None:
    rows = [
        {"customer_id": f"c{n}", "shard": 0, "zone": name, "held_out": False, "created_at": NOW}
        for n, name in enumerate(names)
    ]
    connection.execute(insert(customer), rows)


def asked(connection: Connection, zone: str, minute: int, since: datetime, *, after: bool = False,
          weekdays: frozenset[int] | None = None) -> datetime | None:  # fmt: skip
    expression = next_shown(literal(zone), minute, literal(micros(since), BigInteger), weekdays=weekdays, after=after)
    found = connection.scalar(select(expression))
    return None if found is None else instant(found)


def count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(clock)) or 0


def test_clocks_are_kept_once_and_grow_with_time_and_with_new_timezones(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        people(connection, "Asia/Shanghai", "Asia/Shanghai", "America/New_York")
        keep_clocks(connection, [600, 1200, 600], NOW)
        first = count(connection)
        assert first == 2 * 2 * (3 + 1 + 400 + 30)
        keep_clocks(connection, [600, 1200], NOW + timedelta(days=30))
        assert count(connection) == first
        keep_clocks(connection, [600, 1200], NOW + timedelta(days=31))
        assert count(connection) == first + 2 * 2 * 31
        connection.execute(customer.update().where(customer.c.customer_id == "c1").values(zone="Europe/London"))
        keep_clocks(connection, [600], NOW)
        assert asked(connection, "Europe/London", 600, NOW) == datetime(2026, 3, 8, 10, tzinfo=UTC)
        keep_clocks(connection, [0], NOW, zones=["Pacific/Apia"])
        keep_clocks(connection, [0], NOW, zones=[])
        assert connection.scalar(select(func.count()).where(clock.c.zone == "Pacific/Apia")) == 434


def test_clocks_reach_back_when_an_earlier_day_is_asked_for_without_holes(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        keep_clocks(connection, [0], NOW, zones=["Asia/Tokyo"])
        keep_clocks(connection, [0], NOW - timedelta(days=900), zones=["Asia/Tokyo"])
        keep_clocks(connection, [0], NOW + timedelta(days=900), zones=["Asia/Tokyo"])
        days = list(connection.scalars(select(clock.c.day).order_by(clock.c.day)))
    assert days == list(range(day_number(NOW.date()) - 903, day_number(NOW.date()) + 900 + 400 + 30 + 1))


def test_when_everything_is_there_one_statement_finds_out(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        people(connection, *ODD)
        keep_clocks(connection, range(0, 1440, 60), NOW)
        statements: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda _c, _u, statement, *_: statements.append(statement))
        keep_clocks(connection, range(0, 1440, 60), NOW)
        assert len(statements) == 1


def test_a_timezone_that_does_not_exist_has_the_clocks_of_utc(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        people(connection, "Mars/Olympus")
        keep_clocks(connection, [600], NOW)
        assert asked(connection, "Mars/Olympus", 600, NOW) == datetime(2026, 3, 8, 10, tzinfo=UTC)
        keep_clocks(connection, [600], NOW)


def test_the_next_time_is_found_at_or_after_an_instant_and_on_certain_weekdays(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        keep_clocks(connection, [150, 600], NOW, zones=["America/New_York", *ODD])
        ten = datetime(2026, 3, 9, 14, tzinfo=UTC)  # Monday, 10:00 in New York, a day after the clocks went forward
        assert asked(connection, "America/New_York", 600, ten) == ten
        assert asked(connection, "America/New_York", 600, ten, after=True) == ten + timedelta(days=1)
        friday = asked(connection, "America/New_York", 600, ten, weekdays=frozenset({4}))
        assert friday == ten + timedelta(days=4)
        assert asked(connection, "America/New_York", 600, ten, weekdays=frozenset()) is None
        skipped = asked(connection, "America/New_York", 150, datetime(2026, 3, 8, 6, tzinfo=UTC))
        assert skipped == datetime(2026, 3, 8, 7, tzinfo=UTC)
        assert asked(connection, "America/New_York", 600, NOW + timedelta(days=500)) is None
        assert asked(connection, "America/New_York", 601, NOW) is None
        for name in ODD:
            zone = ZoneInfo(name)
            expected = min(
                at
                for n in range(-2, 4)
                if (at := shown_at(zone, NOW.astimezone(zone).date() + timedelta(days=n), 600)) >= NOW
            )
            assert asked(connection, name, 600, NOW) == expected, name


def test_every_local_day_has_its_instant_also_the_one_that_never_was(ledger: Ledger) -> None:
    then = datetime(2011, 12, 28, tzinfo=UTC)
    with ledger.writing() as connection:
        keep_clocks(connection, [0], then, zones=["Pacific/Apia"])
        found = {
            n: connection.scalar(select(shown_on(literal("Pacific/Apia"), 0, literal(day_number(date(2011, 12, n))))))
            for n in (29, 30, 31)
        }
    assert found[30] == found[31] == micros(datetime(2011, 12, 30, 10, tzinfo=UTC))
    assert found[29] == micros(datetime(2011, 12, 29, 10, tzinfo=UTC))
