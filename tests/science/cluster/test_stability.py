from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.cluster.method import method
from aimwell.science.cluster.stability import Verdict, adjusted_rand, best_overlaps, stability

LABELS = st.lists(st.integers(-1, 4), min_size=2, max_size=60)


@settings(max_examples=40)
@given(LABELS, LABELS)
def test_agreement_equals_an_independent_implementation(one: list[int], two: list[int]) -> None:
    size = min(len(one), len(two))
    assert adjusted_rand(one[:size], two[:size]) == pytest.approx(adjusted_rand_score(one[:size], two[:size]))


def test_overlaps_are_counted_by_hand() -> None:
    reference = np.array([0, 0, 0, 0, 1, 1, -1, -1])
    labels = np.array([2, 2, 2, 0, 0, 0, 2, -1])
    # Group 0 and label 2 share 3 of 5 customers; group 1 and label 0 share 2 of 3.
    assert best_overlaps(reference, labels, 2).tolist() == [0.6, pytest.approx(2 / 3)]
    assert best_overlaps(reference, np.full(8, -1), 2).tolist() == [0.0, 0.0]
    assert best_overlaps(reference, reference, 3).tolist() == [1.0, 1.0, 0.0]


def test_planted_groups_are_stable_and_each_is_recognised() -> None:
    generator = np.random.default_rng(1)
    X = np.repeat([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]], 60, axis=0) + generator.normal(0, 0.8, (180, 2))
    found = method("kmeans").fit(X, k=3)
    seen = stability(method("kmeans"), X, found, asked=3, repetitions=10)
    assert seen.verdict is Verdict.STABLE
    assert seen.agreement > 0.97
    assert seen.low <= seen.agreement <= seen.high
    assert seen.same_number == 1.0
    assert [group.group for group in seen.groups] == [0, 1, 2]
    assert all(group.overlap > 0.97 and group.dissolved == 0 for group in seen.groups)
    assert seen == stability(method("kmeans"), X, found, asked=3, repetitions=10)


def test_groups_drawn_into_featureless_customers_are_called_unstable() -> None:
    X = np.random.default_rng(2).normal(size=(300, 6))
    found = method("kmeans").fit(X, k=6)
    seen = stability(method("kmeans"), X, found, asked=6, repetitions=8)
    assert seen.verdict is Verdict.UNSTABLE
    assert seen.agreement < 0.6
    assert "another sample would give other groups" in seen.verdict.text.en
    assert "不稳定" in seen.verdict.text.zh


def test_only_the_real_group_is_trusted_when_the_others_are_arbitrary() -> None:
    generator = np.random.default_rng(3)
    cloud, apart = generator.normal(0, 1, (240, 2)), generator.normal([30, 30], 1, (60, 2))
    X = np.concatenate([cloud, apart])
    found = method("kmeans").fit(X, k=5)
    seen = stability(method("kmeans"), X, found, asked=5, repetitions=10)
    real = int(found.labels[-1])
    assert seen.groups[real].verdict is Verdict.STABLE
    assert min(group.overlap for group in seen.groups) < 0.85


def test_a_method_that_chooses_k_itself_is_asked_again_each_time() -> None:
    generator = np.random.default_rng(4)
    X = np.repeat([[0.0, 0.0], [9.0, 0.0]], 80, axis=0) + generator.normal(0, 1, (160, 2))
    found = method("hdbscan").fit(X)
    seen = stability(method("hdbscan"), X, found, repetitions=6)
    assert 0 <= seen.same_number <= 1
    assert seen.repetitions == 6


def test_draws_with_fewer_different_customers_than_groups_are_survived() -> None:
    X = np.arange(12.0).reshape(12, 1)
    found = method("kmeans").fit(X, k=12)
    assert stability(method("kmeans"), X, found, asked=12, repetitions=4).verdict is Verdict.UNSTABLE


def test_bad_input_is_named() -> None:
    X = np.arange(8.0).reshape(8, 1)
    found = method("kmeans").fit(X, k=2)
    with pytest.raises(NotEnoughData, match="10 or more; saw 8"):
        stability(method("kmeans"), X, found)
    everybody = np.arange(20.0).reshape(20, 1)
    with pytest.raises(NotEnoughData, match="One group of everybody is always the same"):
        stability(method("kmeans"), everybody, method("kmeans").fit(everybody, k=1))
    with pytest.raises(BadQuestion, match="features 7, labels 8"):
        stability(method("kmeans"), X[:7], found)
    with pytest.raises(BadQuestion, match="first 1, second 2"):
        adjusted_rand([1], [1, 2])
    with pytest.raises(NotEnoughData, match="nobody to compare"):
        adjusted_rand([], [])
