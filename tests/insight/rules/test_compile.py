"""Compiled rules beside a plain reference, on random rules and random small markets; and by hand, on small ones."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.insight.rules.market import (
    AS_OF,
    CUSTOMERS,
    HABITS,
    PRODUCTS,
    Facts,
    Row,
    before,
    behaviours,
    few,
    label_behaviours,
    market,
    markets,
    plain_rules,
    trees,
)
from tests.insight.rules.reference import Reference
from tests.store.warehouse.shop import NEW_YORK

from aimwell.core.errors import BadQuestion
from aimwell.core.rules import parse_rule
from aimwell.core.time import add_days
from aimwell.insight.features.build import Features
from aimwell.insight.features.library import assemble
from aimwell.insight.rules.compile import matching, materialise
from aimwell.insight.rules.context import RuleContext, View
from aimwell.store.warehouse.warehouse import Warehouse

LIBRARY = assemble([HABITS])
INLINED = parse_rule({"any": [{"attribute": "city", "is": "york"}, {"events": {"name": "visit", "within": "3d"}}]})


def context(warehouse: Warehouse, as_of: datetime = AS_OF) -> RuleContext:
    return RuleContext(Features(warehouse.history(as_of), LIBRARY), segments={"inlined": INLINED})


def members(rule: Row, warehouse: Warehouse, view: View | None = None, **more: Any) -> set[str]:
    seen = view or warehouse.history(AS_OF)
    found = seen.engine.to_arrow(matching(parse_rule(rule), context(warehouse, seen.as_of), seen, **more))
    ids: list[str] = found.column("customer_id").to_pylist()
    assert len(ids) == len(set(ids))
    return set(ids)


def bought(who: str, days: int, amount: int = 10, order: str | None = None, **more: Any) -> Row:
    at = before(days, timedelta(hours=1))
    return {"order_id": order or f"{who}{days}", "line": f"{who}{days}{amount}{more}", "customer_id": who} | {
        "product_id": "tea",
        "occurred_at": at,
        "amount": Decimal(amount),
        "channel": "app",
        **more,
    }


@few(10)
@given(markets(), st.lists(plain_rules, min_size=4, max_size=4))
def test_a_compiled_rule_finds_whom_the_words_mean(facts: Facts, rules: list[Row]) -> None:
    warehouse = market(facts)
    reference = Reference(facts, AS_OF, segments={"inlined": INLINED})
    for rule in rules:
        assert members(rule, warehouse) == reference.members(parse_rule(rule)), rule


@few(5)
@given(markets(), st.lists(trees(label_behaviours), min_size=3, max_size=3))
def test_a_label_counts_what_happens_in_the_horizon_alone(facts: Facts, rules: list[Row]) -> None:
    horizon = market(facts).history(AS_OF).horizon(2)
    reference = Reference(facts, AS_OF, until=add_days(AS_OF, 2, NEW_YORK))
    for rule in rules:
        assert members(rule, Warehouse(horizon.engine, NEW_YORK), horizon) == reference.members(parse_rule(rule)), rule


@few(5)
@given(markets(), st.lists(trees(behaviours), min_size=2, max_size=2))
def test_without_a_customer_table_everyone_seen_is_asked(facts: dict[str, list[Row]], rules: list[Row]) -> None:
    del facts["customer"]
    if not any(facts[name] for name in ("purchase", "event", "touch", "outcome")):
        facts["event"] = [{"event_id": "e", "customer_id": "ann", "name": "visit", "occurred_at": before(1)}]
        facts["event"][0] |= {"channel": None, "properties": None, "received_at": None}
    warehouse = market(facts)
    for rule in rules:
        assert members(rule, warehouse) == Reference(facts, AS_OF).members(parse_rule(rule)), rule


@few(4)
@given(markets(), plain_rules, plain_rules)
def test_segment_algebra_holds(facts: Facts, one: Row, other: Row) -> None:
    warehouse = market(facts)
    everyone = members({"any": [one, {"not": one}]}, warehouse)
    first, second = members(one, warehouse), members(other, warehouse)
    assert members({"not": one}, warehouse) == everyone - first
    assert members({"all": [one, other]}, warehouse) == first & second
    assert members({"not": {"any": [one, other]}}, warehouse) == everyone - (first | second)
    assert members({"any": [{"not": one}, {"not": other}]}, warehouse) == everyone - (first & second)


@few(5)
@given(markets(), st.lists(plain_rules, min_size=2, max_size=2))
def test_what_is_not_yet_known_changes_nothing(facts: dict[str, list[Row]], rules: list[Row]) -> None:
    # Which tables hold anything at all decides who is asked and which tags there are: one old customer sees to it.
    facts["customer"].append({"customer_id": "old"})
    facts["purchase"].append(bought("old", 9))
    cut, moments = before(0), ("occurred_at", "known_at", "received_at", "created_at")
    known = {
        name: [
            row
            for row in rows
            if all(row.get(moment) is None or row[moment] < cut for moment in moments)
            and (row.get("as_of") is None or row["as_of"] <= cut)
        ]
        for name, rows in facts.items()
    }
    whole, cut_off = market(facts), market(known)
    for rule in rules:
        assert members(rule, whole) == members(rule, cut_off), rule


def test_no_purchase_in_30_days_is_true_of_those_who_never_bought() -> None:
    people = [{"customer_id": who} for who in ("ann", "bob", "cem")]
    warehouse = market({"customer": people, "purchase": [bought("ann", 3), bought("bob", 40)]})
    assert members({"purchases": {"within": "30d", "count": {"is": 0}}}, warehouse) == {"bob", "cem"}
    assert members({"not": {"purchases": {"within": "30d"}}}, warehouse) == {"bob", "cem"}
    assert members({"purchases": {"count": {"at_most": 1}, "within": "30d"}}, warehouse) == {"ann", "bob", "cem"}


def test_a_return_is_no_purchase_but_is_deducted_from_the_amount() -> None:
    people = [{"customer_id": who} for who in ("ann", "bob")]
    warehouse = market(
        {"customer": people, "purchase": [bought("ann", 3, 20), bought("ann", 1, -15), bought("bob", 1, -5)]}
    )
    assert members({"purchases": {}}, warehouse) == {"ann"}
    assert members({"purchases": {"count": {"at_least": 2}}}, warehouse) == set()
    assert members({"purchases": {"amount": {"is": 5}}}, warehouse) == {"ann"}
    assert members({"purchases": {"amount": {"below": 0}}}, warehouse) == {"bob"}


def test_what_cost_nothing_was_bought_all_the_same() -> None:
    warehouse = market({"customer": [{"customer_id": "ann"}], "purchase": [bought("ann", 3, 0)]})
    assert members({"purchases": {}}, warehouse) == {"ann"}


def test_a_window_includes_its_first_instant_and_excludes_its_last() -> None:
    tick = timedelta(microseconds=1)
    at = {"ann": before(5), "bob": before(5, -tick), "cem": before(2), "dee": before(2, -tick)}
    purchases = [bought(who, 0, occurred_at=moment) for who, moment in at.items()]
    warehouse = market({"customer": [{"customer_id": who} for who in at], "purchase": purchases})
    assert members({"purchases": {"within": "5d"}}, warehouse) == {"ann", "cem", "dee"}
    assert members({"purchases": {"since": "5d", "until": "2d"}}, warehouse) == {"ann", "dee"}
    assert members({"purchases": {"since": date(2017, 11, 6)}}, warehouse) == {"cem"}
    assert members({"purchases": {"until": date(2017, 11, 3)}}, warehouse) == {"bob"}


@pytest.mark.parametrize(
    ("together", "expected"), [("any", {"bob", "cem", "dee"}), ("all", {"dee"})], ids=["any", "all"]
)
def test_leaves_that_share_a_scan_hold_for_those_without_a_row_too(together: str, expected: set[str]) -> None:
    did = {"ann": ["visit"], "bob": [], "cem": ["visit", "open"], "dee": ["open"]}
    events = [
        {"event_id": f"{who}{name}", "customer_id": who, "name": name, "occurred_at": before(1)}
        for who, names in did.items()
        for name in names
    ]
    warehouse = market({"customer": [{"customer_id": who} for who in did], "event": events})
    leaves = [{"events": {"name": "visit", "count": {"is": 0}}}, {"events": {"name": "open"}}]
    assert members({together: leaves}, warehouse) == expected
    assert members({"not": {together: leaves}}, warehouse) == set(did) - expected


def test_orders_are_counted_not_lines() -> None:
    lines = [bought("ann", 2, 1, "o1"), bought("ann", 2, 2, "o1"), bought("bob", 2, 1, "o2"), bought("bob", 1, 1, "o3")]
    warehouse = market({"customer": [{"customer_id": "ann"}, {"customer_id": "bob"}], "purchase": lines})
    assert members({"purchases": {"count": {"at_least": 2}}}, warehouse) == {"bob"}


def test_whole_days_follow_the_clock_on_the_wall() -> None:
    """Five local days before 8 November 00:00 in New York are 121 hours: the clocks went back on the 5th."""
    at = before(0) - timedelta(hours=120, minutes=30)
    warehouse = market({"customer": [{"customer_id": "ann"}], "purchase": [bought("ann", 1, occurred_at=at)]})
    assert members({"purchases": {"within": "5d"}}, warehouse) == {"ann"}
    assert members({"purchases": {"within": "119h"}}, warehouse) == set()


def test_a_segment_of_a_segment_is_evaluated_at_the_same_cut() -> None:
    people = [{"customer_id": who} for who in ("ann", "bob")]
    warehouse = market({"customer": people, "purchase": [bought("ann", 1)]})
    history = warehouse.history(AS_OF)
    inner = {"recent": parse_rule({"purchases": {"within": "2d"}}), "outer": parse_rule({"segment": "recent"})}
    features = Features(history, LIBRARY)
    query = matching(parse_rule({"not": {"segment": "outer"}}), RuleContext(features, segments=inner), history)
    assert history.engine.to_arrow(query).column(0).to_pylist() == ["bob"]


def test_segments_in_a_circle_are_refused_with_the_circle() -> None:
    warehouse = market({"customer": [{"customer_id": "ann"}]})
    history = warehouse.history(AS_OF)
    circle = {"a": parse_rule({"segment": "b"}), "b": parse_rule({"not": {"segment": "a"}})}
    with pytest.raises(BadQuestion, match="a → b → a"):
        matching(parse_rule({"segment": "a"}), RuleContext(Features(history, LIBRARY), segments=circle), history)


def test_the_best_tenth_is_rounded_up_to_whole_customers() -> None:
    scored = [
        {"prediction": "churn", "version": "1", "customer_id": who, "as_of": before(1), "raw": 0.0, "value": 0.5}
        | {"rank": rank}
        for rank, who in enumerate(CUSTOMERS, 1)
    ]
    warehouse = market({"customer": [{"customer_id": who} for who in CUSTOMERS], "score": scored})
    assert members({"score": "churn", "top": "10%"}, warehouse) == {"ann"}
    assert members({"score": "churn", "top": "20%"}, warehouse) == {"ann"}
    assert members({"score": "churn", "top": "20.1%"}, warehouse) == {"ann", "bob"}
    assert members({"score": "churn", "bottom": "20%"}, warehouse) == {"eva"}


def test_a_population_restricts_who_is_asked(tmp_path: Any) -> None:
    warehouse = market({"purchase": [bought("ann", 1), bought("bob", 50)], "product": PRODUCTS})
    history = warehouse.history(AS_OF)
    ctx = context(warehouse)
    materialise(parse_rule({"manual": ["bob"]}), ctx, history, "asked")
    assert members({"not": {"purchases": {"within": "7d"}}}, warehouse, population="asked") == {"bob"}
    horizon = history.at(AS_OF - timedelta(days=3)).horizon(3)
    assert members({"purchases": {"count": {"is": 0}}}, warehouse, horizon, population="asked") == {"bob"}
    with pytest.raises(BadQuestion, match="population"):
        members({"purchases": {"count": {"is": 0}}}, warehouse, horizon)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"attribute": "citty", "is": "york"}, "Did you mean city"),
        ({"attribute": "city", "at_least": 5}, "no order"),
        ({"attribute": "risk_level", "is": "high"}, "expected a number"),
        ({"attribute": "city", "within": "3d"}, "is no date"),
        ({"tag": "linse", "at_least": 1}, "Did you mean lines"),
        ({"tag": "returned", "is": 3}, "expected true or false"),
        ({"touches": {}}, "the table touch"),
        ({"purchases": {"category": "drinks"}}, "the table product"),
        ({"score": "churn", "top": 5}, "Run its prediction first"),
        ({"segment": "vip"}, "Refresh the segments first"),
    ],
)
def test_what_does_not_exist_or_fit_is_said(rule: Row, said: str) -> None:
    warehouse = market({"customer": [{"customer_id": "ann"}], "purchase": [bought("ann", 1)]})
    with pytest.raises(BadQuestion, match=said):
        members(rule, warehouse)


def test_a_label_cannot_look_back() -> None:
    warehouse = market({"customer": [{"customer_id": "ann"}], "purchase": [bought("ann", 1)]})
    with pytest.raises(BadQuestion, match="look back"):
        members({"purchases": {"since": "30d"}}, warehouse, warehouse.history(AS_OF).horizon(7))


def test_features_of_another_instant_are_refused() -> None:
    warehouse = market({"customer": [{"customer_id": "ann"}], "purchase": [bought("ann", 1)]})
    view = warehouse.history(AS_OF - timedelta(days=1))
    with pytest.raises(BadQuestion, match="expected the instant of the rule"):
        matching(parse_rule({"tag": "lines", "at_least": 1}), context(warehouse), view)
