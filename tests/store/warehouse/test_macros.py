"""Every macro means what it says, compared with plain Python, and is read as a macro by the parser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import mean, stdev

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp, parse_one
from tests.store.warehouse.shop import AS_OF, NEW_YORK, purchase, rows, shop

from aimwell.core.time import add_days, to_store
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.history import History
from aimwell.store.warehouse.macros import MACROS

INSTANTS = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2017, 10, 31))


@pytest.fixture(scope="module")
def engine() -> DuckEngine:
    return DuckEngine()


def _asked(engine: DuckEngine, expression: str, **values: object) -> object:
    """The value of one expression over a relation of one row that holds the values."""
    engine.write("given", pa.table({name: pa.array([value]) for name, value in values.items()}))
    return _history(engine).to_arrow(f"SELECT {expression} AS x FROM given", {"given": "given"}).column("x")[0].as_py()


def _asked_of_each(engine: DuckEngine, expression: str, **columns: Sequence[object]) -> list[object]:
    """The values of one expression over a relation of many rows, in their order."""
    count = len(next(iter(columns.values())))
    engine.write("given", pa.table({"i": list(range(count)), **{name: pa.array(v) for name, v in columns.items()}}))
    query = f"SELECT i, {expression} AS x FROM given ORDER BY i"
    return list(_history(engine).to_arrow(query, {"given": "given"}).column("x").to_pylist())


def _history(engine: DuckEngine) -> History:
    return shop(engine).history(AS_OF)


@pytest.mark.parametrize("name", MACROS)
def test_the_parser_reads_every_macro_as_a_macro(name: str) -> None:
    arguments = ", ".join("abc"[: MACROS[name].arguments])
    call = parse_one(f"SELECT {name}({arguments})", read="duckdb").expressions[0]
    assert isinstance(call, exp.Anonymous)
    assert name in MACROS[name].meaning


def test_the_cut_and_the_days_before_it(engine: DuckEngine) -> None:
    assert _asked(engine, "as_of()", a=1) == datetime(2017, 11, 1, 4)
    assert _asked(engine, "as_of_day()", a=1) == date(2017, 11, 1)
    assert _asked(engine, "days_before(300)", a=1) == to_store(add_days(AS_OF, -300, NEW_YORK))
    assert _asked(engine, "day_before(31)", a=1) == date(2017, 10, 1)


@settings(max_examples=10)
@given(st.lists(st.tuples(INSTANTS, INSTANTS), min_size=10, max_size=50))
def test_days_and_hours_between_are_whole_and_rounded_down(
    engine: DuckEngine, pairs: list[tuple[datetime, datetime]]
) -> None:
    a, b = [since for since, _ in pairs], [until for _, until in pairs]
    days = [(until - since) // timedelta(days=1) for since, until in pairs]
    hours = [(until - since) // timedelta(hours=1) for since, until in pairs]
    assert _asked_of_each(engine, "days_between(a, b)", a=a, b=b) == days
    assert _asked_of_each(engine, "hours_between(a, b)", a=a, b=b) == hours


@settings(max_examples=5)
@given(st.lists(INSTANTS, min_size=30, max_size=60))
def test_the_local_clock_is_the_one_of_the_zone(engine: DuckEngine, t: list[datetime]) -> None:
    engine.write("purchase", rows("purchase", *[purchase("a", at.isoformat(), "1") for at in t]))
    local = [at.replace(tzinfo=UTC).astimezone(NEW_YORK).replace(tzinfo=None) for at in t]
    assert _asked_of_each(engine, "local_time(t)", t=t) == local
    assert _asked_of_each(engine, "local_hour(t)", t=t) == [at.hour for at in local]
    assert _asked_of_each(engine, "local_date(t)", t=t) == [at.date() for at in local]
    assert _asked_of_each(engine, "weekday(t)", t=t) == [at.isoweekday() for at in local]
    assert _asked_of_each(engine, "month_index(t)", t=t) == [at.year * 12 + at.month for at in t]


@settings(max_examples=30)
@given(st.dates(min_value=date(1920, 1, 1), max_value=date(2017, 11, 1)))
def test_age_is_in_completed_years(engine: DuckEngine, born: date) -> None:
    day = date(2017, 11, 1)
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    assert _asked(engine, "age_years(born)", born=born) == years


@settings(max_examples=60)
@given(st.decimals(-(10**9), 10**9, places=4), st.decimals(-(10**6), 10**6, places=2))
def test_ratio_is_a_double_and_nothing_when_the_divisor_is_zero(engine: DuckEngine, a: Decimal, b: Decimal) -> None:
    found = _asked(engine, "ratio(a, b)", a=a, b=b)
    assert found == (pytest.approx(float(a) / float(b), rel=1e-12) if b else None)


@settings(max_examples=10)
@given(st.lists(st.floats(-1e6, 1e6), min_size=10, max_size=50))
def test_whole_rounds_down_and_cents_round_half_up(engine: DuckEngine, x: list[float]) -> None:
    assert _asked_of_each(engine, "whole(x)", x=x) == [math.floor(v) for v in x]
    assert _asked_of_each(engine, "cents(x)", x=x) == [Decimal(math.floor(v * 100 + 0.5)) / 100 for v in x]


def test_cents_of_an_exact_amount_are_that_amount(engine: DuckEngine) -> None:
    amounts = [Decimal(cents) / 100 for cents in range(-20_000, 20_000, 7)]
    assert _asked_of_each(engine, "cents(x)", x=amounts) == amounts
    assert _asked_of_each(engine, "cents(ratio(x, 1))", x=amounts) == amounts


@settings(max_examples=40)
@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=20))
def test_aggregates_agree_with_their_definitions(engine: DuckEngine, values: list[int]) -> None:
    engine.write("given", pa.table({"x": values}))
    row = (
        _history(engine)
        .to_arrow(
            "SELECT mean(x) AS m, spread(x) AS s, quantile_at(x, 0.5) AS q, ordered_list(x) AS l, "
            "sum(flag(x > 10)) AS f, log_ten(max(x) + 1) AS t FROM given",
            {"given": "given"},
        )
        .to_pylist()[0]
    )
    ranked = sorted(values)
    middle = (len(ranked) - 1) / 2
    assert row["m"] == pytest.approx(mean(values))
    assert row["s"] == pytest.approx(stdev(values), abs=1e-9)
    assert row["q"] == pytest.approx((ranked[math.floor(middle)] + ranked[math.ceil(middle)]) / 2)
    assert row["l"] == ranked
    assert row["f"] == sum(value > 10 for value in values)
    assert row["t"] == pytest.approx(math.log10(max(values) + 1))
