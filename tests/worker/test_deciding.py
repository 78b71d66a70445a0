"""Decisions that the worker makes by itself: once in a period, whatever dies on the way; journeys send from them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlglot import exp
from tests.ledgers import lay_out
from tests.worker.test_live import CONTENT, SETTINGS, Clock, arrive, looked

from aimwell.content.definition import Content
from aimwell.core.definitions import parse_definitions
from aimwell.core.time import to_store
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import profile
from aimwell.store.workspace import open_workspace
from aimwell.strategy.decisions.deciding import decide
from aimwell.strategy.decisions.rows import TABLE
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.definition import Journey
from aimwell.worker import deciding
from aimwell.worker.live import Live
from aimwell.worker.opening import open_live

DECISION = """
every: day
audience: {events: {name: looked, within: 30d}}
hold_out: 0
treatments:
  letter: {channel: mailbox, cost: 1, gain: {amount: 5}}
"""
JOURNEY = """
objective: activation
entry: {event: looked}
hold_out: 0%
goal: {bought: {event: bought}}
within: 30d
start: patience
nodes:
  patience:
    wait: {event: {attribute: "decision:autumn", is: letter}, at_most: 9d}
    to: {happened: hello, timeout: done}
  hello: {send: {channel: mailbox, content: hello, purpose: service}, to: done}
  done: {end: {}}
"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def live(tmp_path: Path, clock: Clock) -> Iterator[Live]:
    (tmp_path / "aimwell.toml").write_text(SETTINGS, encoding="utf-8")
    lay_out(tmp_path / "ledger")
    (tmp_path / "decisions").mkdir()
    (tmp_path / "decisions" / "autumn.yaml").write_text(DECISION, encoding="utf-8")
    with open_live(open_workspace(tmp_path), clock=clock, worker="one") as opened:
        (journey,) = parse_definitions(JOURNEY, "hello.yaml", Journey, name="hello")
        (content,) = parse_definitions(CONTENT, "hello.yaml", Content, name="hello")
        contents = {"hello": content.model_dump(mode="json", by_alias=True, exclude_defaults=True)}
        with opened.ledger.writing() as connection:
            apply_version(connection, journey, clock(), "tests", contents=contents)
        arrive(opened, clock, looked("ann", 1), looked("bob", 1))
        clock.now += timedelta(seconds=1)
        opened.step()
        yield opened


def decided(live: Live) -> list[tuple[datetime, str, str]]:
    assert live.refresher is not None
    engine = live.refresher.warehouse.engine
    if TABLE not in engine.tables():
        return []
    rows = engine.to_arrow(exp.select("as_of", "customer_id", "treatment").from_(TABLE)).to_pylist()
    return sorted((row["as_of"], row["customer_id"], row["treatment"]) for row in rows)


def sent(live: Live) -> list[str]:
    with live.ledger.reading() as connection:
        return sorted(connection.scalars(select(intent.c.customer_id).where(intent.c.state == "accepted")))


def midnight(day: int) -> datetime:
    return to_store(datetime(2026, 3, day, tzinfo=ZoneInfo("Asia/Shanghai")))


BOTH = [(midnight(3), who, "letter") for who in ("ann", "bob")]


def test_each_day_is_decided_once_and_journeys_that_wait_for_it_send(live: Live, clock: Clock) -> None:
    assert (decided(live), sent(live)) == ([], [])  # at the first midnight nobody had looked yet
    clock.now += timedelta(days=1)
    done = live.step()
    assert (done.decided, done.sent) == (1, 2)
    assert decided(live) == BOTH
    assert sent(live) == ["ann", "bob"]
    clock.now += timedelta(hours=1)
    assert live.step().decided == 0
    clock.now += timedelta(days=1)
    done = live.step()
    assert (done.decided, done.sent) == (1, 0)  # they get what they had: nothing has changed
    assert len(decided(live)) == 4
    assert live.refresher is not None
    assert not [name for name in live.refresher.warehouse.engine.tables() if name.startswith("feature_")]


@pytest.mark.parametrize("where", ["activate_decision", "put"])
def test_whoever_dies_on_the_way_is_followed_by_one_who_repeats_nothing(
    live: Live, clock: Clock, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    made: list[datetime] = []
    honest: Any = decide

    def counted(*given: Any, **named: Any) -> Any:
        made.append(given[2])
        return honest(*given, **named)

    def die(*_: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(deciding, "decide", counted)
    clock.now += timedelta(days=1)
    with monkeypatch.context() as once:
        once.setattr(deciding, where, die)
        with pytest.raises(RuntimeError, match="killed"):
            live.step()
    assert decided(live) == BOTH
    clock.now += timedelta(minutes=1)
    done = live.step()
    assert (done.decided, done.sent) == (1, 2)
    clock.now += timedelta(minutes=1)
    assert live.step().decided == 0
    assert len(made) == 1
    assert decided(live) == BOTH
    assert sent(live) == ["ann", "bob"]


def test_a_worker_that_is_started_again_does_not_decide_again(live: Live, clock: Clock) -> None:
    clock.now += timedelta(days=1)
    live.step()
    live._later.clear()  # what a new process does not know
    live._kept_up = datetime(1970, 1, 1, tzinfo=UTC)
    assert live.step().decided == 0
    assert decided(live) == BOTH


def test_what_was_missed_is_not_made_up_for(live: Live, clock: Clock) -> None:
    clock.now += timedelta(days=5)
    assert live.step().decided == 1
    assert {as_of for as_of, _, _ in decided(live)} == {midnight(7)}


def test_whoever_left_the_audience_is_told_nothing(live: Live, clock: Clock) -> None:
    clock.now += timedelta(days=1)
    live.step()
    clock.now += timedelta(days=28)
    arrive(live, clock, looked("bob", 2))
    clock.now += timedelta(seconds=1)
    live.step()
    clock.now += timedelta(days=4)
    assert live.step().decided == 1
    with live.ledger.reading() as connection:
        found = connection.execute(
            select(profile.c.customer_id, profile.c.text).where(profile.c.name == "decision:autumn")
        ).all()
    assert {row.customer_id: row.text for row in found} == {"ann": "nothing", "bob": "letter"}


def test_a_decision_that_cannot_be_made_is_told_and_waits_while_others_go_on(
    live: Live, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    folder = live.workspace.folder / "decisions"
    (folder / "acute.yaml").write_text(DECISION.replace("gain:", "at_least: 9, gain:"), encoding="utf-8")
    clock.now += timedelta(days=1)
    assert live.step().decided == 1
    assert "acute is not decided" in caplog.text
    assert "more customers than may get it" in caplog.text
    caplog.clear()
    clock.now += timedelta(minutes=1)
    live.step()
    assert "acute" not in caplog.text
    (folder / "acute.yaml").write_text(DECISION, encoding="utf-8")
    clock.now += timedelta(minutes=15)
    assert live.step().decided == 1
    assert len(decided(live)) == 4
    (folder / "broken.yaml").write_text("every: sometimes", encoding="utf-8")
    clock.now += timedelta(days=1)
    assert live.step().decided == 0
    assert "nothing is decided" in caplog.text


@pytest.mark.parametrize(
    ("every", "begins"),
    [("hour", "2026-03-29T03:00+02:00"), ("day", "2026-03-29T00:00+01:00"), ("week", "2026-03-23T00:00+01:00")],
)
def test_periods_begin_on_the_clock_of_the_workspace_also_when_it_changes(every: Any, begins: str) -> None:
    now = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 in Berlin, where 02:00 to 03:00 did not happen
    assert deciding.period_of(every, now, ZoneInfo("Europe/Berlin")) == datetime.fromisoformat(begins)
