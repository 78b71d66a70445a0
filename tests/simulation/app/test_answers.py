from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from aimwell.simulation.app.addresses import ADDRESS_KINDS, address
from aimwell.simulation.app.answers import Answers, Delivery, Role
from aimwell.simulation.app.habits import ANSWERS, CHANNELS, FATIGUE, HABITS
from aimwell.simulation.app.world import World

AT = datetime(2026, 3, 2, 2, tzinfo=UTC)
LATER = AT + timedelta(days=3)


@pytest.fixture
def world() -> World:
    return World(seed=3, customers=4_000)


def message(who: int, channel: Role, content: str = "benefit_push", at: datetime = AT, key: str = "1") -> Delivery:
    return Delivery(f"{who}:{channel}:{key}", address(ADDRESS_KINDS[channel], who), channel, content, at)


def persons(answers: Answers, *kinds: str, machine: bool = False) -> set[int]:
    return {
        int(str(report.key).split(":")[0])
        for _, report in answers.reports
        if report.kind in kinds and report.machine is machine
    }


def test_a_key_gets_the_same_answer_however_often_and_with_whatever_it_is_asked_for(world: World) -> None:
    everyone = [message(who, "push") for who in range(500)]
    first = world.answer(everyone, LATER)
    world.answer([message(who, "sms", at=AT + timedelta(hours=1)) for who in range(500)], LATER)
    assert world.answer(reversed(everyone), LATER) == first
    assert world.answer(everyone[:100], LATER) == Answers(
        tuple(each for each in first.reports if int(str(each[1].key).split(":")[0]) < 100),
        tuple(each for each in first.events if int(str(each[1]["userId"])[1:]) < 100),
    )


def test_nothing_is_told_before_it_has_happened(world: World) -> None:
    everyone = [message(who, "push") for who in range(500)]
    soon = AT + timedelta(minutes=20)
    known, whole = world.answer(everyone, soon), world.foresee(everyone)
    assert 0 < len(known.reports) < len(whole.reports)
    assert all(report.at <= soon for _, report in known.reports)
    assert whole.until(soon) == known
    assert whole.after(soon) + known == whole


def test_rested_people_answer_at_the_true_rate_of_their_habit(world: World) -> None:
    for channel in CHANNELS:
        answered = persons(world.foresee([message(who, channel) for who in range(4_000)]), "opened", "clicked")  # type: ignore[arg-type] # CHANNELS are the roles
        world = World(seed=3, customers=4_000)
        for place, habit in enumerate(HABITS):
            theirs = np.flatnonzero(
                (world.people.habit == place) & world.people.has[:, CHANNELS.index(channel)]
            ).tolist()
            rate = len(answered.intersection(theirs)) / len(theirs)
            assert rate == pytest.approx(ANSWERS[place, CHANNELS.index(channel)], abs=0.09), (habit, channel)


def test_people_tire_of_messages(world: World) -> None:
    likely = np.flatnonzero((world.people.habit == HABITS.index("push")) & world.people.has[:, 0]).tolist()
    rates = []
    for turn in range(6):
        sent = [message(who, "push", at=AT + timedelta(hours=turn), key=f"t{turn}") for who in likely]
        rates.append(len(persons(world.foresee(sent), "opened")) / len(likely))
    assert rates[5] / rates[0] == pytest.approx(FATIGUE**5, abs=0.1)
    rested = [message(who, "push", at=AT + timedelta(days=9), key="rested") for who in likely]
    assert len(persons(world.foresee(rested), "opened")) / len(likely) == pytest.approx(rates[0], abs=0.06)


def test_an_sms_reports_no_opening_and_machines_are_marked(world: World) -> None:
    by_sms = world.foresee([message(who, "sms") for who in range(4_000)])
    assert {report.kind for _, report in by_sms.reports} == {"delivered", "clicked"}
    by_mail = world.foresee([message(who, "email") for who in range(4_000)])
    machines = [report for _, report in by_mail.reports if report.machine]
    assert {report.kind for report in machines} == {"opened"}
    assert len({report.ref for _, report in by_mail.reports}) == len(by_mail.reports)
    never = {who for who in range(4_000) if HABITS[world.people.habit[who]] == "never"}
    assert persons(by_mail, "opened", machine=True) & never
    assert not persons(by_mail, "opened", "clicked") & never


def test_opening_a_benefit_makes_the_persuadable_take_one_loan_and_nobody_else(world: World) -> None:
    pushed = world.foresee([message(who, "push") for who in range(4_000)])
    again = world.foresee([message(who, "wechat", at=AT + timedelta(days=1)) for who in range(4_000)])
    loans = Counter(
        (event["userId"], event["messageId"])
        for _, event in [*pushed.events, *again.events]
        if event["event"] == "loan_taken"
    )
    persuadable = {f"A{who:08}" for who in np.flatnonzero(world.people.stratum == 2)}
    opened = {f"A{who:08}" for who in persons(pushed, "opened") | persons(again, "opened")}
    assert {user for user, _ in loans} == persuadable & opened
    assert len({user for user, _ in loans}) == len(loans), "one id a person, so that the inbox keeps one loan"
    other = world.foresee([message(who, "push", "welcome_push", key="w") for who in range(4_000)])
    assert not [event for _, event in other.events if event["event"] == "loan_taken"]


def test_a_reminder_sells_the_basket_that_waits_and_no_other(world: World) -> None:
    sold = world.foresee([message(who, "push", "basket_push") for who in range(4_000)])
    bought = {str(event["userId"]) for _, event in sold.events if event["event"] == "order_completed"}
    assert bought
    opened = dict.fromkeys(persons(sold, "opened"))
    at = int((AT + timedelta(minutes=1)).timestamp() * 1_000)
    waiting = {f"A{who:08}" for who in opened if world._answering.basket(who, at) is not None}
    assert len(bought & waiting) / len(bought) > 0.8  # the others filled theirs before they opened


def test_addresses_of_nobody_answer_nothing(world: World) -> None:
    assert world.foresee([Delivery("k", "ann@example.com", "email", "benefit", AT)]) == Answers()
    assert world.foresee([Delivery("k", address("email", 4_000), "email", "benefit", AT)]) == Answers()
