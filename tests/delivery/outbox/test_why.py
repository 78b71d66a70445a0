from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert, update
from tests.delivery.outbox.world import NOON, World, words

from aimwell.delivery.outbox.claim import claim
from aimwell.delivery.outbox.policy import Policy
from aimwell.delivery.outbox.reasons import REASONS
from aimwell.delivery.outbox.sending import send
from aimwell.delivery.outbox.why import Explanation, why
from aimwell.store.ledger.schema.enrolments import enrolment, refusal


def explain(world: World, name: str, journey: str = "hello") -> Explanation:
    with world.ledger.reading() as connection:
        return why(connection, name, journey)


def said(world: World, name: str, journey: str = "hello") -> list[str]:
    return [text.en for text in explain(world, name, journey).sentences]


def test_a_stranger_and_an_unknown_journey_are_told_so(world: World) -> None:
    assert said(world, "who") == ["There is no such customer."]
    world.person("ann")
    assert said(world, "ann", "what") == ["There is no such journey."]
    assert said(world, "ann") == ["Nothing has let this customer into the journey so far."]


def test_each_message_is_sent_or_has_its_reason_or_waits_until_an_instant(world: World) -> None:
    world.policy = Policy()
    world.person("ann")
    world.plan("ann", "first")
    claim(world.desk, world.now)
    send(world.desk, words, world.clock)
    world.later(hours=10)
    world.plan("ann", "night")
    world.plan("ann", "odd", channel="pigeon")
    claim(world.desk, world.now)
    assert said(world, "ann") == [
        "2026-03-02 04:00 UTC: entered; is now at node first.",
        "Message of node first on email: taken by the provider 2026-03-02 04:00 UTC.",
        "Message of node night on email: waits until 2026-03-03 00:00 UTC, it is a quiet hour where the customer is.",
        "Message of node odd on pigeon: not sent, the channel is not set up.",
    ]
    assert [message.state for message in explain(world, "ann").messages] == ["accepted", "waiting", "not_sent"]


def test_a_refused_entry_an_end_and_the_hold_out_are_told(world: World) -> None:
    world.person("ann", held_out=True)
    world.plan("ann")
    with world.ledger.writing() as connection:
        ended = {"state": "finished", "reason": "goal", "ended_at": NOON + timedelta(hours=1)}
        connection.execute(update(enrolment).values(**ended))
        row = {"journey": "hello", "customer_id": "ann", "cause": "c", "at": NOON, "reason": "already_in"}
        connection.execute(insert(refusal), [row])
    claim(world.desk, world.now)
    assert said(world, "ann") == [
        "The customer is in a hold-out and gets no marketing.",
        "2026-03-02 04:00 UTC: not let into the journey: the customer was in it already.",
        "2026-03-02 04:00 UTC: entered; ended 2026-03-02 05:00 UTC at node a: the goal was reached.",
        "Message of node a on email: not sent, the customer had reached the journey's goal.",
    ]


def test_every_sentence_exists_in_chinese_too(world: World) -> None:
    world.person("ann", granted=False)
    world.plan("ann")
    claim(world.desk, world.now)
    assert explain(world, "ann").sentences[-1].zh == "节点 a 的email消息：未发送，原因：客户没有同意或已拒绝"
    assert all(reason.text.zh and reason.text.en for reason in REASONS.values())
