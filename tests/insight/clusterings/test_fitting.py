"""The whole road: planted habits come back as groups with names, are judged, kept, recorded, and fitted again."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlglot import exp
from tests.insight.clusterings.habits import AS_OF, LATER, define, habit_of, plain_id, purchases, shop

from aimwell.core.errors import BadQuestion
from aimwell.core.rules import parse_rule
from aimwell.insight.clusterings import (
    ClusteringResult,
    assign,
    current,
    fit,
    propose,
    read_result,
    recorded_groups,
    refresh,
    runs,
    versions,
)
from aimwell.insight.predictions.workshop import Workshop
from aimwell.insight.rules.compile import matching
from aimwell.insight.segments.membership import members_at

Fitted = tuple[Workshop, ClusteringResult]


def members(workshop: Workshop, segment: str) -> set[str]:
    return set(members_at(workshop.warehouse.engine, segment, AS_OF))


def of_habit(habit: int, customers: int = 180) -> set[str]:
    return {plain_id(number) for number in range(customers) if habit_of(number) == habit}


def test_planted_habits_are_found_numbered_from_the_largest_and_named_in_the_definitions_words(fitted: Fitted) -> None:
    workshop, result = fitted
    assert [(group.id, group.segment, group.colour) for group in result.groups] == [
        ("g1", "habits.g1", 0),
        ("g2", "habits.g2", 1),
        ("g3", "habits.g3", 2),
    ]
    assert [group.people for group in result.groups] == pytest.approx([90, 60, 30], abs=3)
    for group, habit in zip(result.groups, range(3), strict=True):
        found, planted = members(workshop, group.segment), of_habit(habit)
        assert len(found & planted) / len(found | planted) > 0.9
    assert [group.name.en for group in result.groups] == [
        "Small-basket households",
        "Big-basket households",
        "Deal-seeking households",
    ]
    assert [group.name.zh for group in result.groups] == ["小篮家庭", "大篮家庭", "爱优惠家庭"]


def test_the_number_of_groups_is_chosen_by_criteria_and_shown_as_a_table(fitted: Fitted) -> None:
    choice = fitted[1].choice
    assert choice is not None
    assert choice.k == 3
    assert choice.low <= 3 <= choice.high
    assert choice.natural
    assert [row.k for row in choice.rows] == [2, 3, 4, 5]


def test_planted_groups_are_stable_and_say_so(fitted: Fitted) -> None:
    result = fitted[1]
    assert result.stability is not None
    assert result.stability.verdict == "stable"
    assert result.stability.repetitions == 4
    assert all(group.verdict == "stable" and (group.overlap or 0) > 0.9 for group in result.groups)


def test_a_group_shows_its_worth_with_an_interval_and_its_share(fitted: Fitted) -> None:
    result = fitted[1]
    assert result.value_label is not None
    assert sum(group.value_share or 0 for group in result.groups) == pytest.approx(1)
    for group in result.groups:
        assert group.value is not None
        assert group.value.low < group.value.value < group.value.high
        assert group.share == pytest.approx(group.people / 180)


def test_levels_show_every_group_in_every_feature(fitted: Fitted) -> None:
    small, big, deals = fitted[1].groups
    baskets = {group.id: group.levels[1] for group in (small, big, deals)}
    assert {level.feature for level in baskets.values()} == {"basket_84d"}
    assert baskets["g1"].mean == pytest.approx(20, rel=0.1)
    assert baskets["g2"].mean == pytest.approx(120, rel=0.1)
    assert baskets["g2"].deviation > 1 > 0 > baskets["g1"].deviation


def test_what_is_shown_is_plain_json_in_both_languages(fitted: Fitted) -> None:
    workshop, result = fitted
    plain = json.loads(json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False))
    assert plain == read_result(workshop.folder, "habits")
    assert plain["groups"][0]["name"] == {"zh": "小篮家庭", "en": "Small-basket households"}
    assert len(plain["picture"]["x"]) == 180
    assert "c000" not in json.dumps(plain)


def test_groups_foretell_the_mix_better_than_as_many_rfm_cells(fitted: Fitted) -> None:
    worth = fitted[1].worth
    assert worth is not None
    assert not worth.again
    rows = {(row.outcome, row.grouping): row for row in worth.rows}
    assert {outcome for outcome, _ in rows} == {
        "spend_28d",
        "log_spend_28d",
        "spend_84d",
        "log_spend_84d",
        "mix_84d",
    }
    mix = rows["mix_84d", "kmeans"]
    assert mix.r2.value > 0.5
    assert mix.ahead is not None
    assert mix.ahead.low > 0
    assert rows["mix_84d", "rfm"].groups == mix.groups == 3


def test_each_group_can_be_spoken_of_in_rules(fitted: Fitted) -> None:
    workshop, _ = fitted
    history = workshop.history(LATER)
    rule = parse_rule({"all": [{"segment": "habits.g1"}, {"not": {"segment": "habits.g2"}}]})
    found = history.engine.to_arrow(matching(rule, workshop.rules(LATER), history)).column("customer_id").to_pylist()
    assert set(found) == members(workshop, "habits.g1")
    assert recorded_groups(history.engine, "habits") == ["habits.g1", "habits.g2", "habits.g3"]


def test_a_proposal_keeps_nothing(workshop: Workshop) -> None:
    proposal = propose(define(), workshop, AS_OF)
    assert proposal.result.k == 3
    assert current(workshop.folder, "habits") is None
    assert "membership" not in workshop.warehouse.engine.tables()
    assert not any(name.startswith("passing_") for name in workshop.warehouse.engine.tables())


def test_new_customers_are_placed_by_what_was_kept(fitted: Fitted) -> None:
    workshop, result = fitted
    everybody = assign("habits", workshop, AS_OF)
    assert everybody.version == result.version
    for group in result.groups:
        assert {c for c, segment in everybody.segments.items() if segment == group.segment} == members(
            workshop, group.segment
        )
        assert everybody.names[group.segment] == group.name
    few = assign("habits", workshop, AS_OF, ["c003", "c000", "nobody"])
    assert few.segments == {"c003": "habits.g2", "c000": "habits.g1", "nobody": None}
    assert assign("habits", workshop, AS_OF, ["nobody"]).segments == {"nobody": None}
    assert assign("habits", workshop, AS_OF, []).segments == {}


def test_a_refit_keeps_ids_colours_and_names_though_the_largest_group_is_another(tmp_path: Path) -> None:
    workshop = shop(tmp_path, purchases(180, 5))
    first = fit(define(), workshop, AS_OF)
    # Half of the weekly customers are gone: the order by size changes.
    leaving = {plain_id(number) for number in range(0, 180, 6)} | {plain_id(number) for number in range(1, 180, 6)}
    kept = define({"population": parse_rule({"not": {"manual": sorted(leaving)}})})
    again = fit(kept, workshop, LATER)
    assert [group.id for group in again.groups] != [group.id for group in first.groups]
    for group in again.groups:
        before = first.group(group.id)
        assert (group.name, group.colour, group.segment) == (before.name, before.colour, before.segment)
    assert again.continuity is not None
    assert again.continuity.moved < 0.05
    assert (again.continuity.gone, again.continuity.fresh) == ((), ())
    assert [run["version"] for run in runs(workshop.warehouse.engine, "habits")] == [first.version, again.version]
    assert versions(workshop.folder, "habits") == sorted([first.version, again.version])
    assert current(workshop.folder, "habits") == again.version


def test_groups_that_are_no_more_lose_everybody_and_their_ids_are_not_given_again(tmp_path: Path) -> None:
    workshop = shop(tmp_path, purchases(180, 5))
    fit(define(), workshop, AS_OF)
    fewer = fit(define({"groups": 2}), workshop, LATER)
    assert fewer.continuity is not None
    [gone] = fewer.continuity.gone
    engine = workshop.warehouse.engine
    assert members_at(engine, f"habits.{gone}", LATER) == []
    assert members_at(engine, f"habits.{gone}", AS_OF) != []
    more = fit(define(), workshop, LATER + timedelta(days=1))
    assert more.continuity is not None
    assert more.continuity.fresh == ("g4",)
    assert {group.colour for group in more.groups} == {0, 1, 2}


def test_an_equal_fit_is_the_same_version_and_changes_no_membership(workshop: Workshop) -> None:
    first = fit(define(), workshop, AS_OF)
    again = fit(define(), workshop, AS_OF)
    assert again.version == first.version
    assert again.groups == first.groups
    assert versions(workshop.folder, "habits") == [first.version]
    engine = workshop.warehouse.engine
    changes = engine.to_arrow(exp.select("*").from_("membership_delta"))
    assert changes.num_rows == 180
    assert len(runs(engine, "habits")) == 2


def test_a_fit_of_the_past_is_refused_and_the_last_good_one_stays(workshop: Workshop) -> None:
    good = fit(define(), workshop, LATER)
    with pytest.raises(BadQuestion, match="recorded as of"):
        fit(define(), workshop, AS_OF)
    assert current(workshop.folder, "habits") == good.version
    assert versions(workshop.folder, "habits") == [good.version]
    assert not list((workshop.folder / "models" / "clusterings" / "habits").glob("*.new"))
    assert set(assign("habits", workshop, LATER).segments.values()) == {"habits.g1", "habits.g2", "habits.g3"}


def test_a_refresh_places_everybody_anew_without_fitting(workshop: Workshop) -> None:
    result = fit(define(), workshop, AS_OF)
    moved = {segment.name: segment for segment in refresh("habits", workshop, LATER)}
    assert set(moved) == {group.segment for group in result.groups}
    assert sum(segment.members for segment in moved.values()) == 180
    assert [run["version"] for run in runs(workshop.warehouse.engine, "habits")] == [result.version] * 2


def test_where_nothing_followed_yet_the_groups_are_judged_84_days_earlier(tmp_path: Path) -> None:
    workshop = shop(tmp_path, purchases(180, 5))
    now = LATER + timedelta(days=84)
    worth = propose(define(), workshop, now).result.worth
    assert worth is not None
    assert worth.again
    assert worth.as_of == LATER.isoformat()
    assert max(row.r2.value for row in worth.rows if row.outcome == "mix_84d") > 0.5


def test_where_the_data_are_too_short_nothing_is_judged_and_it_is_said(tmp_path: Path) -> None:
    workshop = shop(tmp_path, purchases(120, 5, until=AS_OF))
    result = propose(define(), workshop, AS_OF).result
    assert result.worth is None
    assert any("too short" in note.en and "不够长" in note.zh for note in result.notes)


def test_own_names_of_groups_go_before_found_ones(workshop: Workshop) -> None:
    result = fit(define({"names": {"g2": {"zh": "囤货家庭", "en": "Stock-up households"}}}), workshop, AS_OF)
    assert result.group("g2").name.en == "Stock-up households"
    assert result.group("g2").given
    assert not result.group("g1").given
    assert assign("habits", workshop, AS_OF, ["c003"]).names["habits.g2"].zh == "囤货家庭"


def test_other_methods_stand_beside_with_as_many_groups(workshop: Workshop) -> None:
    result = propose(define({"beside": ["hierarchical", "kmeans"]}), workshop, AS_OF).result
    [other] = result.beside
    assert other.method == "hierarchical"
    assert len(other.sizes) == 3
    assert other.agreement > 0.9
    assert result.worth is not None
    assert {row.grouping for row in result.worth.rows} == {"kmeans", "hierarchical", "rfm"}


@pytest.mark.parametrize("method", ["consensus", "dbscan", "hdbscan", "gaussian_mixture"])
def test_every_method_goes_the_whole_road(method: str, workshop: Workshop) -> None:
    changes = {"method": method, "groups": "auto", "between": (2, 4), "repetitions": 2, "beside": ()}
    result = fit(define(changes), workshop, AS_OF)
    assert result.method == (method,)
    assert sum(group.people for group in result.groups) + result.left_out == 180
    placed = assign("habits", workshop, AS_OF).segments.values()
    assert sum(segment is None for segment in placed) == result.left_out


def test_many_customers_are_grouped_from_a_sample_and_all_are_placed(tmp_path: Path) -> None:
    workshop = shop(tmp_path, purchases(360, 5))
    result = propose(define({"sample": 150}), workshop, AS_OF)
    assert result.result.people == 360
    assert np.bincount(result.labels).tolist() == [group.people for group in result.result.groups]
    assert sorted(group.people for group in result.result.groups) == pytest.approx([60, 120, 180], abs=12)


def test_other_ids_for_the_same_customers_change_nothing_but_the_ids(tmp_path: Path) -> None:
    plain = propose(define(), shop(tmp_path / "plain", purchases(120, 5)), AS_OF)
    renamed = propose(define(), shop(tmp_path / "renamed", purchases(120, 5, lambda number: f"z{999 - number}")), AS_OF)
    where = {f"z{999 - number}": plain_id(number) for number in range(120)}
    assert dict(zip((where[each] for each in renamed.people.ids), renamed.labels.tolist(), strict=True)) == dict(
        zip(plain.people.ids, plain.labels.tolist(), strict=True)
    )
    for one, two in zip(plain.result.groups, renamed.result.groups, strict=True):
        assert (one.id, one.name, one.description, one.rule) == (two.id, two.name, two.description, two.rule)
        assert (one.people, one.overlap, one.traits) == (two.people, two.overlap, two.traits)
    assert renamed.result.stability == plain.result.stability
    assert renamed.result.choice == plain.result.choice
