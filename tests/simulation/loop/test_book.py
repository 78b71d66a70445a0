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
    known = ~np.isnan(book.hour())
    assert book.times[: book.present][known].min() >= 1
    assert book.earned[-1] == earned
    assert len(book.earned) == 7


def test_a_message_is_dearer_the_more_it_tires_and_the_more_is_still_to_come() -> None:
    calm = Sights.unknown(2)
    tiring = dataclasses.replace(calm, tired=np.asarray([0.2, 0.1, 0.0]), leaving=0.001)
    worth = np.asarray([100.0])
    assert calm.price(worth, 100) == pytest.approx([0.0])
    # By hand: one week later it counts in the first window, the weeks after in the second (28 days are over by then).
    taken = (1 - np.exp(-0.2)) + 2 * (1 - np.exp(-0.1)) + 0.001 * 3
    assert tiring.price(worth, 28) == pytest.approx(100 * taken)
    assert tiring.price(worth, 100) > tiring.price(worth, 28) > tiring.price(worth, 7) == pytest.approx(0.0)
