"""The predictions shipped with the simulated bank: each is learnt, judged later than it learnt, honest of its worth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sqlglot import exp

from aimwell.insight.features.found import workspace_library
from aimwell.insight.predictions import Backtest, Prediction, Workshop, life, score, train
from aimwell.insight.tags.own import own_tags
from aimwell.simulation import bank
from aimwell.simulation.market import Market
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.store.workspace import open_workspace

pytestmark = pytest.mark.slow

BANK = open_workspace(Path(__file__).parents[3] / "examples" / "bank")
DEFINITIONS = BANK.definitions(Prediction)
NOW = datetime(2025, 12, 29, tzinfo=BANK.zone)
"""The end of the simulation."""
FEWER = {"wealth_demand": 4, "first_purchase_value": 5, "lead_conversion": 15}
"""Fewer dates than shipped, and one fold alone, so that the tests are quick."""


@pytest.fixture(scope="module")
def market() -> Market:
    return bank.simulate(7, 2_400)


@pytest.fixture(scope="module")
def branch(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    engine = DuckEngine(threads=2)
    for name, rows in market.tables.items():
        engine.write(name, rows)
    with Warehouse(engine, BANK.zone, BANK.settings.settings) as warehouse:
        library = own_tags(BANK, workspace_library(warehouse)).library
        yield Workshop(warehouse, library, tmp_path_factory.mktemp("bank"), about=BANK.settings.about)


@pytest.fixture(scope="module")
def judged(branch: Workshop) -> dict[str, Backtest]:
    """Every shipped definition, trained on the bank."""
    return {name: train(quicker(each), branch, NOW).backtest for name, each in DEFINITIONS.items()}


def quicker(definition: Prediction) -> Prediction:
    if definition.name not in FEWER:
        return definition
    cut_offs = definition.cut_offs.model_copy(update={"count": FEWER[definition.name]})
    model = definition.model.model_copy(update={"folds": 1})
    return definition.model_copy(update={"cut_offs": cut_offs, "model": model})


def test_the_bank_ships_response_leads_demand_and_first_purchase() -> None:
    assert set(DEFINITIONS) == {"campaign_response", "lead_conversion", "wealth_demand", "first_purchase_value"}
    assert all(each.label and each.label.text.zh and each.label.text.en for each in DEFINITIONS.values())


@pytest.mark.parametrize("name", DEFINITIONS)
def test_each_is_judged_later_than_it_learnt_beside_a_baseline_with_intervals(
    name: str, judged: dict[str, Backtest]
) -> None:
    found = judged[name]
    assert found.learnt_positives >= 30
    roles = [period.role for period in found.periods]
    assert roles == sorted(roles, key=["learnt", "chosen_on", "held_out"].index)
    assert [period.cut_off for period in found.periods if period.role == "held_out"] == list(found.held_out)
    first = found.everybody.metrics[0]
    assert first.baseline is not None
    assert first.difference is not None
    assert first.model.low < first.model.value < first.model.high
    assert not [finding for finding in found.findings if finding.severity == "alarm"]
    said = any(finding.check == "no_better_than_baseline" for finding in found.findings)
    assert said is (first.proven is False)


def test_leads_are_ordered_far_better_than_by_their_age(judged: dict[str, Backtest]) -> None:
    order = judged["lead_conversion"].everybody.metric("auc")
    assert order is not None
    assert order.proven
    assert order.model.low > 0.6


def test_amounts_of_first_purchases_are_closer_than_a_share_of_the_money_on_call(judged: dict[str, Backtest]) -> None:
    found = judged["first_purchase_value"].everybody
    error, order = found.metric("mae"), found.metric("auc")
    assert error is not None
    assert error.proven
    warned = [f for f in judged["first_purchase_value"].findings if f.check == "nothing_is_closer"]
    assert bool(warned) is (error.model.value >= found.mean)
    assert order is not None
    assert order.model.low > 0.5
    assert found.zeros is not None
    assert abs(found.zeros.predicted - found.zeros.seen.value) < 0.06


def test_nobody_who_ever_bought_gets_a_first_purchase_value(branch: Workshop, judged: dict[str, Backtest]) -> None:
    definition = DEFINITIONS["first_purchase_value"]
    assert life(branch, definition.name)
    before = NOW - timedelta(days=200)
    people = score(definition, branch, before).people
    engine = branch.warehouse.engine
    bought = set(branch.history(before).to_arrow("SELECT customer_id FROM purchase")["customer_id"].to_pylist())
    scored = exp.select("customer_id").from_("score").where("prediction = 'first_purchase_value'")
    ids = engine.to_arrow(scored)["customer_id"].to_pylist()
    assert len(ids) == people > 500
    assert not bought & set(ids)


def test_scores_of_demand_find_the_true_needs_that_nobody_recorded(
    market: Market, branch: Workshop, judged: dict[str, Backtest]
) -> None:
    at = datetime(2025, 9, 1, tzinfo=BANK.zone)
    score(DEFINITIONS["wealth_demand"], branch, at)
    rows = branch.warehouse.engine.to_arrow(
        exp.select("customer_id", "value").from_("score").where("prediction = 'wealth_demand'")
    )
    needs = market.truth["needs"].to_pylist()
    true = {row["customer_id"] for row in needs if row["need"] == "wealth" and row["since"] < at.date() < row["until"]}
    has = [customer in true for customer in rows["customer_id"].to_pylist()]
    assert sum(has) > 30
    assert roc_auc_score(has, np.asarray(rows["value"])) > 0.75
