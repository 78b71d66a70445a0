"""The audit counts limits again from raw rows: lists of simulated markets are clean, and it sees each limit broken."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from sqlglot import exp
from tests.insight.features.small import SHANGHAI

from aimwell.core.time import local_day
from aimwell.insight.features.library import library
from aimwell.insight.predictions.workshop import Workshop
from aimwell.simulation import bank, shop
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.strategy.recommenders.audit import KINDS, Audit, audit
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.making import TABLE, recommend

NOW = datetime(2025, 6, 1, tzinfo=UTC)
LEARN = {"days": 20, "trees": {"rounds": 20, "leaves": 5, "min_rows": 5, "bags": 1}}


def instant(days_ago: int) -> datetime:
    return NOW.replace(tzinfo=None) - timedelta(days=days_ago)


def by_hand() -> dict[str, pa.Table]:
    """One product for each limit; Ann was tested lately for level 2, Bob long ago, Cy never."""
    goods = {
        "good": (2, None, 5.0),
        "ended": (None, instant(3), 5.0),
        "gone": (None, None, 0.0),
        "recalled": (None, None, 5.0),
        "risky": (4, None, 5.0),
    }
    return {
        "product": pa.table(
            {
                "product_id": list(goods),
                "category": ["line"] * len(goods),
                "risk_level": [each[0] for each in goods.values()],
                "term_days": [30] * len(goods),
                "available_until": pa.array([each[1] for each in goods.values()], pa.timestamp("us")),
            }
        ),
        "price": pa.table(
            {
                "product_id": list(goods),
                "place": ["all"] * len(goods),
                "stock": [each[2] for each in goods.values()],
            }
        ),
        "customer": pa.table(
            {
                "customer_id": ["Ann", "Ann", "Bob", "Cy"],
                "risk_level": [4, 2, 5, None],
                "risk_tested_at": pa.array([instant(900), instant(20), instant(900), None], pa.timestamp("us")),
                "known_at": pa.array([instant(900), instant(20), instant(900), None], pa.timestamp("us")),
            }
        ),
        "purchase": pa.table(
            {
                "customer_id": ["Ann", "Bob", *["Cy"] * len(goods)],
                "product_id": ["good", "good", *goods],
                "occurred_at": pa.array([instant(10), instant(40), *[instant(50)] * len(goods)], pa.timestamp("us")),
                "amount": [1.0] * (2 + len(goods)),
            }
        ),
    }


def asked(*lists: tuple[str, str], again: bool = False) -> Audit:
    definition = Recommender.model_validate(
        {
            "name": "next",
            "eligible": {"again": again},
            "say": [{"action": "never", "items": ["recalled"], "why": "unsafe", "until": "2025-12-31"}],
        }
    )
    return audit(definition, lists, by_hand(), NOW, date(2025, 6, 1))


@pytest.mark.parametrize(
    ("customer", "item", "broken"),
    [
        ("Ann", "good", {"owned"}),
        ("Bob", "good", {"expired"}),  # held longer than its term of 30 days
        ("Cy", "good", {"not_assessed"}),
        ("Ann", "ended", {"off_sale"}),
        ("Ann", "gone", {"out_of_stock"}),
        ("Ann", "recalled", {"never"}),
        ("Ann", "risky", {"too_risky"}),
        ("Ann", "nothing", {"unknown_item"}),
    ],
)
def test_each_limit_is_seen_when_it_is_broken(customer: str, item: str, broken: set[str]) -> None:
    found = asked((customer, item))
    assert {kind for kind, count in found.violations.items() if count} == broken
    assert not found.clean
    assert found.examples == tuple((customer, item, kind) for kind in broken)


def test_what_may_be_recommended_again_is_no_violation() -> None:
    found = asked(("Ann", "good"), again=True)
    assert found.clean
    assert found.violations == dict.fromkeys(KINDS, 0)


@pytest.mark.parametrize(
    ("market", "wanted"),
    [
        ("bank", {"horizon_days": 7, "eligible": {"again": False, "sold_within_days": 365}}),
        ("shop", {"eligible": {"again": False}, "say": [{"action": "never", "line": "books", "why": "rights"}]}),
    ],
)
def test_lists_of_simulated_markets_break_no_limit(market: str, wanted: dict[str, object], tmp_path: Path) -> None:
    drawn = {"bank": bank, "shop": shop}[market].tables(7, 600)
    goods = sorted({str(each) for each in drawn["product"].column("product_id").to_pylist()})
    stock = [float(number % 6) for number in range(len(goods))]  # every sixth is out of stock
    tables = {name: drawn[name] for name in ("customer", "product", "purchase")} | {
        "price": pa.table({"product_id": goods, "place": ["all"] * len(goods), "stock": stock})
    }
    engine = DuckEngine(threads=1)
    for name, rows in tables.items():
        engine.write(name, rows)
    definition = Recommender.model_validate(
        {"name": "next", "candidates": {"each": 30, "most": 60}, "learn": LEARN, "list_size": 20} | wanted
    )
    now = max(tables["purchase"].column("occurred_at").to_pylist()).replace(tzinfo=UTC) + timedelta(seconds=1)
    made = recommend(definition, Workshop(Warehouse(engine, SHANGHAI), library(), tmp_path), now)
    kept = engine.to_arrow(exp.select("customer_id", "item").from_(TABLE)).to_pylist()
    lists = [(row["customer_id"], row["item"]) for row in kept]
    today = local_day(now, SHANGHAI)
    found = audit(definition, lists, tables, now, today)
    assert found.recommended == made.recommended > 500
    assert found.clean
    shifted = [(customer, goods[(goods.index(item) + 1) % len(goods)]) for customer, item in lists]
    seen = audit(definition, shifted, tables, now, today).violations
    assert seen["out_of_stock"] > 0
    assert seen["too_risky"] + seen["owned"] > 0
