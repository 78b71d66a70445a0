from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from tests.delivery.outbox.world import World, words

from aimwell.core.errors import BadQuestion
from aimwell.delivery.channel import Parcel, Receipt
from aimwell.delivery.outbox.claim import claim
from aimwell.delivery.outbox.outlet import Claimed, NotRendered
from aimwell.delivery.outbox.policy import Policy, Retry
from aimwell.delivery.outbox.recovery import reconcile, recover, resolve_unknown, revive, unsettled
from aimwell.delivery.outbox.sending import send
from aimwell.store.ledger.consents import set_consent
from aimwell.store.ledger.schema.enrolments import enrolment, happening
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import attempt, intent
from aimwell.store.ledger.schema.people import suppression


def always(result: str, **more: object) -> Callable[[Parcel], Receipt]:
    return lambda parcel: Receipt(parcel.key, result, **more)  # type: ignore[arg-type]


def one(world: World) -> str:
    world.person("ann")
    key = world.plan("ann")
    claim(world.desk, world.now)
    return key


def test_consent_withdrawn_after_the_claim_stops_the_message(world: World) -> None:
    key = one(world)
    with world.ledger.writing() as connection:
        set_consent(connection, "ann", "email", "marketing", granted=False, at=world.now, source="link")
    assert send(world.desk, words, world.clock).dropped == 1
    assert world.state(key) == ("not_sent", "consent")
    assert world.providers["email"].got == []


def test_a_goal_reached_or_a_journey_paused_after_the_claim_stops_the_message(world: World) -> None:
    key = one(world)
    world.person("bob")
    other = world.plan("bob")
    claim(world.desk, world.now)
    with world.ledger.writing() as connection:
        won = update(enrolment).where(enrolment.c.customer_id == "ann").values(state="finished", reason="goal")
        connection.execute(won)
        connection.execute(update(journey).values(state="paused"))
    send(world.desk, words, world.clock)
    assert world.state(key) == ("not_sent", "goal_reached")
    assert world.state(other) == ("waiting", "paused")


def test_the_attempt_stands_in_the_ledger_before_the_provider_is_called(world: World) -> None:
    key = one(world)
    seen: list[object] = []

    def look() -> None:
        with world.ledger.reading() as connection:
            seen.extend(connection.execute(select(attempt.c.key, attempt.c.number, attempt.c.ended_at)).all())

    world.providers["email"].before = look
    send(world.desk, words, world.clock)
    assert seen == [(key, 1, None)]


def test_who_cannot_be_rendered_is_not_sent_to_and_the_others_are(world: World) -> None:
    key = one(world)
    world.person("bob")
    other = world.plan("bob")
    claim(world.desk, world.now)

    def render(messages: Sequence[Claimed]) -> Sequence[Parcel | NotRendered]:
        good = [each for each in messages if each.customer_id == "bob"]
        return [*words(good), NotRendered(key, "name is missing")]

    send(world.desk, render, world.clock)
    assert world.state(key) == ("not_sent", "content")
    assert world.row(key).detail == "name is missing"
    assert world.state(other) == ("accepted", None)


def test_a_refusal_ends_the_message_and_a_dead_address_is_suppressed(world: World) -> None:
    world.listen("not_sent:hello:a")
    key = one(world)
    world.providers["email"].answer = always("refused", detail="no such box", bad_address=True)
    send(world.desk, words, world.clock)
    assert world.state(key) == ("not_sent", "refused")
    with world.ledger.reading() as connection:
        assert connection.execute(select(suppression.c.kind, suppression.c.value)).all() == [("email", "ann@email")]
        assert connection.scalars(select(happening.c.signal)).all() == ["not_sent:hello:a"]


def test_failures_back_off_and_end_on_the_list_of_the_dead_from_which_a_person_revives(world: World) -> None:
    world.policy = Policy(quiet_hours=(), retry=Retry(attempts=3))
    key = one(world)
    world.providers["email"].answer = always("failed", detail="503")
    waits = []
    for _ in range(3):
        send(world.desk, words, world.clock)
        if (due := world.row(key).due_at) is not None:
            waits.append(due - world.now)
        world.later(hours=1)
        claim(world.desk, world.now)
    assert world.state(key) == ("dead", "failed")
    assert len(waits) == 2
    assert timedelta(seconds=45) <= waits[0] <= timedelta(minutes=1) <= waits[1] <= timedelta(minutes=2)
    with world.ledger.writing() as connection:
        assert [each.key for each in unsettled(connection, "dead")] == [key]
        revive(connection, key, "mia", world.now)
        with pytest.raises(BadQuestion, match="state dead"):
            revive(connection, key, "mia", world.now)
    world.providers["email"].answer = None
    claim(world.desk, world.now)
    send(world.desk, words, world.clock)
    assert world.state(key) == ("accepted", None)


def test_a_time_out_leaves_the_message_in_doubt_and_is_never_repeated_blindly(world: World) -> None:
    key = one(world)
    world.providers["email"].answer = always("unknown", detail="timed out")
    send(world.desk, words, world.clock)
    for _ in range(5):
        world.later(days=1)
        recover(world.desk, world.now)
        claim(world.desk, world.now)
        send(world.desk, words, world.clock)
    assert world.state(key) == ("unknown", "doubt")
    assert world.row(key).attempts == 1
    assert world.row(key).contacted_at is not None


def test_an_idempotent_channel_is_tried_again_with_the_same_key(world: World) -> None:
    world.idempotent = True
    key = one(world)
    world.providers["email"].answer = always("unknown")
    send(world.desk, words, world.clock)
    world.providers["email"].answer = None
    world.later(hours=1)
    claim(world.desk, world.now)
    send(world.desk, words, world.clock)
    assert world.state(key) == ("accepted", None)
    assert world.row(key).attempts == 2


def test_a_message_in_doubt_is_not_tried_again_once_consent_is_withdrawn_but_stays_in_doubt(world: World) -> None:
    world.idempotent = True
    key = one(world)
    world.providers["email"].answer = always("unknown")
    send(world.desk, words, world.clock)
    with world.ledger.writing() as connection:
        set_consent(connection, "ann", "*", "marketing", granted=False, at=world.now, source="link")
    world.later(hours=1)
    claim(world.desk, world.now)
    assert world.state(key) == ("unknown", "doubt")
    assert world.row(key).detail == "consent"


@pytest.mark.parametrize(
    ("result", "state"),
    [("accepted", "accepted"), ("refused", "not_sent"), ("failed", "waiting"), ("unknown", "unknown")],
)
def test_a_provider_that_can_tell_settles_what_is_in_doubt(world: World, result: str, state: str) -> None:
    key = one(world)
    provider = world.providers["email"]
    provider.answer = always("unknown")
    send(world.desk, words, world.clock)
    provider.known = {key: Receipt(key, result)}  # type: ignore[arg-type]
    assert reconcile(world.desk, world.now) == (result != "unknown")
    assert world.state(key)[0] == state


def test_a_person_decides_what_nobody_can_tell(world: World) -> None:
    key = one(world)
    world.providers["email"].answer = always("unknown")
    send(world.desk, words, world.clock)
    with world.ledger.reading() as connection:
        assert [each.key for each in unsettled(connection, "unknown")] == [key]
    resolve_unknown(world.desk, key, "retry", "mia", world.now)
    world.providers["email"].answer = None
    world.later(hours=1)
    claim(world.desk, world.now)
    send(world.desk, words, world.clock)
    assert world.state(key) == ("accepted", None)
    with pytest.raises(BadQuestion, match="in doubt|unknown"):
        resolve_unknown(world.desk, key, "accepted", "mia", world.now)


def test_a_sender_that_ended_before_its_call_loses_nothing(world: World) -> None:
    key = one(world)
    world.later(minutes=11)
    assert recover(world.desk, world.now).waiting == 1
    assert world.state(key) == ("waiting", None)


def test_a_sender_that_ended_during_its_call_leaves_the_message_in_doubt(world: World) -> None:
    key = one(world)

    def end() -> None:
        raise KeyboardInterrupt

    world.providers["email"].before = end
    with pytest.raises(KeyboardInterrupt):
        send(world.desk, words, world.clock)
    assert recover(world.desk, world.now).unknown == 0
    world.later(minutes=11)
    assert recover(world.desk, world.now).unknown == 1
    assert world.state(key) == ("unknown", "doubt")


def test_a_late_sender_cannot_send_what_was_taken_from_it(world: World) -> None:
    key = one(world)
    late = world.desk
    world.later(minutes=11)
    recover(world.desk, world.now)
    world.worker = "w2"
    claim(world.desk, world.now)
    assert send(late, words, world.clock).accepted == 0
    assert send(world.desk, words, world.clock).accepted == 1
    assert world.providers["email"].got == [key]


@pytest.mark.slow
def test_a_provider_that_is_down_for_a_day_loses_nothing_and_is_not_hammered(world: World) -> None:
    calls: list[int] = []
    for number in range(30):
        world.person(f"p{number}")
        world.plan(f"p{number}")
    provider = world.providers["email"]
    provider.answer, provider.before = always("failed", detail="503"), lambda: calls.append(1)
    world.batch = 20
    end = world.now + timedelta(days=1)
    while world.now < end:
        claim(world.desk, world.now)
        send(world.desk, words, world.clock)
        world.later(minutes=30)
    assert len(calls) < 60
    provider.answer = None
    for _ in range(40):
        world.later(minutes=20)
        claim(world.desk, world.now)
        send(world.desk, words, world.clock)
    assert len(provider.got) == len(set(provider.got)) == 30
    with world.ledger.reading() as connection:
        assert set(connection.scalars(select(intent.c.state))) == {"accepted"}
