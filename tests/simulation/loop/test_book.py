from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.company import Catalogue, Company
from aimwell.simulation.loop.sights import Sights
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.messages import Messages

HIDDEN = {
    "persuasion",
    "force",
    "seen",
    "fit",
    "stratum",
    "affinity",
    "favourite",
    "tired",
    "regime",
    "truth",
    "nature",
}


def test_the_book_holds_nothing_that_only_the_market_knows() -> None:
    names = {field.name for kind in (Book, Company, Catalogue) for field in dataclasses.fields(kind)}
    assert not names & HIDDEN
    assert not [
        field for field in dataclasses.fields(Book) if "Market" in str(field.type) or "People" in str(field.type)
    ]


def test_the_book_says_what_happened() -> None:
    market = Marketplace.open("difference_and_fatigue", 2_000, seed=2, days=40)
    book = Book.empty(Company.of(market, (0.0, 0.1)), market.present)
    who = np.flatnonzero(market.sendable(0))[:900]
    orders, views, seen, earned = 0, 0, 0, 0
    for _ in range(15):
        sent = Messages.of(who, 1, 0, 20.0) if market.day in {0, 14} else Messages.none()
        day = market.step(sent)
        book.write(day, np.full(len(sent), 0.5), market.present)
        orders, views = orders + len(day.purchases), views + len(day.views)
        seen, earned = seen + int(day.answers.seen.sum()), day.earned
    assert book.orders.sum() == orders == book.sold.sum()
    assert book.got.sum() == sum(int(each.delivered.sum()) for each in book.past) >= 1_700
    assert book.saw.sum() == seen
    assert (book.day, book.present) == (15, market.present)
    assert book.left.sum() == market.state.left.sum()
    assert book.recent(14)[who[0]] == 1
    assert book.recent(28)[who[0]] == 2
    assert 0 < book.views.sum() < views
    assert 0 < book.answered.sum() < book.looked.sum() < seen
    # Two messages, 14 days apart; the second was yesterday. Whoever needs 5 days has forgotten the first, 40 not.
    assert book.burden[who[0]] == pytest.approx([1.0, 1.0, 1.3, 1.65])
    known = ~np.isnan(book.hour())
    assert book.times[: book.present][known].min() >= 1
    assert book.earned[-1] == earned
    assert len(book.earned) == 7


def test_a_message_is_dearer_the_more_it_tires_and_the_more_is_still_to_come() -> None:
    calm = dataclasses.replace(Sights.unknown(2), tired=0.0)
    tiring = dataclasses.replace(calm, tired=0.2, rest=1, leaving=0.001)  # ten days for each message
    worth, rested, loaded = np.asarray([100.0]), np.zeros((1, 4)), np.full((1, 4), 1.5)
    assert calm.price(worth, rested, 100) == pytest.approx([0.0])
    # By hand: it is felt for 10 of 7 days, then for 25; the week that is being planned is not to come any more.
    weeks = 100 / 7 - 1
    assert tiring.price(worth, rested, 100) == pytest.approx(100 * ((1 - np.exp(-0.2)) * 10 / 7 + 0.001 * weeks))
    assert tiring.price(worth, loaded, 100) == pytest.approx(100 * ((1 - np.exp(-0.2)) * 25 / 7 + 0.001 * weeks))
    assert tiring.price(worth, loaded, 14) < tiring.price(worth, loaded, 100)
    assert tiring.price(worth, rested, 7) == pytest.approx(0.0)


def told_of(rows: int, chance: np.random.Generator) -> np.ndarray:
    """Messages on two channels, of customers who differ in what they saw of those before."""
    channel = chance.integers(2, size=rows)
    rates = chance.uniform(0.1, 0.4, size=(rows, 2))
    away, hour = chance.uniform(0, 4, rows), chance.uniform(8, 21, rows)
    plain = chance.normal(size=(rows, 3))
    times, own = chance.integers(9, size=rows), rates[np.arange(rows), channel]
    return np.column_stack([plain, times, away, hour, own, channel, rates])


@pytest.mark.parametrize("tired", [0.0, 0.25])
def test_how_much_messages_tire_is_learnt_apart_from_who_sees_much(tired: float) -> None:
    chance = np.random.default_rng(3)
    told = told_of(40_000, chance)
    ages = chance.uniform(0, 40, size=(40_000, 1))
    sent = chance.poisson(1 + 6 * told[:, 6:7])  # whoever sees much is sent more
    burden = np.maximum(sent - ages / np.asarray([[5, 10, 20, 40]]), 0.0)
    odds = np.log(told[:, 6] / (1 - told[:, 6])) - tired * burden[:, 1]
    seen = chance.random(40_000) < 1 / (1 + np.exp(-odds))
    found = Sights.learn(told, burden, seen, np.zeros(40_000, dtype=bool), 2, seed=1)
    assert found.tired == pytest.approx(tired, abs=0.05)
    assert tired == 0.0 or found.rest == 1


def test_before_enough_was_sent_messages_are_thought_to_tire() -> None:
    assert Sights.unknown(2).tired > 0
