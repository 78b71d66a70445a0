"""Finding groups: rows in any order, sampled or not, chosen number, and repetitions that are kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.insight.clusterings.habits import define

from aimwell.core.errors import NotEnoughData
from aimwell.insight.clusterings.definition import Clustering
from aimwell.insight.clusterings.grouping import find_groups, most_stable
from aimwell.science.cluster.choice import Choice, ChoiceRow
from aimwell.science.cluster.stability import adjusted_rand

NAMES = ("visits", "basket")


def ask(**changes: object) -> Clustering:
    return define({"features": [{"feature": name} for name in NAMES], "repetitions": 3} | changes)


def crowd(people: int, seed: int, unknown: float = 0.0) -> np.ndarray:
    """Three crowds in two features; a share of the values is unknown."""
    generator = np.random.default_rng(seed)
    values = np.array([[1.0, 5.0], [9.0, 5.0], [5.0, 50.0]])[generator.integers(3, size=people)]
    values = values + generator.normal(0, 0.4, (people, 2))
    values[generator.random((people, 2)) < unknown] = np.nan
    return values


@settings(max_examples=10)
@given(st.integers(0, 1000), st.sampled_from([60, 2000]), st.sampled_from(["kmeans", "hierarchical"]))
def test_the_order_of_the_rows_changes_nothing(seed: int, sample: int, method: str) -> None:
    values = crowd(120, seed, 0.03)
    order = np.random.default_rng(seed + 1).permutation(120)
    definition = ask(method=(method,), sample=max(100, sample))
    one = find_groups(definition, values, NAMES)
    two = find_groups(definition, values[order], NAMES)
    assert np.array_equal(one.labels(values)[order], two.labels(values[order]))
    assert one.stability == two.stability


def test_a_chosen_number_goes_with_its_table_and_its_method() -> None:
    found = find_groups(ask(groups="auto", between=(2, 4), method=("kmeans", "hierarchical")), crowd(150, 1), NAMES)
    assert found.choice is not None
    assert found.fitted.k == found.choice.k == 3
    assert (found.method.name, found.choice_method) == ("consensus", "kmeans")
    assert any("compared with k-means" in note.en for note in found.notes)


def test_the_number_of_the_fit_before_is_kept_where_the_criteria_support_it() -> None:
    cloud = np.random.default_rng(2).normal(size=(200, 2))
    asked = ask(groups="auto", between=(3, 6))
    first = find_groups(asked, cloud, NAMES).choice
    assert first is not None
    assert first.low < first.high
    own = most_stable(first)
    other = next(k for k in range(first.low, first.high + 1) if k != own)
    again = find_groups(asked, cloud, NAMES, wish=other)
    assert again.fitted.k == other
    assert any(f"alone this fit would have {own}," in note.en for note in again.notes)
    assert find_groups(asked, cloud, NAMES, wish=12).fitted.k == own


def test_of_the_numbers_that_the_criteria_support_the_most_stable_is_taken() -> None:
    rows = tuple(
        ChoiceRow(k, 0.2, 1.0, 0.1, 100.0, stability)
        for k, stability in ((3, 0.99), (4, 0.60), (5, 0.801), (6, 0.804), (7, 0.7))
    )
    assert most_stable(Choice(4, 4, 7, natural=False, rows=rows)) == 5
    assert most_stable(Choice(4, 3, 7, natural=False, rows=rows)) == 3
    assert most_stable(Choice(4, 4, 4, natural=False, rows=rows)) == 4


def test_a_method_that_chooses_by_itself_is_left_to_choose() -> None:
    found = find_groups(ask(groups="auto", method=("hdbscan",)), crowd(300, 1), NAMES)
    assert found.choice is None
    assert found.fitted.k == 3


def test_every_repetition_is_kept_for_those_who_ask_what_holds() -> None:
    found = find_groups(ask(), crowd(150, 1), NAMES)
    assert found.again.shape == (3, 150)
    assert all(adjusted_rand(row, found.fitted.labels) > 0.9 for row in found.again)
    assert find_groups(ask(), crowd(150, 1), NAMES, judged=False).stability is None


def test_groups_that_run_into_each_other_are_called_a_useful_division() -> None:
    cloud = np.random.default_rng(2).normal(size=(200, 2))
    notes = find_groups(ask(groups="auto", between=(4, 6)), cloud, NAMES).notes
    assert any("not natural kinds" in note.en for note in notes)


def test_nothing_to_tell_apart_is_refused_in_words() -> None:
    with pytest.raises(NotEnoughData, match="apart; expected a feature that is known.*is the same for all"):
        find_groups(ask(), np.ones((20, 2)), NAMES)
