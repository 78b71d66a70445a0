"""DR-learner: an unbiased guess of everybody's effect, made from levels and known probabilities, then smoothed."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray
from aimwell.science.uplift.direct import Direct, restore_direct
from aimwell.science.uplift.learner import EffectModel, Learner
from aimwell.science.uplift.levels import effect_scores
from aimwell.science.uplift.sample import Sample
from aimwell.science.uplift.trees import Growth, grow


def _fit(sample: Sample, levels: FloatArray, growth: Growth, seed: int) -> EffectModel:
    """A regression of the doubly robust scores on the features (algorithm 1), on everybody for each treatment."""
    scores = effect_scores(sample, levels)
    small = growth.for_effects()
    models = (grow(sample.X, scores[:, k], small, seed + k, words=sample.words) for k in range(sample.treatments))
    return Direct(tuple(models))


LEARNER = Learner(
    name="dr",
    label=Text("DR 学习器", "DR-learner"),
    meaning=Text("为每个人作无偏估计，再平滑", "An unbiased guess for everybody, then smoothed"),
    source="Kennedy, Electronic Journal of Statistics 17 (2023)",
    fit=_fit,
    restore=restore_direct,
)
