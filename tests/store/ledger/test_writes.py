"""Inserting what is new counts rightly on both databases; putting replaces."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, func, insert, literal, select

from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import cursor, knock
from aimwell.store.ledger.schema.people import membership, profile
from aimwell.store.ledger.writes import insert_new, insert_new_from, put

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def member(customer_id: str, segment: str = "s", since: datetime = NOW) -> Mapping[str, object]:
    return {"customer_id": customer_id, "segment": segment, "since": since}


def members(connection: Connection) -> list[tuple[str, datetime]]:
    found = connection.execute(select(membership.c.customer_id, membership.c.since).order_by(membership.c.customer_id))
    return [(name, since) for name, since in found]


def test_only_rows_with_a_new_key_are_inserted_and_counted(ledger: Ledger) -> None:
    later = NOW + timedelta(days=1)
    with ledger.writing() as connection:
        assert insert_new(connection, membership, []) == 0
        assert insert_new(connection, membership, [member("a")]) == 1
        assert insert_new(connection, membership, [member("a", since=later)]) == 0
        assert insert_new(connection, membership, [member(name, since=later) for name in "abc"]) == 2
        assert members(connection) == [("a", NOW), ("b", later), ("c", later)]


def test_of_rows_that_share_a_key_the_first_counts(ledger: Ledger) -> None:
    rows = [member("a", since=NOW + timedelta(days=n)) for n in range(3)]
    with ledger.writing() as connection:
        assert insert_new(connection, membership, rows) == 1
        assert members(connection) == [("a", NOW)]


@pytest.mark.parametrize("size", [1, 2, 999, 3000])
def test_counts_are_right_for_few_and_for_many_rows(ledger: Ledger, size: int) -> None:
    rows = [member(f"c{n}") for n in range(size)]
    with ledger.writing() as connection:
        assert insert_new(connection, membership, rows[::2]) == len(rows[::2])
        assert insert_new(connection, membership, rows) == size - len(rows[::2])
        assert connection.scalar(select(func.count()).select_from(membership)) == size


def test_the_rows_of_a_query_are_inserted_by_one_statement_and_counted(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        insert_new(connection, membership, [member("a"), member("b"), member("b", "t")])
        statements: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda _c, _u, statement, *_: statements.append(statement))
        all_of_s = select(membership.c.customer_id, literal("t"), membership.c.since).where(membership.c.segment == "s")
        columns = ["customer_id", "segment", "since"]
        assert insert_new_from(connection, membership, columns, all_of_s) == 1
        assert insert_new_from(connection, membership, columns, all_of_s) == 0
        everything = select(membership.c.customer_id, literal("u"), membership.c.since).distinct()
        assert insert_new_from(connection, membership, columns, everything) == 2
        assert len(statements) == 3


def test_a_table_whose_key_the_database_gives_takes_every_row(ledger: Ledger) -> None:
    row = {"journey": "j", "customer_id": "a", "cause": "x", "at": NOW}
    with ledger.writing() as connection:
        assert insert_new(connection, knock, [row, row]) == 2
        first, second = connection.scalars(select(knock.c.id).order_by(knock.c.id))
        assert second > first
        connection.execute(knock.delete())
        connection.execute(insert(knock), [row])
        assert connection.scalar(select(knock.c.id)) == second + 1, "a number is never given twice"


def test_putting_replaces_the_values_and_leaves_the_other_columns(ledger: Ledger) -> None:
    def value(**changed: object) -> dict[str, object]:
        return {"customer_id": "a", "name": "city", "since": NOW, **changed}

    with ledger.writing() as connection:
        put(connection, profile, [])
        put(connection, profile, [value(text="上海", stated_at=NOW)])
        put(connection, profile, [value(text="北京"), value(name="age", text=None)])
        found = connection.execute(select(profile.c.name, profile.c.text, profile.c.stated_at).order_by(profile.c.name))
        assert [tuple(row) for row in found] == [("age", None, None), ("city", "北京", NOW)]
        put(connection, cursor, [{"consumer": "tick", "position": 2**63 - 1}])
        put(connection, cursor, [{"consumer": "tick", "position": 7}])
        assert connection.scalar(select(cursor.c.position)) == 7


def test_a_table_of_keys_alone_can_be_put(ledger: Ledger) -> None:
    from aimwell.store.ledger.schema.journeys import listening

    row = {"signal": "event:x#", "version_id": 1, "node": "*"}
    with ledger.writing() as connection:
        put(connection, listening, [row])
        put(connection, listening, [row])
        assert connection.scalar(select(func.count()).select_from(listening)) == 1


@settings(max_examples=25)
@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=5), max_size=5))
def test_the_counts_add_up_to_the_rows(batches: list[list[str]]) -> None:
    from sqlalchemy import create_engine

    engine = create_engine("sqlite://")
    membership.create(engine)
    with engine.begin() as connection:
        counted = [insert_new(connection, membership, [member(name) for name in batch]) for batch in batches]
        assert sum(counted) == len(members(connection)) == len({name for batch in batches for name in batch})
    engine.dispose()
