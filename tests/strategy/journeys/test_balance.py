"""Sets, not people: as many statements for a thousand as for five; and nobody is lost between entry and end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, func, insert, select
from tests.ledgers import empty_ledger

from aimwell.core.keys import shard_of
from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.happenings import Happening, record
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import enrolment, passage, refusal
from aimwell.store.ledger.schema.people import customer
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.entry import let_in
from aimwell.strategy.journeys.tick import Ticked, Ticker

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
FIRST_LOAN = Journey.model_validate(
    {
        "name": "first_loan",
        "objective": "activation",
        "entry": {"event": "joined"},
        "hold_out": "10%",
        "goal": {"loan": {"event": "loan_taken"}},
        "within": "30d",
        "exits": {"closed": {"event": "account_closed"}},
        "start": "push",
        "nodes": {
            "push": {"send": {"channel": "push", "content": "hello"}, "to": "wait"},
            "wait": {
                "wait": {"any": [{"opened": "push"}, {"event": "came"}], "at_most": "2d"},
                "to": {"happened": "half", "timeout": "morning"},
            },
            "morning": {"wait": {"until": {"time": "10:00"}}, "to": "asked"},
            "asked": {"branch": {"if": {"segment": "vip"}}, "to": {"yes": "half", "no": "sms"}},
            "sms": {"send": {"channel": "sms", "content": "hello"}, "to": "over"},
            "half": {"split": {"weights": {"a": 1, "b": 1}}, "to": {"a": "over", "b": "sms"}},
            "over": {"end": {}},
        },
    }
)


def signal(name: str) -> str:
    return f"event:{name}"


def joined(ledger: Ledger, people: int) -> list[str]:
    """People who have just joined, and knock."""
    names = [f"c{number}" for number in range(people)]
    zones = ("UTC", "Asia/Shanghai", "America/New_York")
    rows = [
        {
            "customer_id": name,
            "shard": shard_of(name),
            "zone": zones[number % 3],
            "held_out": False,
            "created_at": BEGIN,
        }
        for number, name in enumerate(names)
    ]
    with ledger.writing() as connection:
        connection.execute(insert(customer), rows)
        apply_version(connection, FIRST_LOAN, BEGIN, "test")
        record(connection, [Happening(name, signal("joined"), BEGIN, name) for name in names])
    return names


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that an engine is given; many rows of one statement count as one."""
    seen: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", count)


def statements_for(people: int) -> list[int]:
    """How many statements each part of a week takes: coming in, and each day's one chunk."""
    with empty_ledger() as ledger:
        names = joined(ledger, people)
        took = []
        with counted(ledger.state) as seen, ledger.writing() as connection:
            let_in(connection, BEGIN)
        took.append(len(seen))
        for day in range(5):
            with ledger.writing() as connection:
                came = [Happening(name, signal("came"), BEGIN + timedelta(days=1), name) for name in names[::4]]
                loans = [Happening(name, signal("loan_taken"), BEGIN + timedelta(days=1), name) for name in names[1::4]]
                with counted(ledger.state) as seen:
                    record(connection, [*came, *loans] if day == 1 else [])
                    Ticker(ledger).move_chunk(connection, micros(BEGIN + timedelta(days=day, hours=2)), Ticked())
            took.append(len(seen))
        return took


def test_a_chunk_takes_as_many_statements_for_many_people_as_for_few() -> None:
    few, many = statements_for(40), statements_for(800)
    assert few == many
    assert max(many) < 120


@pytest.mark.parametrize("chunk", [13, 500])
def test_whoever_came_in_is_active_finished_or_exited_at_every_look(ledger: Ledger, chunk: int) -> None:
    names = joined(ledger, 90)
    with ledger.writing() as connection:
        record(connection, [Happening(name, signal("joined"), BEGIN, f"again {name}") for name in names[:20]])
        while let_in(connection, BEGIN, chunk).knocks:
            pass
    ticker, looks = Ticker(ledger, chunk=chunk), 0
    for day in range(5):
        with ledger.writing() as connection:
            some = names[day * 9 : day * 9 + 9]
            closed = [Happening(name, signal("account_closed"), BEGIN + timedelta(days=day), name) for name in some[:4]]
            loans = [Happening(name, signal("loan_taken"), BEGIN + timedelta(days=day), name) for name in some[2:]]
            record(connection, [*closed, *loans])
        while True:
            with ledger.writing() as connection:
                seen = ticker.move_chunk(connection, micros(BEGIN + timedelta(days=day, hours=2)), Ticked())
            look(ledger, people=90, refused=20)
            looks += 1
            if seen < chunk:
                break
    assert looks >= 5


def look(ledger: Ledger, *, people: int, refused: int) -> None:
    """Both sides of the balance, and of each enrolment's own: nodes left = passages written."""
    with ledger.reading() as connection:
        found = connection.execute(select(enrolment.c.state, func.count()).group_by(enrolment.c.state)).all()
        by_state: dict[str, int] = {row[0]: row[1] for row in found}
        assert set(by_state) <= {"active", "finished", "exited"}
        assert sum(by_state.values()) == people
        assert connection.scalar(select(func.count()).select_from(refusal)) == refused
        ended = enrolment.c.ended_at.is_not(None)
        assert connection.scalar(select(func.count()).where(ended, enrolment.c.state == "active")) == 0
        assert connection.scalar(select(func.count()).where(~ended, enrolment.c.state != "active")) == 0
        exited = (enrolment.c.state == "exited", enrolment.c.reason.is_(None))
        assert connection.scalar(select(func.count()).where(*exited)) == 0
        moves = connection.scalar(select(func.sum(enrolment.c.moves)))
        assert connection.scalar(select(func.count()).select_from(passage)) == moves
