from __future__ import annotations

import math
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from aimwell.simulation import bank
from aimwell.simulation.market import Market

CUSTOMERS = 1_200


@pytest.fixture(scope="module")
def market() -> Market:
    return bank.simulate(3, CUSTOMERS)


def test_equal_seeds_give_equal_rows_and_others_do_not() -> None:
    bank.simulate.cache_clear()
    first = bank.tables(5, 30)
    bank.simulate.cache_clear()
    assert bank.tables(5, 30) == first
    assert bank.tables(6, 30)["purchase"] != first["purchase"]


def test_deposits_that_mature_are_known_before_they_do(market: Market) -> None:
    balances = market.tables["balance"]
    bound = balances.filter(pc.is_valid(balances["matures_on"]))
    assert set(bound["kind"].to_pylist()) == {"term_deposit", "wealth"}
    standing = bound.filter(pc.greater(pc.cast(bound["amount"], pa.float64()), 0))
    assert pc.all(pc.less(standing["day"], standing["matures_on"])).as_py()
    ended = bound.filter(pc.equal(pc.cast(bound["amount"], pa.float64()), 0))
    assert pc.all(pc.greater_equal(ended["day"], ended["matures_on"])).as_py()


def test_products_are_bought_only_while_they_are_on_sale_and_within_the_true_risk(market: Market) -> None:
    truth = {row["customer_id"]: row["risk"] for row in market.truth["customers"].to_pylist()}
    shelf = {row["product_id"]: row for row in market.tables["product"].to_pylist()}
    for row in market.tables["purchase"].to_pylist():
        product = shelf[row["product_id"]]
        assert product["available_since"] <= row["occurred_at"]
        assert product["available_until"] is None or row["occurred_at"] < product["available_until"]
        assert product["risk_level"] <= truth[row["customer_id"]]


def test_salaries_come_on_the_true_payday_of_salaried_customers_alone(market: Market) -> None:
    truth = {row["customer_id"]: row for row in market.truth["customers"].to_pylist()}
    balances = market.tables["balance"]
    paid = balances.filter(pc.equal(balances["kind"], "salary")).to_pylist()
    assert paid
    assert all(truth[row["customer_id"]]["salaried"] for row in paid)
    assert all(row["day"].day == truth[row["customer_id"]]["payday"] for row in paid)


def test_most_customers_have_never_bought_a_wealth_product(market: Market) -> None:
    bought = len(pc.unique(market.tables["purchase"]["customer_id"]))
    assert 0.2 * CUSTOMERS < bought < 0.6 * CUSTOMERS


def test_prospects_become_known_over_time_and_only_the_won_get_an_account(market: Market) -> None:
    prospects = {row["customer_id"] for row in market.truth["customers"].to_pylist() if row["prospect"]}
    events = market.tables["event"]
    won = set(events.filter(pc.equal(events["name"], "lead_won"))["customer_id"].to_pylist())
    lost = set(events.filter(pc.equal(events["name"], "lead_lost"))["customer_id"].to_pylist())
    holders = set(market.tables["balance"]["customer_id"].to_pylist())
    assert won
    assert won < prospects
    assert not won & lost
    assert holders & prospects <= won


def _first_two_weeks(market: Market, campaign: str) -> tuple[list[bool], list[bool], float]:
    """Who was contacted, who bought within the two weeks of effect, and the true mean effect."""
    effects = market.truth["effects"]
    effects = effects.filter(pc.equal(effects["campaign"], campaign))
    touches = market.tables["touch"]
    sent = touches.filter(pc.equal(touches["campaign"], campaign))["occurred_at"][0].as_py()
    purchases = market.tables["purchase"]
    inside = pc.and_(
        pc.greater(purchases["occurred_at"], pa.scalar(sent)),
        pc.less(
            pc.subtract(purchases["occurred_at"], pa.scalar(sent)), pa.scalar(14 * 86_400_000_000, pa.duration("us"))
        ),
    )
    buyers = set(purchases.filter(inside)["customer_id"].to_pylist())
    contacted = effects["contacted"].to_pylist()
    bought = [customer in buyers for customer in effects["customer_id"].to_pylist()]
    true = pc.mean(pc.subtract(effects["chance_with"], effects["chance_without"])).as_py()
    return contacted, bought, true


def _difference(contacted: list[bool], bought: list[bool]) -> tuple[float, float]:
    """Difference in the share of buyers, and its standard error."""
    parts = [[b for c, b in zip(contacted, bought, strict=True) if c is arm] for arm in (True, False)]
    shares = [sum(part) / len(part) for part in parts]
    variance = sum(s * (1 - s) / len(part) for s, part in zip(shares, parts, strict=True))
    return shares[0] - shares[1], math.sqrt(variance)


def test_a_campaign_by_lot_shows_its_true_effect(market: Market) -> None:
    contacted, bought, true = _first_two_weeks(market, "wealth_autumn")
    found, error = _difference(contacted, bought)
    assert true > 0.02
    assert abs(found - true) < 3.5 * error
    assert found > 3 * error


def test_the_placebo_has_no_effect(market: Market) -> None:
    contacted, bought, true = _first_two_weeks(market, "service_notice")
    found, error = _difference(contacted, bought)
    assert true == 0
    assert abs(found) < 3.5 * error


def test_an_aimed_campaign_carries_no_probability_and_went_to_the_richest(market: Market) -> None:
    touches = market.tables["touch"]
    aimed = touches.filter(pc.equal(touches["campaign"], "private_calls"))
    assert aimed["probability"].null_count == aimed.num_rows
    by_lot = touches.filter(pc.equal(touches["campaign"], "wealth_autumn"))
    assert set(by_lot["probability"].to_pylist()) == {0.5}


def test_a_need_shows_in_what_people_look_at(market: Market) -> None:
    needs = market.truth["needs"]
    day = date(2025, 6, 1)
    active = needs.filter(
        pc.and_(
            pc.equal(needs["need"], "wealth"),
            pc.and_(pc.less_equal(needs["since"], day), pc.greater(needs["until"], day)),
        )
    )
    needing = set(active["customer_id"].to_pylist())
    events = market.tables["event"]
    seen = events.filter(
        pc.and_(
            pc.equal(events["name"], "product_viewed"), pc.equal(pc.strftime(events["occurred_at"], "%Y-%m"), "2025-05")
        )
    )
    views = seen["customer_id"].to_pylist()
    per_needing = sum(customer in needing for customer in views) / len(needing)
    per_other = sum(customer not in needing for customer in views) / (CUSTOMERS - len(needing))
    assert per_needing > 4 * per_other
