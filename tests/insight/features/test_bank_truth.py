"""Features of the simulated bank against its truth: what tags infer must be what is, better than a plain guess."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tests.insight.features.small import SHANGHAI

from aimwell.insight.features.build import Features
from aimwell.insight.features.library import library
from aimwell.simulation import bank
from aimwell.simulation.market import Market
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse

CUT = datetime(2025, 9, 1, tzinfo=SHANGHAI)


@pytest.fixture(scope="module")
def market() -> Market:
    return bank.simulate(3, 1_200)


@pytest.fixture(scope="module")
def features(market: Market) -> Iterator[Features]:
    engine = DuckEngine(threads=2)
    for name, rows in market.tables.items():
        engine.write(name, rows)
    with Warehouse(engine, SHANGHAI) as warehouse:
        history = warehouse.history(CUT)
        engine.write("everyone", history.to_arrow("SELECT customer_id FROM customer"))
        yield Features(history, library())


def column(features: Features, name: str) -> dict[str, float | None]:
    rows = features.to_arrow("everyone", [name])
    return dict(zip(rows["customer_id"].to_pylist(), rows[name].to_pylist(), strict=True))


def needing(market: Market, need: str, day: date) -> set[str]:
    rows = market.truth["needs"].to_pylist()
    return {row["customer_id"] for row in rows if row["need"] == need and row["since"] < day < row["until"]}


@pytest.mark.parametrize(("need", "tag"), [("wealth", "wealth_demand"), ("loan", "loan_demand")])
def test_inferred_demand_finds_true_needs_better_than_idle_money_does(
    market: Market, features: Features, need: str, tag: str
) -> None:
    true = needing(market, need, CUT.date())
    found, idle = column(features, tag), column(features, "idle_now")
    label = [customer in true for customer in found]
    assert sum(label) >= 15
    auc = roc_auc_score(label, list(found.values()))
    assert auc > 0.8
    assert auc > roc_auc_score(label, [idle[customer] for customer in found]) + 0.1


def test_paydays_are_the_true_ones(market: Market, features: Features) -> None:
    truth = {row["customer_id"]: row["payday"] for row in market.truth["customers"].to_pylist()}
    found = {who: day for who, day in column(features, "payday").items() if day is not None}
    assert len(found) > 300
    assert np.mean([truth[who] == day for who, day in found.items()]) == 1.0


def test_preferred_terms_are_close_to_the_true_ones(market: Market, features: Features) -> None:
    truth = {row["customer_id"]: row["term"] for row in market.truth["customers"].to_pylist()}
    found = {who: term for who, term in column(features, "term_preferred").items() if term is not None}
    assert np.corrcoef([found[who] for who in found], [truth[who] for who in found])[0, 1] > 0.5


def test_weak_credit_is_where_payments_are_hard(market: Market, features: Features) -> None:
    truth = {row["customer_id"]: row["stress"] for row in market.truth["customers"].to_pylist()}
    found = {who: score for who, score in column(features, "credit_points").items() if score is not None}
    assert np.corrcoef([found[who] for who in found], [truth[who] for who in found])[0, 1] < -0.7


def test_who_is_leaving_shows_a_greater_outflow(market: Market, features: Features) -> None:
    left = {
        row["customer_id"]: (row["left_on"] - CUT.date()).days
        for row in market.truth["customers"].to_pylist()
        if row["left_on"]
    }
    found = {who: share for who, share in column(features, "outflow_28d").items() if share is not None}
    going = [share for who, share in found.items() if -20 < left.get(who, 999) < 30]
    staying = [share for who, share in found.items() if who not in left]
    assert going
    assert np.mean(going) > np.mean(staying) + 0.3
