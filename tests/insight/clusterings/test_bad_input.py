"""Data and definitions that cannot carry groups get a clear sentence, and nothing half-done."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.insight.clusterings.habits import AS_OF, define, plain_id, purchases, shop

from aimwell.core.errors import BadInput, BadQuestion, NotEnoughData
from aimwell.core.rules import parse_rule
from aimwell.insight.clusterings import assign, current, fit, propose, read_result, refresh
from aimwell.insight.predictions.workshop import Workshop


def test_one_customer_cannot_be_grouped(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughData, match="'habits' needs customers to tell apart; expected at least two.*saw 1"):
        fit(define(), shop(tmp_path, purchases(1, 5)), AS_OF)


def test_customers_who_are_all_alike_cannot_be_told_apart(tmp_path: Path) -> None:
    workshop = shop(tmp_path, purchases(40, 5))
    with pytest.raises(NotEnoughData, match="Nothing tells the customers of the clustering 'habits' apart"):
        fit(define({"features": ["same_for_all"]}), workshop, AS_OF)
    assert current(workshop.folder, "habits") is None


def test_a_constant_column_is_left_out_with_a_note(workshop: Workshop) -> None:
    result = propose(define({"features": ["same_for_all", "basket_84d", "visits_84d"]}), workshop, AS_OF).result
    assert [feature.name for feature in result.features] == ["basket_84d", "visits_84d"]
    assert any("'same_for_all' is the same for all" in note.en for note in result.notes)


def test_a_column_that_is_mostly_unknown_is_left_out_with_a_note(workshop: Workshop) -> None:
    result = propose(define({"features": ["seldom_known", "basket_84d", "visits_84d"]}), workshop, AS_OF).result
    assert [feature.name for feature in result.features] == ["basket_84d", "visits_84d"]
    assert any("'seldom_known' is unknown for 90%" in note.en for note in result.notes)


def test_an_unknown_feature_is_told_with_similar_ones(workshop: Workshop) -> None:
    with pytest.raises(BadQuestion, match="There is no tag 'visit_84d'. Did you mean visits_84d"):
        propose(define({"features": ["visit_84d"]}), workshop, AS_OF)
    with pytest.raises(BadQuestion, match="No tag that is a number fits the pattern 'moods_"):
        propose(define({"features": ["moods_*"]}), workshop, AS_OF)


def test_words_cannot_be_measured(workshop: Workshop) -> None:
    with pytest.raises(BadQuestion, match="'first_place' cannot be measured; expected a number.*saw text"):
        propose(define({"features": ["first_place"]}), workshop, AS_OF)
    with pytest.raises(BadQuestion, match="'first_place' cannot be measured"):
        propose(define({"value": "first_place"}), workshop, AS_OF)


def test_a_pattern_takes_numbers_alone(workshop: Workshop) -> None:
    result = propose(define({"features": ["*_84d"]}), workshop, AS_OF).result
    assert {feature.name for feature in result.features} <= {
        "visits_84d",
        "basket_84d",
        "discount_share_84d",
        "spend_84d",
    }
    assert result.k == 3


def test_fewer_customers_than_groups_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughData, match="Fewer customers than groups; expected at least 5 customers; saw 4"):
        propose(define({"groups": 5}), shop(tmp_path, purchases(4, 5)), AS_OF)
    with pytest.raises(NotEnoughData, match="Too few customers to choose a number of groups"):
        propose(define({"groups": "auto"}), shop(tmp_path, purchases(4, 5)), AS_OF)


def test_a_handful_of_customers_gets_groups_without_claims(tmp_path: Path) -> None:
    result = propose(define({"groups": 2}), shop(tmp_path, purchases(6, 5)), AS_OF).result
    assert [group.name.en for group in result.groups] == ["Group 1 of households", "Group 2 of households"]
    assert {group.verdict for group in result.groups} == {"unknown"}
    assert any("Too few customers" in note.en for note in result.notes)


def test_an_empty_population_is_refused(workshop: Workshop) -> None:
    nobody = parse_rule({"purchases": {"amount": {"at_least": 1_000_000}}})
    with pytest.raises(NotEnoughData, match="Nobody belongs to the population of the clustering 'habits'"):
        propose(define({"population": nobody}), workshop, AS_OF)


def test_customers_outside_of_the_population_belong_to_no_group(workshop: Workshop) -> None:
    some = define({"population": parse_rule({"not": {"manual": [plain_id(0)]}})})
    assert fit(some, workshop, AS_OF).people == 179
    assert assign("habits", workshop, AS_OF, [plain_id(0)]).segments == {plain_id(0): None}


def test_features_that_the_data_do_not_carry_are_told(tmp_path: Path) -> None:
    bare = purchases(60, 5).drop_columns(["discount"])
    with pytest.raises(NotEnoughData, match="The data carry none of the features of the clustering 'habits'"):
        propose(define(), shop(tmp_path, bare), AS_OF)


def test_a_clustering_that_was_never_fitted_is_told(workshop: Workshop) -> None:
    for ask in (
        lambda: assign("habits", workshop, AS_OF),
        lambda: refresh("habits", workshop, AS_OF),
        lambda: read_result(workshop.folder, "habits"),
    ):
        with pytest.raises(BadQuestion, match="'habits' has not been fitted yet.*Fit it first"):
            ask()


@pytest.mark.parametrize("file", ["clustering.json", "preparation.json", "rule/centres.npy"])
def test_damaged_files_are_told(file: str, workshop: Workshop) -> None:
    version = fit(define(), workshop, AS_OF).version
    (workshop.folder / "models" / "clusterings" / "habits" / version / file).write_bytes(b"{}")
    with pytest.raises(BadInput, match="cannot be read"):
        assign("habits", workshop, AS_OF)


def test_a_version_that_does_not_exist_is_told(workshop: Workshop) -> None:
    version = fit(define(), workshop, AS_OF).version
    with pytest.raises(BadQuestion, match=f"no version 'x' of the clustering 'habits'; expected one of {version}"):
        read_result(workshop.folder, "habits", "x")
