"""The live loop: from an event that arrives to a message in the mailbox, its answer, and the funnel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import func, select
from tests.ledgers import lay_out

from aimwell.content.definition import Content
from aimwell.core.definitions import parse_definitions
from aimwell.evaluation.journeys.funnel import funnel
from aimwell.insight.features.build import Features
from aimwell.insight.opening import workshop_of
from aimwell.insight.segments.definition import Segment
from aimwell.insight.segments.membership import sizes
from aimwell.insight.segments.refresh import refresh
from aimwell.store.intake.messages import Message, parse_message
from aimwell.store.ledger.arrivals import keep_messages
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import membership, profile
from aimwell.store.workspace import open_workspace
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.definition import Journey
from aimwell.worker.live import Live
from aimwell.worker.opening import open_live

SETTINGS = """
name = "A shop"
currency = "CNY"
timezone = "Asia/Shanghai"
language = "en"

[channels.mailbox]
"""
SEGMENT = """
name: browsers
kind: behavioural
rule: {all: [{events: {name: looked, within: 30d, count: {at_least: 2}}}, {not: {events: {name: bought, within: 30d}}}]}
"""
QUIET = """
name: sleepers
kind: behavioural
rule: {not: {events: {name: looked, within: 30d}}}
"""
CONTENT = """
channel: mailbox
parts:
  en: {subject: "Hello {{ name | default: 'you' }}", text: "You looked at {{ company }}."}
"""
JOURNEY = """
objective: activation
entry: {segment: browsers}
hold_out: 1%
goal: {bought: {event: bought}}
within: 10d
start: hello
nodes:
  hello: {send: {channel: mailbox, content: hello, purpose: service}, to: patience}
  patience: {wait: {event: {opened: hello}, at_most: 2d}, to: {happened: keen, timeout: done}}
  keen: {end: {}}
  done: {end: {}}
"""
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)  # 12:00 in Shanghai


class Clock:
    """An instant that tests move."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def live(tmp_path: Path, clock: Clock) -> Iterator[Live]:
    (tmp_path / "aimwell.toml").write_text(SETTINGS, encoding="utf-8")
    lay_out(tmp_path / "ledger")
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "browsers.yaml").write_text(SEGMENT, encoding="utf-8")
    (tmp_path / "segments" / "sleepers.yaml").write_text(QUIET, encoding="utf-8")
    with open_live(open_workspace(tmp_path), clock=clock, worker="one") as opened:
        yield opened


def start(live: Live, text: str, name: str, clock: Clock) -> None:
    (journey,) = parse_definitions(text, f"{name}.yaml", Journey, name=name)
    (content,) = parse_definitions(CONTENT, "hello.yaml", Content, name="hello")
    with live.ledger.writing() as connection:
        contents = {"hello": content.model_dump(mode="json", by_alias=True, exclude_defaults=True)}
        apply_version(connection, journey, clock(), "tests", contents=contents)


def arrive(live: Live, clock: Clock, *calls: dict[str, object]) -> None:
    messages = [parse_message(call, received_at=clock()) for call in calls]
    with live.ledger.writing_events() as connection:
        keep_messages(connection, [(each, "tests", True) for each in messages if isinstance(each, Message)])


def looked(who: str, number: int) -> dict[str, object]:
    return {"type": "track", "event": "looked", "userId": who, "messageId": f"{who}-{number}"}


def test_an_event_leads_into_a_segment_a_journey_and_the_mailbox(live: Live, clock: Clock) -> None:
    start(live, JOURNEY, "hello", clock)
    arrive(live, clock, {"type": "identify", "userId": "ann", "messageId": "i1", "traits": {"name": "Ann"}})
    arrive(live, clock, looked("ann", 1), looked("bob", 1))
    clock.now += timedelta(seconds=1)
    live.step()
    arrive(live, clock, looked("ann", 2))
    clock.now += timedelta(seconds=1)
    done = live.step()
    assert (done.entered, done.enrolled, done.sent) == (1, 1, 1)
    with live.ledger.reading() as connection:
        (sent,) = connection.execute(select(intent)).all()
        assert (sent.customer_id, sent.state) == ("ann", "accepted")
        assert connection.scalars(select(membership.c.customer_id)).all() == ["ann"]
        stand = funnel(connection, "hello")
    assert (stand.entered, stand.active, stand.steps["exposed"]) == (1, 1, 1)
    assert live.step().idle


def test_customers_who_were_loaded_can_be_let_in(live: Live, clock: Clock) -> None:
    assert live.refresher is not None
    engine = live.refresher.warehouse.engine
    engine.write("customer", pa.table({"customer_id": ["old"], "timezone": ["Asia/Tokyo"]}))
    live.refresher.warehouse.refresh()
    start(live, JOURNEY.replace("{segment: browsers}", "{segment: sleepers, existing: true}"), "old", clock)
    clock.now += timedelta(seconds=1)
    assert live.step().sent == 1
    with live.ledger.reading() as connection:
        assert connection.execute(select(intent.c.customer_id, intent.c.state)).all() == [("old", "accepted")]


def test_a_segment_that_cannot_be_built_stops_nothing_else(
    live: Live, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    assert live.refresher is not None
    (broken,) = parse_definitions(
        SEGMENT.replace("events: {name: looked", "touches: {journey: x"), "b", Segment, name="b"
    )
    live.refresher.segments = {**live.refresher.segments, "browsers": broken}
    start(live, JOURNEY.replace("{segment: browsers}", "[{segment: browsers}, {event: looked}]"), "both", clock)
    live.step()
    arrive(live, clock, looked("ann", 1))
    clock.now += timedelta(seconds=1)
    assert live.step().sent == 1
    assert "segments are not refreshed" in caplog.text


def test_a_goal_ends_the_journey_and_the_end_of_time_does(live: Live, clock: Clock) -> None:
    start(live, JOURNEY, "hello", clock)
    live.step()
    clock.now += timedelta(seconds=1)
    arrive(live, clock, looked("ann", 1), looked("ann", 2), looked("eve", 1), looked("eve", 2))
    clock.now += timedelta(seconds=1)
    live.step()
    clock.now += timedelta(hours=1)
    arrive(live, clock, {"type": "track", "event": "bought", "userId": "ann", "messageId": "b1"})
    clock.now += timedelta(seconds=1)
    live.step()
    clock.now += timedelta(days=3)
    live.step()
    with live.ledger.reading() as connection:
        states = dict(connection.execute(select(enrolment.c.customer_id, enrolment.c.reason)).all())
        stand = funnel(connection, "hello")
    assert states == {"ann": "goal", "eve": None}
    assert (stand.active, stand.finished, stand.steps["bought"]) == (0, 2, 1)


def test_a_full_build_after_weeks_of_steps_finds_no_difference(live: Live, clock: Clock) -> None:
    assert live.refresher is not None
    start(live, JOURNEY, "hello", clock)
    start(live, JOURNEY.replace("segment: browsers", "segment: sleepers"), "wake", clock)
    for week in range(7):
        # Every third of them looks on a day of each week; from the third week on some never come again.
        who = [f"c{number}" for number in range(20 if week < 2 else 15) if (number * 7 + week) % 3 == 0]
        buys: dict[str, object] = {"type": "track", "event": "bought", "userId": who[0], "messageId": f"b{week}"}
        arrive(live, clock, *(looked(each, week) for each in who), buys)
        clock.now += timedelta(seconds=1)
        live.step()
        clock.now += timedelta(days=7)
        live.step()
    workshop = workshop_of(live.workspace, live.refresher.warehouse)
    features = Features(workshop.history(clock.now + timedelta(seconds=1)), workshop.library, "whole")
    before = sizes(live.refresher.warehouse.engine)
    found = refresh(live.refresher.segments, features)
    assert {each.name: (each.members, each.entered, each.left) for each in found} == {
        name: (before[name], 0, 0) for name in ("browsers", "sleepers")
    }
    with live.ledger.reading() as connection:
        kept = connection.execute(select(membership.c.segment, func.count()).group_by(membership.c.segment)).all()
    assert dict(kept) == before
    assert min(before.values()) > 0


def test_what_comes_true_when_nothing_happens_lets_people_in(live: Live, clock: Clock) -> None:
    start(live, JOURNEY.replace("segment: browsers", "segment: sleepers"), "wake", clock)
    arrive(live, clock, looked("ann", 1))
    clock.now += timedelta(seconds=1)
    live.step()
    clock.now += timedelta(days=29)
    assert live.step().enrolled == 0
    clock.now += timedelta(days=2)
    assert live.step().enrolled == 1
    with live.ledger.reading() as connection:
        assert connection.scalars(select(profile.c.name)).all() == []
        assert connection.scalars(select(membership.c.segment)).all() == ["sleepers"]
