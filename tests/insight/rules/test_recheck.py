"""Until when an answer stands by itself: compared with asking again at every instant where it could change."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.insight.rules.market import (
    AS_OF,
    HABITS,
    Facts,
    Row,
    attributes,
    before,
    behaviours,
    few,
    market,
    markets,
    trees,
)
from tests.insight.rules.reference import Reference

from aimwell.core.rules import parse_rule
from aimwell.core.time import from_store, to_store
from aimwell.insight.features.build import Features
from aimwell.insight.features.library import assemble
from aimwell.insight.rules.context import RuleContext
from aimwell.insight.rules.recheck import freshness, rechecks
from aimwell.store.warehouse.warehouse import Warehouse

LIBRARY = assemble([HABITS])
TICK = timedelta(microseconds=1)
ASKED_AGAIN = sorted(
    {
        before(-hours // 24, timedelta(hours=hours % 24) + shift)
        for hours in [*range(0, 24 * 10, 24), 1, 2, 3, 25, 26, 27]
        for shift in (timedelta(0), TICK, -TICK, timedelta(hours=1), timedelta(hours=-1), timedelta(minutes=30))
    }
)


def due(rule: Row, warehouse: Warehouse, as_of: datetime = AS_OF) -> dict[str, datetime]:
    history = warehouse.history(as_of)
    query = rechecks(parse_rule(rule), RuleContext(Features(history, LIBRARY)), history)
    if query is None:
        return {}
    return {row["customer_id"]: row["recheck_at"] for row in history.engine.to_arrow(query).to_pylist()}


def already_known(facts: Facts) -> dict[str, list[Row]]:
    """The facts known at the cut: nothing new happens after it."""
    cut, moments = before(0), ("occurred_at", "known_at", "received_at", "created_at")
    return {
        name: [row for row in rows if all(row.get(moment) is None or row[moment] < cut for moment in moments)]
        for name, rows in facts.items()
    }


@few(10)
@given(markets(), trees(st.one_of(behaviours, behaviours, attributes)))
def test_nothing_changes_by_itself_before_it_is_due(facts: Facts, plain: Row) -> None:
    known = already_known(facts)
    rule = parse_rule(plain)
    until = due(plain, market(known))
    now = Reference(known, AS_OF)
    members = now.members(rule)
    assert all(moment >= to_store(AS_OF) for moment in until.values())
    for instant in [moment for moment in ASKED_AGAIN if moment > to_store(AS_OF)]:
        waiting = {who for who in now.everyone() if who not in until or instant <= until[who]}
        later = Reference(known, from_store(instant))
        assert later.members(rule, waiting) == members & waiting, (plain, instant)


def _bought(days: int) -> Facts:
    row = {"order_id": "o", "line": "1", "customer_id": "ann", "occurred_at": before(days), "amount": 5}
    return {"customer": [{"customer_id": "ann"}], "purchase": [row | {"product_id": "tea", "channel": None}]}


def test_no_purchase_in_30_days_becomes_true_30_days_after_the_last_one() -> None:
    facts = _bought(2)
    at = facts["purchase"][0]["occurred_at"]
    rule = {"purchases": {"within": "71h", "count": {"is": 0}}}
    assert due(rule, market(facts)) == {"ann": at + timedelta(hours=71)}
    parsed = parse_rule(rule)
    assert not Reference(facts, from_store(at + timedelta(hours=71))).members(parsed)
    assert Reference(facts, from_store(at + timedelta(hours=71) + TICK)).members(parsed) == {"ann"}


def test_a_window_in_whole_days_is_due_an_hour_early_when_the_clocks_change_within_reach() -> None:
    facts = _bought(2)
    at = facts["purchase"][0]["occurred_at"]
    assert due({"purchases": {"within": "4d"}}, market(facts)) == {"ann": at + timedelta(days=4, hours=-1)}
    summer = datetime(2017, 7, 10, tzinfo=AS_OF.tzinfo)
    facts["purchase"][0]["occurred_at"] = to_store(summer) - timedelta(days=2)
    assert due({"purchases": {"within": "4d"}}, market(facts), summer) == {"ann": to_store(summer) + timedelta(days=2)}


def test_the_answer_still_stands_when_it_is_due_and_the_clocks_went_forward() -> None:
    """On 11 March 2018 New York lost an hour: three days on the wall clock were 71 hours."""
    as_of = datetime(2018, 3, 10, 12, tzinfo=AS_OF.tzinfo)
    facts = _bought(2)
    facts["purchase"][0]["occurred_at"] = to_store(as_of) - timedelta(hours=2)
    rule = {"purchases": {"within": "3d"}}
    moment = due(rule, market(facts), as_of)["ann"]
    assert Reference(facts, from_store(moment)).members(parse_rule(rule)) == {"ann"}
    assert not Reference(facts, from_store(moment + TICK)).members(parse_rule(rule))


def test_what_has_not_entered_a_past_window_yet_is_due_when_it_does() -> None:
    facts = _bought(1)
    at = facts["purchase"][0]["occurred_at"]
    assert due({"purchases": {"since": "90h", "until": "50h"}}, market(facts)) == {"ann": at + timedelta(hours=50)}


def test_what_does_not_depend_on_the_clock_is_never_due() -> None:
    warehouse = market(_bought(2))
    assert due({"purchases": {}}, warehouse) == {}
    assert due({"all": [{"manual": ["ann"]}, {"attribute": "city", "is": "york"}]}, warehouse) == {}
    assert due({"purchases": {"within": "24h"}}, warehouse) == {}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"purchases": {}}, "live"),
        ({"any": [{"purchases": {}}, {"tag": "lines", "at_least": 1}]}, "batch"),
        ({"score": "churn", "top": 5}, "batch"),
        ({"segment": "behaviour"}, "live"),
        ({"segment": "scored"}, "batch"),
        ({"segment": "elsewhere"}, "batch"),
    ],
)
def test_a_rule_is_as_fresh_as_its_slowest_part(rule: Row, expected: str) -> None:
    others = {"behaviour": parse_rule({"purchases": {}}), "scored": parse_rule({"score": "churn", "top": 5})}
    assert freshness(parse_rule(rule), others.get) == expected
