from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update
from tests.delivery.outbox.world import NOON, World, _identifier, words

from aimwell.delivery.outbox.claim import claim
from aimwell.delivery.outbox.policy import Cap, Policy, QuietHours, Throttle
from aimwell.delivery.outbox.sending import send
from aimwell.store.ledger.consents import set_consent, suppress
from aimwell.store.ledger.schema.enrolments import enrolment, happening
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import attempt
from aimwell.store.ledger.schema.people import customer, identifier


def change(world: World, statement: Any) -> None:
    with world.ledger.writing() as connection:
        connection.execute(statement)


def count_statements(world: World) -> list[str]:
    """A list to which every statement on the state is added from now on."""
    seen: list[str] = []
    engine = world.ledger.state
    event.listen(engine, "before_cursor_execute", lambda _c, _cursor, statement, *_: seen.append(statement))
    return seen


def test_a_message_with_consent_and_address_is_claimed_sent_and_accepted_once(world: World) -> None:
    world.person("ann")
    key = world.plan("ann")
    assert claim(world.desk, world.now).claimed == 1
    assert send(world.desk, words, world.clock).accepted == 1
    assert claim(world.desk, world.now).looked_at == 0
    assert world.state(key) == ("accepted", None)
    assert world.providers["email"].got == [key]
    assert world.row(key).provider_ref == key


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"state": "exited", "reason": "merged"}, "merged"),
        ({"state": "finished", "reason": "goal"}, "goal_reached"),
        ({"state": "exited", "reason": "left the segment"}, "exited"),
        ({"held_out": True}, "hold_out"),
    ],
)
def test_who_left_the_journey_is_not_sent_to(world: World, how: dict[str, Any], reason: str) -> None:
    world.person("ann")
    key = world.plan("ann")
    change(world, update(enrolment).values(**how))
    claim(world.desk, world.now)
    assert world.state(key) == ("not_sent", reason)


def test_who_finished_the_journey_still_gets_its_last_message(world: World) -> None:
    world.person("ann")
    key = world.plan("ann")
    change(world, update(enrolment).values(state="finished", ended_at=NOON))
    claim(world.desk, world.now)
    assert world.state(key) == ("claimed", None)


def test_each_rule_gives_its_one_reason(world: World) -> None:
    world.journey("off", state="stopped")
    world.person("silent", granted=None)
    world.person("no", granted=False)
    world.person("lost", address=False)
    world.person("held", held_out=True)
    world.person("ann")
    world.person("bad")
    with world.ledger.writing() as connection:
        suppress(connection, "email", "bad@email", reason="bounced", at=NOON, source="t")
        set_consent(connection, "ann", "sms", "marketing", granted=False, at=NOON, source="t")
    expected = {
        world.plan("silent"): ("not_sent", "consent"),
        world.plan("silent", "service", purpose="service"): ("claimed", None),
        world.plan("no"): ("not_sent", "consent"),
        world.plan("lost"): ("not_sent", "no_address"),
        world.plan("lost", "site", channel="site", purpose="service"): ("claimed", None),
        world.plan("held"): ("not_sent", "hold_out"),
        world.plan("held", "service", purpose="service"): ("claimed", None),
        world.plan("bad"): ("not_sent", "suppressed"),
        world.plan("ann", "sms", channel="sms"): ("not_sent", "consent"),
        world.plan("ann", "late", expires_at=NOON): ("not_sent", "expired"),
        world.plan("ann", "odd", channel="pigeon"): ("not_sent", "no_channel"),
        world.plan("ann", "off", journey="off"): ("not_sent", "journey_stopped"),
        world.plan("nobody"): ("not_sent", "no_customer"),
    }
    claim(world.desk, world.now)
    assert {key: world.state(key) for key in expected} == expected


def test_of_several_addresses_the_verified_then_the_last_seen_is_taken(world: World) -> None:
    world.person("ann", address=False)
    later, latest = NOON + timedelta(days=1), NOON + timedelta(days=2)
    rows = [
        _identifier("email", "old", "ann"),
        _identifier("email", "new", "ann", last_seen=later),
        _identifier("email", "also", "ann", last_seen=later),
        _identifier("email", "unsure", "ann", last_seen=latest, verified=False),
    ]
    change(world, insert(identifier).values(rows))
    world.plan("ann")
    claim(world.desk, world.now)
    send(world.desk, words, world.clock)
    with world.ledger.reading() as connection:
        assert connection.scalars(select(attempt.c.address)).all() == ["also"]


def test_messages_of_a_paused_journey_wait_and_go_on_when_it_runs_again(world: World) -> None:
    world.person("ann")
    key = world.plan("ann")
    change(world, update(journey).values(state="paused"))
    claim(world.desk, world.now)
    assert world.state(key) == ("waiting", "paused")
    assert claim(world.desk, world.now).looked_at == 0
    change(world, update(journey).values(state="running"))
    world.later(days=1)
    claim(world.desk, world.now)
    assert world.state(key) == ("claimed", None)


@pytest.mark.parametrize(
    ("name", "at", "until"),
    [
        ("Asia/Shanghai", datetime(2026, 3, 2, 13, 0, tzinfo=UTC), datetime(2026, 3, 3, 0, 0, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 8, 6, 59, tzinfo=UTC), datetime(2026, 3, 8, 12, 0, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 5, 0, tzinfo=UTC), datetime(2026, 11, 1, 13, 0, tzinfo=UTC)),
        ("Nowhere/Land", datetime(2026, 3, 2, 13, 0, tzinfo=UTC), datetime(2026, 3, 3, 0, 0, tzinfo=UTC)),
    ],
)
def test_quiet_hours_follow_the_customers_own_clocks_through_changes(
    world: World, name: str, at: datetime, until: datetime
) -> None:
    world.policy, world.now = Policy(), at
    world.person("ann", zone=name)
    key = world.plan("ann")
    claim(world.desk, world.now)
    assert world.state(key) == ("waiting", "quiet_hours")
    assert world.row(key).due_at == until
    world.now = until
    claim(world.desk, world.now)
    assert world.state(key) == ("claimed", None)


def test_quiet_hours_drop_what_would_expire_and_leave_service_alone(world: World) -> None:
    world.policy, world.now = Policy(), NOON + timedelta(hours=10)
    world.person("ann")
    short = world.plan("ann", "short", expires_at=world.now + timedelta(hours=1))
    service = world.plan("ann", "service", purpose="service")
    claim(world.desk, world.now)
    assert world.state(short) == ("not_sent", "quiet_hours")
    assert world.state(service) == ("claimed", None)


def test_quiet_weekdays_are_those_on_which_the_stretch_begins(world: World) -> None:
    rule = QuietHours.model_validate({"since": "21:00", "until": "08:00", "weekdays": ["sun"], "action": "drop"})
    world.policy = Policy(quiet_hours=(rule,))
    world.person("ann")
    monday_morning = NOON - timedelta(hours=6)  # 06:00 on Monday
    world.now = monday_morning
    first = world.plan("ann", "first")
    claim(world.desk, world.now)
    world.now = monday_morning + timedelta(days=1)
    second = world.plan("ann", "second")
    claim(world.desk, world.now)
    assert world.state(first) == ("not_sent", "quiet_hours")
    assert world.state(second) == ("claimed", None)


def test_caps_slide_and_count_over_channels_and_the_higher_priority_wins(world: World) -> None:
    world.policy = Policy(quiet_hours=(), caps=(Cap(at_most=1, within=timedelta(days=1)),))
    world.person("ann")
    low, high = world.plan("ann", "low"), world.plan("ann", "high", channel="sms", priority=5)
    service = world.plan("ann", "service", purpose="service")
    claim(world.desk, world.now)
    assert world.state(high) == ("claimed", None)
    assert world.state(low) == ("not_sent", "cap")
    assert world.row(low).detail == "1 within 1 d on *"
    assert world.state(service) == ("claimed", None)
    world.later(hours=23, minutes=59)
    early = world.plan("ann", "early")
    claim(world.desk, world.now)
    assert world.state(early) == ("not_sent", "cap")
    send(world.desk, words, world.clock)  # sent a day late: its place under the cap moves with it
    world.later(hours=23)
    again = world.plan("ann", "again")
    claim(world.desk, world.now)
    assert world.state(again) == ("not_sent", "cap")
    world.later(hours=1)
    free = world.plan("ann", "free")
    claim(world.desk, world.now)
    assert world.state(free) == ("claimed", None)


def test_a_cap_that_postpones_waits_until_the_window_has_room(world: World) -> None:
    world.policy = Policy(
        quiet_hours=(), caps=(Cap(at_most=2, within=timedelta(days=1), channels=("email",), action="postpone"),)
    )
    world.person("ann")
    keys = [world.plan("ann", node) for node in "abc"]
    text = world.plan("ann", "text", channel="sms")
    claim(world.desk, world.now)
    assert [world.state(key)[0] for key in keys] == ["claimed", "claimed", "waiting"]
    assert world.row(keys[2]).due_at == NOON + timedelta(days=1)
    assert world.state(text) == ("claimed", None)


def test_a_journey_stops_sending_when_its_budget_is_used_up(world: World) -> None:
    world.policy = Policy(quiet_hours=(), costs={"email": 0.004})
    world.journey("dear", budget=1)  # one hundredth: two messages of 0.004
    for name in "abcd":
        world.person(name)
    keys = [
        world.plan(name, journey="dear", priority=priority) for name, priority in zip("abcd", (0, 1, 0, 0), strict=True)
    ]
    claim(world.desk, world.now)
    states = [world.state(key) for key in keys]
    assert states[1] == ("claimed", None)
    assert sorted(state for state, _ in states) == ["claimed", "claimed", "not_sent", "not_sent"]
    assert {reason for _, reason in states} == {None, "budget"}


def test_a_throttle_queues_the_rest_and_lets_them_go_at_its_pace(world: World) -> None:
    world.policy = Policy(quiet_hours=(), throttle={"email": Throttle(per_second=2)})
    names = [f"p{number}" for number in range(9)]
    for name in names:
        world.person(name)
        world.plan(name)
    sent = []
    for _ in range(12):
        sent.append(claim(world.desk, world.now).claimed)
        send(world.desk, words, world.clock)
        world.later(seconds=0.5)
    assert sum(sent) == 9
    assert max(sent) == 2
    assert sent[1:8] == [1] * 7


def test_a_chunk_costs_the_same_number_of_statements_whatever_its_size(world: World) -> None:
    world.policy = Policy(caps=(Cap(at_most=3, within=timedelta(days=7)),), throttle={"email": Throttle(per_second=9)})
    world.listen("not_sent:hello:a")
    counted = count_statements(world)
    used = []
    for size in (2, 60):
        for number in range(size):
            world.person(f"{size}-{number}", granted=number % 2 == 0)
            world.plan(f"{size}-{number}")
        counted.clear()
        claim(world.desk, world.now)
        used.append(len(counted))
        world.later(days=1)
    assert used[1] <= used[0]


def test_nothing_due_costs_two_statements(world: World) -> None:
    counted = count_statements(world)
    claim(world.desk, world.now)
    assert len([each for each in counted if each.startswith("SELECT")]) == 2


def test_journeys_that_wait_for_it_learn_that_a_message_was_not_sent(world: World) -> None:
    world.listen("not_sent:hello:a")
    world.person("no", granted=False)
    key = world.plan("no")
    world.plan("no", "b")
    claim(world.desk, world.now)
    with world.ledger.reading() as connection:
        rows = connection.execute(happening.select()).all()
    assert [(row.customer_id, row.signal, row.ref) for row in rows] == [("no", "not_sent:hello:a", key)]


def test_an_erased_timezone_or_customer_stops_nobody_else(world: World) -> None:
    world.policy = Policy()
    world.person("odd", zone="Not/AZone")
    world.person("ann", zone="Europe/Paris")
    keys = [world.plan("odd"), world.plan("ann")]
    claim(world.desk, world.now + timedelta(hours=5))
    assert [world.state(key)[0] for key in keys] == ["claimed", "claimed"]
    change(world, customer.delete().where(customer.c.customer_id == "ann"))
    send(world.desk, words, lambda: NOON + timedelta(hours=5))
    assert [world.state(key) for key in keys] == [("accepted", None), ("not_sent", "no_customer")]
