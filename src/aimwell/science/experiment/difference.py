"""The difference between two groups that chance made, from sufficient statistics, with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from scipy import stats

from aimwell.core.errors import BadQuestion
from aimwell.science.metrics.interval import LEVEL, Estimate, wilson


@dataclass(frozen=True, slots=True)
class Moments:
    """How many, the sum of their values and the sum of the squares; groups add up.

    >>> Moments.of([1.0, 3.0]) + Moments.of([2.0])
    Moments(count=3, total=6.0, squares=14.0)
    """

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: Iterable[float]) -> Moments:
        """The moments of single values."""
        kept = list(values)
        return cls(len(kept), math.fsum(kept), math.fsum(value * value for value in kept))

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.count + other.count, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        """The mean; not a number for nobody."""
        return self.total / self.count if self.count else math.nan

    @property
    def variance(self) -> float:
        """The sample variance; not a number for fewer than two."""
        if self.count < 2:
            return math.nan
        return max(self.squares - self.total * self.total / self.count, 0.0) / (self.count - 1)


def difference_of_shares(
    successes: int, trials: int, control_successes: int, control_trials: int, level: float = LEVEL
) -> Estimate | None:
    """How much larger the share of a treated group is than that of its control, as a difference of shares.

    Newcombe's hybrid score interval, which keeps its coverage for rare events and small groups, where the textbook
    interval does not. None if a group has nobody.

    successes, trials: counts, successes <= trials.   level: coverage in (0, 1).   Raises BadQuestion for other counts.
    Source: R. G. Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10.
    >>> found = difference_of_shares(56, 70, 48, 80)
    >>> found.value, found.low, found.high  # the paper's example (a)
    (0.2, 0.0524, 0.3339)
    """
    for count, total in ((successes, trials), (control_successes, control_trials)):
        if not 0 <= count <= total:
            raise BadQuestion(f"{count} of {total} is no share", expected="counts with 0 <= successes <= trials")
    if trials == 0 or control_trials == 0:
        return None
    ours, theirs = wilson(successes, trials, level), wilson(control_successes, control_trials, level)
    share, control = successes / trials, control_successes / control_trials
    below = math.hypot(share - ours.low, theirs.high - control)
    above = math.hypot(ours.high - share, control - theirs.low)
    return Estimate(share - control, share - control - below, share - control + above, level)


def difference_of_means(treated: Moments, control: Moments, level: float = LEVEL) -> Estimate | None:
    """How much larger the mean of a treated group is than that of its control, by Welch's interval.

    None if a group has fewer than two, or if neither varies: then nothing can be said of chance. For heavy tails the
    groups must be large: the interval rests on the mean being nearly normal.

    Source: B. L. Welch, Biometrika 34 (1947) 28-35.
    """
    if treated.count < 2 or control.count < 2:
        return None
    parts = treated.variance / treated.count, control.variance / control.count
    error = math.sqrt(sum(parts))
    if error == 0:
        return None
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (treated.count - 1) + parts[1] ** 2 / (control.count - 1))
    reach = float(stats.t.ppf((1 + level) / 2, freedom)) * error
    value = treated.mean - control.mean
    return Estimate(value, value - reach, value + reach, level)
