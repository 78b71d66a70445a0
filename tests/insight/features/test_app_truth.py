"""Features of the simulated shop against its truth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import spearmanr
from tests.insight.features.small import SHANGHAI

from aimwell.insight.features.build import Features
from aimwell.insight.features.family import TAG_FAMILIES
from aimwell.insight.features.library import library
from aimwell.simulation import bank, shop
from aimwell.simulation.market import Market
from aimwell.store.calendar import calendar_rows
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse

CUT = datetime(2025, 12, 20, tzinfo=SHANGHAI)


@pytest.fixture(scope="module")
def market() -> Market:
    return shop.simulate(3, 700)


@pytest.fixture(scope="module")
def features(market: Market) -> Iterator[Features]:
    with _warehouse(market) as warehouse:
        history = warehouse.history(CUT)
        warehouse.engine.write("everyone", history.to_arrow("SELECT customer_id FROM customer"))
        yield Features(history, library())


def _warehouse(market: Market) -> Warehouse:
    engine = DuckEngine(threads=2)
    tables = dict(market.tables)
    calendar = calendar_rows("CN", datetime(2024, 1, 1).date(), datetime(2027, 1, 1).date())
    tables["context"] = pa.concat_tables(
        [*([tables["context"]] if "context" in tables else []), calendar], promote_options="default"
    )
    for name, rows in tables.items():
        engine.write(name, rows)
    return Warehouse(engine, SHANGHAI)


def beside_truth(market: Market, features: Features, tag: str, truth: str) -> list[tuple[Any, Any]]:
    """Pairs of what a tag says and what is true, of customers of whom the tag says something."""
    true = {row["customer_id"]: row[truth] for row in market.truth["customers"].to_pylist()}
    rows = features.to_arrow("everyone", [tag, "app_sessions_84d", "mail_sent_84d", "visits_ever"]).to_pylist()
    return [(row[tag], true[row["customer_id"]]) for row in rows if row[tag] is not None and row["visits_ever"] >= 8]


@pytest.mark.parametrize(
    ("tag", "truth", "least"),
    [
        ("app_hour", "favourite_hour", 0.85),
        ("app_weekend_share", "weekend", 0.5),
        ("mail_open_rate", "opens_mail", 0.7),
        ("push_open_rate", "opens_push", 0.7),
        ("price_matters", "thrift", 0.7),
        ("basket_left_share", "thrift", 0.2),
        ("holiday_lift", "festive", 0.2),
    ],
)
def test_what_a_tag_says_goes_with_what_is_true(
    market: Market, features: Features, tag: str, truth: str, least: float
) -> None:
    pairs = beside_truth(market, features, tag, truth)
    assert len(pairs) > 100
    assert spearmanr(*zip(*pairs, strict=True)).statistic > least


def test_an_inferred_way_of_life_is_mostly_the_true_hobby(market: Market, features: Features) -> None:
    pairs = beside_truth(market, features, "lifestyle", "hobby")
    for way, hobby in (("active", "sport"), ("reader", "reading"), ("tech", "games")):
        true = [said for found, said in pairs if found == way]
        assert len(true) >= 10
        assert np.mean([said == hobby for said in true]) > 0.6


def test_a_category_looked_at_and_not_bought_is_oftener_needed_than_by_chance(
    market: Market, features: Features
) -> None:
    needs = {
        row["customer_id"]: row["need"]
        for row in market.truth["needs"].to_pylist()
        if row["since"] < CUT.date() < row["until"]
    }
    rows = features.to_arrow("everyone", ["browsed_category"]).to_pylist()
    found = [row for row in rows if row["browsed_category"]]
    hits = [needs.get(row["customer_id"]) == row["browsed_category"] for row in found]
    by_chance = len(needs) / len(rows) / 6
    assert np.mean(hits) > 5 * by_chance


def test_both_markets_together_carry_all_eight_families_of_tags(features: Features) -> None:
    carried = {family.tag_family for family in library().families.values() if features.available(family)}
    with _warehouse(bank.simulate(3, 1_200)) as warehouse:
        history = warehouse.history(CUT)
        carried |= {family.tag_family for family in library().families.values() if family.available(history)}
    assert carried == set(TAG_FAMILIES)


def test_what_is_inferred_says_so_and_from_what() -> None:
    inferred = [c for family in library().families.values() for c in family.columns if c.inferred]
    names = {column.name for column in inferred}
    assert {"lifestyle", "lifestyle_strength", "wealth_demand", "loan_demand", "browsed_category"} <= names
