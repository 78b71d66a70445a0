"""How a customer finds his group: three rules made of plain arrays, so that a clustering can be kept and used later.

Every rule looks at one customer alone. So the same customer gets the same group whoever else is in the table, and
new customers are placed without fitting again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import FloatArray, IntArray

NONE = -1
"""The label of customers who belong to no group."""

CHUNK = 50_000
"""Rows whose distances are held in memory at once."""


@dataclass(frozen=True, slots=True, eq=False)
class NearestCentre:
    """The group whose centre is nearest; everybody belongs somewhere.

    centres: [m, d].   groups: label of each centre [m].
    """

    kind: ClassVar[str] = "nearest_centre"
    centres: FloatArray
    groups: IntArray

    def labels(self, X: FloatArray) -> IntArray:
        """Labels of customers [n]; of equally near centres the first wins."""
        places = [squared_distances(part, self.centres).argmin(axis=1) for part in _chunks(X)]
        found: IntArray = self.groups[np.concatenate(places)]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class NearestPoint:
    """The group of the nearest known customer, if he is near enough; otherwise none.

    points: prepared features of the customers that were looked at [m, d] (no ids).   groups: their labels [m].
    reach: how far from each point a customer may be to belong to its group [m].
    """

    kind: ClassVar[str] = "nearest_point"
    points: FloatArray
    groups: IntArray
    reach: FloatArray

    def labels(self, X: FloatArray) -> IntArray:
        """Labels of customers [n], -1 for those who are near nobody."""
        distance, place = cKDTree(self.points).query(X)
        return np.where(distance <= self.reach[place], self.groups[place], NONE)


@dataclass(frozen=True, slots=True, eq=False)
class MostLikely:
    """The group under whose bell curve the customer is most likely; none if he is unlikely under all together.

    log_weights: [m].   means: [m, d].   choleskys: lower roots of the covariances [m, d, d].   groups: [m].
    floor: the log-density below which a customer belongs to none.
    """

    kind: ClassVar[str] = "most_likely"
    log_weights: FloatArray
    means: FloatArray
    choleskys: FloatArray
    groups: IntArray
    floor: FloatArray

    def labels(self, X: FloatArray) -> IntArray:
        """Labels of customers [n], -1 for those who are unlike everybody."""
        found = []
        for part in _chunks(X):
            joint = self.log_joint(part)
            belongs = log_totals(joint) >= self.floor
            found.append(np.where(belongs, self.groups[joint.argmax(axis=1)], NONE))
        return np.concatenate(found)

    def log_joint(self, X: FloatArray) -> FloatArray:
        """Log of weight times density of each bell curve at each customer, [n, m]."""
        # All curves in one stack: a loop over them took three times as long.
        inverses = np.linalg.inv(self.choleskys)
        scaled = (X[None, :, :] - self.means[:, None, :]) @ inverses.transpose(0, 2, 1)
        roots = np.diagonal(self.choleskys, axis1=1, axis2=2)
        volumes = np.log(roots).sum(axis=1) + self.means.shape[1] / 2 * np.log(2 * np.pi)
        joint: FloatArray = (self.log_weights - volumes)[None, :] - np.square(scaled).sum(axis=2).T / 2
        return joint


Assignment = NearestCentre | NearestPoint | MostLikely


def log_totals(logs: FloatArray) -> FloatArray:
    """Log of the sum of the exponentials of each row of finite numbers [n].

    SciPy's `logsumexp` spends ten times as long on its checks for rows as short as these.
    """
    peaks = logs.max(axis=1)
    found: FloatArray = peaks + np.log(np.exp(logs - peaks[:, None]).sum(axis=1))
    return found


def renumbered(assignment: Assignment, numbers: IntArray) -> Assignment:
    """The same rule with other labels: label i becomes numbers[i]; -1 stays."""
    groups = np.where(assignment.groups == NONE, NONE, numbers[assignment.groups])
    return replace(assignment, groups=groups)


def arrays_of(assignment: Assignment) -> dict[str, NDArray[np.generic]]:
    """The rule as named plain arrays, ready for a file."""
    values: dict[str, NDArray[np.generic]] = {"kind": np.array(assignment.kind)}
    return values | {field.name: np.asarray(getattr(assignment, field.name)) for field in fields(assignment)}


def assignment_from(arrays: Mapping[str, NDArray[np.generic]]) -> Assignment:
    """The rule that `arrays_of` wrote down; raises BadQuestion for anything else."""
    match str(arrays.get("kind")):
        case NearestCentre.kind:
            return NearestCentre(_floats(arrays, "centres"), _groups(arrays))
        case NearestPoint.kind:
            return NearestPoint(_floats(arrays, "points"), _groups(arrays), _floats(arrays, "reach"))
        case MostLikely.kind:
            weights, means, roots, floor = (_floats(arrays, name) for name in _CURVES)
            return MostLikely(weights, means, roots, _groups(arrays), floor)
    raise _no_clustering(arrays)


def squared_distances(X: FloatArray, Y: FloatArray) -> FloatArray:
    """Squared straight-line distances between the rows of two tables, [n, m], never below 0."""
    crossed = np.square(X).sum(axis=1)[:, None] + np.square(Y).sum(axis=1)[None, :] - 2 * X @ Y.T
    distances: FloatArray = np.maximum(crossed, 0.0)
    return distances


_CURVES = ("log_weights", "means", "choleskys", "floor")


def _floats(arrays: Mapping[str, NDArray[np.generic]], name: str) -> FloatArray:
    if name not in arrays:
        raise _no_clustering(arrays)
    return np.asarray(arrays[name], dtype=np.float64)


def _groups(arrays: Mapping[str, NDArray[np.generic]]) -> IntArray:
    return _floats(arrays, "groups").astype(np.int64)


def _no_clustering(arrays: Mapping[str, NDArray[np.generic]]) -> BadQuestion:
    return BadQuestion("This is no stored clustering", expected="what `arrays` gave", seen=f"{sorted(arrays)}")


def _chunks(X: FloatArray) -> list[FloatArray]:
    return [X[start : start + CHUNK] for start in range(0, len(X), CHUNK)]
