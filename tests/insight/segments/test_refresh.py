"""Building segments: who entered and left, all or nothing, and in part as well as in full."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

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
    tags,
    trees,
)
from tests.insight.rules.reference import Reference

from aimwell.core.errors import BadQuestion, QueryFailed
from aimwell.core.rules import parse_rule
from aimwell.core.text import Text
from aimwell.core.time import to_store
from aimwell.insight.features.build import Features
from aimwell.insight.features.family import Column, query_family
from aimwell.insight.features.library import assemble
from aimwell.insight.rules.compile import matching
from aimwell.insight.rules.context import RuleContext
from aimwell.insight.segments.definition import Segment
from aimwell.insight.segments.membership import (
    MEMBERSHIP,
    RECHECKS,
    SegmentResult,
    last_builds,
    members_at,
    record,
    retire,
    sizes,
    trend,
)
from aimwell.insight.segments.refresh import refresh
from aimwell.insight.segments.touched import refresh_touched, touched_between
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.warehouse import Warehouse

LIBRARY = assemble([HABITS])
DAY = timedelta(days=1)


def defined(**rules: Any) -> dict[str, Segment]:
    return {name: Segment(name=name, kind="behavioural", rule=parse_rule(rule)) for name, rule in rules.items()}


def features(warehouse: Warehouse, as_of: datetime = AS_OF) -> Features:
    return Features(warehouse.history(as_of), LIBRARY, as_of.isoformat())


def changes(results: Iterable[SegmentResult]) -> dict[str, tuple[int, int, int]]:
    return {result.name: (result.members, result.entered, result.left) for result in results}


def kept(engine: Engine, table: str) -> set[tuple[object, ...]]:
    from sqlglot import exp

    return {tuple(row.values()) for row in engine.to_arrow(exp.select("*").from_(table)).to_pylist()}


def bought(who: str, days: int, hours: int = 1) -> Row:
    at = before(days, timedelta(hours=hours))
    return {"order_id": f"{who}{days}", "line": "1", "customer_id": who, "occurred_at": at, "amount": 5}


def small() -> Warehouse:
    people = [{"customer_id": who, "city": city} for who, city in (("ann", "york"), ("bob", None), ("cem", "york"))]
    return market({"customer": people, "purchase": [bought("ann", 2), bought("bob", 9), bought("cem", 2)]})


RECENT = {"purchases": {"within": "4d"}}


def test_a_build_tells_who_entered_and_left_since_the_one_before() -> None:
    warehouse = small()
    segments = defined(recent=RECENT, quiet={"not": {"segment": "recent"}})
    engine = warehouse.engine
    assert changes(refresh(segments, features(warehouse))) == {"recent": (2, 2, 0), "quiet": (1, 1, 0)}
    later = AS_OF + 3 * DAY
    [quiet, recent] = sorted(refresh(segments, features(warehouse, later)), key=lambda result: result.name)
    assert changes([recent, quiet]) == {"recent": (0, 0, 2), "quiet": (3, 2, 0)}
    assert quiet.share == 1.0
    assert members_at(engine, "recent", AS_OF) == ["ann", "cem"]
    assert members_at(engine, "recent", AS_OF - DAY) == []
    assert members_at(engine, "quiet", later) == ["ann", "bob", "cem"]
    assert [(build.as_of, build.members) for build in trend(engine, "recent")] == [(AS_OF, 2), (later, 0)]
    since = {row[1]: row[2] for row in kept(warehouse.engine, MEMBERSHIP) if row[0] == "quiet"}
    assert since == {"bob": to_store(AS_OF), "ann": to_store(later), "cem": to_store(later)}


def test_building_again_changes_nothing() -> None:
    warehouse = small()
    segments = defined(recent=RECENT)
    refresh(segments, features(warehouse))
    assert changes(refresh(segments, features(warehouse))) == {"recent": (2, 0, 0)}


def test_a_changed_rule_at_the_same_instant_leaves_one_truth() -> None:
    warehouse = small()
    for rule in (RECENT, {"attribute": "city", "known": False}, RECENT, {"manual": ["bob", "ann"]}):
        refresh(defined(some=rule), features(warehouse))
    assert members_at(warehouse.engine, "some", AS_OF) == ["ann", "bob"]
    assert sizes(warehouse.engine) == {"some": 2}


def test_a_tag_that_the_data_do_not_carry_is_named() -> None:
    money = query_family(
        "money",
        "basic",
        Text("存款", "Deposits"),
        needs=("balance.amount",),
        columns=(Column("deposit", Text("存款", "Deposit"), "money", Text("存款余额", "Deposits held")),),
        sql="SELECT customer_id, sum(amount) AS deposit FROM balance GROUP BY customer_id",
    )
    now = Features(small().history(AS_OF), assemble([HABITS, money]))
    segments = defined(rich={"any": [{"tag": "deposit", "above": 0}, {"tag": "lines", "above": 99}]}, recent=RECENT)
    found = {result.name: result for result in refresh(segments, now)}
    assert (found["rich"].members, found["rich"].lacking) == (0, ("deposit",))
    assert found["recent"].lacking == ()


def test_a_failed_build_leaves_the_last_good_one_in_place() -> None:
    warehouse = small()
    refresh(defined(recent=RECENT, york={"attribute": "city", "is": "york"}), features(warehouse))
    standing, tables = kept(warehouse.engine, MEMBERSHIP), warehouse.engine.tables()
    wrong = defined(recent={"manual": ["bob"]}, york={"attribute": "town", "is": "york"})
    with pytest.raises(BadQuestion, match="segment 'york' cannot be built: There is no attribute 'town'"):
        refresh(wrong, features(warehouse, AS_OF + DAY))
    assert kept(warehouse.engine, MEMBERSHIP) == standing
    assert warehouse.engine.tables() == tables
    assert set(last_builds(warehouse.engine).values()) == {AS_OF}


def test_a_build_that_breaks_while_it_is_kept_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = small()
    refresh(defined(recent=RECENT), features(warehouse))
    standing = {table: kept(warehouse.engine, table) for table in (MEMBERSHIP, "membership_delta", "segment_run")}

    def broken(*_: object) -> None:
        raise QueryFailed("no space left", statement="")

    monkeypatch.setattr("aimwell.insight.segments.refresh._keep_rechecks", broken)
    with pytest.raises(QueryFailed):
        refresh(defined(recent={"manual": ["bob"]}), features(warehouse, AS_OF + DAY))
    assert {table: kept(warehouse.engine, table) for table in standing} == standing


def test_memberships_go_forward_in_time() -> None:
    warehouse = small()
    refresh(defined(recent=RECENT), features(warehouse))
    with pytest.raises(BadQuestion, match="recorded as of"):
        refresh(defined(recent=RECENT), features(warehouse, AS_OF - DAY))
    with pytest.raises(BadQuestion, match="Nothing is recorded"):
        members_at(warehouse.engine, "recnt", AS_OF)


def test_a_retired_segment_is_empty_and_its_history_stays() -> None:
    warehouse = small()
    refresh(defined(recent=RECENT), features(warehouse))
    assert retire(warehouse.engine, "recent", AS_OF + DAY) == 2
    assert members_at(warehouse.engine, "recent", AS_OF) == ["ann", "cem"]
    assert members_at(warehouse.engine, "recent", AS_OF + DAY) == []


def test_others_record_their_segments_too_and_rules_read_them() -> None:
    warehouse = small()
    warehouse.engine.write("night_owls", __import__("pyarrow").table({"customer_id": ["bob"]}))
    record(warehouse.engine, {"night_owls": "night_owls"}, AS_OF, people=3)
    found = refresh(defined(others={"not": {"segment": "night_owls"}}), features(warehouse))
    assert changes(found) == {"others": (2, 2, 0)}


def test_nobody_knows_who_belonged_before_a_segment_was_first_built() -> None:
    warehouse = small()
    refresh(defined(recent=RECENT), features(warehouse))
    early, rule = features(warehouse, AS_OF - 30 * DAY), parse_rule({"segment": "recent"})
    with pytest.raises(BadQuestion, match="recorded since"):
        matching(rule, RuleContext(early), early.history)
    with pytest.raises(BadQuestion, match="Did you mean recent"):
        matching(parse_rule({"segment": "resent"}), RuleContext(early), early.history)
    by_its_rule = RuleContext(early, segments={"recent": parse_rule(RECENT)})
    assert warehouse.engine.to_arrow(matching(rule, by_its_rule, early.history)).num_rows == 0


def test_a_part_is_built_with_what_it_speaks_of_and_nothing_else() -> None:
    warehouse = small()
    segments = defined(recent=RECENT, quiet={"not": {"segment": "recent"}}, york={"attribute": "city", "is": "york"})
    seen: list[tuple[str, float]] = []
    found = refresh(segments, features(warehouse), only=["quiet"], progress=lambda *step: seen.append(step))
    assert [result.name for result in found] == ["recent", "quiet"]
    assert seen == [("recent", 0.0), ("quiet", 0.5), ("done", 1.0)]


def test_who_is_due_is_looked_at_again_although_nothing_happened() -> None:
    warehouse = small()
    segments = defined(recent=RECENT, silent={"purchases": {"within": "4d", "count": {"is": 0}}})
    refresh(segments, features(warehouse))
    soon = refresh_touched(segments, features(warehouse, AS_OF + timedelta(hours=6)), [])
    assert changes(soon) == {"recent": (2, 0, 0), "silent": (1, 0, 0)}
    later = refresh_touched(segments, features(warehouse, AS_OF + 3 * DAY), [])
    assert changes(later) == {"recent": (0, 0, 2), "silent": (3, 2, 0)}


def test_what_needs_everyone_waits_for_a_full_build_and_says_so() -> None:
    warehouse = small()
    warehouse.engine.write("score", _scored("ann"))
    segments = defined(
        recent=RECENT, likely={"score": "churn", "top": 1}, both={"all": [RECENT, {"segment": "likely"}]}
    )
    refresh(segments, features(warehouse))
    found = {result.name: result for result in refresh_touched(segments, features(warehouse, AS_OF + DAY), ["ann"])}
    assert {name: result.fresh for name, result in found.items()} == {"recent": True, "likely": False, "both": False}
    assert found["likely"].as_of == AS_OF


def _scored(who: str) -> Any:
    import pyarrow as pa
    from tests.insight.rules.market import SCORED

    row = {"prediction": "churn", "version": "1", "customer_id": who, "as_of": before(1), "raw": 1.0, "value": 0.9}
    return pa.Table.from_pylist([row | {"rank": 1}], schema=SCORED)


SOME_RULES = st.fixed_dictionaries(
    {"one": trees(behaviours), "two": trees(st.one_of(behaviours, attributes)), "tagged": tags}
).map(lambda rules: rules | {"both": {"any": [{"segment": "one"}, {"not": {"segment": "two"}}]}})


@few(3)
@given(markets(), SOME_RULES, st.sampled_from([1, 7, 26, 50]))
def test_a_full_build_after_a_partial_one_finds_no_difference(
    facts: Facts, rules: Mapping[str, Any], hours: int
) -> None:
    """Some facts are from after the first build: their customers are touched, others are due, the rest must stand."""
    warehouse, segments = market(facts), defined(**rules)
    refresh(segments, features(warehouse))
    later = AS_OF + timedelta(hours=hours)
    touched = touched_between(warehouse.history(later), AS_OF)
    partial = refresh_touched(segments, features(warehouse, later), touched)
    rechecks, everyone = (
        kept(warehouse.engine, RECHECKS),
        {name: members_at(warehouse.engine, name, later) for name in rules},
    )
    full = refresh(segments, features(warehouse, later))
    by_facts = [result for result in full if result.name != "tagged"]
    assert [(result.name, result.entered, result.left) for result in by_facts] == [
        ("one", 0, 0),
        ("two", 0, 0),
        ("both", 0, 0),
    ]
    assert changes(partial).keys() == changes(full).keys()
    reference = Reference(facts, later, segments={name: segments[name].rule for name in rules})
    for name in ("one", "two", "both"):
        assert set(everyone[name]) == reference.members(segments[name].rule)
    tagged = {who for who in touched if who in reference.members(segments["tagged"].rule)}
    assert tagged == set(everyone["tagged"]) & set(touched)
    assert {row[:2] for row in kept(warehouse.engine, RECHECKS)} <= {row[:2] for row in rechecks}
