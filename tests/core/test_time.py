"""Instants, days and zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimwell.core.errors import BadQuestion
from aimwell.core.time import (
    Period,
    add_days,
    from_store,
    local_day,
    parse_duration,
    parse_instant,
    to_store,
    transitions,
    zone,
)

NEW_YORK = zone("America/New_York")
ZONES = st.sampled_from(["America/New_York", "Asia/Shanghai", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu"])


def test_a_naive_instant_is_refused_with_the_remedy() -> None:
    with pytest.raises(BadQuestion, match="no timezone"):
        to_store(datetime(2017, 1, 1))


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(BadQuestion, match="Unknown timezone"):
        zone("Mars/Olympus")


def test_a_date_is_read_as_local_midnight() -> None:
    assert to_store(parse_instant("2017-11-01", NEW_YORK)) == datetime(2017, 11, 1, 4)


def test_adding_days_keeps_the_wall_clock_across_daylight_saving() -> None:
    before = datetime(2017, 11, 4, 9, 0, tzinfo=NEW_YORK)
    after = add_days(before, 1, NEW_YORK)
    assert after.hour == 9
    assert to_store(after) - to_store(before) == timedelta(hours=25)


def test_a_period_must_not_end_before_it_begins() -> None:
    with pytest.raises(BadQuestion, match="must not end"):
        Period(datetime(2017, 1, 2, tzinfo=UTC), datetime(2017, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("text", ["28", "P", "PT", "28x", "", "-3d"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(BadQuestion, match="no length of time"):
        parse_duration(text)


@given(st.datetimes(min_value=datetime(1975, 1, 1), max_value=datetime(2035, 1, 1)), ZONES)
def test_the_transitions_of_a_zone_give_every_local_time(naive_utc: datetime, name: str) -> None:
    where = zone(name)
    steps = transitions(where, since=datetime(1970, 1, 1, tzinfo=UTC), until=datetime(2036, 1, 1, tzinfo=UTC))
    offset = [change for since, change in steps if since <= naive_utc][-1]
    assert from_store(naive_utc).astimezone(where).replace(tzinfo=None) == naive_utc + offset
    assert local_day(from_store(naive_utc), where) == (naive_utc + offset).date()
