"""R-learner: what is left of the outcome and of the assignment when both were foretold, one explained by the other."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray
from aimwell.science.uplift.direct import Direct, restore_direct
from aimwell.science.uplift.learner import EffectModel, Learner
from aimwell.science.uplift.sample import Sample
from aimwell.science.uplift.trees import Grown, Growth, grow


def _fit(sample: Sample, levels: FloatArray, growth: Growth, seed: int) -> EffectModel:
    """Least squares of (Y − m) on (W − e) · effect: a regression of their ratio, weighted by (W − e)² (equation 4)."""
    found: list[Grown] = []
    for arm in range(1, len(sample.names)):
        rows = sample.versus(arm)
        part, chance = sample.take(rows), sample.chance(arm)[rows]
        usual = chance * levels[rows, arm] + (1 - chance) * levels[rows, 0]
        surprise = (part.arm == arm) - chance
        target = (part.outcome - usual) / surprise
        # Weights of mean 1, so that the penalty of the trees means the same as elsewhere.
        weights = surprise**2 / float((surprise**2).mean())
        found.append(grow(part.X, target, growth.for_effects(), seed + arm, weights=weights, words=sample.words))
    return Direct(tuple(found))


LEARNER = Learner(
    name="r",
    label=Text("R 学习器", "R-learner"),
    meaning=Text(
        "先扣除可预测的部分，再学习触达带来的变化", "Takes away what could be foretold, and learns what remains"
    ),
    source="Nie and Wager, Biometrika 108 (2021)",
    fit=_fit,
    restore=restore_direct,
    blended=False,  # with known probabilities it says nearly what the DR-learner says; with one half, exactly that
)
