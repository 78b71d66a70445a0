"""Features of the bank, on two customers whose books can be added up by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from tests.insight.features.small import local, values, warehouse_with

from aimwell.store.warehouse.warehouse import Warehouse

CUT = local(2025, 6, 1)


def _balance(who: str, account: str, kind: str, day: date, amount: int, **more: object) -> dict[str, object]:
    return {"customer_id": who, "account": account, "kind": kind, "day": day, "amount": amount, **more}


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    ends, ended = {"matures_on": date(2025, 6, 5)}, {"matures_on": date(2025, 5, 20)}
    books = [
        _balance("ann", "D1", "deposit", date(2025, 2, 15), 6_000),
        _balance("ann", "D1", "deposit", date(2025, 4, 20), 10_000),
        _balance("ann", "D1", "deposit", date(2025, 5, 25), 12_000),
        _balance("ann", "T1", "term_deposit", date(2025, 5, 18), 20_000, **ends),
        _balance("ann", "P1", "wealth", date(2025, 4, 27), 30_000, **ended),
        _balance("ann", "P1", "wealth", date(2025, 5, 25), 0, **ended),
        _balance("ann", "L1", "loan", date(2025, 5, 25), 50_000, overdue_days=0),
        _balance("ann", "C1", "credit_card", date(2025, 4, 27), 9_000, credit_limit=20_000, overdue_days=7),
        _balance("ann", "C1", "credit_card", date(2025, 5, 25), 5_000, credit_limit=20_000, overdue_days=0),
        _balance("bob", "D2", "deposit", date(2025, 3, 1), 5_000),
        # Known after the cut, and so not yet to be seen:
        _balance("ann", "D1", "deposit", date(2025, 6, 1), 99_000),
    ]
    pay = [((2025, 1, 15), 10_000), ((2025, 2, 15), 10_000), ((2025, 3, 14), 10_000), ((2025, 4, 15), 13_000)]
    books += [_balance("ann", "D1", "salary", date(*day), amount) for day, amount in [*pay, ((2025, 5, 15), 13_000)]]
    customers: list[dict[str, object]] = [
        {"customer_id": "ann", "risk_level": 3, "risk_tested_at": local(2024, 8, 1), "credit_score": 710.0},
        {"customer_id": "bob", "risk_level": 5, "risk_tested_at": local(2024, 1, 1), "credit_score": 500.0},
        {"customer_id": "cid", "risk_level": None, "risk_tested_at": None, "credit_score": None},
    ]
    shelf: list[dict[str, object]] = [
        {"product_id": "low", "risk_level": 2, "available_since": local(2025, 5, 1), "available_until": None},
        {
            "product_id": "mid",
            "risk_level": 3,
            "available_since": local(2025, 5, 1),
            "available_until": local(2025, 6, 9),
        },
        {
            "product_id": "old",
            "risk_level": 1,
            "available_since": local(2025, 1, 1),
            "available_until": local(2025, 2, 1),
        },
        {"product_id": "new", "risk_level": 1, "available_since": local(2025, 6, 2), "available_until": None},
        {"product_id": "high", "risk_level": 5, "available_since": local(2025, 5, 1), "available_until": None},
    ]
    with warehouse_with(balance=books, customer=customers, product=shelf) as opened:
        yield opened


def test_assets_and_debts_are_the_latest_balances(warehouse: Warehouse) -> None:
    names = ("aum", "deposit_now", "term_deposit_now", "idle_now", "wealth_now", "loan_now", "asset_kinds")
    found = values(warehouse, CUT, *names)
    assert list(found["ann"].values()) == [32_000, 32_000, 20_000, 12_000, 0, 50_000, 2]
    assert set(found["cid"].values()) == {0}


def test_an_account_that_is_no_longer_reported_does_not_count(warehouse: Warehouse) -> None:
    assert values(warehouse, CUT, "aum")["bob"]["aum"] == 0
    assert values(warehouse, local(2025, 4, 1), "aum")["bob"]["aum"] == 5_000


def test_changes_compare_with_what_stood_in_the_books_then(warehouse: Warehouse) -> None:
    found = values(warehouse, CUT, "aum_change_28d", "aum_change_84d", "outflow_28d", "outflow_84d")["ann"]
    assert list(found.values()) == [-8_000, 26_000, 0.2, 0.0]


def test_what_matures_is_known_before_and_what_matured_after(warehouse: Warehouse) -> None:
    names = ("maturing_7d", "maturing_30d", "next_maturity_days", "matured_30d")
    assert list(values(warehouse, CUT, *names)["ann"].values()) == [20_000, 20_000, 4, 30_000]
    assert list(values(warehouse, local(2025, 5, 10), *names)["ann"].values()) == [0, 30_000, 10, 0]


def test_salaries_give_payday_usual_amount_and_rise(warehouse: Warehouse) -> None:
    names = ("salary_last", "salary_last_days", "salary_typical", "salary_months", "salary_change", "payday")
    found = values(warehouse, CUT, *names, "days_to_payday")["ann"]
    assert list(found.values()) == [13_000, 17, 10_000, 5, 0.3, 15, 14]
    assert values(warehouse, local(2025, 5, 20), "days_to_payday")["ann"]["days_to_payday"] == 26


def test_a_salary_that_stays_away_is_noticed(warehouse: Warehouse) -> None:
    assert values(warehouse, CUT, "salary_stopped")["ann"]["salary_stopped"] is False
    assert values(warehouse, local(2025, 7, 15), "salary_stopped")["ann"]["salary_stopped"] is True


def test_a_risk_test_expires_after_the_days_that_the_workspace_allows(warehouse: Warehouse) -> None:
    names = ("risk_tolerance", "risk_tested_days", "risk_test_valid", "risk_test_left_days")
    found = values(warehouse, CUT, *names)
    assert list(found["ann"].values()) == [3, 304, True, 61]
    assert list(found["bob"].values()) == [5, 517, False, -152]
    assert found["cid"]["risk_test_valid"] is False


def test_only_what_is_on_sale_and_not_too_risky_fits(warehouse: Warehouse) -> None:
    found = values(warehouse, CUT, "matching_on_sale")
    assert [found[who]["matching_on_sale"] for who in ("ann", "bob", "cid")] == [2, 3, 0]


def test_credit_tells_use_of_the_limit_and_payments_behind(warehouse: Warehouse) -> None:
    names = ("credit_limit_total", "credit_used", "credit_utilisation", "overdue_days_now", "overdue_worst_364d")
    assert list(values(warehouse, CUT, *names)["ann"].values()) == [20_000, 5_000, 0.25, 0, 7]
    grades = values(warehouse, CUT, "credit_points", "credit_grade")
    assert [tuple(grades[who].values()) for who in ("ann", "bob", "cid")] == [
        (710, "good"),
        (500, "weak"),
        (None, None),
    ]


def test_tier_and_distance_follow_the_thresholds(warehouse: Warehouse) -> None:
    found = values(warehouse, CUT, "asset_tier", "asset_tier_gap")
    assert found["ann"] == {"asset_tier": "standard", "asset_tier_gap": 18_000}


def test_contribution_is_balances_times_margins(warehouse: Warehouse) -> None:
    expected = 32_000 * 0.012 + 50_000 * 0.025 + 5_000 * 0.04
    assert values(warehouse, CUT, "contribution_year")["ann"]["contribution_year"] == pytest.approx(expected)


def test_a_sale_that_was_extended_goes_on_and_one_that_was_cut_short_does_not() -> None:
    def version(product: str, until: tuple[int, int], known: tuple[int, int]) -> dict[str, object]:
        return {
            "product_id": product,
            "risk_level": 1,
            "available_since": local(2025, 1, 1),
            "available_until": local(2025, *until),
            "known_at": local(2025, *known),
        }

    shelf = [
        version("extended", (5, 1), (1, 1)),
        version("extended", (9, 1), (4, 1)),
        version("cut short", (9, 1), (1, 1)),
        version("cut short", (5, 1), (4, 1)),
    ]
    with warehouse_with(customer=[{"customer_id": "ann", "risk_level": 1}], product=shelf) as warehouse:
        assert values(warehouse, CUT, "matching_on_sale")["ann"]["matching_on_sale"] == 1
