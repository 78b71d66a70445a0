"""A consensus of chosen methods: who is heard, how much, and that it holds where groups run into each other."""

from __future__ import annotations

import numpy as np
import pytest

from aimwell.core.errors import BadQuestion
from aimwell.science.cluster.consensus import consensus_of
from aimwell.science.cluster.method import method
from aimwell.science.cluster.stability import adjusted_rand, stability


def cloud(people: int, seed: int) -> np.ndarray:
    """Customers who differ in three ways and form no natural groups, as real ones do."""
    generator = np.random.default_rng(seed)
    return generator.normal(size=(people, 3)) * [3.0, 2.0, 1.0]


def test_a_consensus_is_made_of_other_methods_that_exist() -> None:
    with pytest.raises(BadQuestion, match="No such clustering method"):
        consensus_of(["kmeans", "astrology"])
    for members in ([], ["kmeans", "consensus"]):
        with pytest.raises(BadQuestion, match="made of other methods; expected one or more of dbscan"):
            consensus_of(members)


def test_the_consensus_of_one_method_is_nearly_that_method() -> None:
    X = cloud(600, 1)
    alone = consensus_of(["kmeans"]).fit(X, k=4)
    assert adjusted_rand(alone.labels, method("kmeans").fit(X, k=4).labels) > 0.8


def test_a_method_that_nobody_agrees_with_is_hardly_heard() -> None:
    # In one even cloud DBSCAN sees a single crowd, so it says nothing about where to cut.
    X = cloud(600, 1)
    with_it = consensus_of(["kmeans", "hierarchical", "gaussian_mixture", "dbscan"]).fit(X, k=4)
    without = consensus_of(["kmeans", "hierarchical", "gaussian_mixture"]).fit(X, k=4)
    assert adjusted_rand(with_it.labels, without.labels) > 0.8


def test_where_groups_run_into_each_other_the_consensus_holds_about_as_well_as_k_means() -> None:
    X = cloud(600, 2)
    both = {}
    for clustering in (consensus_of(["kmeans", "hierarchical", "gaussian_mixture"]), method("kmeans")):
        fitted = clustering.fit(X, k=4)
        both[clustering.name] = stability(clustering, X, fitted, asked=4, repetitions=8).agreement
    assert both["consensus"] > both["kmeans"] - 0.2
    assert both["consensus"] > 0.6
