"""Finds the most plausible parameters: likelihood of the customers times a weak prior, in log-parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import FloatArray

Objective = Callable[[FloatArray], tuple[float, FloatArray]]

BOUND = 12.0
"""Log-parameters are kept within this of zero, where every special function is still exact."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before any customer is seen: log-parameters normal around `centre`, with a wide `spread`.

    weight: 1 as it stands, 0 switches it off (then small or odd books may have no answer).
    With the spread of 3 a parameter may be twenty times smaller or larger before the prior says a word; a thousand
    customers outvote it, five do not, and that keeps small books from running to infinity.
    """

    centre: tuple[float, ...]
    spread: float = 3.0
    weight: float = 1.0

    def log_density(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Log-density, up to a constant, and its slope at log-parameters theta [parameters]."""
        away = (theta - np.asarray(self.centre)) / self.spread
        return -0.5 * self.weight * float(away @ away), -self.weight * away / self.spread


def most_plausible(log_likelihood: Objective, prior: Prior, customers: float) -> FloatArray:
    """The log-parameters with the highest posterior, [parameters].

    log_likelihood: gives the total log-likelihood and its slope in log-parameters.   customers: their number, by which
    the sums are divided so that the same tolerances fit ten and ten million.
    BFGS from the prior's centre and, where that stalls, from around it; the best end is taken.   (L-BFGS-B gives the
    same ends, but calls threaded LAPACK on 4 by 4 matrices: 400 ms for a small book on a busy machine, against 10.)
    """
    if prior.weight < 0:
        raise BadQuestion(
            "The weight of a prior is a number from 0", expected="0 (off) or more", seen=f"{prior.weight:g}"
        )
    centre = np.asarray(prior.centre)

    def cost(theta: FloatArray) -> tuple[float, FloatArray]:
        inside = np.clip(theta, -BOUND, BOUND)
        fit, slope = log_likelihood(inside)
        belief, pull = prior.log_density(inside)
        beyond = theta - inside
        free = beyond == 0
        return -(fit + belief) / customers + float(beyond @ beyond), -(slope + pull) * free / customers + 2 * beyond

    best, least = centre, np.inf
    for start in (centre, centre - 1.0, centre + 1.0, np.where(np.arange(centre.size) % 2, 1.5, -1.5) + centre):
        found = minimize(cost, start, jac=True, method="BFGS", options={"maxiter": 1000, "gtol": 1e-8})
        if found.fun < least - 1e-12:
            best, least = found.x, found.fun
        if np.abs(cost(best)[1]).max() < 1e-6:
            break
    held: FloatArray = np.clip(best, -BOUND, BOUND)
    return held
