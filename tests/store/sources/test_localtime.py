"""Local times become UTC as Python's fold=0 does, over every change of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from aimwell.core.time import zone
from aimwell.store.sources.localtime import from_utc, to_utc
from aimwell.store.warehouse.duck import DuckEngine

ZONES = ["America/New_York", "Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"]
ENGINE = DuckEngine()


def converted(tree: exp.Expr, values: list[datetime]) -> list[datetime]:
    ENGINE.write("t", pa.table({"n": range(len(values)), "v": pa.array(values, pa.timestamp("us"))}))
    found = ENGINE.to_arrow(exp.select(exp.alias_(tree, "u")).from_("t").order_by("n")).column(0).to_pylist()
    return list(found)


start = st.datetimes(datetime(1960, 1, 1), datetime(2055, 1, 1))
later = st.lists(st.timedeltas(timedelta(0), timedelta(days=800)), min_size=1, max_size=8)


@settings(max_examples=settings().max_examples // 6)
@given(where=st.sampled_from(ZONES), start=start, later=later)
def test_local_times_agree_with_python(where: str, start: datetime, later: list[timedelta]) -> None:
    values = [start + each for each in later]
    expected = [value.replace(tzinfo=zone(where)).astimezone(UTC).replace(tzinfo=None) for value in values]
    assert converted(to_utc(exp.column("v"), zone(where), min(values), max(values)), values) == expected


@settings(max_examples=settings().max_examples // 6)
@given(where=st.sampled_from(ZONES), start=start, later=later)
def test_utc_becomes_the_local_clock(where: str, start: datetime, later: list[timedelta]) -> None:
    values = [start + each for each in later]
    expected = [value.replace(tzinfo=UTC).astimezone(zone(where)).replace(tzinfo=None) for value in values]
    assert converted(from_utc(exp.column("v"), zone(where), min(values), max(values)), values) == expected


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2017-03-12 01:59", "2017-03-12 06:59"),
        ("2017-03-12 02:30", "2017-03-12 07:30"),  # never shown: moved on, 03:30 summer time
        ("2017-03-12 03:00", "2017-03-12 07:00"),
        ("2017-11-05 01:30", "2017-11-05 05:30"),  # shown twice: the first, still summer time
        ("2017-11-05 02:00", "2017-11-05 07:00"),
    ],
)
def test_the_hours_at_a_change_of_the_clock_follow_the_stated_choice(local: str, utc: str) -> None:
    value = datetime.fromisoformat(local)
    tree = to_utc(exp.column("v"), zone("America/New_York"), value - timedelta(days=9), value + timedelta(days=9))
    assert converted(tree, [value]) == [datetime.fromisoformat(utc)]


def test_far_away_times_keep_the_nearest_offset() -> None:
    values = [datetime(1, 1, 1), datetime(9999, 12, 31)]
    assert len(converted(to_utc(exp.column("v"), zone("Asia/Shanghai"), *values), [datetime(2020, 1, 1)])) == 1
