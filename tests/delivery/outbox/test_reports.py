from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.delivery.outbox.world import World, words

from aimwell.delivery.channel import Receipt, Report
from aimwell.delivery.outbox.claim import claim
from aimwell.delivery.outbox.reports import Told, take_reports
from aimwell.delivery.outbox.sending import send
from aimwell.store.ledger.schema.enrolments import happening
from aimwell.store.ledger.schema.outbox import outcome
from aimwell.store.ledger.schema.people import consent, suppression


def take(world: World, *reports: Report) -> Told:
    desk = world.desk
    with world.ledger.writing() as connection:
        return take_reports(connection, desk, desk.outlets["email"], reports, world.now)


def sent(world: World) -> str:
    world.person("ann")
    key = world.plan("ann")
    claim(world.desk, world.now)
    send(world.desk, words, world.clock)
    return key


def test_a_report_counts_once_however_often_it_comes(world: World) -> None:
    world.listen("outcome:hello:a:opened")
    key = sent(world)
    report = Report("opened", world.now, "r1", key=key)
    by_ref = Report("opened", world.now, "r1", provider_ref=key)
    assert take(world, report, report) == Told(new=1, repeated=1)
    assert take(world, by_ref) == Told(repeated=1)
    assert take(world, Report("opened", world.now, "r9", key="who?")) == Told(unknown=1)
    with world.ledger.reading() as connection:
        assert connection.scalars(select(outcome.c.kind)).all() == ["opened"]
        assert connection.scalars(select(happening.c.signal)).all() == ["outcome:hello:a:opened"]


def test_what_a_machine_opened_is_kept_and_answers_nothing(world: World) -> None:
    world.listen("outcome:hello:a:opened")
    key = sent(world)
    take(world, Report("opened", world.now, "r1", key=key, machine=True))
    with world.ledger.reading() as connection:
        assert connection.scalars(select(outcome.c.machine)).all() == [True]
        assert connection.scalars(select(happening.c.signal)).all() == []


@pytest.mark.parametrize("kind", ["bounced", "complained"])
def test_a_bounce_or_complaint_suppresses_the_address_that_was_used(world: World, kind: str) -> None:
    key = sent(world)
    take(world, Report(kind, world.now, "r1", key=key))  # type: ignore[arg-type]
    with world.ledger.reading() as connection:
        rows = connection.execute(select(suppression.c.value, suppression.c.reason)).all()
    assert rows == [("ann@email", kind)]


def test_an_unsubscription_withdraws_consent_for_the_channel(world: World) -> None:
    key = sent(world)
    world.later(minutes=1)
    take(world, Report("unsubscribed", world.now, "r1", key=key))
    world.later(days=1)
    again, text = world.plan("ann", "again"), world.plan("ann", "text", channel="sms")
    claim(world.desk, world.now)
    assert world.state(again) == ("not_sent", "consent")
    assert world.state(text) == ("claimed", None)
    with world.ledger.reading() as connection:
        assert connection.scalars(select(consent.c.granted).where(consent.c.channel == "email")).all() == [False]


@pytest.mark.parametrize(("kind", "state"), [("accepted", "accepted"), ("refused", "not_sent"), ("opened", "accepted")])
def test_reports_settle_messages_in_doubt(world: World, kind: str, state: str) -> None:
    world.providers["email"].answer = lambda parcel: Receipt(parcel.key, "unknown")
    key = sent(world)
    take(world, Report(kind, world.now, "r1", key=key))  # type: ignore[arg-type]
    assert world.state(key)[0] == state


def test_a_message_that_the_provider_took_though_it_said_no_is_not_sent_again(world: World) -> None:
    world.providers["email"].answer = lambda parcel: Receipt(parcel.key, "failed")
    key = sent(world)
    assert world.state(key) == ("waiting", "retry")
    take(world, Report("delivered", world.now, "r1", key=key))
    world.providers["email"].answer = None
    world.later(days=1)
    claim(world.desk, world.now)
    send(world.desk, words, world.clock)
    assert world.state(key) == ("accepted", None)
    assert world.providers["email"].got == []


def test_reports_in_any_order_give_the_same_end(world: World) -> None:
    reports = [
        Report("delivered", world.now + timedelta(seconds=1), "r2", key="?"),
        Report("opened", world.now + timedelta(seconds=2), "r3", key="?"),
        Report("unsubscribed", world.now + timedelta(seconds=3), "r4", key="?"),
    ]
    world.providers["email"].answer = lambda parcel: Receipt(parcel.key, "unknown")
    ends = set()
    for number, order in enumerate(itertools.permutations(reports)):
        name = f"p{number}"
        world.person(name)
        key = world.plan(name)
        claim(world.desk, world.now)
        send(world.desk, words, world.clock)
        for report in order:
            take(world, Report(report.kind, report.at, report.ref, key=key))
        with world.ledger.reading() as connection:
            kinds = tuple(
                connection.scalars(select(outcome.c.kind).where(outcome.c.key == key).order_by(outcome.c.kind))
            )
            granted = connection.scalar(
                select(consent.c.granted).where(consent.c.customer_id == name, consent.c.channel == "email")
            )
        ends.add((world.state(key), kinds, granted))
    assert ends == {(("accepted", None), ("delivered", "opened", "unsubscribed"), False)}
