"""The stories of the example's journeys, on a tiny world, with the real tick, outbox and channels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.simulation.app.stage import Stage

from aimwell.cli.definition_kinds import check_all
from aimwell.cli.examples import example_folder
from aimwell.content.definition import Content
from aimwell.delivery.catalogue import configured, misfits
from aimwell.delivery.outbox.balances import verify_balances
from aimwell.simulation.app.addresses import address, person_of
from aimwell.simulation.app.habits import HABITS
from aimwell.simulation.app.messages import Message
from aimwell.simulation.app.people import STRATA
from aimwell.simulation.app.running import Play
from aimwell.simulation.app.sales import Verdict
from aimwell.simulation.app.world import World
from aimwell.store.workspace import open_workspace
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.goals import settle_goals
from aimwell.strategy.journeys.nodes.chain import ChainSettings

START = datetime(2026, 1, 5, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=7, customers=500)


@pytest.fixture(scope="module")
def played(world: World, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Three weeks of the world, in which first loans and reactivation run."""
    stage = Stage(tmp_path_factory.mktemp("app"), START, journeys=("first_loan", "reactivation"))
    play = Play(world, stage.hands, START)
    play.introduce()
    play.until(START + timedelta(days=22), timedelta(hours=53))
    return stage


def text(person: int, *, at: datetime, event: str, **properties: object) -> Message:
    return {
        "type": "track",
        "messageId": f"{person}-{event}-{at.isoformat()}",
        "timestamp": at.isoformat(),
        "userId": address("user_id", person),
        "event": event,
        "properties": properties,
    }


def newcomer(person: int, *, at: datetime, zone: str = "Asia/Shanghai", **traits: object) -> Message:
    """Somebody with an address of every kind and consent to everything."""
    addresses = {kind: address(kind, person) for kind in ("phone", "wechat", "email")}
    return {
        "type": "identify",
        "messageId": f"{person}-identify",
        "timestamp": at.isoformat(),
        "userId": address("user_id", person),
        "traits": {**addresses, "timezone": zone, "consent": True, **traits},
        "context": {"device": {"token": address("push_token", person)}},
    }


@pytest.fixture
def stage(tmp_path: Path) -> Callable[..., Stage]:
    """A stage with nobody on it, some journeys and as good as no hold-outs."""
    return lambda now, *journeys: Stage(tmp_path, now, "0.001%", journeys)


def test_every_definition_of_the_example_is_in_order() -> None:
    workspace = open_workspace(example_folder("app"))
    found = check_all(workspace)
    assert workspace.settings.simulated
    assert set(found["journey"]) == {
        "first_loan",
        "welcome",
        "abandoned_basket",
        "win_back",
        "reactivation",
        "birthday",
        "lead_nurture",
    }


def test_every_message_of_a_journey_exists_in_both_languages_and_fits_its_channel() -> None:
    workspace = open_workspace(example_folder("app"))
    channels, contents = configured(workspace.settings.channels), workspace.definitions(Content)
    used = set()
    for journey in workspace.definitions(Journey).values():
        for node in journey.nodes.values():
            settings: Any = node.settings
            sends = settings.channels if isinstance(settings, ChainSettings) else [settings]
            for each in sends:
                if node.kind in {"send", "chain"}:
                    used.add(each.content)
                    assert contents[each.content].channel == each.channel
    assert used == set(contents)
    for content in contents.values():
        assert set(content.parts) == {"zh", "en"}
        for parts in content.parts.values():
            assert misfits(channels[content.channel].kind, parts) == []


def test_who_answers_only_on_wechat_is_known_to_prefer_it_and_reached_there_first_next_time(
    world: World, played: Stage
) -> None:
    found = 0
    for user, who in played.customers().items():
        person = person_of(user) or 0
        first = played.enrolments("first_loan", who)
        if HABITS[world.people.habit[person]] != "wechat" or not first or first[0].held_out:
            continue
        sent = [each.channel for each in played.intents("first_loan", who)]
        ends = [each.port for each in played.passages(first[0].id) if each.node == "benefit"]
        if ends == ["answered"]:
            found += 1
            assert played.values(who)["preferred_channel"] == "wechat"
            assert sent[-1] == "wechat"
    assert found >= 2


def test_the_second_benefit_begins_with_the_channel_that_was_answered(
    world: World, stage: Callable[..., Stage]
) -> None:
    person = next(
        i
        for i in range(len(world.people))
        if HABITS[world.people.habit[i]] == "wechat" and world.people.stratum[i] == 0
    )
    there = stage(START, "first_loan")
    there.take_in([newcomer(person, at=START), text(person, at=START, event="limit_granted", amount=9_000)], START)
    there.move(START)
    for _ in range(9):
        _answer(world, there, DAY)
    who = there.customers()[address("user_id", person)]
    assert [each.channel for each in there.intents("first_loan", who)] == ["push", "push", "sms", "wechat"]
    assert there.values(who)["preferred_channel"] == "wechat"
    there.take_in([text(person, at=there.now + 30 * DAY, event="limit_granted")], there.now + 30 * DAY)
    there.move(there.now + 30 * DAY)
    _answer(world, there, DAY)
    second = there.enrolments("first_loan", who)[1]
    sent = [each.channel for each in there.intents("first_loan", who) if each.enrolment_id == second.id]
    assert sent[0] == "wechat"


def _answer(world: World, there: Stage, step: timedelta) -> None:
    """One step in which people answer what they got and do nothing else."""
    now = there.now + step
    due = world.foresee(there.sent(there.now)).until(now).reports
    if due:
        there.tell(due, now)
    there.move(now)


def test_who_answers_nowhere_is_lapsing_and_enters_the_reactivation(world: World, played: Stage) -> None:
    found = 0
    for user, who in played.customers().items():
        first = played.enrolments("first_loan", who)
        if HABITS[world.people.habit[person_of(user) or 0]] != "never" or not first or first[0].held_out:
            continue
        if [each.port for each in played.passages(first[0].id) if each.node == "benefit"] == ["unanswered"]:
            found += 1
            (again,) = played.enrolments("reactivation", who)
            assert again.cause == f"enter:{first[0].id}:reactivate:1:1"
            awake = "awake" in {each.node for each in played.passages(again.id)}
            assert awake or played.values(who)["lapsing"] == "true"
    assert found >= 2


def test_who_is_held_out_gets_nothing_and_is_counted_all_the_same(played: Stage) -> None:
    messages = {each.enrolment_id for each in played.intents("first_loan")}
    theirs = [each for each in played.enrolments("first_loan") if each.held_out]
    assert theirs
    assert all((each.state, each.reason) == ("exited", "held_out") for each in theirs)
    assert not messages & {each.id for each in theirs}
    assert len(messages) > 20
    with played.ledger.reading() as connection:
        verify_balances(connection)


def test_the_persuadable_take_their_loan_because_of_it_and_the_held_out_only_by_themselves(
    world: World, played: Stage
) -> None:
    settle_goals(played.ledger, "first_loan", played.now)
    people = {customer: person_of(user) or 0 for user, customer in played.customers().items()}
    reached: dict[bool, set[str]] = {True: set(), False: set()}
    for each in played.enrolments("first_loan"):
        if each.goal_at is not None:
            reached[each.held_out].add(STRATA[int(world.people.stratum[people[each.customer_id]])])
    assert reached[False] == {"sure", "persuadable"}
    assert reached[True] <= {"sure"}


def test_a_basket_that_is_bought_in_time_is_not_reminded_of_and_one_that_is_left_is(
    stage: Callable[..., Stage],
) -> None:
    morning = START + 2 * HOUR
    there = stage(START, "abandoned_basket")
    there.take_in([newcomer(1, at=START), newcomer(2, at=START)], START)
    there.move(START)
    there.take_in([text(person, at=morning, event="product_added") for person in (1, 2)], morning)
    there.move(morning)
    there.take_in([text(1, at=morning + HOUR, event="order_completed")], morning + HOUR)
    there.pass_time(3 * DAY, DAY)
    customers = there.customers()
    bought, left = (customers[address("user_id", person)] for person in (1, 2))
    assert not there.intents("abandoned_basket", bought)
    assert [(each.channel, each.planned_at) for each in there.intents("abandoned_basket", left)] == [
        ("push", morning + 3 * HOUR),
        ("wechat", morning + 3 * HOUR + DAY),
    ]


def test_who_signs_up_is_greeted_by_day_and_introduced_if_nothing_was_looked_at(stage: Callable[..., Stage]) -> None:
    night = START + 16 * HOUR  # midnight in Shanghai
    there = stage(START, "welcome")
    people = [newcomer(1, at=night, language="zh"), newcomer(2, at=night, language="en", name="Robin")]
    there.take_in([*people, *(text(person, at=night, event="signed_up") for person in (1, 2))], night)
    there.move(night)
    there.pass_time(12 * HOUR, 6 * HOUR)
    there.take_in([text(2, at=night + 20 * HOUR, event="product_viewed")], night + 20 * HOUR)
    there.pass_time(5 * DAY, DAY)
    sent = [(each.content, each.planned_at) for each in there.intents("welcome")]
    assert sorted(sent) == [
        ("welcome_email", night + 9 * HOUR + 3 * DAY),
        ("welcome_push", night + 9 * HOUR),
        ("welcome_push", night + 9 * HOUR),
    ]


def test_a_lead_is_handed_over_at_thirty_points_and_comes_back_when_sales_rejects_it(
    stage: Callable[..., Stage],
) -> None:
    there = stage(START, "lead_nurture")
    there.take_in([newcomer(person, at=START) for person in (1, 2)], START)
    for hours in (1, 10):
        at = START + hours * HOUR
        there.take_in([text(person, at=at, event="wealth_viewed") for person in (1, 2)], at)
        there.move(at)
    who, other = (there.customers()[address("user_id", person)] for person in (1, 2))
    assert there.values(who)["lead_score"] == 20
    assert not there.tasks("lead_nurture")
    at = START + 20 * HOUR
    there.take_in([text(person, at=at, event="brochure_requested") for person in (1, 2)], at)
    there.move(at)
    leads = {each.customer_id: each for each in there.tasks("lead_nurture")}
    lead = leads[who]
    assert (lead.kind, lead.owner, lead.stage, lead.at) == ("lead", "wealth_sales", "open", at)
    there.decide([Verdict(lead.key, "rejected", at + DAY), Verdict(leads[other].key, "done", at + DAY)], at + DAY)
    there.pass_time(DAY + 2 * HOUR, DAY)
    assert there.values(who)["lead_score"] == 20
    assert [each.content for each in there.intents("lead_nurture")] == ["nurture_email"]
    assert there.values(other)["wealth_customer"] == "true"
    assert [(each.state, each.node) for each in there.enrolments("lead_nurture", other)] == [("finished", "done")]
    there.take_in([text(1, at=there.now + 5 * HOUR, event="wealth_viewed")], there.now + 5 * HOUR)
    there.move(there.now + 6 * HOUR)
    assert [each.stage for each in there.tasks("lead_nurture") if each.customer_id == who] == ["rejected", "open"]


def test_the_birthday_comes_at_nine_of_the_customers_own_clock(stage: Callable[..., Stage]) -> None:
    there = stage(datetime(2026, 4, 20, tzinfo=UTC), "birthday")
    zones = {1: "Asia/Shanghai", 2: "America/New_York"}
    for person, zone in zones.items():
        there.take_in([newcomer(person, at=there.now, zone=zone, birth_date="1990-05-03")], there.now)
    there.move(there.now)
    for who in there.customers().values():
        there.enter_segment(who, "everybody")
    there.pass_time(12 * DAY, 3 * DAY)
    there.pass_time(4 * DAY, 2 * DAY)
    for person, hour in ((1, 1), (2, 13)):
        sent_at = datetime(2026, 5, 3, hour, tzinfo=UTC)
        sent = there.intents("birthday", there.customers()[address("user_id", person)])
        assert [(each.channel, each.planned_at) for each in sent] == [("push", sent_at), ("email", sent_at + 9 * HOUR)]


def test_a_birthday_on_the_29th_of_february_is_kept_on_it_in_a_leap_year_and_every_year(
    stage: Callable[..., Stage],
) -> None:
    there = stage(datetime(2027, 1, 20, tzinfo=UTC), "birthday")
    there.take_in([newcomer(1, at=there.now, birth_date="1992-02-29")], there.now)
    there.move(there.now)
    who = there.customers()[address("user_id", 1)]
    there.enter_segment(who, "everybody")
    there.pass_time(410 * DAY, 15 * DAY)
    pushed = [each.planned_at for each in there.intents("birthday", who) if each.channel == "push"]
    assert pushed == [datetime(2027, 2, 28, 1, tzinfo=UTC), datetime(2028, 2, 29, 1, tzinfo=UTC)]


def test_rising_churn_risk_leads_to_one_of_two_offers_by_lot_and_then_to_a_call(stage: Callable[..., Stage]) -> None:
    there = stage(START, "win_back")
    there.take_in([newcomer(person, at=START) for person in range(60)], START)
    there.move(START)
    for who in there.customers().values():
        there.enter_segment(who, "churn_rising")
    there.pass_time(8 * DAY, 2 * DAY)
    contents = [each.content for each in there.intents("win_back")]
    assert 15 < contents.count("win_back_coupon") < 45
    assert contents.count("win_back_coupon") + contents.count("win_back_words") == 60
    assert len(there.tasks("win_back")) == 60
    assert all(there.values(who)["churn_alert"] == "true" for who in there.customers().values())
