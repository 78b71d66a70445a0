"""What scores are worth: metrics with intervals beside a baseline, gains, lift, lists, calibration, deciles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aimwell.core.text import Text
from aimwell.insight.predictions.plain import Result
from aimwell.science.metrics.amount import Zeros
from aimwell.science.metrics.gains import TopRow
from aimwell.science.metrics.interval import Estimate
from aimwell.science.metrics.probability import CalibrationBin, CalibrationLine


@dataclass(frozen=True, slots=True)
class Metric:
    """One number about a score, with its interval, the baseline's, and the difference of the two.

    against: what the baseline of this number is.   difference: model minus baseline, from the same people (paired).
    """

    name: str
    label: Text
    better: Literal["higher", "lower", "zero"]
    model: Estimate
    against: Text | None = None
    baseline: Estimate | None = None
    difference: Estimate | None = None

    @property
    def proven(self) -> bool | None:
        """Whether the model is better beyond chance; None where nothing was compared."""
        if self.difference is None or self.better == "zero":
            return None
        return self.difference.low > 0 if self.better == "higher" else self.difference.high < 0


@dataclass(frozen=True, slots=True)
class Curve:
    """The gains curve of the model, its band, the baseline's curve; random choice is the diagonal."""

    contacted: tuple[float, ...]
    model: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    baseline: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tenth:
    """A tenth of the customers, the best first: what was promised and what was seen.

    lift: seen, against the average of everybody.   share: of all buyers, or of all the money.
    """

    tenth: int
    people: int
    predicted: float
    seen: float
    lift: float
    share: float


@dataclass(frozen=True, slots=True)
class Evaluation(Result):
    """Everything about one set of rows.

    positives: rows with the answer yes, or with any amount.   mean: their share, or the mean amount.
    notes: what could not be said, and why.
    """

    people: int
    positives: int
    mean: float
    baseline: Text
    metrics: tuple[Metric, ...] = ()
    curve: Curve | None = None
    tenths: tuple[Tenth, ...] = ()
    top: tuple[TopRow, ...] = ()
    calibration: tuple[CalibrationBin, ...] = ()
    calibration_line: CalibrationLine | None = None
    zeros: Zeros | None = None
    notes: tuple[Text, ...] = ()

    def metric(self, name: str) -> Metric | None:
        """A metric by name, if it could be computed."""
        return next((metric for metric in self.metrics if metric.name == name), None)
