"""Who would buy anyway, whom an offer moves, whom it drives away: as probabilities, never as a label on a person.

What one person would have done in the other arm is never seen, so nobody "is" persuadable. What can be said is how
likely this person's expected outcome without treatment, and the effect on it, lie in one of four regions:

| | effect above the margin | within it | below −margin |
|---|---|---|---|
| **baseline above the cut** | persuadable | sure thing | do not disturb |
| **baseline below the cut** | persuadable | lost cause | do not disturb |

The probabilities come from the standard errors of both expectations, taken as normal and independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, numbers, same_length

TINY = 1e-12
SURE_THING, PERSUADABLE, LOST_CAUSE, DO_NOT_DISTURB = "sure_thing", "persuadable", "lost_cause", "do_not_disturb"
REGIONS: dict[str, Text] = {
    SURE_THING: Text("无论如何都会买", "Sure thing: buys anyway"),
    PERSUADABLE: Text("可打动", "Persuadable: buys because of it"),
    LOST_CAUSE: Text("打动不了", "Lost cause: does not buy either way"),
    DO_NOT_DISTURB: Text("勿扰", "Do not disturb: buys less because of it"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """For each row the probability of lying in each region; the four sum to 1; all [n].

    cut: the outcome without treatment above which somebody counts as a buyer.   margin: effects as small as this do not
    pay (cost of the treatment over what a unit of outcome is worth).
    """

    sure_thing: FloatArray
    persuadable: FloatArray
    lost_cause: FloatArray
    do_not_disturb: FloatArray
    cut: float
    margin: float

    def shares(self) -> dict[str, float]:
        """The expected share of the customers in each region."""
        return {name: float(getattr(self, name).mean()) for name in REGIONS}


def regions(
    level: ArrayLike,
    effect: ArrayLike,
    *,
    level_error: ArrayLike,
    effect_error: ArrayLike,
    cut: float,
    margin: float = 0.0,
) -> Regions:
    """How likely each customer lies in each region of baseline × effect.

    level: expected outcome without treatment [n].   effect: what the treatment adds [n].   …_error: their standard
    errors [n], 0 where certain.   margin ≥ 0.
    Raises BadQuestion for negative errors or a negative margin.

    >>> found = regions([0.9], [0.0], level_error=[0.01], effect_error=[0.01], cut=0.5, margin=0.05)
    >>> round(float(found.sure_thing[0]), 3)
    1.0
    """
    where, what = numbers(level, "baselines"), numbers(effect, "effects")
    where_error, what_error = numbers(level_error, "errors"), numbers(effect_error, "errors")
    same_length(baselines=where, effects=what, level_errors=where_error, effect_errors=what_error)
    if margin < 0 or min(where_error.min(), what_error.min()) < 0:
        raise BadQuestion(
            "Margins and standard errors are not negative",
            expected="numbers from 0",
            seen=f"margin {margin:g}, least error {min(where_error.min(), what_error.min()):g}",
        )
    buys = _above(where, where_error, cut)
    gains, loses = _above(what, what_error, margin), _above(-what, what_error, margin)
    # With a margin of 0 and no doubt an effect of exactly 0 is neither a gain nor a loss.
    nothing = np.clip(1.0 - gains - loses, 0.0, 1.0)
    return Regions(nothing * buys, gains, nothing * (1.0 - buys), loses, cut, margin)


def _above(value: FloatArray, error: FloatArray, bound: float) -> FloatArray:
    """Probability of lying above a bound; 0 or 1 where there is no doubt."""
    gap = value - bound
    # An error too small to divide by is none.
    standard = np.divide(gap, error, out=np.where(gap > 0, np.inf, -np.inf), where=error > TINY)
    return np.asarray(norm.cdf(standard), dtype=np.float64)
