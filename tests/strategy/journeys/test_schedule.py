"""Schedules call everyone in a segment, each slot once, by the clocks that count; starts call who is there already."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from aimwell.core.definitions import parse_definitions
from aimwell.core.errors import BadQuestion
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import cursor, enrolment, knock, refusal
from aimwell.store.ledger.schema.journeys import journey as journeys
from aimwell.store.ledger.schema.people import customer, membership
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.definition import Journey, Schedule
from aimwell.strategy.journeys.entry import let_in, put_in
from aimwell.strategy.journeys.schedule import call_scheduled, slots

HOME = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 3, 2, 4, tzinfo=UTC)
JOURNEY = """
objective: retention
entry: [{ENTRY}]
re_entry: always
hold_out: 1%
goal: {bought: {event: bought}}
within: 10d
start: done
nodes: {done: {end: {}}}
"""


@pytest.fixture
def ledger(ledger: Ledger) -> Ledger:
    people = {"ann": "Asia/Shanghai", "bob": "America/New_York"}
    with ledger.writing() as connection:
        connection.execute(
            insert(customer),
            [
                {"customer_id": who, "shard": 1, "zone": zone, "held_out": False, "created_at": START}
                for who, zone in people.items()
            ],
        )
        connection.execute(
            insert(membership), [{"customer_id": who, "segment": "vip", "since": START} for who in people]
        )
    return ledger


def apply(ledger: Ledger, entry: str) -> None:
    (journey,) = parse_definitions(JOURNEY.replace("{ENTRY}", entry), "j.yaml", Journey, name="j")
    with ledger.writing() as connection:
        apply_version(connection, journey, START, "tests")


def call(ledger: Ledger, now: datetime) -> list[tuple[str, datetime]]:
    """Who knocks by then, and for which instant; the knocks are answered."""
    with ledger.writing() as connection:
        call_scheduled(connection, now, HOME)
        found = connection.execute(select(knock.c.customer_id, knock.c.at).order_by(knock.c.at, knock.c.customer_id))
        knocks = [(row.customer_id, row.at) for row in found]
        let_in(connection, now)
    return knocks


def test_each_slot_calls_once_even_if_it_is_looked_at_late(ledger: Ledger) -> None:
    apply(ledger, '{schedule: {time: "09:00", segment: vip}}')
    nine = datetime(2026, 3, 3, 1, tzinfo=UTC)
    assert call(ledger, START) == []
    assert call(ledger, nine - timedelta(microseconds=1)) == []
    assert call(ledger, nine) == [("ann", nine), ("bob", nine)]
    assert call(ledger, nine) == []
    late = call(ledger, nine + timedelta(days=2))
    assert [at for who, at in late if who == "ann"] == [nine + timedelta(days=1), nine + timedelta(days=2)]


def test_customers_own_clocks_count_where_the_schedule_says_so(ledger: Ledger) -> None:
    apply(ledger, '{schedule: {time: "09:00", segment: vip, zone: customer}}')
    knocks = call(ledger, START + timedelta(days=1))
    assert knocks == [("bob", datetime(2026, 3, 2, 14, tzinfo=UTC)), ("ann", datetime(2026, 3, 3, 1, tzinfo=UTC))]


def test_a_paused_journey_calls_nobody_and_does_not_make_up_for_it(ledger: Ledger) -> None:
    apply(ledger, '{schedule: {time: "09:00", segment: vip}}')
    with ledger.writing() as connection:
        connection.execute(update(journeys).values(state="paused"))
    assert call(ledger, START + timedelta(days=3)) == []
    with ledger.writing() as connection:
        connection.execute(update(journeys).values(state="running"))
    assert len(call(ledger, START + timedelta(days=4))) == 2


def test_those_who_are_there_at_the_start_knock_once(ledger: Ledger) -> None:
    apply(ledger, "{segment: vip, existing: true}")
    assert call(ledger, START) == []  # the ledger does not have the segment yet
    with ledger.writing() as connection:
        connection.execute(insert(cursor).values(consumer="segment:vip", position=1))
    assert [who for who, _ in call(ledger, START)] == ["ann", "bob"]
    assert call(ledger, START + timedelta(days=1)) == []


def test_a_call_lets_people_in_once_per_request(ledger: Ledger) -> None:
    apply(ledger, "{api: true}")
    for request in ("one", "one", "two"):
        with ledger.writing() as connection:
            put_in(connection, "j", ["ann", "ann", "nobody"], START, request)
            let_in(connection, START)
    with ledger.reading() as connection:
        causes = connection.execute(select(enrolment.c.customer_id, enrolment.c.cause, enrolment.c.number)).all()
        refused = connection.execute(select(refusal.c.customer_id, refusal.c.reason)).all()
    assert sorted(map(tuple, causes)) == [("ann", "api:one", 1), ("ann", "api:two", 2)]
    assert {tuple(row) for row in refused} == {("nobody", "unknown_customer")}


def test_what_happened_before_the_journey_began_starts_nothing(ledger: Ledger) -> None:
    apply(ledger, "{api: true}")
    with ledger.writing() as connection:
        put_in(connection, "j", ["ann"], START - timedelta(days=900), "an import")
        put_in(connection, "j", ["bob"], START, "now")
        let_in(connection, START)
    with ledger.reading() as connection:
        assert connection.execute(select(refusal.c.customer_id, refusal.c.reason)).all() == [("ann", "before_start")]
        assert connection.scalars(select(enrolment.c.customer_id)).all() == ["bob"]


def test_a_journey_without_that_entry_lets_nobody_in_by_a_call(ledger: Ledger) -> None:
    apply(ledger, "{segment: vip}")
    with ledger.writing() as connection, pytest.raises(BadQuestion, match="lets nobody in by a call"):
        put_in(connection, "j", ["ann"], START, "one")


@given(
    minute=st.integers(0, 1439),
    zone=st.sampled_from(["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
    start=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),
    cuts=st.lists(st.integers(0, 5_000), max_size=4),
)
def test_slots_are_the_same_however_time_is_cut(minute: int, zone: str, start: datetime, cuts: list[int]) -> None:
    schedule = Schedule(time=minute, segment="vip", weekdays=("mon", "thu"))
    since = start.replace(tzinfo=UTC)
    bounds = [since, *(since + timedelta(minutes=cut) for cut in sorted(cuts)), since + timedelta(minutes=5_000)]
    whole = list(slots(schedule, ZoneInfo(zone), bounds[0], bounds[-1]))
    parts = [at for one, other in pairwise(bounds) for at in slots(schedule, ZoneInfo(zone), one, other)]
    assert parts == whole


def test_the_last_day_stands_for_one_that_a_month_lacks() -> None:
    schedule = Schedule(time=0, segment="vip", day_of_month=31)
    found = slots(schedule, HOME, datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
    assert [at.astimezone(HOME).date().isoformat() for at in found] == ["2026-02-28", "2026-03-31", "2026-04-30"]
