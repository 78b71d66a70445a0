"""Draws: the same in SQL as in Python, spread evenly, and knowing nothing of one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare
from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, create_engine, insert, select

from aimwell.core.keys import number_of, share_of
from aimwell.store.ledger.ledger import Ledger
from aimwell.strategy.journeys.draws import PRIME, draw, drawn

TOP = 2**63 - 1
BORDERS = [0, 1, 2, PRIME - 1, PRIME, PRIME + 1, 2**31, 2**32, 2**62, 2**62 + 1, TOP - 1, TOP]
VISITS = [1, 2, 3, 1000, 2**31 - 2, 2**31 - 1]
_enrolled = Table(
    "enrolled",
    MetaData(),
    Column("id", BigInteger),
    Column("visit", Integer),
    prefixes=["TEMPORARY"],
)


def drawn_by_sql(connection: Connection, pairs: list[tuple[int, int]], seed: str, node: str) -> list[int]:
    _enrolled.create(connection, checkfirst=True)
    connection.execute(_enrolled.delete())
    connection.execute(insert(_enrolled), [{"id": enrolment, "visit": visit} for enrolment, visit in set(pairs)])
    found = connection.execute(
        select(_enrolled.c.id, _enrolled.c.visit, draw(_enrolled.c.id, _enrolled.c.visit, seed, node))
    )
    told = {(enrolment, visit): value for enrolment, visit, value in found}
    return [told[pair] for pair in pairs]


def test_sql_draws_as_python_does_up_to_the_largest_number(each_ledger: Ledger) -> None:
    pairs = [(enrolment, visit) for enrolment in BORDERS for visit in VISITS]
    pairs += [(number_of("enrolment", str(n)), 1 + n % 5) for n in range(500)]
    with each_ledger.writing() as connection:
        for seed, node in [("s", "split"), ("", ""), ("种子", "节点")]:
            assert drawn_by_sql(connection, pairs, seed, node) == [drawn(*pair, seed, node) for pair in pairs]


@pytest.fixture(scope="module")
def memory() -> Iterator[Connection]:
    """SQLite without a file: what is proven equal to Python draws for many at once in the tests below."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@given(st.integers(0, TOP), st.integers(1, 2**31 - 1), st.text(max_size=5), st.text(max_size=5))
def test_sql_draws_as_python_does_for_anything(
    memory: Connection, enrolment: int, visit: int, seed: str, node: str
) -> None:
    assert drawn_by_sql(memory, [(enrolment, visit)], seed, node) == [drawn(enrolment, visit, seed, node)]
    assert 0 <= drawn(enrolment, visit, seed, node) < PRIME


MANY = 20_000
DIGESTS = [number_of("e", str(n)) for n in range(MANY)]


def parts(connection: Connection, ids: Sequence[int], how_many: int, seed: str, node: str, visit: int = 1) -> list[int]:
    """Into which of so many equal parts each enrolment is drawn."""
    found = drawn_by_sql(connection, [(each, visit) for each in ids], seed, node)
    return [value * how_many // PRIME for value in found]


@pytest.mark.parametrize("ids", [DIGESTS, range(MANY)], ids=["digests", "counted"])
def test_draws_are_spread_evenly(memory: Connection, ids: Sequence[int]) -> None:
    for node in ("a", "b", "c"):
        counts = Counter(parts(memory, ids, 20, "seed", node))
        assert chisquare([counts[n] for n in range(20)]).pvalue > 1e-4, node


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("seed", "a", 1), ("seed", "b", 1)),  # two nodes
        (("seed", "a", 1), ("other", "a", 1)),  # two seeds
        (("seed", "a", 1), ("seed", "a", 2)),  # two visits
    ],
)
def test_two_draws_know_nothing_of_each_other(
    memory: Connection, one: tuple[str, str, int], other: tuple[str, str, int]
) -> None:
    table = [[0] * 10 for _ in range(10)]
    for first, second in zip(parts(memory, DIGESTS, 10, *one), parts(memory, DIGESTS, 10, *other), strict=True):
        table[first][second] += 1
    assert chi2_contingency(table).pvalue > 1e-4


def test_a_split_does_not_know_who_is_held_out(memory: Connection) -> None:
    table = [[0, 0] for _ in range(10)]
    customers = [f"c{n}" for n in range(MANY)]
    ids = [number_of("welcome", customer, "event:1", "1") for customer in customers]
    for customer, part in zip(customers, parts(memory, ids, 10, "seed", "split"), strict=True):
        table[part][share_of("hold-out", "welcome", customer) < 0.5] += 1
    assert chi2_contingency(table).pvalue > 1e-4


def test_draws_never_change() -> None:
    assert [drawn(TOP, 1, "s", "split"), drawn(1, 2, "种子", "节点"), drawn(0, 1, "", "")] == FIXED


FIXED = [1240697381, 924292013, 270037003]
