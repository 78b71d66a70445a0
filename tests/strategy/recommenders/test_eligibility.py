"""What must not be recommended: every limit by hand, and all of them against a plain reference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.insight.features.small import local
from tests.strategy.recommenders.market import NOW, bank, products, recommender

from aimwell.insight.predictions.workshop import Workshop
from aimwell.strategy.recommenders.definition import Eligible
from aimwell.strategy.recommenders.eligibility import (
    EXPIRED,
    NEVER,
    NOT_ASSESSED,
    OFF_SALE,
    OUT_OF_STOCK,
    OWNED,
    REASONS,
    TOO_RISKY,
    Eligibility,
)
from aimwell.strategy.recommenders.stand import Stand, stand_at


def refusal(stand: Stand, customer: str, item: str) -> int:
    person = int(np.flatnonzero(stand.past.customers == customer)[0])
    place = int(np.flatnonzero(stand.shelf.items == item)[0])
    return int(stand.eligibility.refusals(np.array([person]), np.array([place]))[0])


def test_risk_is_compared_with_what_the_customer_was_tested_for(stand: Stand) -> None:
    assert refusal(stand, "c00", "card0") == 0  # both level 1
    assert refusal(stand, "c00", "card1") == TOO_RISKY
    assert refusal(stand, "c02", "card2") == 0
    assert refusal(stand, "c09", "card0") == NOT_ASSESSED
    assert refusal(stand, "c06", "card0") == EXPIRED
    assert refusal(stand, "c06", "unsold") == 0  # no risk level, nothing to compare


def test_what_ended_is_off_sale_and_what_is_new_is_not(tmp_path: Path) -> None:
    ended = [
        {**row, "available_until": local(2025, 2, 1)} if row["product_id"] == "card0" else row for row in products()
    ]
    stand = stand_at(recommender(), bank(tmp_path, product=ended).history(NOW))
    assert refusal(stand, "c00", "card0") == OFF_SALE
    assert refusal(stand, "c00", "card3") == 0
    assert refusal(stand, "c00", "unsold") == 0


def test_what_nobody_bought_lately_is_off_sale(workshop: Workshop) -> None:
    stand = stand_at(recommender("eligible: {sold_within_days: 1}"), workshop.history(NOW))
    assert 0 < stand.shelf.on_sale.sum() < stand.shelf.items.size


def test_what_is_out_of_stock_is_refused(tmp_path: Path) -> None:
    stock = [{"product_id": "card0", "place": "北京", "stock": 0}, {"product_id": "card3", "place": "北京", "stock": 2}]
    workshop = bank(tmp_path, price=stock)
    assert refusal(stand_at(recommender(), workshop.history(NOW)), "c00", "card0") == OUT_OF_STOCK
    assert refusal(stand_at(recommender(), workshop.history(NOW)), "c00", "card3") == 0
    free = stand_at(recommender("eligible: {stock: false}"), workshop.history(NOW))
    assert refusal(free, "c00", "card0") == 0


def test_what_is_owned_is_refused_until_its_term_is_over(tmp_path: Path) -> None:
    terms = [{**row, "term_days": 10_000 if row["product_id"] == "card0" else 0} for row in products()]
    once = recommender("eligible: {again: false, risk: false}")
    stand = stand_at(once, bank(tmp_path, product=terms).history(NOW))
    column = list(stand.shelf.items).index("card0")
    other = list(stand.shelf.items).index("card3")
    bought = stand.past.bought.toarray() > 0
    owner = str(stand.past.customers[np.flatnonzero(bought[:, column])[0]])
    former = str(stand.past.customers[np.flatnonzero(bought[:, other])[0]])
    stranger = str(stand.past.customers[np.flatnonzero(~bought[:, column])[0]])
    assert refusal(stand, owner, "card0") == OWNED
    assert refusal(stand, former, "card3") == 0
    assert refusal(stand, stranger, "card0") == 0


def test_every_reason_is_said_in_both_languages() -> None:
    assert all(text.zh and text.en for text in REASONS.values())


@given(data=st.data())
def test_refusals_agree_with_a_plain_reference(stand: Stand, data: st.DataObject) -> None:
    people, items = stand.past.people, stand.past.width
    chance = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    shelf = replace(
        stand.shelf,
        on_sale=chance.random(items) < 0.7,
        in_stock=chance.random(items) < 0.8,
        risk=np.where(chance.random(items) < 0.5, np.nan, chance.integers(1, 6, items)),
        term_days=np.where(chance.random(items) < 0.5, np.nan, chance.integers(0, 60, items)),
    )
    known = replace(
        stand.people,
        risk_level=np.where(chance.random(people) < 0.2, np.nan, chance.integers(1, 6, people)),
        tested_days=np.where(chance.random(people) < 0.2, np.nan, chance.integers(0, 800, people)),
    )
    limits = Eligible(again=data.draw(st.booleans()), stock=data.draw(st.booleans()), risk=data.draw(st.booleans()))
    never = chance.random(items) < 0.1
    person, item = chance.integers(0, people, 300), chance.integers(0, items, 300)
    found = Eligibility(limits, stand.past, shelf, known, never).refusals(person, item)
    days = stand.past.matrix("last_days").toarray()
    bought = stand.past.bought.toarray() > 0
    for who, what, code in zip(person, item, found, strict=True):
        reasons = [
            (OFF_SALE, not shelf.on_sale[what]),
            (OUT_OF_STOCK, limits.stock and not shelf.in_stock[what]),
            (NEVER, never[what]),
            (OWNED, not limits.again and bought[who, what] and not days[who, what] >= shelf.term_days[what]),
        ]
        if limits.risk and not np.isnan(shelf.risk[what]):
            reasons += [
                (NOT_ASSESSED, np.isnan(known.risk_level[who])),
                (EXPIRED, known.tested_days[who] > limits.assessed_within_days),
                (TOO_RISKY, known.risk_level[who] < shelf.risk[what]),
            ]
        assert code == next((reason for reason, holds in reasons if holds), 0)


@pytest.mark.parametrize("code", list(REASONS))
def test_codes_are_not_nought(code: int) -> None:
    assert code > 0
