"""Made-up shoppers answer the same whenever they are asked, and only a click changes what they do."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from aimwell.core.keys import share_of
from aimwell.science.experiment.difference import difference_of_shares
from aimwell.science.metrics.interval import Estimate
from aimwell.simulation.shoppers import CLICKED, HABITS, OPENED, Reached, Shoppers
from aimwell.store.intake.messages import Message, parse_message

START = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = timedelta(days=21)
PEOPLE = [f"c{number}" for number in range(6_000)]


def pushed(who: str) -> Reached:
    return Reached(f"{who}:offer:1:1", who, "push_token", START + timedelta(hours=12))


def effect_of(shoppers: Shoppers) -> Estimate:
    """A push to four of five customers, drawn by lot; who ordered within three weeks, against those who got none."""
    treated = {who for who in PEOPLE if share_of("lot", who) >= 0.2}
    ordered = {str(event["userId"]) for _, event in shoppers.orders(PEOPLE, START, START + DAYS)}
    answered = shoppers.answers(pushed(who) for who in sorted(treated))
    ordered |= {str(event["userId"]) for at, event in answered.orders if at < START + DAYS}
    held_out = len(PEOPLE) - len(treated)
    found = difference_of_shares(len(ordered & treated), len(treated), len(ordered - treated), held_out)
    assert found is not None
    return found


def test_the_effect_of_a_click_is_found_at_its_true_size() -> None:
    found = effect_of(Shoppers())
    clicks = CLICKED * sum(share * OPENED[habit][0] for habit, share in HABITS.items())
    truth = clicks * Shoppers().effect * (1 - 0.012) ** 21
    assert found.excludes_zero
    assert found.low < truth < found.high


def test_where_a_click_changes_nothing_nothing_is_found() -> None:
    proven = [effect_of(Shoppers(seed, effect=0.0)).excludes_zero for seed in range(3)]
    assert not any(proven)


def test_the_same_message_gets_the_same_answer_in_whatever_order_it_is_asked() -> None:
    shoppers, messages = Shoppers(4), [pushed(who) for who in PEOPLE[:400]]
    shuffled = random.Random(1).sample(messages, len(messages))
    assert shoppers.answers(shuffled) == shoppers.answers(messages)
    first = shoppers.answers(messages[:200])
    assert set(first.reports) <= set(shoppers.answers(messages).reports)
    assert Shoppers(5).answers(messages) != shoppers.answers(messages)


def test_orders_of_a_time_are_those_of_its_parts() -> None:
    shoppers, some = Shoppers(2), PEOPLE[:300]
    whole = shoppers.orders(some, START, START + timedelta(days=3))
    cuts = [START + timedelta(hours=hours) for hours in (0, 7, 23, 24, 48.5, 72)]
    parts = [order for since, until in pairwise(cuts) for order in shoppers.orders(some, since, until)]
    assert parts == whole
    assert len({event["messageId"] for _, event in whole}) == len(whole) > 5


def test_machines_are_marked_and_text_messages_tell_no_opening() -> None:
    answered = Shoppers().answers(map(pushed, PEOPLE[:2_000]))
    machine = [report for report in answered.reports if report.machine]
    assert 0.03 < len(machine) / 2_000 < 0.07
    assert {report.kind for report in machine} == {"opened"}
    texts = [Reached(f"{who}:text:1:1", who, "phone", START, opens=False) for who in PEOPLE[:2_000]]
    assert {report.kind for report in Shoppers().answers(texts).reports} == {"clicked", "unsubscribed"}


def test_habits_are_as_common_as_said() -> None:
    found = Counter(Shoppers().habit(who) for who in PEOPLE)
    for habit, share in HABITS.items():
        assert found[habit] / len(PEOPLE) == pytest.approx(share, abs=0.02)


def test_every_order_says_that_it_is_simulated_and_can_be_read() -> None:
    at, event = Shoppers().orders(PEOPLE, START, START + timedelta(days=1))[0]
    read = parse_message(event, received_at=START + timedelta(days=2))
    assert isinstance(read, Message)
    assert (read.user_id, read.name) == (event["userId"], "order_completed")
    assert abs(read.occurred_at - at) < timedelta(milliseconds=1)
    assert '"simulated":true' in read.context.replace(" ", "")
