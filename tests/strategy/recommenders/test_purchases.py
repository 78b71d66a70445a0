"""Purchases are read once; what is cut from them for an earlier day is what SQL says of that day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.insight.features.small import local
from tests.strategy.recommenders.market import NOW, Rows, bank, purchase, recommender

from aimwell.core.errors import BadQuestion
from aimwell.insight.predictions.workshop import Workshop
from aimwell.strategy.recommenders.definition import Level
from aimwell.strategy.recommenders.past import MEASURES, VISITS, Past, at_level, read_past
from aimwell.strategy.recommenders.purchases import read_purchases
from aimwell.strategy.recommenders.shelf import read_shelf
from aimwell.strategy.recommenders.stand import stand_at

PAIRS = """
WITH lines AS (
    SELECT purchase.customer_id, level_of_item AS item, purchase.order_id, purchase.occurred_at, purchase.amount
    FROM purchase
    LEFT JOIN product ON product.product_id = purchase.product_id
    WHERE purchase.amount >= 0
),
carts AS (
    SELECT
        customer_id, item, order_id, min(occurred_at) AS seen_at, sum(amount) AS amount,
        days_between(min(occurred_at), as_of()) AS days
    FROM lines
    WHERE NOT item IS NULL
    GROUP BY customer_id, item, order_id
)
SELECT
    customer_id,
    item,
    CAST(count(*) AS DOUBLE) AS orders,
    CAST(sum(flag(days < 7)) AS DOUBLE) AS orders_7,
    CAST(sum(flag(days < 28)) AS DOUBLE) AS orders_28,
    CAST(sum(flag(days < 84)) AS DOUBLE) AS orders_84,
    sum(exp(-0.0247552 * days)) AS fading,
    CAST(min(days) AS DOUBLE) AS last_days,
    CAST(max(days) AS DOUBLE) AS first_days,
    CAST(sum(amount) AS DOUBLE) AS amount,
    CAST(sum(flag(weekday(seen_at) = weekday(as_of()))) AS DOUBLE) AS same_weekday
FROM carts
GROUP BY customer_id, item
ORDER BY customer_id, item
"""
CUSTOMERS = """
WITH carts AS (
    SELECT
        customer_id, order_id, CAST(sum(amount) AS DOUBLE) AS amount,
        days_between(min(occurred_at), as_of()) AS days, count(DISTINCT product_id) AS goods
    FROM purchase
    WHERE amount >= 0
    GROUP BY customer_id, order_id
)
SELECT
    customer_id,
    CAST(count(*) AS DOUBLE) AS visits,
    CAST(sum(flag(days < 7)) AS DOUBLE) AS visits_7,
    CAST(sum(flag(days < 28)) AS DOUBLE) AS visits_28,
    CAST(sum(flag(days < 84)) AS DOUBLE) AS visits_84,
    CAST(min(days) AS DOUBLE) AS visit_days,
    CAST(max(days) AS DOUBLE) AS known_days,
    mean(amount) AS spent_per_visit,
    mean(goods) AS goods_per_visit
FROM carts
GROUP BY customer_id
ORDER BY customer_id
"""
"""The same questions, written down once more for each day, as somebody would who reads every day anew."""


def asked_of(workshop: Workshop, as_of: datetime, level: Level) -> tuple[Rows, Rows]:
    history = workshop.history(as_of)
    return history.to_arrow(at_level(PAIRS, level)).to_pylist(), history.to_arrow(CUSTOMERS).to_pylist()


def told_by(past: Past) -> tuple[Rows, Rows]:
    pairs: Rows = [
        {"customer_id": str(past.customers[person]), "item": str(past.items[item])}
        | {name: float(past.measures[name][place]) for name in MEASURES}
        for place, (person, item) in enumerate(zip(past.person, past.item, strict=True))
    ]
    came = np.flatnonzero(~np.isnan(past.visits["visits"]))
    visits: Rows = [
        {"customer_id": str(past.customers[place])} | {name: float(past.visits[name][place]) for name in VISITS}
        for place in came
    ]
    return pairs, visits


def same(seen: Sequence[Mapping[str, object]], wanted: Sequence[Mapping[str, object]]) -> bool:
    return len(seen) == len(wanted) and all(
        one == {name: pytest.approx(value) if isinstance(value, float) else value for name, value in other.items()}
        for one, other in zip(seen, wanted, strict=True)
    )


def lines(seed: int) -> Rows:
    """Orders of several lines at several instants, some known late, some returned, some without a product."""
    chance = np.random.default_rng(seed)
    rows: Rows = []
    for number in range(120):
        at = local(2025, 2, int(chance.integers(1, 24)), int(chance.integers(24)))
        for line in range(int(chance.integers(1, 5))):
            moment = at + timedelta(hours=int(chance.integers(0, 30)) * int(chance.random() < 0.3))
            item = f"{('基金', '存款', '保险')[int(chance.integers(3))]}{int(chance.integers(3))}"
            row = purchase(f"o{number % 90}", f"c{number % 7}", item, moment, float(chance.integers(-2, 40)) / 4)
            late = timedelta(days=int(chance.integers(9)))
            rows.append(
                row
                | {"line": f"{number}-{line}", "product_id": None if chance.random() < 0.1 else item}
                | {"known_at": moment + late if chance.random() < 0.3 else None}
            )
    return rows


@pytest.mark.parametrize("level", ["product", "category"])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_what_is_cut_from_one_reading_is_what_sql_says_of_each_day(
    level: Level, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    workshop = bank(tmp_path_factory.mktemp("once"), purchase=lines(seed))
    definition = recommender().model_copy(update={"level": level, "line": None})
    once = read_purchases(workshop.history(NOW), level)
    for back in (0, 5, 11):
        history = workshop.history(NOW - timedelta(days=back))
        basket = once.before(history)
        shelf = read_shelf(history, definition, basket)
        past = read_past(history, level, shelf.items, basket=basket)
        wanted = asked_of(workshop, history.as_of, level)
        pairs, visits = told_by(past)
        assert same(pairs, wanted[0])
        assert same(visits, wanted[1])
        anew = read_past(history, level, read_shelf(history, definition).items)
        assert told_by(anew) == (pairs, visits)  # to the last digit


def test_a_stand_cut_from_a_later_reading_is_the_stand_of_the_day(workshop: Workshop) -> None:
    once = read_purchases(workshop.history(NOW), "product")
    history = workshop.history(NOW - timedelta(days=6))
    cut, read = (stand_at(recommender(), history, purchases=given) for given in (once, None))
    assert cut.shelf.items.tolist() == read.shelf.items.tolist()
    np.testing.assert_array_equal(cut.shelf.sold_days, read.shelf.sold_days)
    np.testing.assert_array_equal(cut.shelf.on_sale, read.shelf.on_sale)
    assert told_by(cut.past) == told_by(read.past)


def test_nothing_is_cut_beyond_the_instant_of_the_reading(workshop: Workshop) -> None:
    once = read_purchases(workshop.history(NOW - timedelta(days=1)), "product")
    with pytest.raises(BadQuestion, match="were read until"):
        once.before(workshop.history(NOW))


def test_a_product_counts_under_the_group_that_it_had_on_that_day(tmp_path: Path) -> None:
    moved: Rows = [
        {"product_id": "a", "name": "a", "category": "old", "known_at": local(2025, 1, 1)},
        {"product_id": "a", "name": "a", "category": "new", "known_at": local(2025, 2, 20)},
    ]
    workshop = bank(tmp_path, product=moved, purchase=[purchase("o1", "c01", "a", local(2025, 2, 1, 9))])
    once = read_purchases(workshop.history(NOW), "category")
    for day, group in ((local(2025, 2, 10), "old"), (NOW, "new")):
        history = workshop.history(day if day is NOW else NOW - timedelta(days=19))
        assert read_shelf(history, recommender("", "level: category\n"), once.before(history)).items.tolist() == [group]
