from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from aimwell.simulation.app.__main__ import main
from aimwell.simulation.app.addresses import person_of
from aimwell.simulation.app.habits import SURE, SURE_DAYS
from aimwell.simulation.app.people import NEVER, STRATA
from aimwell.simulation.app.sales import LeadGiven
from aimwell.simulation.app.world import World
from aimwell.store.intake.messages import Message, parse_message

START = datetime(2026, 3, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=3, customers=600)


def test_equal_seeds_give_equal_messages_and_other_seeds_others(world: World) -> None:
    again, other = World(seed=3, customers=600), World(seed=4, customers=600)
    until = START + timedelta(days=2)
    assert list(again.events(START, until)) == list(world.events(START, until))
    assert list(other.events(START, until)) != list(world.events(START, until))


def test_any_slicing_of_time_gives_the_same_messages_in_the_order_of_time(world: World) -> None:
    whole = list(world.events(START, START + WEEK))
    draw = random.Random(5)
    cuts = sorted(START + WEEK * draw.random() for _ in range(40))
    slices: list[dict[str, object]] = []
    another = World(seed=3, customers=600)
    for since, until in pairwise([START, *cuts, START + WEEK]):
        slices += another.events(since, until)
    assert slices == whole
    assert [each["timestamp"] for each in whole] == sorted(str(each["timestamp"]) for each in whole)
    assert len({each["messageId"] for each in whole}) == len(whole)


def test_every_message_is_accepted_as_the_event_api_accepts_it_and_is_labelled_simulated(world: World) -> None:
    until = START + WEEK
    for message in [*world.known(START), *world.events(START, until)]:
        read = parse_message(json.loads(json.dumps(message)), received_at=until)
        assert isinstance(read, Message), read
        assert '"simulated":true' in read.context
        assert read.occurred_at.isoformat()[:19] == str(message["timestamp"])[:19]


def test_who_signs_up_was_a_stranger_before_and_does_nothing_else_first(world: World) -> None:
    messages = list(world.events(START, START + 4 * WEEK))
    anonymous = {person_of(str(each["anonymousId"])) for each in messages if each["type"] == "page"}
    identified = [each for each in messages if each["type"] == "identify"]
    assert identified
    for each in identified:
        who = person_of(str(each["userId"]))
        assert who in anonymous
        theirs = [one for one in messages if one.get("userId") == each["userId"]]
        assert theirs[0] is each
        assert theirs[1]["event"] == "signed_up"


def test_those_who_were_known_before_are_told_once_with_what_they_said_of_themselves(world: World) -> None:
    known = list(world.known(START))
    new = [each for each in world.events(START, START + WEEK) if each["type"] == "identify"]
    users = {each["userId"] for each in known}
    assert len(users) == len(known)
    assert users.isdisjoint(each["userId"] for each in new)
    assert len(list(world.known(START + WEEK))) == len(known) + len(new)
    assert Counter(each["traits"]["timezone"] for each in known).most_common(1)[0][0] == "Asia/Shanghai"  # type: ignore[index] # traits is an object of JSON


def test_first_loans_come_at_the_true_base_rate_and_once_a_person() -> None:
    world = World(seed=9, customers=12_000)
    people = world.people
    granted = (people.limit_day >= 10) & (people.limit_day < 40) & (people.leaves_day > 80)
    assert np.mean(people.loan_day[granted] < people.limit_day[granted] + 30) == pytest.approx(
        SURE * (1 - np.exp(-30 / SURE_DAYS)), abs=0.012
    )
    acts = world.acts(datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 1, 27, tzinfo=UTC))
    taken = [row["customer_id"] for row in acts.to_pylist() if row["name"] == "loan_taken"]
    assert taken
    assert len(set(taken)) == len(taken)
    assert {STRATA[int(people.stratum[person_of(each) or 0])] for each in taken} == {"sure"}


def test_nobody_acts_who_has_left_and_salaries_come_on_the_day_of_pay(world: World) -> None:
    calendar = world.life.calendar
    for row in world.acts(START, START + 4 * WEEK).to_pylist():
        who = person_of(row["customer_id"]) or 0
        at = int(row["occurred_at"].replace(tzinfo=UTC).timestamp() * 1_000)
        day, _ = calendar.local(world.people.zone[[who]], np.asarray([at]))
        if row["name"] == "salary_received":
            local = calendar.first_day.astype("datetime64[D]") + day[0]
            assert local.astype(object).day == world.people.payday[who]
        if row["name"] not in {"order_completed", "account_closed"}:
            assert day[0] < world.people.leaves_day[who]


def test_the_calendar_turns_local_days_into_instants_and_back_over_changes_of_the_clock() -> None:
    world = World(seed=1, customers=300)
    zone = world.people.zone
    for day in (60, 66, 67, 68, 87, 88, 300, 304):
        second = np.full(len(zone), 10 * 3_600)
        back, seconds = world.life.calendar.local(zone, world.life.calendar.millis(zone, np.asarray(day), second))
        assert (back == day).all()
        assert (seconds == 10 * 3_600).all()


def test_sales_takes_only_leads_with_true_interest_and_says_the_same_again(world: World) -> None:
    leads = [LeadGiven(f"{who}:lead:1:1", f"A{who:08}", START) for who in range(600)]
    verdicts = {each.key: each for each in world.judge(leads)}
    assert list(world.judge(reversed(leads))) == list(reversed(verdicts.values()))
    taken = [who for who in range(600) if verdicts[f"{who}:lead:1:1"].stage == "done"]
    assert taken
    assert world.people.interested[taken].all()
    assert all(each.at > START for each in verdicts.values())


def test_the_truth_names_every_customer_and_every_rate(world: World) -> None:
    truth = world.truth()
    customers = truth["customers"].to_pylist()
    assert len(customers) == 600
    assert {row["habit"] for row in customers} == {"any", "push", "wechat", "sms", "email", "never"}
    assert sum(row["limit_on"] is None for row in customers) == int((world.people.limit_day == NEVER).sum())
    effects = {(row["effect"], row["habit"]): row["value"] for row in truth["effects"].to_pylist()}
    assert effects["answers_wechat", "wechat"] == 0.9
    assert effects["first_loan_added_by_opening", "never"] == 0.0


def test_the_messages_can_be_written_to_a_file_with_the_truth_apart(tmp_path: Path) -> None:
    assert main([str(tmp_path), "--customers", "40", "--days", "5"]) == 0
    lines = (tmp_path / "data" / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    assert len({json.loads(line)["messageId"] for line in lines}) == len(lines) > 40
    assert {path.name for path in (tmp_path / "truth").iterdir()} == {"customers.parquet", "effects.parquet"}
    assert main([str(tmp_path), "--customers", "0"]) == 1
