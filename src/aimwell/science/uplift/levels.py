"""What each person would do in each arm, foretold by models that never saw this person (cross-fitting)."""

from __future__ import annotations

import numpy as np

from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.uplift.sample import Sample, fold_numbers
from aimwell.science.uplift.trees import Grown, Growth, grow


def level_models(sample: Sample, growth: Growth, seed: int) -> tuple[Grown, ...]:
    """A model of the outcome for each arm, learnt from the people of that arm alone."""
    found: list[Grown] = []
    for arm in range(len(sample.names)):
        inside = sample.arm == arm
        target = sample.outcome[inside]
        model = grow(sample.X[inside], target, growth, seed + arm, binary=sample.binary, words=sample.words)
        found.append(model)
    return tuple(found)


def crossed_levels(sample: Sample, growth: Growth, seed: int, parts: IntArray | None = None) -> FloatArray:
    """Expected outcome of every row in every arm, each from models learnt on the other parts [n, K+1].

    parts: number of each row's part [n]; by default `growth.folds` parts drawn by the seed.
    """
    if parts is None:
        parts = fold_numbers(sample, growth.folds, seed)
    found = np.empty((len(sample), len(sample.names)))
    for part in np.unique(parts):
        inside = parts == part
        for arm, model in enumerate(level_models(sample.take(~inside), growth, seed)):
            found[inside, arm] = model.mean(sample.X[inside])
    return found


def effect_scores(sample: Sample, levels: FloatArray) -> FloatArray:
    """One unbiased, noisy guess of the effect of each treatment for each row, whoever got what [n, K].

    The difference of the expected outcomes, corrected by what was seen, weighted by the known probability (augmented
    inverse probability weighting; Robins, Rotnitzky and Zhao 1994). Its mean over any group chosen without looking at
    outcomes is the group's effect, whether or not the levels are right, because the probabilities are.
    """
    rows = np.arange(len(sample))
    residual = (sample.outcome - levels[rows, sample.arm]) / sample.received
    corrected = levels.copy()
    corrected[rows, sample.arm] += residual
    found: FloatArray = corrected[:, 1:] - corrected[:, :1]
    return found
