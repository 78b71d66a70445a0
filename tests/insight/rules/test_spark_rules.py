"""The same rules find the same customers on Spark as on DuckDB: every kind of leaf, in one statement."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlglot import exp
from tests.insight.rules.market import AS_OF, CUSTOMERS, HABITS, PRODUCTS, Row, before, market
from tests.insight.rules.reference import Reference

from aimwell.core.rules import parse_rule
from aimwell.insight.features.build import Features
from aimwell.insight.features.library import assemble
from aimwell.insight.rules.compile import matching
from aimwell.insight.rules.context import RuleContext
from aimwell.insight.rules.recheck import rechecks
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.engine import Engine

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
DAY = date(2017, 11, 7)


def _facts() -> dict[str, list[Row]]:
    people = [
        {"customer_id": who, "city": city, "risk_level": level, "vip": vip, "birth_date": date(1980 + level, 5, 1)}
        | {"created_at": before(level * 2 + 1)}
        for who, city, level, vip in zip(
            CUSTOMERS, ["york", "bath", None, "york", "it's"], range(5), [True, False, None, True, False], strict=True
        )
    ]
    purchases: list[Row] = [
        {"order_id": f"o{number % 4}", "line": str(number), "customer_id": CUSTOMERS[number % 5]}
        | dict[str, object](
            product_id=("tea", "cup", "ale")[number % 3],
            occurred_at=before(number % 7, timedelta(hours=number)),
            amount=Decimal((5, 10, -5)[number % 3]),
            channel=("app", None)[number % 2],
        )
        for number in range(12)
    ]
    events = [
        {"event_id": str(number), "customer_id": CUSTOMERS[number % 4], "name": ("visit", "open")[number % 2]}
        | {"occurred_at": before(number % 6, timedelta(minutes=number)), "channel": "app"}
        | {"properties": ('{"n": 1}', '{"n": 2.5, "w": "a"}', '{"n": "x"}', None)[number % 4], "received_at": None}
        for number in range(14)
    ]
    touches = [
        {"touch_id": f"t{number}", "customer_id": CUSTOMERS[number], "campaign": f"c{number % 2}", "channel": "app"}
        | {"occurred_at": before(5)}
        for number in range(4)
    ]
    outcomes = [
        {"outcome_id": str(number), "touch_id": f"t{number}", "customer_id": CUSTOMERS[number], "kind": "opened"}
        | {"occurred_at": before(4)}
        for number in range(3)
    ]
    scores = [
        {"prediction": "churn", "version": "1", "customer_id": who, "as_of": before(1), "raw": 0.0}
        | {"value": 0.9 - rank / 10, "rank": rank}
        for rank, who in enumerate(CUSTOMERS, 1)
    ]
    changes = [
        {"segment": "recorded", "customer_id": who, "change": change, "as_of": before(day)}
        for who, change, day in [("ann", "enter", 3), ("bob", "enter", 3), ("bob", "leave", 1)]
    ]
    return {"customer": people, "product": PRODUCTS, "purchase": purchases, "event": events, "touch": touches} | {
        "outcome": outcomes,
        "score": scores,
        "membership_delta": changes,
    }


# Few statements with much in each: on Spark the number of joins costs, not the number of rows.
RULES: list[Row] = [
    {
        "any": [
            {"attribute": "city", "is": "it's"},
            {"all": [{"attribute": "city", "contains": "at"}, {"attribute": "vip", "is_not": True}]},
            {"all": [{"attribute": "created_at", "within": "5d"}, {"attribute": "created_at", "below": DAY}]},
            {"attribute": "birth_date", "between": [date(1983, 1, 1), date(1983, 12, 31)]},
        ]
    },
    {"purchases": {"within": "5d", "category": "drinks", "count": {"at_least": 1}, "amount": {"between": [5, 20]}}},
    {
        "all": [
            {"events": {"name": "visit", "where": {"n": {"above": 0.5}}}},
            {"events": {"name": ["visit", "open"], "since": "70h", "until": "2h"}},
            {"not": {"events": {"name": "open", "where": {"w": "a"}, "count": {"at_least": 2}}}},
        ]
    },
    {
        "any": [
            {"sequence": {"steps": [{"touches": {}}, {"purchases": {}}], "span": "4d", "within": "6d"}},
            {"outcomes": {"kind": "opened", "campaign": "c0", "within": "5d", "count": {"is": 0}}},
        ]
    },
    {
        "all": [
            {"any": [{"score": "churn", "top": "30%"}, {"segment": "recorded"}, {"manual": ["eva"]}]},
            {"not": {"tag": "lines", "at_least": 3}},
        ]
    },
]
DUE = {"any": [{"purchases": {"within": "5d"}}, {"attribute": "created_at", "within": "3d"}]}


def _found(engine: Engine) -> tuple[set[tuple[object, ...]], set[tuple[object, ...]]]:
    """Who matches each rule, and until when an answer stands."""
    history = market(_facts(), engine).history(AS_OF)
    context = RuleContext(Features(history, assemble([HABITS])))
    parts: list[exp.Query] = []
    for number, rule in enumerate(RULES):
        label = exp.alias_(exp.Literal.string(f"rule {number}"), "rule")
        parts.append(exp.select(label, "customer_id").from_(matching(parse_rule(rule), context, history).subquery("m")))
    query = parts[0]
    for part in parts[1:]:
        query = exp.union(query, part, distinct=False)
    due = rechecks(parse_rule(DUE), context, history)
    assert due is not None
    matched, standing = engine.to_arrow(query).to_pylist(), engine.to_arrow(due).to_pylist()
    return {tuple(row.values()) for row in matched}, {tuple(row.values()) for row in standing}


def test_rules_find_the_same_customers_on_spark(spark: SparkSession, tmp_path: Path) -> None:
    from aimwell.store.warehouse.spark import SparkEngine

    by_hand = Reference(_facts(), AS_OF)
    truth = {(f"rule {number}", who) for number, rule in enumerate(RULES) for who in by_hand.members(parse_rule(rule))}
    assert {f"rule {number}" for number in range(len(RULES))} == {rule for rule, _ in truth}
    members, due = _found(DuckEngine(threads=1))
    assert members == truth
    assert due
    assert _found(SparkEngine(tmp_path / "tables", spark)) == (truth, due)
