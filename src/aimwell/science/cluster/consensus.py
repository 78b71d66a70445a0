"""Consensus: customers whom most methods put together belong together (evidence accumulation)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.cluster.assignment import NONE, NearestCentre, squared_distances
from aimwell.science.cluster.criteria import MOST, NO_NATURAL_GROUPS
from aimwell.science.cluster.kmeans import fit_centres
from aimwell.science.cluster.method import Clustering, Found, means_of, method, methods, sample_rows
from aimwell.science.cluster.stability import adjusted_rand
from aimwell.science.cluster.tree import cut

SAMPLE = 800
"""Every pair of these customers gets a weight of the methods that put them together; the others follow their centre."""
LEARNT = 5000
"""k-means listens to so many customers, drawn anew for each of its runs."""
RUNS = 6
"""k-means is run so often; all its runs together weigh as much as all other methods together."""
SHARPNESS = 2
"""An opinion weighs as the square of its mean agreement with the others: one that nobody shares hardly counts."""


def consensus_of(members: Sequence[str]) -> Clustering:
    """The consensus of some methods only.

    members: names of methods, at least one, no consensus among them.   Raises BadQuestion for an unknown one.
    """
    chosen = [method(name) for name in dict.fromkeys(members)]
    if not chosen or any(member.ensemble for member in chosen):
        raise BadQuestion(
            "A consensus is made of other methods",
            expected="one or more of " + ", ".join(name for name, one in methods().items() if not one.ensemble),
            seen=", ".join(members) or "none",
        )
    return Clustering(
        name=METHOD.name,
        label=METHOD.label,
        meaning=METHOD.meaning,
        search=partial(_search, members=tuple(chosen)),
        ensemble=True,
    )


def _search(X: FloatArray, *, k: int | None, seed: int, members: tuple[Clustering, ...] = ()) -> Found:
    points = X[sample_rows(len(X), SAMPLE, seed)]
    heard = members or tuple(one for one in methods().values() if not one.ensemble)
    opinions = _opinions(X, points, k, seed, heard)
    weights = _weights(opinions)
    together = np.zeros((len(points), len(points)))
    for (labels, _), weight in zip(opinions, weights, strict=True):
        together += weight * ((labels[:, None] == labels[None, :]) & (labels != NONE)[:, None])
    np.fill_diagonal(together, 1.0)
    tree = linkage(squareform(1 - together, checks=False), "average")
    size, natural = (min(k, len(points)), True) if k is not None else _lasting(tree[:, 2])
    groups = cut(tree, size)
    notes = () if natural else (NO_NATURAL_GROUPS,)
    return Found(NearestCentre(means_of(points, groups, size)[0], np.arange(size)), notes)


def _opinions(
    X: FloatArray, points: FloatArray, k: int | None, seed: int, members: tuple[Clustering, ...]
) -> list[tuple[IntArray, float]]:
    """Partitions of the sample with their weight before anybody is heard."""
    generator = np.random.default_rng(seed)
    different = len(np.unique(points, axis=0))
    low, high = (2, max(3, round(np.sqrt(len(points)) / 2))) if k is None else (k, k)
    others = [member for member in members if member.name != "kmeans"]
    found: list[tuple[IntArray, float]] = []
    for start in range(RUNS if len(others) < len(members) else 0):
        size = min(int(generator.integers(low, high + 1)), different)
        drawn = X[generator.integers(len(X), size=min(len(X), LEARNT))]
        centres = fit_centres(drawn, size, seed + start, restarts=2)
        found.append((squared_distances(points, centres).argmin(axis=1), max(1, len(others)) / RUNS))
    for member in others:
        wished = None if k is not None and k > different else k
        found.append((member.fit(points, k=wished, seed=seed).labels, 1.0))
    return found


def _weights(opinions: list[tuple[IntArray, float]]) -> FloatArray:
    """Shares [opinions]: the given weight times the squared mean agreement (adjusted Rand index) with the others."""
    given = np.array([weight for _, weight in opinions])
    if len(opinions) > 2:
        agreement = np.eye(len(opinions))
        for one in range(len(opinions)):
            for two in range(one):
                agreement[one, two] = agreement[two, one] = adjusted_rand(opinions[one][0], opinions[two][0])
        shared = (agreement @ given - given) / (given.sum() - given)
        # Never nothing: where all methods disagree, all are heard alike.
        given = given * np.maximum(shared, 0.01) ** SHARPNESS
    shares: FloatArray = given / given.sum()
    return shares


def _lasting(heights: FloatArray) -> tuple[int, bool]:
    """The number of groups, 2 to 10, that lasts longest while the bar for joining is raised.

    The second value: whether it lasts longer than one group of everybody, as natural groups do.
    """
    last = np.concatenate([heights[::-1][: MOST + 1], [0.0]])
    # Between heights[-m+1] and heights[-m] there are m groups; one group lasts from the highest join to 1.
    lives = last[:-1] - last[1:]
    best = int(np.argmax(lives[: MOST - 1]))
    return best + 2, bool(lives[best] >= 1.0 - last[0])


METHOD = Clustering(
    name="consensus",
    label=Text("共识聚类", "Consensus"),
    meaning=Text("多数方法都归在一起的客户成为一群", "Customers whom most methods put together are a group"),
    search=_search,
    ensemble=True,
)
