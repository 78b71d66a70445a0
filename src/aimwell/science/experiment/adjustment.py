"""Takes off what was already different before: the same effect with less noise (CUPED).

Source: A. Deng, Y. Xu, R. Kohavi, T. Walker, "Improving the sensitivity of online controlled experiments by utilizing
pre-experiment data", WSDM 2013.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from aimwell.science.arrays import FloatArray, numbers, same_length


def adjusted(outcome: ArrayLike, before: ArrayLike) -> FloatArray:
    """Each customer's outcome less what their past foretold of it; means of groups that chance made stay right.

    outcome, before: of each customer, both groups together [n]; `before` must be known from before the experiment.
    The mean over all stays what it was. A past that is the same for everybody changes nothing.   Raises NotEnoughData
    for nobody, BadQuestion for what is no number.

    >>> adjusted([1.0, 3.0, 5.0], [0.0, 1.0, 2.0]).tolist()
    [3.0, 3.0, 3.0]
    """
    came, was = numbers(outcome, "outcomes"), numbers(before, "what was before")
    same_length(outcomes=came, before=was)
    apart = was - was.mean()
    spread = float(np.square(apart).sum())
    slope = float(apart @ came) / spread if spread > 0 else 0.0
    found: FloatArray = came - slope * apart
    return found
