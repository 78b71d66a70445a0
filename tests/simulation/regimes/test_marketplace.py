"""The market that answers: the same for the same seed, the same luck for every policy, and money that adds up."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.simulation.regimes.policies import by_lot, to_everyone

from aimwell.core.errors import BadQuestion
from aimwell.simulation.regimes.day import Day
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.messages import Messages
from aimwell.simulation.regimes.oracle import Oracle, best_messages
from aimwell.simulation.regimes.regime import load_regimes

NAMES = sorted(load_regimes().regime)


def same(one: Day, other: Day) -> bool:
    parts = [(getattr(one, part), getattr(other, part)) for part in ("purchases", "views", "answers")]
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for a, b in parts for name in type(a).__slots__)


def rows(day: Day, who: np.ndarray) -> list[tuple[int, ...]]:
    bought = day.purchases
    kept = np.isin(bought.customer, who)
    columns = (bought.customer, bought.product, bought.second, bought.price, bought.discount)
    return list(zip(*(column[kept].tolist() for column in columns), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_equal_seeds_give_equal_days_and_others_do_not(name: str) -> None:
    markets = [Marketplace.open(name, 400, seed) for seed in (7, 7, 8)]
    played = []
    for market in markets:
        chance = np.random.default_rng(1)
        played.append([market.step(by_lot(market, chance)) for _ in range(8)])
    assert all(same(one, other) for one, other in zip(played[0], played[1], strict=True))
    assert not all(same(one, other) for one, other in zip(played[0], played[2], strict=True))


@settings(max_examples=10)
@given(seed=some.integers(0, 2**40), share=some.floats(0, 1))
def test_who_gets_nothing_has_the_same_luck_whatever_others_get(seed: int, share: float) -> None:
    quiet, loud = (Marketplace.open("nothing_to_find", 300, seed, days=20) for _ in range(2))
    chance = np.random.default_rng(seed)
    spared = np.flatnonzero(chance.random(len(quiet.people)) < 0.5)
    for _ in range(6):
        messages = by_lot(loud, chance, share=share)
        messages = messages.take(~np.isin(messages.customer, spared))
        one, other = quiet.step(), loud.step(messages)
        assert rows(one, spared) == rows(other, spared)
        assert np.array_equal(one.views.customer, other.views.customer)


def test_luck_is_the_same_on_both_sides_of_a_message_too() -> None:
    quiet = Marketplace.open("sure_things", 3_000, 3)
    loud = quiet.copy()
    one, other = quiet.step(), loud.step(to_everyone(loud, "food"))
    assert np.array_equal(one.purchases.customer, other.purchases.customer)
    assert one.earned == other.earned
    assert other.profit == one.profit - other.spent


def test_a_copy_goes_its_own_way() -> None:
    market = Marketplace.open("difference_and_fatigue", 500, 3)
    market.step(to_everyone(market, "fund"))
    other = market.copy()
    for _ in range(5):
        other.step(to_everyone(other, "fund"))
    assert market.day == 1
    assert market.state.tired.sum() < other.state.tired.sum()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("customers", [0, 1])
def test_a_world_of_nobody_and_a_world_of_one_can_be_lived_in(name: str, customers: int) -> None:
    days = 64 if name == "change_in_third_month" else 12
    market = Marketplace.open(name, customers, 7, days=days)
    oracle, chance = Oracle.plan(market), np.random.default_rng(0)
    for day in range(days):
        truth = market.truth()
        assert len(best_messages(truth)) <= market.present
        chosen = oracle.choose(market) if day % 2 else by_lot(market, chance)
        assert market.step(chosen).number == day
    assert market.present == customers


@pytest.mark.parametrize("name", NAMES)
def test_money_adds_up_to_the_cent(name: str) -> None:
    market, chance = Marketplace.open(name, 3_000, 5), np.random.default_rng(5)
    for _ in range(5):
        day = market.step(by_lot(market, chance))
        bought = day.purchases
        assert np.array_equal(bought.price, market.shelf.price[bought.product])
        assert np.array_equal(bought.margin, market.shelf.margin[bought.product])
        depth = np.append(day.messages.depth, 0.0)[bought.message]
        assert np.array_equal(bought.discount, np.round(bought.price * depth).astype(int))
        costs = np.asarray([round(channel.cost * 100) for channel in market.business.channels])
        assert day.spent == costs[day.messages.channel[day.answers.delivered]].sum()
        assert day.profit == bought.margin.sum() - bought.discount.sum() - day.spent
        assert market.sendable(0).sum() <= market.present


def test_a_discount_is_used_only_by_who_saw_the_message_and_bought_what_it_offered() -> None:
    market, chance = Marketplace.open("difference_and_fatigue", 5_000, 5, business="shop"), np.random.default_rng(5)
    used = 0
    for _ in range(5):
        day = market.step(by_lot(market, chance))
        bought, through = day.purchases, day.purchases.message
        given_ = through >= 0
        used += int(given_.sum())
        assert day.answers.seen[through[given_]].all()
        assert day.answers.clicked[through[given_]].all()
        assert np.array_equal(day.messages.customer[through[given_]], bought.customer[given_])
        assert np.array_equal(day.messages.product[through[given_]], bought.product[given_])
        assert not bought.discount[~given_].any()
        after = bought.second[given_] > day.answers.second[through[given_]]
        assert (after | (bought.second[given_] == 86_399)).all()
    assert used > 20


def test_products_are_bought_while_they_are_on_sale_and_within_the_customers_risk() -> None:
    market, chance = Marketplace.open("difference_and_fatigue", 20_000, 5), np.random.default_rng(5)
    for _ in range(4):
        on_sale = market.shelf.on_sale(market.day)
        bought = market.step(by_lot(market, chance)).purchases
        assert on_sale[bought.product].all()
        assert (market.shelf.risk[bought.product] <= market.people.risk[bought.customer])[bought.message < 0].all()


def test_newcomers_come_one_after_another_and_cannot_be_written_to_before() -> None:
    market = Marketplace.open("nothing_to_find", 1_000, 7)
    begun = market.present
    arrived = np.concatenate([market.step().arrived for _ in range(market.days)])
    assert begun == 1_000
    assert np.array_equal(arrived, np.arange(1_000, 1_180))
    fresh = Marketplace.open("nothing_to_find", 1_000, 7)
    with pytest.raises(BadQuestion, match="has a customer that there is not"):
        fresh.step(Messages.of(1_000, 0, 0))


def test_the_days_have_dates_and_an_end() -> None:
    market = Marketplace.open("sure_things", 5, 7, days=2)
    assert [market.step().on for _ in range(2)] == [date(2026, 1, 5), date(2026, 1, 6)]
    with pytest.raises(BadQuestion, match="run is over"):
        market.step()
    with pytest.raises(BadQuestion, match="no truth after"):
        market.truth()


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        (Messages.of([0, 1, 0], 0, 0), "Customer 0 would get more than one"),
        (Messages.of(-1, 0, 0), "a customer that there is not"),
        (Messages.of(0, 10_000, 0), "a product that there is not"),
        (Messages.of(0, 0, 3), "a channel that there is not"),
        (Messages.of(0, 0, 0, 24.5), "a hour that there is not"),
        (Messages.of(0, 0, 0, float("nan")), "a hour that there is not"),
        (Messages.of(0, 0, 0, 12, 0.4), "a depth that there is not"),
        (Messages.of(0, 9, 0), "Product 9 is not on sale"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_nothing_happens(messages: Messages, said: str) -> None:
    market = Marketplace.open("nothing_to_find", 10, 7)
    with pytest.raises(BadQuestion, match=said):
        market.step(messages)
    assert market.day == 0


def test_a_market_of_less_than_nobody_is_refused() -> None:
    with pytest.raises(BadQuestion, match="0 customers or more"):
        Marketplace.open("sure_things", -1, 7)


def test_the_change_takes_two_months_to_come_and_then_moves_others_on_other_channels() -> None:
    steady, changing = (
        Marketplace.open(name, 2_000, 7) for name in ("difference_and_fatigue", "change_in_third_month")
    )
    assert all(same(steady.step(), changing.step()) for _ in range(60))
    assert not all(same(steady.step(), changing.step()) for _ in range(10))
    before, after = changing.nature.traits(59), changing.nature.traits(60)
    both = (before.persuasion > 0) & (after.persuasion > 0)
    assert both.mean() < 0.5 * (before.persuasion > 0).mean()
    assert (before.favourite != after.favourite).all()
