"""A map of customers for looking: the two directions in which they differ most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aimwell.insight.clusterings.result import Axis, Picture
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.cluster.method import sample_rows

MOST = 5000
"""Points that a page can still show at once."""
NAMED = 3
"""Features told for each axis."""


def draw_picture(
    points: FloatArray, names: Sequence[str], labels: IntArray, ids: Sequence[str], *, seed: int = 0
) -> Picture:
    """Customers on their first two principal components, at most 5,000 of them.

    points: prepared features [n, d].   labels: group of each [n], -1 for none.   ids: of the groups by label.
    The strongest feature of each axis points to the right and upwards. With one feature the second axis is empty.
    Source: Pearson, Philosophical Magazine 2 (1901).
    """
    rows = sample_rows(len(points), MOST, seed)
    centred = points - points.mean(axis=0)
    spread = np.linalg.eigh(centred.T @ centred / len(points))
    order = np.argsort(-spread.eigenvalues, kind="stable")
    total = float(spread.eigenvalues.sum())
    places: list[FloatArray] = []
    axes: list[Axis] = []
    for turn in range(2):
        if turn >= len(order) or total <= 0:
            places.append(np.zeros(len(rows)))
            axes.append(Axis(0.0, ()))
            continue
        direction = spread.eigenvectors[:, order[turn]]
        strongest = np.argsort(-np.abs(direction).round(9), kind="stable")
        direction = direction * np.sign(direction[strongest[0]])
        places.append(centred[rows] @ direction)
        told = tuple((names[place], round(float(direction[place]), 4)) for place in strongest[:NAMED])
        axes.append(Axis(max(0.0, float(spread.eigenvalues[order[turn]])) / total, told))
    x, y = (tuple(round(float(value), 3) for value in each) for each in places)
    group = tuple(ids[label] if label >= 0 else "" for label in labels[rows].tolist())
    return Picture(x, y, group, (axes[0], axes[1]), len(points))
