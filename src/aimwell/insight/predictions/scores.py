"""Scores: the answers of a model for many customers at once, and the baseline that stands beside them."""

from __future__ import annotations

from dataclasses import dataclass

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class Scores:
    """The answers for n rows.

    raw: what ranks, higher is likelier or more [n].   value: the calibrated probability, or the expected amount [n].
    nothing: probability of nothing at all.   typical, low, high: median and the 10 % and 90 % points of the amount;
    None where the kind has no amounts.
    """

    raw: FloatArray
    value: FloatArray
    nothing: FloatArray
    typical: FloatArray | None = None
    low: FloatArray | None = None
    high: FloatArray | None = None

    def take(self, places: IntArray) -> Scores:
        """The answers of some rows."""
        return Scores(
            self.raw[places],
            self.value[places],
            self.nothing[places],
            None if self.typical is None else self.typical[places],
            None if self.low is None else self.low[places],
            None if self.high is None else self.high[places],
        )


@dataclass(frozen=True)
class Baseline:
    """What one would do without a model: a rule of thumb, the last period, or the same answer for everybody.

    raw: its ranking, or its amount for predictions of amounts [n].
    """

    label: Text
    raw: FloatArray

    def take(self, places: IntArray) -> Baseline:
        """The baseline of some rows."""
        return Baseline(self.label, self.raw[places])
