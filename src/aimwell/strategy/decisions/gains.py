"""Gains that an experiment measured: the stored effect of an arm on each customer, in money, and how unsure it is.

The rule where the experiment found no difference between customers: everybody's gain is the average effect, and 0 if
the interval of that average covers 0. What was measured may be nothing; then nothing is what is counted on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.insight.effects.kept import KeptEffect, last_scores, scored_treatments
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import FloatArray
from aimwell.strategy.decisions.definition import ASSUMED, Gain

Basis = Literal["experiment", "stated", "assumed"]
BASES: Mapping[Basis, Text] = {
    "experiment": Text("经实验测得", "measured in an experiment"),
    "stated": Text("按定义所述为实测", "measured, as the definition states"),
    "assumed": Text("假定", "assumed"),
}
"""On what the gain of a treatment rests."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What an experiment says of a treatment.

    customers: who have an effect, by id [m].   value: expected gain in money [m].   error: standard error of the mean
    gain as a share of it.   said: what was found, in words.   unproven: standard error of the mean gain per customer
    in money, where it counts as 0 because it may be none.
    """

    customers: NDArray[np.str_]
    value: FloatArray
    error: float
    said: Text
    unproven: float = 0.0


def basis_of(gain: Gain) -> Basis:
    """Whether a gain was measured by an effect, its error is stated by whoever wrote it, or it is assumed."""
    if gain.effect is not None:
        return "experiment"
    return "stated" if gain.error < ASSUMED else "assumed"


def measured_gain(gain: Gain, workshop: Workshop, as_of: datetime) -> Measured:
    """The last effects of an arm that were known at the instant, as money.

    Raises BadQuestion when there are none, the arm is not told among several, or a chance has no stated worth.
    """
    effect = str(gain.effect)
    kept = last_scores(workshop, effect, gain.arm or _only_arm(workshop, effect, as_of), as_of)
    if not kept.money and "times" not in gain.model_fields_set:
        raise BadQuestion(
            f"The effect {effect!r} is a change of a chance, not an amount of money",
            expected="times: what it is worth when it happens",
            seen="none",
            remedy=f"Write `gain: {{effect: {effect}, times: 30}}` if it is worth 30.",
        )
    value, error = gain.times * _counted(kept), abs(gain.times) * kept.error
    unproven = float(error.mean()) if error.size and not value.any() else 0.0
    return Measured(kept.customers, value, _share(value, error), _said(kept), unproven)


def _only_arm(workshop: Workshop, effect: str, as_of: datetime) -> str:
    arms = scored_treatments(workshop, effect, as_of)
    if len(arms) > 1:
        raise BadQuestion(
            f"The effect {effect!r} knows several arms",
            expected=f"arm: one of {', '.join(arms)}",
            seen="none",
            remedy="Name the arm that the treatment stands for.",
        )
    return arms[0] if arms else ""


def _counted(kept: KeptEffect) -> FloatArray:
    """The effects that are counted on: see the rule above."""
    if kept.differs or not kept.value.size or kept.low[0] > 0 or kept.high[0] < 0:
        return kept.value
    return np.zeros(kept.value.size)


def _share(value: FloatArray, error: FloatArray) -> float:
    """The error of the mean gain of those who gain, as a share of it, as if all erred together: rather too wide."""
    gaining = value > 0
    return float(error[gaining].sum() / value[gaining].sum()) if gaining.any() else 0.0


def _said(kept: KeptEffect) -> Text:
    words = {"effect": kept.run.effect, "arm": kept.run.treatment, "version": kept.run.version}
    if kept.differs:
        return _DIFFERS.format(**words)
    return (_NONE if kept.low[0] <= 0 <= kept.high[0] else _ALIKE).format(**words)


_DIFFERS = Text(
    "经实验测得：“{effect}”对每位客户的效果（分组 {arm}，版本 {version}）",
    "measured in an experiment: the effect {effect!r} on each customer (arm {arm}, version {version})",
)
_ALIKE = Text(
    "经实验测得：“{effect}”的效果未见因人而异，按全体平均效果（分组 {arm}，版本 {version}）",
    "measured in an experiment: {effect!r} shows no difference between customers, so the average effect for everybody "
    "(arm {arm}, version {version})",
)
_NONE = Text(
    "经实验测得：“{effect}”未见因人而异，平均效果的区间含 0，按 0 计（分组 {arm}，版本 {version}）",
    "measured in an experiment: {effect!r} shows no difference between customers, and the interval of the average "
    "effect covers 0, so it counts as 0 (arm {arm}, version {version})",
)
