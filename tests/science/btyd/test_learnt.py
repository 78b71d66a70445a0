"""The learnt correction: a market where nobody leaves and many sleep, so that purchase models promise too little."""

from __future__ import annotations

import numpy as np
import pytest

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.btyd.learnt import foretell_value
from aimwell.science.btyd.purchases import Purchases, merge_purchases

DAYS, NOW, BLOCK = 300, 200, 20


@pytest.fixture(scope="module")
def sleepers() -> Purchases:
    """3,000 customers who come for twenty days, then sleep for long, then come again."""
    generator = np.random.default_rng(3)
    people = 3000
    awake = generator.random((people, DAYS // BLOCK)) < generator.beta(1, 6, (people, 1))
    start = generator.integers(0, 40, people)
    daily = 0.12 * np.repeat(awake, BLOCK, axis=1) * (np.arange(DAYS) >= start[:, None])
    daily[np.arange(people), start] = 1.0
    who, day = np.nonzero(generator.random(daily.shape) < daily)
    amount = generator.gamma(4.0, generator.gamma(4.0, 3.0, people)[who])
    return merge_purchases(who, day, amount)


def test_the_correction_brings_totals_nearer_and_the_models_stand_beside_it(sleepers: Purchases) -> None:
    found = foretell_value(sleepers, NOW, DAYS - NOW)
    count, money = sleepers.ahead(found.customers, NOW, DAYS)
    off = [abs(np.log(total.sum() / count.sum())) for total in (found.purchases, found.model_purchases)]
    assert found.learnt
    assert off[0] < 0.5 * off[1]
    assert off[0] < 0.12
    assert abs(np.log(found.revenue.sum() / money.sum())) < abs(np.log(found.model_revenue.sum() / money.sum()))
    assert found.chance.mean() == pytest.approx((count > 0).mean(), abs=0.08)
    top = np.argsort(-found.revenue)[: len(money) // 10]
    assert money[top].sum() > 2 * money.sum() / 10


def test_nothing_from_after_now_is_looked_at(sleepers: Purchases) -> None:
    known = sleepers.at <= NOW
    past = Purchases(sleepers.ids, sleepers.customer[known], sleepers.at[known], sleepers.amount[known])
    one, two = foretell_value(sleepers, NOW, 100), foretell_value(past, NOW, 100)
    assert np.array_equal(one.revenue, two.revenue)
    assert np.array_equal(one.purchases, two.purchases)


def test_too_few_buyers_leave_the_model_as_it_is() -> None:
    found = foretell_value(merge_purchases(["a", "a", "b"], [1, 5, 2], [3.0, 4.0, 5.0]), 10, 5)
    assert not found.learnt
    assert np.array_equal(found.purchases, found.model_purchases)
    assert np.array_equal(found.revenue, found.model_revenue)
    assert np.all((found.chance > 0) & (found.chance < 1))


def test_bad_input_is_named() -> None:
    once = merge_purchases(["a", "b"], [1, 2], [3.0, 4.0])
    with pytest.raises(NotEnoughData, match="Nobody has bought twice"):
        foretell_value(once, 10, 5)
    with pytest.raises(NotEnoughData, match="Nobody had bought anything yet"):
        foretell_value(once, 0, 5)
    with pytest.raises(NotEnoughData, match="Nobody has bought twice"):
        foretell_value(merge_purchases(["a", "b", "b"], [4, 4, 4], [3.0, 4.0, 5.0]), 4, 5)  # all on one day
    with pytest.raises(BadQuestion, match="look ahead must be positive"):
        foretell_value(once, 10, 0)
