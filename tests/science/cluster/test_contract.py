"""What every clustering method must do; a new method file is covered the moment it exists."""

from __future__ import annotations

import time
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.cluster.assignment import assignment_from
from aimwell.science.cluster.method import ALIKE, MOSTLY_NONE, Clustering, Fitted, method, methods, restored
from aimwell.science.cluster.stability import adjusted_rand

METHODS = pytest.mark.parametrize("clustering", methods().values(), ids=methods().keys())

CENTRES = np.array([[0.0, 0.0, 0.0], [6.0, 0.0, 1.0], [0.0, 7.0, -1.0], [6.0, 6.0, 6.0]])


def planted(people: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Four round groups of different sizes, and who belongs where."""
    generator = np.random.default_rng(seed)
    truth = generator.choice(4, people, p=[0.4, 0.3, 0.2, 0.1])
    return CENTRES[truth] + generator.normal(0, 0.7, (people, 3)), truth


@cache
def fitted(name: str, k: int | None = 4) -> Fitted:
    return method(name).fit(planted(500, 1)[0], k=k, seed=3)


def test_the_shipped_methods_are_found_by_walking_the_folder() -> None:
    assert {"kmeans", "hierarchical", "dbscan", "hdbscan", "gaussian_mixture", "consensus"} <= set(methods())
    with pytest.raises(BadQuestion, match="No such clustering method; expected consensus, dbscan"):
        method("astrology")


@METHODS
def test_a_method_says_what_it_is_in_both_languages(clustering: Clustering) -> None:
    assert clustering.name.isidentifier()
    for phrase in (clustering.label, clustering.meaning):
        assert phrase.zh.strip()
        assert phrase.en.strip()


@METHODS
@pytest.mark.parametrize("k", [4, None])
def test_planted_groups_are_found(clustering: Clustering, k: int | None) -> None:
    truth = planted(500, 1)[1]
    found = fitted(clustering.name, k)
    inside = found.labels >= 0
    assert found.k == 4
    assert inside.mean() > 0.85
    assert adjusted_rand(truth[inside], found.labels[inside]) > 0.97
    if not clustering.leaves_out:
        assert inside.all()


@METHODS
def test_groups_are_numbered_from_the_largest_and_counted(clustering: Clustering) -> None:
    X, _ = planted(500, 1)
    found = fitted(clustering.name)
    assert found.method == clustering.name
    assert found.sizes.tolist() == sorted(found.sizes, reverse=True)
    assert np.bincount(found.labels[found.labels >= 0]).tolist() == found.sizes.tolist()
    for group in range(found.k):
        assert found.centres[group] == pytest.approx(X[found.labels == group].mean(axis=0))


@METHODS
def test_the_order_of_the_rows_does_not_matter(clustering: Clustering) -> None:
    X, _ = planted(500, 1)
    order = np.random.default_rng(9).permutation(500)
    shuffled = clustering.fit(X[order], k=4, seed=3)
    assert np.array_equal(shuffled.labels, fitted(clustering.name).labels[order])


@METHODS
def test_equal_seeds_give_equal_groups(clustering: Clustering) -> None:
    again = clustering.fit(planted(500, 1)[0], k=4, seed=3)
    assert np.array_equal(again.labels, fitted(clustering.name).labels)
    assert np.array_equal(again.centres, fitted(clustering.name).centres)


@METHODS
def test_known_customers_stay_where_they_are_and_new_ones_find_their_group(clustering: Clustering) -> None:
    X, _ = planted(500, 1)
    found = fitted(clustering.name)
    assert np.array_equal(found.assign(X), found.labels)
    fresh, whose = planted(400, 2)
    labels = found.assign(fresh)
    inside = labels >= 0
    assert inside.mean() > 0.8
    assert adjusted_rand(whose[inside], labels[inside]) > 0.95
    far = found.assign([[500.0, 500.0, -500.0]])
    assert far.shape == (1,)
    if clustering.leaves_out:
        assert far[0] == -1


@METHODS
def test_a_kept_clustering_places_customers_as_before(clustering: Clustering) -> None:
    found = fitted(clustering.name)
    fresh, _ = planted(100, 5)
    assert np.array_equal(restored(clustering.name, found.arrays()).labels(fresh), found.assign(fresh))


@METHODS
def test_one_customer_or_equal_customers_are_one_group(clustering: Clustering) -> None:
    alone = clustering.fit([[1.0, 2.0]])
    assert (alone.k, alone.labels.tolist()) == (1, [0])
    equal = clustering.fit(np.ones((50, 2)))
    assert (equal.k, equal.labels.tolist()) == (1, [0] * 50)
    assert equal.notes == (ALIKE,)
    asked = clustering.fit(planted(50, 1)[0], k=1)
    assert (asked.k, asked.notes) == (1, ())


@METHODS
def test_more_groups_than_customers_is_refused_in_words(clustering: Clustering) -> None:
    with pytest.raises(NotEnoughData, match="Fewer customers than groups; expected at least 5 customers; saw 4"):
        clustering.fit(np.arange(8.0).reshape(4, 2), k=5)
    with pytest.raises(NotEnoughData, match="Fewer different customers than groups"):
        clustering.fit(np.repeat([[1.0, 2.0], [3.0, 4.0]], 10, axis=0), k=3)
    with pytest.raises(BadQuestion, match="1 or more"):
        clustering.fit(np.eye(4), k=0)


@METHODS
def test_a_constant_column_and_repeated_rows_do_no_harm(clustering: Clustering) -> None:
    X, truth = planted(150, 4)
    X = np.column_stack([np.repeat(X, 2, axis=0), np.full(300, 7.0)])
    found = clustering.fit(X, k=4, seed=1)
    assert np.array_equal(found.labels[::2], found.labels[1::2])
    inside = found.labels >= 0
    assert adjusted_rand(np.repeat(truth, 2)[inside], found.labels[inside]) > 0.9


@METHODS
def test_unknown_values_and_foreign_columns_are_refused(clustering: Clustering) -> None:
    with pytest.raises(BadQuestion, match="features hold missing or infinite numbers"):
        clustering.fit([[1.0, np.nan], [2.0, 3.0]])
    with pytest.raises(NotEnoughData, match="nobody"):
        clustering.fit(np.empty((0, 2)))
    with pytest.raises(BadQuestion, match="expected 3 columns; saw 2"):
        fitted(clustering.name).assign([[1.0, 2.0]])


@METHODS
@settings(max_examples=8)
@given(st.integers(0, 10_000), st.integers(2, 14), st.integers(1, 3), st.booleans())
def test_a_handful_of_customers_is_no_accident(
    clustering: Clustering, seed: int, people: int, columns: int, whole: bool
) -> None:
    X = np.random.default_rng(seed).normal(0, 2, (people, columns))
    X = X.round() if whole else X
    different = len(np.unique(X, axis=0))
    for k in (None, min(3, different)):
        found = clustering.fit(X, k=k, seed=seed)
        assert found.labels.shape == (people,)
        assert found.labels.max() == found.k - 1
        assert found.labels.min() >= -1
        assert np.array_equal(found.assign(X), found.labels)


def test_a_method_that_leaves_most_customers_out_says_so() -> None:
    generator = np.random.default_rng(3)
    crowd, strays = generator.normal(0, 0.02, (40, 6)), generator.uniform(-5, 5, (200, 6))
    found = method("dbscan").fit(np.concatenate([crowd, crowd + 3, strays]), k=2)
    assert (found.labels == -1).mean() > 0.5
    assert MOSTLY_NONE in found.notes
    assert MOSTLY_NONE not in fitted("dbscan").notes


@pytest.mark.slow
@METHODS
def test_two_hundred_thousand_customers_are_grouped_in_seconds(clustering: Clustering) -> None:
    X, truth = planted(200_000, 6)
    started = time.perf_counter()
    found = clustering.fit(X, seed=1)
    assert time.perf_counter() - started < 60
    inside = found.labels >= 0
    assert inside.mean() > 0.9
    assert adjusted_rand(truth[inside], found.labels[inside]) > 0.97


def test_a_broken_file_is_no_clustering() -> None:
    arrays = fitted("kmeans").arrays()
    with pytest.raises(BadQuestion, match="no stored clustering"):
        assignment_from({name: values for name, values in arrays.items() if name != "centres"})
    with pytest.raises(BadQuestion, match="no stored clustering"):
        assignment_from({"kind": np.array("astrology")})
    with pytest.raises(BadQuestion, match="No such clustering method"):
        restored("astrology", arrays)
