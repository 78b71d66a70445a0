from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.cluster.choice import choose_k
from aimwell.science.cluster.criteria import NO_NATURAL_GROUPS, bic, silhouette
from aimwell.science.cluster.method import method


def _planted(groups: int, people: int, seed: int, columns: int = 4) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    truth = np.arange(people) % groups
    corners = generator.permutation(np.array(np.meshgrid(*[[-4.0, 4.0]] * columns)).reshape(columns, -1).T)[:groups]
    return corners[truth] + generator.normal(0, 1, (people, columns)), truth


@pytest.mark.parametrize("groups", [2, 3, 5])
def test_the_planted_number_of_groups_is_chosen(groups: int) -> None:
    X, _ = _planted(groups, 300, groups)
    seen = choose_k(method("kmeans"), X, ks=range(2, 8), seed=1)
    assert seen.k == groups
    assert seen.low <= groups <= seen.high
    assert seen.natural
    assert [row.k for row in seen.rows] == [2, 3, 4, 5, 6, 7]


def test_featureless_customers_have_no_natural_groups() -> None:
    X = np.random.default_rng(0).normal(size=(300, 5))
    seen = choose_k(method("kmeans"), X, ks=range(2, 6), seed=1)
    assert not seen.natural
    for name in ("kmeans", "hierarchical", "consensus"):
        found = method(name).fit(X)
        assert found.k >= 2
        assert NO_NATURAL_GROUPS in found.notes


def test_the_choice_does_not_depend_on_the_order_of_rows_and_repeats() -> None:
    X, _ = _planted(3, 150, 7)
    order = np.random.default_rng(1).permutation(150)
    first = choose_k(method("hierarchical"), X, ks=(2, 3, 4), seed=5)
    assert first == choose_k(method("hierarchical"), X[order], ks=(4, 3, 2), seed=5)


def test_the_silhouette_agrees_with_an_independent_implementation() -> None:
    X, truth = _planted(4, 200, 1)
    noisy = np.where(np.arange(200) % 7 == 0, 0, truth)
    assert silhouette(X, noisy) == pytest.approx(silhouette_score(X, noisy))
    outside = np.where(np.arange(200) % 5 == 0, -1, truth)
    inside = outside >= 0
    assert silhouette(X, outside) == pytest.approx(silhouette_score(X[inside], outside[inside]))


def test_bic_prefers_the_true_partition() -> None:
    X, truth = _planted(4, 400, 2)
    merged, split = np.minimum(truth, 2), np.where((truth == 3) & (X[:, 0] > np.median(X[truth == 3, 0])), 4, truth)
    assert bic(X, truth) < bic(X, merged)
    assert bic(X, truth) < bic(X, split)


def test_bad_input_is_named() -> None:
    X, _ = _planted(2, 50, 1)
    with pytest.raises(BadQuestion, match="start at 2"):
        choose_k(method("kmeans"), X, ks=(1, 2))
    with pytest.raises(BadQuestion, match="start at 2"):
        choose_k(method("kmeans"), X, ks=())
    with pytest.raises(NotEnoughData, match="Too few customers to choose"):
        choose_k(method("kmeans"), np.repeat(X[:3], 20, axis=0))
    with pytest.raises(NotEnoughData, match="expected two groups"):
        silhouette(X, np.zeros(50))
    with pytest.raises(BadQuestion, match="features 50, labels 2"):
        silhouette(X, [0, 1])
