"""The lifetime value on a shop that can be counted, and what is said of shops where nothing can be foretold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.insight.features.small import local, values, warehouse_with

from aimwell.store.warehouse.macros import Setting
from aimwell.store.warehouse.warehouse import Warehouse

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = ("alive_chance", "expected_orders_364d", "expected_spend_364d", "lifetime_value")


def shop(days: dict[str, list[int]], **settings: Setting) -> Warehouse:
    """A shop where customers bought for 10 on so many days before 1 March 2026."""
    cut = local(2026, 3, 1)
    lines = [
        {
            "order_id": f"{customer}{day}",
            "line": "1",
            "customer_id": customer,
            "occurred_at": cut - timedelta(days=day - 0.5),
            "amount": 10.0,
        }
        for customer, bought in days.items()
        for day in bought
    ]
    people = [{"customer_id": customer} for customer in days]
    made = warehouse_with(customer=people, purchase=lines) if lines else warehouse_with(customer=people)
    return Warehouse(made.engine, made.zone, settings)


def test_the_lifetime_value_is_three_years_of_expected_spend_discounted_and_times_the_margin() -> None:
    days = {"ann": [300, 200, 150, 90, 40, 3], "bob": [310, 290], "cat": [200], "dan": [120, 60]}
    plain = values(shop(days, lifetime_discount_percent=0.0), AS_OF, *NAMES)
    usual = values(shop(days, lifetime_margin_percent=25.0), AS_OF, *NAMES)
    for customer, row in plain.items():
        year, life = (float(str(row[name])) for name in ("expected_spend_364d", "lifetime_value"))
        assert year < life < 3 * year + 0.02  # whoever may leave brings less in the second and third year
        kept = float(str(usual[customer]["lifetime_value"]))
        assert 0.25 * life / 1.1**3 < kept < 0.25 * life
    assert float(str(plain["ann"]["lifetime_value"])) > 2 * float(str(plain["bob"]["lifetime_value"]))


@pytest.mark.parametrize("days", [{"ann": [5], "bob": [5], "cat": [5, 5]}, {"ann": [1], "bob": [9]}, {"ann": []}])
def test_where_nobody_came_back_nothing_is_claimed(days: dict[str, list[int]]) -> None:
    """All purchases on one day, one purchase each, or none at all: unknown, not 0."""
    found = values(shop({name: sorted(set(bought)) for name, bought in days.items()}), AS_OF, *NAMES)
    assert all(value is None for row in found.values() for value in row.values())
