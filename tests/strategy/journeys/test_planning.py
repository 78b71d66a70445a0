"""Plan, apply, pause, resume, stop and migrate: nothing is done that was not shown, nothing is done twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from aimwell.core.definitions import parse_definitions
from aimwell.core.errors import BadDefinition, BadQuestion
from aimwell.core.keys import shard_of
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import enrolment, knock, passage
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import customer, membership
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.entry import let_in
from aimwell.strategy.journeys.lock import Base, read_lock, write_lock
from aimwell.strategy.journeys.migrating import migrate, plan_migration
from aimwell.strategy.journeys.planning import Change, MovedOn, Plan, apply_plan, plan_journeys
from aimwell.strategy.journeys.running import pause, resume, running_journeys, stop
from aimwell.strategy.journeys.tick import Ticker

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = timedelta(days=1)
GREETING = """\
objective: activation
entry: [{api: true}, {segment: new, existing: true}]
goal: {bought: {event: order}}
within: 30d
hold_out: 0%
start: greet
nodes:
  greet: {send: {channel: push, content: hello}, to: pause}
  pause: {wait: {for: 2d}, to: text}
  text: {send: {channel: sms, content: again}, to: done}
  done: {end: {}}
"""
WORDS: dict[str, object] = {"hello": {"parts": "Hello"}, "again": {"parts": "Again"}, "other": {"parts": "unused"}}
COSTS = {"sms": 50_000}


def read(text: str = GREETING, name: str = "welcome") -> Journey:
    (found,) = parse_definitions(text, "j.yaml", Journey, name=name)
    return found


def plan(ledger: Ledger, *texts: str, lock: dict[str, Base] | None = None, words: dict[str, object] = WORDS) -> Plan:
    definitions = {definition.name: definition for definition in map(read, texts)}
    with ledger.reading() as connection:
        return plan_journeys(connection, definitions, lock or {}, contents=words, costs=COSTS)


def apply(ledger: Ledger, text: str = GREETING, lock: dict[str, Base] | None = None, *over: str) -> dict[str, Base]:
    definitions = {"welcome": read(text)}
    with ledger.writing() as connection:
        planned = plan_journeys(connection, definitions, lock or {}, contents=WORDS, costs=COSTS)
        return apply_plan(connection, planned, definitions, NOW, "ann", contents=WORDS, over=over)


def put_in(ledger: Ledger, *names: str, at: datetime = NOW) -> None:
    with ledger.writing() as connection:
        people = [
            {"customer_id": name, "shard": shard_of(name), "zone": "Asia/Shanghai", "held_out": False, "created_at": at}
            for name in names
        ]
        connection.execute(insert(customer), people)
        knocks = [{"journey": "welcome", "customer_id": name, "cause": f"api:{name}", "at": at} for name in names]
        connection.execute(insert(knock), knocks)
        let_in(connection, at)


def at_nodes(ledger: Ledger) -> dict[tuple[str, str], int]:
    counted = select(enrolment.c.state, enrolment.c.node, func.count()).group_by(enrolment.c.state, enrolment.c.node)
    with ledger.reading() as connection:
        return {(state, node): count for state, node, count in connection.execute(counted)}


def intents(ledger: Ledger) -> dict[str, int]:
    with ledger.reading() as connection:
        counted = connection.execute(select(intent.c.node, func.count()).group_by(intent.c.node))
        return {node: count for node, count in counted}  # noqa: C416 (rows are no pairs to a type checker)


def test_a_new_journey_is_shown_with_whom_it_lets_in_and_what_it_sends_and_costs_at_most(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        members = [{"customer_id": f"c{i}", "segment": "new", "since": NOW} for i in range(3)]
        connection.execute(insert(membership), members)
    (found,) = plan(ledger, GREETING).journeys
    assert (found.status, found.lets_in, found.messages, found.cost) == ("added", 3, 2, 150_000)
    assert Change("nodes.greet.send.channel", None, "push") in found.changes
    assert Change("contents.hello.parts", None, "Hello") in found.changes
    assert not [change for change in found.changes if "other" in change.place]


def test_applying_twice_makes_one_version_and_planning_writes_nothing(ledger: Ledger) -> None:
    first = apply(ledger)
    assert apply(ledger, lock=first) == first == {"welcome": Base(1, first["welcome"].digest)}
    assert plan(ledger, GREETING, lock=first).empty


def test_where_nodes_are_drawn_is_no_difference_in_words(ledger: Ledger) -> None:
    apply(ledger)
    (found,) = plan(ledger, GREETING + "layout: {greet: [1, 2]}\n").journeys
    assert found.changes == ()


def test_a_change_of_words_alone_is_a_new_version_and_the_running_one_keeps_its_words(ledger: Ledger) -> None:
    lock = apply(ledger)
    put_in(ledger, "ann")
    (found,) = plan(ledger, GREETING, lock=lock, words={**WORDS, "hello": {"parts": "Hi"}}).journeys
    assert found.changes == (Change("contents.hello.parts", "Hello", "Hi"),)
    assert found.waiting == {"greet": 1}


def test_who_is_on_the_way_stays_on_the_old_version(ledger: Ledger) -> None:
    lock = apply(ledger)
    put_in(ledger, "ann")
    Ticker(ledger).tick(NOW)
    apply(ledger, GREETING.replace("for: 2d", "for: 9d"), lock)
    put_in(ledger, "bob")
    Ticker(ledger).tick(NOW + 3 * DAY)
    assert at_nodes(ledger) == {("finished", "done"): 1, ("active", "pause"): 1}


def test_apply_refuses_when_the_ledger_has_moved_on_and_shows_all_three(ledger: Ledger) -> None:
    base = apply(ledger)
    apply(ledger, GREETING.replace("within: 30d", "within: 60d"), base)
    mine = GREETING.replace("for: 2d", "for: 5d")
    (found,) = plan(ledger, mine, lock=base).moved_on
    assert found.theirs == (Change("within", "30d", "60d"),)
    assert found.ours == (Change("nodes.pause.wait.for", "2d", "5d"),)
    with pytest.raises(MovedOn, match="welcome version 1; saw version 2"):
        apply(ledger, mine, base)
    assert apply(ledger, mine, base, "welcome")["welcome"].number == 3


def test_a_file_that_was_never_applied_does_not_replace_what_the_ledger_has(ledger: Ledger) -> None:
    apply(ledger)
    with pytest.raises(MovedOn):
        apply(ledger, GREETING.replace("30d", "31d"))


def test_a_journey_without_a_file_is_shown_and_left_running(ledger: Ledger) -> None:
    apply(ledger)
    (found,) = plan(ledger).journeys
    assert (found.status, found.moved_on) == ("removed", False)
    assert plan(ledger).empty


def test_a_journey_that_may_send_for_ever_has_no_worst_case(ledger: Ledger) -> None:
    (found,) = plan(ledger, GREETING.replace("again}, to: done", "again}, to: pause")).journeys
    assert (found.messages, found.cost) == (None, None)


def test_a_paused_journey_moves_nobody_and_lets_nobody_in_until_it_is_resumed(ledger: Ledger) -> None:
    apply(ledger)
    put_in(ledger, "ann")
    with ledger.writing() as connection:
        assert pause(connection, "welcome", NOW)
        assert not pause(connection, "welcome", NOW)
    Ticker(ledger).tick(NOW + 3 * DAY)
    put_in(ledger, "bob", at=NOW + DAY)
    assert at_nodes(ledger) == {("active", "greet"): 1}
    with ledger.writing() as connection:
        assert resume(connection, "welcome", NOW + 3 * DAY)
    Ticker(ledger).tick(NOW + 3 * DAY)
    assert at_nodes(ledger) == {("finished", "done"): 1}


def test_stopping_ends_everyone_as_stopped_in_chunks_and_for_good(ledger: Ledger) -> None:
    lock = apply(ledger)
    put_in(ledger, *(f"c{i}" for i in range(5)))
    assert stop(ledger, "welcome", NOW, chunk=2) == 5
    assert stop(ledger, "welcome", NOW) == 0
    with ledger.reading() as connection:
        assert set(connection.scalars(select(enrolment.c.reason))) == {"stopped"}
        (found,) = running_journeys(connection)
        assert (found.state, found.enrolments) == ("stopped", {"exited": 5})
    with ledger.writing() as connection, pytest.raises(BadQuestion, match="What was stopped stays stopped"):
        resume(connection, "welcome", NOW)
    assert plan(ledger, GREETING.replace("30d", "31d"), lock=lock).empty


def test_an_unknown_journey_is_refused_by_name(ledger: Ledger) -> None:
    with ledger.writing() as connection, pytest.raises(BadQuestion, match="no applied journey 'welcom'"):
        pause(connection, "welcom", NOW)


def test_a_migration_is_shown_first_and_a_message_that_was_sent_is_not_sent_again(ledger: Ledger) -> None:
    lock = apply(ledger)
    put_in(ledger, "ann", "bob", "cid")
    Ticker(ledger).tick(NOW)
    changed = GREETING.replace("pause", "rest").replace("for: 2d", "for: 1d")
    apply(ledger, changed, lock)
    with ledger.reading() as connection:
        shown = plan_migration(connection, "welcome", 1, 2, {})
        assert [(step.node, step.people, step.target) for step in shown.steps] == [("pause", 3, None)]
        assert "has no node 'pause'" in shown.steps[0].why_not
        mapped = plan_migration(connection, "welcome", 1, 2, {"pause": "greet"})
    assert (mapped.moving, mapped.staying) == (3, 0)
    assert migrate(ledger, mapped, NOW + DAY, chunk=2) == 3
    assert migrate(ledger, mapped, NOW + DAY) == 0
    Ticker(ledger).tick(NOW + DAY)
    assert intents(ledger) == {"greet": 3}
    Ticker(ledger).tick(NOW + 2 * DAY)
    assert intents(ledger) == {"greet": 3, "text": 3}
    with ledger.reading() as connection:
        ports = select(passage.c.port).join(enrolment, enrolment.c.id == passage.c.enrolment_id)
        assert list(connection.scalars(ports.where(enrolment.c.customer_id == "ann").order_by(passage.c.move))) == [
            *("next", "moved", "next", "next", "next", "end")
        ]


def test_a_move_within_a_loop_is_no_new_visit(ledger: Ledger) -> None:
    chain = "{chain: {channels: [{channel: push, content: hello}, {channel: sms, content: again}], within: 2d}, "
    text = GREETING.replace(
        "greet: {send: {channel: push, content: hello}, to: pause}",
        "greet: " + chain + "to: {answered: done, unanswered: pause}}",
    )
    text = text.replace("again}, to: done", "again}, to: greet")
    lock = apply(ledger, text)
    put_in(ledger, "ann")
    Ticker(ledger).tick(NOW)
    apply(ledger, text.replace("30d", "60d"), lock)
    with ledger.reading() as connection:
        shown = plan_migration(connection, "welcome", 1, 2, {})
    assert migrate(ledger, shown, NOW + DAY) == 1
    Ticker(ledger).tick(NOW + DAY)
    assert intents(ledger) == {"greet": 1}


def test_a_node_map_that_names_what_is_not_there_is_refused(ledger: Ledger) -> None:
    lock = apply(ledger)
    apply(ledger, GREETING.replace("30d", "60d"), lock)
    with ledger.reading() as connection:
        with pytest.raises(BadQuestion, match="new version 2 of 'welcome' has no node 'x'"):
            plan_migration(connection, "welcome", 1, 2, {"pause": "x"})
        with pytest.raises(BadQuestion, match="no version 7"):
            plan_migration(connection, "welcome", 1, 7, {})


def test_the_lock_comes_back_as_it_was_written_and_a_broken_one_is_named(tmp_path: Path) -> None:
    assert read_lock(tmp_path) == {}
    lock = {"b": Base(2, "x"), "a": Base(1, "y")}
    write_lock(tmp_path, lock)
    text = (tmp_path / "journeys.lock").read_text(encoding="utf-8")
    assert read_lock(tmp_path) == lock
    write_lock(tmp_path, dict(sorted(lock.items())))
    assert (tmp_path / "journeys.lock").read_text(encoding="utf-8") == text
    (tmp_path / "journeys.lock").write_text("<<<<<<< ours", encoding="utf-8")
    with pytest.raises(BadDefinition, match="journeys.lock"):
        read_lock(tmp_path)
