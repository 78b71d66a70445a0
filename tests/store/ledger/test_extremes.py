"""The earliest and the latest of instants, some of them never, alike on both databases."""

from __future__ import annotations

from itertools import product

import pytest
from sqlalchemy import BigInteger, ColumnElement, Integer, cast, literal, null, select
from tests.store.ledger.test_columns import NOW

from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.extremes import NEVER, earliest, latest
from aimwell.store.ledger.ledger import Ledger

VALUES = [None, 0, -5, micros(NOW), NEVER - 1]


def told(value: int | None) -> ColumnElement[int]:
    return cast(null(), BigInteger) if value is None else literal(value, BigInteger)


def test_never_counts_as_later_than_everything(ledger: Ledger) -> None:
    triples = list(product(VALUES, repeat=3))
    with ledger.reading() as connection:
        query = select(*(earliest(*(told(value) for value in each)) for each in triples))
        found = list(connection.execute(query).one())
    expected = [min((value for value in each if value is not None), default=None) for each in triples]
    assert found == expected


@pytest.mark.parametrize("value", VALUES)
def test_the_earliest_of_one_is_itself(ledger: Ledger, value: int | None) -> None:
    with ledger.reading() as connection:
        assert connection.scalar(select(earliest(told(value)))) == value


def test_the_latest_is_never_if_the_first_is(ledger: Ledger) -> None:
    pairs = [(one, other) for one, other in product(VALUES, repeat=2) if other is not None]
    with ledger.reading() as connection:
        found = list(connection.execute(select(*(latest(told(one), told(other)) for one, other in pairs))).one())
    assert found == [None if one is None else max(one, other) for one, other in pairs]


def test_each_argument_is_written_once(ledger: Ledger) -> None:
    counted = cast(literal(41, Integer), BigInteger) + 1
    assert str(select(earliest(counted, told(7))).compile(ledger.state)).count("CAST") == str(
        select(counted, told(7)).compile(ledger.state)
    ).count("CAST")
