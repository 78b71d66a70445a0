"""Logistic regression with a handful of columns, for calibration: exact, small, and never silently diverging."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from aimwell.core.errors import NotEnoughData
from aimwell.science.arrays import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class LogisticFit:
    """Coefficients [columns] and their standard errors [columns]."""

    coefficients: FloatArray
    errors: FloatArray


def fit_logistic(design: FloatArray, target: FloatArray, offset: FloatArray | None = None) -> LogisticFit:
    """Coefficients of the log-odds of `target` on the columns of `design`, by maximum likelihood (Newton's method).

    design: [n, columns], with a column of ones for an intercept.   target: [n] in [0, 1], shares allowed.
    offset: known part of the log-odds [n].   Raises NotEnoughData when the columns part the two kinds perfectly, or
    say the same as each other.   Cost: O(n · columns²) for each of some 8 steps.

    >>> ones = np.ones((4, 1))
    >>> fit_logistic(ones, np.array([1.0, 0, 0, 0])).coefficients.round(4)
    array([-1.0986])
    """
    beta = np.zeros(design.shape[1])
    known = 0.0 if offset is None else offset
    for _ in range(100):
        fitted = expit(design @ beta + known)
        curvature = design.T @ (design * (fitted * (1 - fitted))[:, None])
        if not np.isfinite(curvature).all() or np.linalg.cond(curvature) > 1e14:
            break
        step = np.linalg.solve(curvature, design.T @ (target - fitted))
        # Long steps come from flat tails of the logistic curve; cutting them keeps Newton's method from jumping away.
        longest = float(np.abs(step).max())
        beta = beta + step * min(1.0, 5.0 / max(longest, 1e-300))
        if longest < 1e-10 * (1 + float(np.abs(beta).max())):
            return LogisticFit(beta, np.sqrt(np.diag(np.linalg.inv(curvature))))
    raise NotEnoughData(
        "No line through the log-odds can be drawn",
        expected="buyers and others at overlapping values",
        seen="a perfect separation, or columns that say the same",
        remedy="Take more customers.",
    )
