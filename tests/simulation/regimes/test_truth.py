"""The truth that is stated is what happens in the mean, in every regime, and the oracle does its best with it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from tests.simulation.regimes.policies import by_lot, earned_by_customer, to_everyone

from aimwell.core.errors import BadQuestion
from aimwell.simulation.chance import Floats
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.messages import Messages
from aimwell.simulation.regimes.oracle import Oracle, best_messages
from aimwell.simulation.regimes.regime import BusinessName, find_regime, load_regimes
from aimwell.simulation.regimes.truth import Truth

NAMES = sorted(load_regimes().regime)
MOST = 3.7  # standard errors: some twenty comparisons, one false alarm in hundreds of runs; seeds are fixed


def spread(truth: Truth, messages: Messages) -> Floats:
    """At most the variance of what each message does to its day's profit: purchases gained, let off, driven away."""
    line = truth.nature.shelf.line[messages.product]
    margin = truth.nature.shelf.margin[messages.product]
    off = truth.nature.off(messages.product, messages.depth)
    margins = np.asarray([each.margin for each in truth.nature.business.lines]) * 100
    provoked = truth.nature.traits(truth.day).provoked[messages.customer]
    gained = truth.moved(messages) * (margin - off) ** 2
    kept = truth.own[messages.customer, line] * off**2
    lost = provoked * (truth.own[messages.customer] @ margins**2)
    return np.asarray(truth.seen(messages) * (gained + kept + lost))


@pytest.mark.parametrize("name", NAMES)
def test_what_a_message_brings_on_its_day_is_the_mean_of_what_happens(name: str) -> None:
    quiet = Marketplace.open(name, 40_000, 11, business="shop")
    loud = quiet.copy()
    messages = to_everyone(loud, "beauty", depth=0.1)
    without, _ = earned_by_customer(quiet, Messages.none())
    with_, truth = earned_by_customer(loud, messages)
    stated, variance = truth.brings(messages, talk=False), spread(truth, messages)
    found = with_ - without
    upper = stated > np.median(stated)
    for group in (np.ones(len(stated), dtype=bool), upper, ~upper):
        error = math.sqrt(variance[group].sum())
        assert abs(found[group].sum() - stated[group].sum()) <= MOST * error + 1e-6
    assert without.mean() == pytest.approx(truth.baseline.mean(), abs=MOST * without.std() / math.sqrt(truth.count))


@pytest.mark.parametrize("name", NAMES)
def test_the_sum_of_what_each_day_brings_is_what_a_policy_earns_above_sending_nothing(name: str) -> None:
    regime = find_regime(name)
    if regime.change_day:
        regime = regime.model_copy(update={"change_day": 8})
    quiet = Marketplace.open(regime, 12_000, 5, business="shop", days=24)
    loud, chance = quiet.copy(), np.random.default_rng(5)
    difference = np.zeros(len(quiet.people))
    for day in range(24):
        messages = by_lot(loud, chance, share=0.8) if day % 2 == 0 else Messages.none()
        with_, truth = earned_by_customer(loud, messages)
        without, _ = earned_by_customer(quiet, Messages.none())
        difference[: truth.count] += with_ - without
        np.subtract.at(difference, messages.customer, truth.brings(messages))
    # Friends' purchases are credited to who told them, so that the total alone is compared.
    error = math.sqrt((difference**2).sum())
    assert abs(difference.sum()) <= MOST * error + 1e-6


def test_talk_brings_what_going_back_from_the_last_day_says() -> None:
    regime = find_regime("difference_and_fatigue")
    silent_regime = regime.model_copy(update={"word_of_mouth": False})
    talking, silent = (Marketplace.open(each, 20_000, 5, business="shop", days=30) for each in (regime, silent_regime))
    stated, found, more = 0.0, 0, 0
    for day in range(30):
        stated += float((silent.truth().own @ talking.nature.talk[day]).sum())
        one, other = talking.step(), silent.step()
        found += one.earned - other.earned
        more += len(one.purchases) - len(other.purchases)
    # What is more are purchases of their own, each of a mean margin; as they are of few kinds, Poisson's error holds.
    error = math.sqrt(more) * max(line.margin for line in talking.business.lines) * 100
    assert more > 500
    assert abs(found - stated) <= MOST * error
    assert abs(found - stated) < 0.2 * stated


def test_a_purchase_raises_the_need_of_friends_alone_and_is_forgotten() -> None:
    market = Marketplace.open("difference_and_fatigue", 5_000, 7)
    day = market.step()
    first, line = int(day.purchases.customer[0]), int(market.shelf.line[day.purchases.product[0]])
    friends = market.nature.told(np.asarray([first]))[0]
    assert first not in friends
    assert len(friends) == market.business.friends
    heard = market.state.heard.copy()
    assert (heard[friends, line] >= np.float32(market.business.heard)).all()
    everyone = market.nature.told(day.purchases.customer)
    assert set(np.flatnonzero(heard.sum(axis=1))) == set(everyone.ravel())
    market.state.heard[:] = 0
    without = market.truth().own
    market.state.heard[friends, line] = market.business.heard
    more = market.truth().own - without
    daily = market.nature.daily(market.day)[line]
    assert more[friends, line] == pytest.approx(daily * market.business.heard, rel=1e-5)
    assert np.count_nonzero(more) == len(set(friends.tolist()))


def test_nobody_tells_who_has_not_come_yet() -> None:
    market = Marketplace.open("difference_and_fatigue", 300, 7)
    who = np.arange(len(market.people))
    told = market.nature.told(who)
    assert (market.people.arrival[told] <= np.maximum(market.people.arrival[who], 0)[:, None]).all()
    assert (told != who[:, None]).all()


def test_each_message_lowers_the_answer_to_the_next_by_a_fifth_and_rest_restores_it() -> None:
    market = Marketplace.open("difference_and_fatigue", 8_000, 7, business="shop")
    messages = to_everyone(market, "home", channel=2)
    fresh = market.truth().seen(messages)
    market.step(messages)
    tired = market.truth()
    level = tired.state.tired[: len(fresh)]
    assert set(level) == {0, 1}
    left = market.state.left[: len(fresh)]
    ratio = tired.seen(messages)[(level == 1) & (fresh > 0) & ~left] / fresh[(level == 1) & (fresh > 0) & ~left]
    assert ratio == pytest.approx(0.8)
    reached = market.people.reached[: len(fresh), 2]
    assert level[reached].mean() == pytest.approx(0.9, abs=0.015)
    assert not level[~reached].any()
    for _ in range(60):
        market.step()
    assert market.state.tired[: len(fresh)].mean() < 0.01


def test_who_is_written_to_every_day_answers_less_and_leaves() -> None:
    market = Marketplace.open("difference_and_fatigue", 20_000, 7, business="shop")
    seen, left = [], []
    for _ in range(12):
        there = market.sendable(2)
        messages = to_everyone(market, "home", channel=2)
        stated = market.truth().seen(messages).sum()
        day = market.step(messages)
        assert abs(day.answers.seen.sum() - stated) < MOST * math.sqrt(stated)
        assert np.array_equal(day.answers.delivered, there)
        seen.append(day.answers.seen.sum() / there.sum())
        left.append(day.answers.unsubscribed.sum() / there.sum())
    assert seen[-1] < 0.45 * seen[0]
    assert left[0] == pytest.approx(0.002, abs=0.001)
    assert np.mean(left[-4:]) > 2 * left[0]


@pytest.mark.parametrize("name", ["sure_things", "random_response"])
def test_where_nobody_is_moved_no_message_brings_more_than_its_cost(name: str) -> None:
    market, chance = Marketplace.open(name, 4_000, 7), np.random.default_rng(7)
    messages = by_lot(market, chance)
    truth = market.truth()
    assert (truth.brings(messages) <= -truth.cost(messages)).all()
    assert len(best_messages(truth)) == 0
    assert Oracle.plan(Marketplace.open(name, 50, 7, days=20)).ceiling == 0


def test_where_there_is_nothing_to_find_a_message_brings_the_same_with_everyone_it_reaches() -> None:
    market = Marketplace.open("nothing_to_find", 2_000, 7)
    truth = market.truth()
    brought = truth.brings(to_everyone(market, "sport"))[market.sendable(0)]
    assert brought.max() == pytest.approx(brought.min())
    assert brought.min() > 0


def test_the_best_message_is_the_best_of_all_that_there_are() -> None:
    market = Marketplace.open("difference_and_fatigue", 60, 7)
    for _ in range(20):
        market.step(by_lot(market, np.random.default_rng(0), share=0.2))
    truth = market.truth()
    chosen = best_messages(truth)
    depths, on_sale = load_regimes().depths, np.flatnonzero(market.shelf.on_sale(market.day))
    allowed = market.shelf.risk[on_sale][None, :] <= market.people.risk[: truth.count, None]
    most = np.zeros(truth.count)
    for customer in range(truth.count):
        hour = float(market.nature.traits(market.day).hour[customer])
        offers = [(p, c, d) for p in on_sale[allowed[customer]] for c in range(3) for d in depths]
        product, channel, depth = zip(*offers, strict=True)
        grid = Messages.of(np.full(len(offers), customer), product, channel, hour, depth)
        most[customer] = max(0.0, truth.profits(np.asarray([customer]), grid).max())
    brought = np.zeros(truth.count)
    brought[chosen.customer] = truth.brings(chosen)
    assert brought == pytest.approx(most, abs=1e-6)
    assert (most > 0).sum() > 10


def test_no_policy_passes_the_ceiling_and_the_oracle_comes_close() -> None:
    market = Marketplace.open("difference_and_fatigue", 800, 7, days=42)
    oracle, chance = Oracle.plan(market), np.random.default_rng(7)
    policies: dict[str, Callable[[Marketplace], Messages]] = {
        "oracle": oracle.choose,
        "today": lambda each: best_messages(each.truth()) if each.day % 7 == 0 else Messages.none(),
        "lot": lambda each: by_lot(each, chance) if each.day % 7 == 0 else Messages.none(),
    }
    brought = {}
    for name, choose in policies.items():
        played, brought[name] = market.copy(), 0.0
        for _ in range(42):
            messages = choose(played)
            brought[name] += float(played.truth().brings(messages).sum())
            played.step(messages)
    assert brought["lot"] < brought["today"] < brought["oracle"]
    # The ceiling bounds the mean over luck; one run may lie a little above it.
    assert 0.97 * oracle.ceiling < brought["oracle"] < 1.03 * oracle.ceiling


def test_an_oracle_that_never_decides_is_refused() -> None:
    with pytest.raises(BadQuestion, match="every day or less often"):
        Oracle.plan(Marketplace.open("sure_things", 5, 7), every=0)


def test_the_truth_stays_that_of_its_day_when_the_market_goes_on() -> None:
    market = Marketplace.open("difference_and_fatigue", 300, 7)
    truth, messages = market.truth(), to_everyone(market, "fund")
    before = truth.brings(messages)
    market.step(messages)
    assert np.array_equal(truth.brings(messages), before)
    table = truth.table(messages)
    assert table.schema.metadata[b"truth"] == b"true"
    assert table["brings"].to_numpy() == pytest.approx(before / 100)


@pytest.mark.parametrize("business", ["bank", "shop"])
def test_the_chances_of_a_day_leave_room_for_each_other(business: BusinessName) -> None:
    market = Marketplace.open("difference_and_fatigue", 20_000, 7, business=business)
    for _ in range(10):
        market.step()
    assert market.truth().own.sum(axis=1).max() + market.nature.manner.most_moved < 1
