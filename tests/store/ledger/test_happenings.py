"""A happening is kept once, wakes exactly those who listen, and knocks once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, event, func, insert, literal, select, update

from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.happenings import Happening, listened, record, record_from, wake_again
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema import STATE
from aimwell.store.ledger.schema.enrolments import enrolment, happening, knock
from aimwell.store.ledger.schema.journeys import journey, listening
from aimwell.store.ledger.writes import insert_new

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
PAID = "event:paid#"


def listen(connection: Connection, *heard: tuple[str, int, str]) -> None:
    rows = [{"signal": signal, "version_id": version, "node": node} for signal, version, node in heard]
    insert_new(connection, listening, rows)


def enrol(connection: Connection, number: int, customer: str, node: str, **changed: object) -> None:
    row: dict[str, object] = {"id": number, "journey": "j", "version_id": 1, "customer_id": customer, "shard": 0}
    row.update(cause="c", number=1, entered_at=NOW, state="active", node=node, at=NOW, due_at=LATER)
    row.update(changed)
    connection.execute(insert(enrolment), row)


def found(connection: Connection, name: str, version: int = 1) -> None:
    row = {"name": name, "version_id": version, "state": "running", "changed_at": NOW}
    connection.execute(insert(journey), row)


def paid(customer: str = "a", *, at: datetime = NOW, ref: str = "m1", signal: str = PAID) -> Happening:
    return Happening(customer, signal, at, ref)


def woken(connection: Connection) -> set[int]:
    query = select(enrolment.c.id).where(enrolment.c.due_at == enrolment.c.at, enrolment.c.state == "active")
    return set(connection.scalars(query))


def counted(connection: Connection, does: Callable[[], object]) -> int:
    statements: list[str] = []
    event.listen(connection, "before_cursor_execute", heard := lambda _c, _u, said, *_: statements.append(said))
    does()
    event.remove(connection, "before_cursor_execute", heard)
    return len(statements)


def test_a_repetition_changes_nothing(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        found(connection, "j")
        listen(connection, (PAID, 1, ">"))
        assert record(connection, []) == 0
        assert record(connection, [paid(), paid()]) == 1
        assert record(connection, [paid()]) == 0
        assert record(connection, [paid(), paid(ref="m2"), paid(at=LATER), paid("b")]) == 3
        assert connection.scalar(select(func.count()).select_from(happening)) == 4
        assert connection.scalar(select(func.count()).select_from(knock)) == 4


def test_those_wake_whose_node_or_version_listens_and_nobody_else(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        found(connection, "j")
        listen(connection, (PAID, 1, "wait"), (PAID, 2, "*"), ("event:other#", 3, "*"), (PAID, 4, ">"))
        enrol(connection, 1, "a", "wait")
        enrol(connection, 2, "a", "elsewhere")
        enrol(connection, 3, "a", "anywhere", version_id=2)
        enrol(connection, 4, "a", "anywhere", version_id=3)
        enrol(connection, 5, "b", "wait")
        enrol(connection, 6, "a", "wait", state="finished")
        enrol(connection, 7, "a", "wait", due_at=None)
        enrol(connection, 8, "a", "wait", version_id=4)
        record(connection, [paid()])
        assert woken(connection) == {1, 3, 7}
        connection.execute(update(enrolment).where(enrolment.c.id == 1).values(due_at=LATER))
        record(connection, [paid()])
        assert woken(connection) == {3, 7}, "a repetition wakes nobody again"


def test_a_happening_knocks_once_at_each_journey_whose_current_version_lets_people_in(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        found(connection, "j", 2)
        found(connection, "k", 3)
        found(connection, "deaf", 4)
        listen(connection, (PAID, 1, ">"), (PAID, 2, ">"), (PAID, 2, "*"), (PAID, 3, ">"), (PAID, 4, "wait"))
        record(connection, [paid(), paid("b", ref="m2")])
        record(connection, [paid()])
        knocks = connection.execute(select(knock.c.journey, knock.c.customer_id, knock.c.cause, knock.c.at))
        assert sorted(tuple(row) for row in knocks) == [
            (name, customer, f"{PAID}:{ref}", NOW) for name in "jk" for customer, ref in (("a", "m1"), ("b", "m2"))
        ]


def test_knocks_come_in_the_order_of_time_whatever_the_order_of_telling(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        found(connection, "j")
        listen(connection, (PAID, 1, ">"))
        told = [paid(f"c{n}", at=NOW + timedelta(seconds=n * 7 % 20), ref=str(n)) for n in range(20)]
        record(connection, told)
        at = list(connection.scalars(select(knock.c.at).order_by(knock.c.id)))
    assert at == sorted(at)


def test_the_number_of_statements_does_not_grow_with_what_happened(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        found(connection, "j")
        listen(connection, (PAID, 1, ">"), (PAID, 1, "wait"))
        record(connection, [paid("first")])  # makes the temporary table
        one = counted(connection, lambda: record(connection, [paid()]))
        thousand = counted(connection, lambda: record(connection, [paid(f"c{n}") for n in range(1000)]))
        none_new = counted(connection, lambda: record(connection, [paid(f"c{n}") for n in range(1000)]))
    assert none_new <= one == thousand <= 7


def test_what_a_query_finds_is_recorded_as_if_it_had_been_told(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        found(connection, "j")
        listen(connection, (PAID, 1, "wait"))
        enrol(connection, 1, "a", "wait")
        query = select(literal("a"), literal(PAID), literal(micros(NOW)), literal("m1"))
        assert record_from(connection, query) == 1  # type: ignore[arg-type]
        connection.execute(update(enrolment).values(due_at=LATER))
        assert wake_again(connection) == 1
        assert wake_again(connection) == 0
        assert woken(connection) == {1}
        unheard = select(literal("a"), literal("event:unheard#"), literal(micros(NOW)), literal("m1"))
        assert record_from(connection, unheard) == 0  # type: ignore[arg-type]


def test_only_signals_that_somebody_listens_for_need_to_be_told(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        assert listened(connection) == frozenset()
        listen(connection, (PAID, 1, ">"), (PAID, 2, "*"), ("enter:vip", 1, "*"))
        assert listened(connection) == {PAID, "enter:vip"}


def test_what_is_rolled_back_did_not_happen(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        found(connection, "j")
        listen(connection, (PAID, 1, "wait"), (PAID, 1, ">"))
        enrol(connection, 1, "a", "wait")

    def interrupted() -> None:
        with ledger.writing() as connection:
            record(connection, [paid()])
            raise InterruptedError

    with pytest.raises(InterruptedError):
        interrupted()
    with ledger.writing() as connection:
        assert woken(connection) == set()
        assert record(connection, [paid()]) == 1
        assert woken(connection) == {1}
        assert connection.scalar(select(func.count()).select_from(knock)) == 1


HAPPENED = st.builds(
    lambda customer, signal, second, ref: Happening(customer, signal, NOW + timedelta(seconds=second), ref),
    st.sampled_from("abc"),
    st.sampled_from([PAID, "enter:vip", "event:unheard#"]),
    st.integers(0, 2),
    st.sampled_from(["m1", "m2"]),
)


@settings(max_examples=40)
@given(st.lists(st.lists(HAPPENED, max_size=6), max_size=4))
def test_however_it_is_told_the_same_is_kept_woken_and_let_in(batches: list[list[Happening]]) -> None:
    everything = {each for batch in batches for each in batch}
    engine = create_engine("sqlite://")
    STATE.create_all(engine)
    with engine.begin() as connection:
        found(connection, "j")
        listen(connection, (PAID, 1, ">"), ("enter:vip", 1, "wait"), (PAID, 1, "pay"))
        for n, customer in enumerate("abc"):
            enrol(connection, n, customer, "wait")
            enrol(connection, 10 + n, customer, "pay")
        assert sum(record(connection, batch) for batch in batches) == len(everything)
        awake = {10 * (each.signal == PAID) + "abc".index(each.customer_id) for each in everything
                 if each.signal in {PAID, "enter:vip"}}  # fmt: skip
        assert woken(connection) == awake
        entered = sum(each.signal == PAID for each in everything)
        assert connection.scalar(select(func.count()).select_from(knock)) == entered
    engine.dispose()


@pytest.mark.postgres
def test_two_who_wake_the_same_people_wait_for_each_other_and_never_both_ways(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url)
    people = [f"p{number:04}" for number in range(3_000)]
    with ledger.writing() as connection:
        listen(connection, ("event:a", 1, "*"), ("event:b", 1, "*"))
        for number, who in enumerate(people):
            enrol(connection, 7919 * number % 1_000_003, who, "wait")

    def sleep() -> None:
        with ledger.writing() as connection:
            connection.execute(update(enrolment).values(due_at=LATER))

    both = Barrier(2, action=sleep)

    def tell(signal: str, order: list[str]) -> int:
        new = 0
        for turn in range(8):
            at = NOW + timedelta(minutes=turn)
            both.wait(60)
            with ledger.writing() as connection:
                new += record(connection, [paid(who, at=at, signal=signal) for who in order])
        return new

    with ThreadPoolExecutor(2) as pool:
        told = [pool.submit(tell, "event:a", people[:2_500]), pool.submit(tell, "event:b", people[:499:-1])]
        assert [each.result() for each in told] == [20_000, 20_000]
    with ledger.reading() as connection:
        assert len(woken(connection)) == len(people)
    ledger.close()
