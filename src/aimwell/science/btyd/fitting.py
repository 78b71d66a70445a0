"""What fits every purchase model of four parameters: scaled times, a weak prior, the most plausible parameters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.science.btyd.histories import Histories, require_repeats
from aimwell.science.btyd.posterior import Prior, most_plausible

Likelihood = Callable[[FloatArray, Histories], tuple[FloatArray, FloatArray]]
"""Log-likelihood of each history [m] and its slopes in the log-parameters [4, m], at log-parameters [4]."""


def fit_four(
    likelihood: Likelihood, histories: Histories, prior: Prior, times: tuple[bool, bool, bool, bool]
) -> tuple[float, float, float, float]:
    """The four parameters that explain these customers best.

    times: which of them are measured in time.   Times are divided by the customers' mean age before, and multiplied
    after, so the unit does not matter.   Raises NotEnoughData when nobody bought twice.
    """
    require_repeats(histories)
    unit = float(histories.people @ histories.age / histories.customers)
    scaled = Histories(histories.frequency, histories.recency / unit, histories.age / unit, histories.people)

    def total(theta: FloatArray) -> tuple[float, FloatArray]:
        each, slopes = likelihood(theta, scaled)
        return float(scaled.people @ each), slopes @ scaled.people

    found = np.exp(most_plausible(total, prior, scaled.customers)) * np.where(times, unit, 1.0)
    first, second, third, fourth = found.tolist()
    return first, second, third, fourth
