from __future__ import annotations

import numpy as np
import pytest

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.cluster.explains import compare, explained, rfm_cells


def _later(people: int = 900, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Three groups whose means differ so that they explain half of the variance (4.17 of 8.34) of the outcome."""
    generator = np.random.default_rng(seed)
    groups = np.arange(people) % 3
    means = np.array([0.0, 2.5, 5.0])
    return groups, means[groups] + generator.normal(0, np.sqrt(means.var()), people)


def test_the_planted_share_is_found_and_its_interval_covers_it_as_often_as_it_says() -> None:
    seen = [explained(*_later(seed=seed), resamples=100) for seed in range(40)]
    assert sum(one.r2.low < 0.5 < one.r2.high for one in seen) >= 34
    assert np.mean([one.r2.value for one in seen]) == pytest.approx(0.5, abs=0.01)
    assert all(one.eta2 >= one.r2.value for one in seen)
    assert seen[0].groups == 3


def test_many_meaningless_groups_flatter_on_the_customers_themselves_and_are_found_out_on_others() -> None:
    _, outcome = _later()
    chance = np.random.default_rng(3).integers(0, 200, 900)
    seen = explained(chance, outcome, resamples=100)
    assert seen.eta2 > 0.15
    assert seen.r2.high < 0


def test_the_numbers_of_the_groups_do_not_matter_but_those_of_none_are_a_group() -> None:
    groups, outcome = _later()
    renamed = np.array([7, -1, 2])[groups]
    first, second = explained(renamed, outcome, resamples=50), explained(groups, outcome, resamples=50)
    assert first.r2.value == pytest.approx(second.r2.value)
    assert first.groups == 3


def test_a_mix_of_categories_is_explained_over_all_its_columns() -> None:
    generator = np.random.default_rng(2)
    groups = np.arange(400) % 2
    tastes = np.array([[8.0, 1.0, 1.0], [1.0, 1.0, 8.0]])[groups]
    mix = np.array([generator.dirichlet(taste) for taste in tastes])
    seen = explained(groups, mix, resamples=100)
    assert seen.r2.value > 0.6
    between = sum((groups == g).mean() * np.square(mix[groups == g].mean(0) - mix.mean(0)).sum() for g in (0, 1))
    assert seen.eta2 == pytest.approx(between / np.square(mix - mix.mean(0)).sum(axis=1).mean())


def test_the_better_grouping_is_proven_on_the_same_customers() -> None:
    groups, outcome = _later()
    blurred = np.where(np.random.default_rng(4).random(900) < 0.3, 0, groups)
    pair = compare(groups, blurred, outcome, resamples=200)
    assert pair.difference.low > 0
    assert pair.first.value == explained(groups, outcome, resamples=20).r2.value
    same = compare(groups, groups, outcome, resamples=50)
    assert (same.difference.low, same.difference.high) == (0.0, 0.0)


def test_rfm_cells_are_as_many_as_asked_and_cut_at_medians() -> None:
    generator = np.random.default_rng(5)
    recency, frequency, money = (
        generator.integers(1, 100, 800),
        generator.poisson(4, 800),
        generator.lognormal(3, 1, 800),
    )
    for cells in (1, 2, 5, 6, 7, 12):
        labels = rfm_cells(recency, frequency, money, cells)
        sizes = np.bincount(labels)
        assert sizes.size == cells
        assert sizes.min() > 0
        if cells > 4:
            assert sizes.max() < 800 / 3
    halves = rfm_cells(recency, frequency, money, 2)
    assert frequency[halves == 1].min() > frequency[halves == 0].max()


def test_rfm_cells_foretell_what_recency_frequency_and_money_decide() -> None:
    generator = np.random.default_rng(6)
    frequency = generator.poisson(5, 500).astype(float)
    recency, money = generator.integers(1, 60, 500), frequency * 10 + generator.normal(0, 5, 500)
    later = frequency * 20 + generator.normal(0, 20, 500)
    assert explained(rfm_cells(recency, frequency, money, 6), later, resamples=50).r2.value > 0.6


def test_bad_input_is_named() -> None:
    groups, outcome = _later(60)
    with pytest.raises(NotEnoughData, match="same for everybody"):
        explained(groups, np.ones(60))
    with pytest.raises(NotEnoughData, match="10 or more; saw 3"):
        explained([0, 1, 2], [1.0, 2.0, 3.0])
    with pytest.raises(BadQuestion, match="labels 60, outcome 59"):
        explained(groups, outcome[:59])
    with pytest.raises(NotEnoughData, match="too alike for so many cells; expected 3; saw 1"):
        rfm_cells([1, 1, 1], [2, 2, 2], [3, 3, 3], 3)
    with pytest.raises(BadQuestion, match="1 or more"):
        rfm_cells([1], [2], [3], 0)
