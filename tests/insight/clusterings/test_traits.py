"""What sets a group apart, in figures that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from aimwell.insight.clusterings.traits import Trait, sketch_groups

NAMES = ("spend", "noise")


def two_groups() -> tuple[np.ndarray, np.ndarray]:
    """Ten who spend 1 … 10 and ten who spend 101 … 110; the noise is the same in both."""
    spend = np.concatenate([np.arange(1.0, 11), np.arange(101.0, 111)])
    noise = np.tile(np.arange(10.0), 2)
    return np.column_stack([spend, noise]), np.repeat([1, 0], 10)


def test_a_trait_has_its_effect_and_its_means() -> None:
    values, labels = two_groups()
    sketches, _ = sketch_groups(values, NAMES, labels, np.array([labels] * 4), seed=0)
    [trait] = sketches[0].traits
    assert trait == Trait("spend", 1.0, 105.5, 55.5, by_median=False, held=1.0)
    assert trait.telling
    assert sketches[1].traits[0].delta == -1.0
    assert [other.feature for other in sketches[0].others] == ["noise"]
    assert sketches[0].others[0].delta == 0.0


def test_a_trait_that_is_not_found_again_is_not_telling() -> None:
    values, labels = two_groups()
    mixed = np.tile([0, 1], 10)
    sketches, _ = sketch_groups(values, NAMES, labels, np.array([labels, mixed, mixed, mixed]), seed=0)
    [trait] = sketches[0].traits
    assert trait.held == pytest.approx(0.25)
    assert not trait.telling
    assert not trait.noticeable


def test_without_repetitions_nothing_holds() -> None:
    values, labels = two_groups()
    sketches, _ = sketch_groups(values, NAMES, labels, np.empty((0, 20), dtype=np.int64), seed=0)
    assert sketches[0].traits[0].held == 0


def test_the_numbering_of_a_repetition_does_not_matter_and_unplaced_customers_do_no_harm() -> None:
    values, labels = two_groups()
    turned = 1 - labels
    turned[0] = -1
    sketches, _ = sketch_groups(values, NAMES, labels, np.array([turned]), seed=0)
    assert sketches[0].traits[0].held == 1


def test_where_the_mean_points_the_other_way_medians_are_told() -> None:
    # Members mostly have more, but one other customer has very much.
    inside, outside = np.full(9, 5.0), np.array([1.0] * 8 + [500.0])
    values = np.concatenate([inside, outside])[:, None]
    labels = np.repeat([0, 1], 9)
    sketches, _ = sketch_groups(values, ("spend",), labels, np.array([labels]), seed=0)
    [trait] = sketches[0].traits
    assert trait.by_median
    assert (trait.inside, trait.overall) == (5.0, 5.0)
    assert trait.delta > 0


def test_unknown_values_count_as_the_median() -> None:
    values, labels = two_groups()
    values[0, 0] = np.nan
    sketches, _ = sketch_groups(values, NAMES, labels, np.array([labels]), seed=0)
    assert sketches[0].traits[0].feature == "spend"
