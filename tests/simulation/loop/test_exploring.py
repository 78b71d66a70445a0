from __future__ import annotations

import numpy as np
import pytest

from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.company import Company
from aimwell.simulation.loop.exploring import coin_odds, drawn_lines, explore, line_odds, other_odds, shares, suited
from aimwell.simulation.regimes.marketplace import Marketplace

DEAR = np.asarray([False, False, True])


def opened(customers: int = 3_000) -> Book:
    market = Marketplace.open("difference_and_fatigue", customers, seed=2)
    book = Book.empty(Company.of(market, (0.0, 0.1)), market.present)
    book.views[: customers // 2, 0] = 3.0
    return book


def test_two_lines_and_a_coin_give_each_line_the_probability_that_is_logged() -> None:
    odds = np.asarray([[0.6, 0.3, 0.1]])
    # By hand: a line is taken as the first of the pair or as the second, half of the time each.
    first = 0.6 * 0.5 + 0.5 * (0.3 * 0.6 / 0.7 + 0.1 * 0.6 / 0.9)
    assert coin_odds(odds)[0, 0] == pytest.approx(first)
    assert coin_odds(odds).sum() == pytest.approx(1.0)


def test_lines_are_drawn_as_often_as_their_odds_say_and_never_one_that_is_ruled_out() -> None:
    odds = np.tile([0.2, 0.5, 0.3], (20_000, 1))
    chance = np.random.default_rng(1)
    drawn = drawn_lines(odds, chance)
    assert np.bincount(drawn) / 20_000 == pytest.approx([0.2, 0.5, 0.3], abs=0.015)
    other = drawn_lines(other_odds(odds, drawn), chance)
    assert (other != drawn).all()


def test_what_the_lot_sends_has_its_logged_probability() -> None:
    book = opened()
    share = shares(book, np.full(3, 20_000.0), DEAR)
    many = [explore(book, share, DEAR, np.random.default_rng(seed)) for seed in range(20)]
    everyone = np.arange(book.present)
    reached = book.company.reached[: book.present].mean(axis=0)
    # The sum of 1 / probability over what was drawn estimates how many different messages could have been sent at all.
    could = sum((1 / each.chosen.probability).sum() for each in many) / len(many)
    sold = book.company.catalogue
    products = [(sold.on_sale(0)[None, :] & (sold.risk[None, :] <= book.company.risk[everyone, None])).sum(axis=1)]
    expected = reached.sum() * products[0].mean() * len(book.company.depths) * book.present
    assert could == pytest.approx(expected, rel=0.1)
    for each in many:
        assert (each.line != each.other).all()
        assert (each.line == sold.line[each.chosen.messages.product]).all()
        assert (sold.risk[each.chosen.messages.product] <= book.company.risk[each.chosen.messages.customer]).all()


def test_nothing_is_spent_on_trying_without_money_and_never_more_than_half_are_drawn() -> None:
    book = opened(500)
    nothing = shares(book, np.zeros(3), DEAR)
    assert len(explore(book, nothing, DEAR, np.random.default_rng(1)).line) == 0
    much = shares(book, np.full(3, 1e12), DEAR)
    assert much.sum(axis=1).max() <= 0.9
    assert much.sum(axis=1).mean() <= 0.5
    assert (much[~book.sendable()] == 0).all()


def test_who_looks_at_what_earns_much_is_likelier_to_be_asked_on_a_dear_channel() -> None:
    book = opened()
    book.views[:] = 1.0
    book.views[:3] = 0.0
    book.views[0, 4], book.views[1, 0] = 3.0, 3.0  # a loan earns more than a deposit
    book.company.reached[:3] = True
    share = shares(book, np.full(3, 20_000.0), DEAR)
    loan, deposit, neither = share[:3, 2]
    assert loan > deposit > neither > 0
    assert share[0, 0] == pytest.approx(share[2, 0])
    spent = (share[:, 2] * book.company.cost[2]).sum()
    assert spent == pytest.approx(20_000.0, rel=0.2)
    dear = line_odds(book, np.asarray([0, 1]), np.asarray([True, True]))
    plain = line_odds(book, np.asarray([0, 1]))
    assert dear.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert dear[0, 4] > plain[0, 4]


def test_what_somebody_looks_at_is_likelier_and_nothing_is_ruled_out() -> None:
    odds = line_odds(opened(100), np.asarray([0, 99]))
    assert odds.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert odds[0, 0] > 0.5 > odds[1, 0] == pytest.approx(1 / 6)
    assert odds.min() > 0.04


def test_nobody_is_shown_a_product_above_their_risk() -> None:
    book = opened(500)
    found = suited(book, np.arange(500))
    assert (book.company.catalogue.risk[found] <= book.company.risk[:500, None]).all()
    assert (book.company.catalogue.line[found] == np.arange(6)).all()
