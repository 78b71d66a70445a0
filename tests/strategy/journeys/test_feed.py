"""Messages become happenings of journeys: only those that are listened for, by name and properties, each once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from tests.insight.live.stage import NOON, arrive

from aimwell.core.definitions import parse_definitions
from aimwell.store.intake.messages import event_name
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import happening, knock
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.feed import feed, wanted_events

JOURNEY = """
objective: revenue
entry: {event: {name: looked, where: {price: {above: 10}}}}
goal: {bought: {event: bought}}
within: 10d
start: home
nodes:
  home: {wait: {event: {event: {name: page, where: {name: Home}}}, at_most: 2d}, to: {happened: done, timeout: done}}
  done: {end: {}}
"""


@pytest.fixture
def ledger(ledger: Ledger) -> Ledger:
    (journey,) = parse_definitions(JOURNEY, "j.yaml", Journey, name="looking")
    with ledger.writing() as connection:
        apply_version(connection, journey, NOON, "tests")
    return ledger


def kept(ledger: Ledger) -> list[tuple[str, str, datetime]]:
    with ledger.reading() as connection:
        query = select(happening.c.customer_id, happening.c.signal, happening.c.at).order_by(happening.c.ref)
        return [(row.customer_id, row.signal.split("#")[0], row.at) for row in connection.execute(query)]


def test_only_what_is_listened_for_is_kept_and_only_once(ledger: Ledger) -> None:
    arrive(
        ledger,
        {"type": "track", "userId": "ann", "event": "looked", "properties": {"price": 12}},
        {"type": "track", "userId": "ann", "event": "looked", "properties": {"price": 8}},
        {"type": "track", "userId": "ann", "event": "looked", "properties": {"price": "dear"}},
        {"type": "track", "userId": "ann", "event": "looked", "properties": {"price": None}},
        {"type": "track", "userId": "bob", "event": "bought"},
        {"type": "track", "userId": "bob", "event": "slept"},
        {"type": "page", "userId": "bob", "name": "Home"},
        {"type": "page", "userId": "bob", "name": "Help"},
        {"type": "screen", "userId": "bob", "name": "Home"},
    )
    assert feed(ledger).happenings == 3
    assert feed(ledger).messages == 0
    assert kept(ledger) == [("ann", "event:looked", NOON), ("bob", "event:bought", NOON), ("bob", "event:page", NOON)]
    with ledger.reading() as connection:
        assert connection.scalars(select(knock.c.customer_id)).all() == ["ann"]


def test_the_same_message_told_again_lets_nobody_in_twice(ledger: Ledger) -> None:
    look = {"type": "track", "userId": "ann", "event": "looked", "properties": {"price": 12}, "messageId": "one"}
    arrive(ledger, look)
    feed(ledger)
    with ledger.writing() as connection:
        connection.exec_driver_sql("DELETE FROM cursor WHERE consumer = 'journeys'")
    assert feed(ledger).messages == 1
    with ledger.reading() as connection:
        assert len(connection.scalars(select(knock.c.customer_id)).all()) == 1


def test_what_identity_has_not_read_waits(ledger: Ledger) -> None:
    arrive(ledger, {"type": "track", "userId": "ann", "event": "bought"})
    with ledger.writing() as connection:
        connection.exec_driver_sql("UPDATE cursor SET position = 0 WHERE consumer = 'identity'")
    assert feed(ledger).messages == 0


def test_every_event_of_which_a_version_speaks_is_wanted(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        assert {name: len(events) for name, events in wanted_events(connection).items()} == {
            "looked": 1,
            "bought": 1,
            "page": 1,
        }


def test_an_event_has_the_name_that_the_warehouse_gives_it() -> None:
    assert [event_name("track", "x"), event_name("page", "Home"), event_name("screen", None)] == ["x", "page", "screen"]
    assert NOON.tzinfo is UTC
