from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.cluster.naming import Trait, cliffs_delta, portray

NAMES = ["spend", "spend again", "night share", "age", "nothing"]


def _shop(people: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Group 0 spends much, group 1 buys at night and is young, group 2 is average."""
    generator = np.random.default_rng(5)
    labels = np.arange(people) % 3
    spend = generator.lognormal(3, 0.5, people) * np.where(labels == 0, 10, 1)
    night = generator.beta(2, 8, people) + np.where(labels == 1, 0.5, 0)
    age = generator.normal(45, 8, people) - np.where(labels == 1, 20, 0)
    return np.column_stack([spend, spend * 1.1 + 1, night, age, np.ones(people)]), labels


def test_each_group_is_named_by_what_sets_it_apart() -> None:
    X, labels = _shop()
    rich, young, _ = portray(X, NAMES, labels).groups
    assert rich.traits[0].feature in {"spend", "spend again"}
    assert rich.traits[0].direction == "high"
    assert rich.traits[0].size == "large"
    assert rich.traits[0].inside == pytest.approx(np.median(X[labels == 0, NAMES.index(rich.traits[0].feature)]))
    assert {(trait.feature, trait.direction) for trait in young.traits[:2]} == {("night share", "high"), ("age", "low")}
    assert rich.people == 200
    assert rich.share == pytest.approx(1 / 3)


def test_what_says_the_same_is_said_once_and_what_says_nothing_never() -> None:
    X, labels = _shop()
    for group in portray(X, NAMES, labels).groups:
        features = [trait.feature for trait in group.traits]
        assert not {"spend", "spend again"} <= set(features)
        assert "nothing" not in features
        assert len(features) <= 4
        assert all(abs(trait.delta) >= 0.147 for trait in group.traits)


def test_rules_find_the_members_in_the_features_own_units() -> None:
    X, labels = _shop()
    seen = portray(X, NAMES, labels)
    assert seen.fidelity > 0.9
    for group in seen.groups:
        chosen = np.ones(len(X), dtype=bool)
        for condition in group.rule.conditions:
            column = X[:, NAMES.index(condition.feature)]
            chosen &= column > (-np.inf if condition.low is None else condition.low)
            chosen &= column <= (np.inf if condition.high is None else condition.high)
        members = labels == group.group
        assert (chosen & members).sum() / chosen.sum() == pytest.approx(group.rule.precision)
        assert (chosen & members).sum() / members.sum() == pytest.approx(group.rule.recall)
        assert group.rule.precision > 0.8


def test_two_groups_that_read_the_same_get_another_trait_to_tell_them_apart() -> None:
    generator = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], 300)
    columns = [generator.normal(size=900) + 3 * (labels != 2), generator.normal(size=900) + 3 * (labels != 2)]
    columns.append(generator.normal(size=900) + np.where(labels == 0, 0.4, 0) - np.where(labels == 1, 0.4, 0))
    one, two, _ = portray(np.column_stack(columns), ["a", "b", "c"], labels).groups
    readings = [{(trait.feature, trait.direction) for trait in group.traits} for group in (one, two)]
    assert readings[0] != readings[1]
    assert ("c", "high") in readings[0]
    assert ("c", "low") in readings[1]


def test_customers_of_no_group_count_among_the_others() -> None:
    X, labels = _shop()
    outside = np.where(labels == 2, -1, labels)
    assert len(portray(X, NAMES, outside).groups) == 2
    only = portray(X, NAMES, np.where(labels == 0, 0, -1)).groups
    assert only[0].traits[0].direction == "high"


def test_unknown_values_are_filled_and_do_no_harm() -> None:
    X, labels = _shop()
    X[::10, 2] = np.nan
    X[:, 4] = np.nan
    assert portray(X, NAMES, labels).groups[1].traits[0].feature in {"night share", "age"}


@settings(max_examples=40)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_cliffs_delta_counts_pairs(one: list[int], two: list[int]) -> None:
    pairs = np.sign(np.array(one)[:, None] - np.array(two)[None, :])
    assert cliffs_delta(one, two) == pytest.approx(pairs.mean())


def test_sizes_follow_the_usual_bounds() -> None:
    assert [Trait("x", delta, 0, 0, 0, 0).size for delta in (0.2, -0.4, 0.9)] == ["small", "medium", "large"]
    assert Trait("x", -0.4, 0, 0, 0, 0).direction == "low"


def test_bad_input_is_named() -> None:
    X, labels = _shop(30)
    with pytest.raises(BadQuestion, match="expected 5 names; saw 1"):
        portray(X, ["spend"], labels)
    with pytest.raises(BadQuestion, match="features 30, labels 3"):
        portray(X, NAMES, [0, 1, 2])
    for alike in (np.zeros(30), np.full(30, -1)):
        with pytest.raises(NotEnoughData, match="only different from others"):
            portray(X, NAMES, alike)
