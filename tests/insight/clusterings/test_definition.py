"""What people write, and what they are told when it cannot be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from aimwell.core.definitions import parse_definitions, read_definitions
from aimwell.core.errors import BadDefinition
from aimwell.insight.clusterings import Clustering
from aimwell.insight.features.library import library

EXAMPLES = Path(__file__).parents[3] / "examples"


def read(text: str) -> Clustering:
    return parse_definitions(text, "clusterings/habits.yaml", Clustering, name="habits")[0]


def refused(text: str) -> list[str]:
    with pytest.raises(BadDefinition) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


def test_bare_names_are_features_and_one_method_needs_no_list() -> None:
    definition = read("features: [visits_84d, basket_*]\nmethod: hdbscan")
    assert [each.feature for each in definition.features] == ["visits_84d", "basket_*"]
    assert [each.is_pattern for each in definition.features] == [False, True]
    assert definition.method == ("hdbscan",)
    assert definition.groups == "auto"


def test_five_mistakes_are_told_at_once_each_with_its_line() -> None:
    problems = refused("features: [a, a]\nmethod: astrology\ngroups: 1\nbetween: [5, 3]\nrepetition: 3\n")
    assert len(problems) == 5
    for line, (said, problem) in enumerate(
        zip(
            (
                "a is given twice",
                "No such clustering method; expected consensus, dbscan",
                "expected auto or 2 to 20 groups, saw 1",
                "from 2 to 20, saw 5 and 3",
                "unknown key 'repetition'",
            ),
            problems,
            strict=True,
        ),
        1,
    ):
        assert said in problem
        assert f"clusterings/habits.yaml:{line}" in problem


def test_a_consensus_is_not_a_member_of_a_consensus() -> None:
    [problem] = refused("features: [a]\nmethod: [kmeans, consensus]")
    assert "A consensus is made of other methods" in problem


def test_names_are_given_by_the_id_of_a_group() -> None:
    [problem] = refused("features: [a]\nnames: {best: {zh: 好, en: Good}}")
    assert "by the id of a group (g1, g2, …), saw best" in problem


def test_a_clustering_without_features_is_refused() -> None:
    assert any("features" in problem for problem in refused("method: kmeans"))
    assert any("features" in problem for problem in refused("features: []"))


@pytest.mark.parametrize("workspace", ["complete_journey", "shop"])
def test_the_shipped_clusterings_ask_for_features_that_exist_and_have_words_for_them(workspace: str) -> None:
    shipped = read_definitions(EXAMPLES / workspace, Clustering)
    assert shipped
    for definition in shipped.values():
        assert definition.label is not None
        assert definition.description is not None
        assert 3 <= len(definition.features) <= 12
        for asked in definition.features:
            assert library().column(asked.feature).kind != "text"
            assert asked.high is not None
            assert asked.low is not None
