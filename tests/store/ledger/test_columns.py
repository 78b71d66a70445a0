"""Instants survive the database to the microsecond, and numbers up to the last bit, on both databases alike."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, Text, insert, literal, select
from sqlalchemy.exc import StatementError

from aimwell.core.errors import AimwellError
from aimwell.store.ledger.columns import DAY, EPOCH, HOUR, Instant, instant, length, micros
from aimwell.store.ledger.ledger import Ledger, open_ledger

_kept = Table(
    "kept_instants",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("at", Instant),
    Column("number", BigInteger),
    Column("word", Text),
    prefixes=["TEMPORARY"],
)
AWARE = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.timezones() | st.just(UTC))
NOW = datetime(2026, 3, 1, 8, 30, 15, 123_456, tzinfo=UTC)


def keep(connection: Connection, *values: object) -> None:
    _kept.create(connection, checkfirst=True)
    connection.execute(_kept.delete())
    connection.execute(insert(_kept), [{"id": n, "at": value} for n, value in enumerate(values)])


def read(connection: Connection) -> list[datetime | None]:
    return list(connection.scalars(select(_kept.c.at).order_by(_kept.c.id)))


@given(AWARE)
def test_microseconds_and_back_lose_nothing(at: datetime) -> None:
    # In UTC: of two zones, Python holds no time equal that comes twice or never.
    assert instant(micros(at)) == at.astimezone(UTC)
    assert instant(micros(at)).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "at",
    [
        NOW,
        datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=8))),
        datetime(2026, 3, 1, 12, tzinfo=ZoneInfo("America/St_Johns")),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 11, 1, 1, 30, fold=1, tzinfo=ZoneInfo("America/New_York")),
    ],
    ids=str,
)
def test_an_aware_instant_comes_back_as_the_same_instant_in_utc(ledger: Ledger, at: datetime) -> None:
    with ledger.writing() as connection:
        keep(connection, at, None)
        assert read(connection) == [at.astimezone(UTC), None]
        assert str(read(connection)[0]).endswith("+00:00")
        assert connection.scalar(select(_kept.c.id).where(_kept.c.at == at)) == 0


@pytest.mark.parametrize("value", [datetime(2026, 3, 1), date(2026, 3, 1), "2026-03-01T00:00:00Z", 1.5], ids=repr)
def test_what_is_no_instant_is_refused(ledger: Ledger, value: object) -> None:
    with ledger.writing() as connection:
        with pytest.raises(StatementError, match="no timezone|is not an instant") as caught:
            keep(connection, value)
        assert isinstance(caught.value.orig, AimwellError)


def test_instants_can_be_added_to_compared_and_written_into_statements(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        keep(connection, NOW, NOW + timedelta(hours=2))
        later = select(_kept.c.at + 2 * HOUR).order_by(_kept.c.id)
        assert list(connection.scalars(later)) == [micros(NOW) + 2 * HOUR, micros(NOW) + 4 * HOUR]
        assert connection.scalar(select(_kept.c.at - micros(NOW)).where(_kept.c.id == 1)) == 2 * HOUR
        assert connection.scalar(select(_kept.c.id).where(_kept.c.at - 2 * HOUR == micros(NOW))) == 1
        assert connection.scalar(select(_kept.c.id).where(_kept.c.at > NOW)) == 1
        assert connection.scalar(select(_kept.c.id).where(_kept.c.at == micros(NOW))) == 0
        assert list(connection.scalars(select(_kept.c.id).where(_kept.c.at.in_([NOW])))) == [0]
        written = select(_kept.c.id).where(_kept.c.at == literal(NOW, Instant, literal_execute=True))
        assert connection.scalar(written) == 0
        as_text = str(select(literal(NOW, Instant)).compile(connection.engine, compile_kwargs={"literal_binds": True}))
        assert str(micros(NOW)) in as_text
        connection.execute(_kept.update().values(at=_kept.c.at + DAY))
        assert read(connection) == [NOW + timedelta(days=1), NOW + timedelta(days=1, hours=2)]


def test_a_duration_is_exact() -> None:
    assert length(timedelta(days=1, microseconds=1)) == DAY + 1
    assert length(timedelta(microseconds=-1)) == -1
    assert micros(EPOCH) == 0


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**53 + 1, 0, -1])
def test_whole_numbers_are_kept_to_the_last_bit(ledger: Ledger, number: int) -> None:
    with ledger.writing() as connection:
        _kept.create(connection, checkfirst=True)
        connection.execute(insert(_kept), {"id": 1, "number": number})
        assert connection.scalar(select(_kept.c.number)) == number
        assert connection.scalar(select(_kept.c.id).where(_kept.c.number == number)) == 1
        assert connection.scalar(select(literal(number, BigInteger))) == number


@pytest.mark.postgres
def test_a_nul_in_a_text_is_explained_where_the_database_refuses_it(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url)
    with pytest.raises(AimwellError, match=r"character NUL.*Remove"), ledger.writing() as connection:
        connection.scalar(select(literal("a\0b")))
    ledger.close()


def test_texts_of_every_language_are_ordered_by_character_as_in_python(ledger: Ledger) -> None:
    words = ["a", "B", "b", "A", "é", "z", "千面", "😀", "1", "_", "~", "ａ", ""]
    with ledger.writing() as connection:
        _kept.create(connection, checkfirst=True)
        connection.execute(insert(_kept), [{"id": n, "word": word} for n, word in enumerate(words)])
        assert list(connection.scalars(select(_kept.c.word).order_by(_kept.c.word))) == sorted(words)


def test_numbers_of_numpy_are_told_apart_from_instants(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    with ledger.writing() as connection:
        with pytest.raises(StatementError, match="is not an instant"):
            keep(connection, np.float64(1.0))
    ledger.close()
