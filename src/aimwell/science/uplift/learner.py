"""What a learner of effects is: one file per learner in `learners/`, found by walking that folder.

All learners are given the same things: the sample, the cross-fitted levels (see `levels.py`) and how trees grow. All
give the same thing back: a model whose `effects` says for anybody how much each treatment changes the outcome.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast

import numpy as np

from aimwell.core.errors import BadQuestion
from aimwell.core.registry import discover
from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray
from aimwell.science.uplift.levels import crossed_levels
from aimwell.science.uplift.sample import Sample
from aimwell.science.uplift.trees import GROWTH, Grown, Growth

PACKAGE = "aimwell.science.uplift.learners"
GROUP = "aimwell.uplift_learners"
TINY = 1e-9
"""Parts that sum to less cannot be stretched."""


class EffectModel(ABC):
    """A fitted model of effects: trees and plain numbers, nothing that could not be kept as text."""

    @abstractmethod
    def effects(self, X: FloatArray) -> FloatArray:
        """How much each treatment changes the expected outcome of each row, against the control group [n, K]."""

    @abstractmethod
    def contributions(self, X: FloatArray) -> FloatArray:
        """What each column adds to each effect, the last being what all have in common [n, K, d+1].

        They sum to `effects`: exactly where effects are sums of trees; where they are differences of probabilities, the
        parts of the difference of log-odds are stretched to the effect.
        """

    @abstractmethod
    def trees(self) -> tuple[Grown, ...]:
        """All the trees, in the order in which `restore` wants them."""

    def numbers(self) -> tuple[float, ...]:
        """What the model holds beside the trees."""
        return ()


def stretched(parts: FloatArray, total: FloatArray) -> FloatArray:
    """Parts of a raw score, made to sum to what it stands for [n, d+1].

    total: what each row's parts are to sum to [n].   Rows whose parts sum to nothing stay as they are.
    """
    raw = parts.sum(axis=1)
    factor = np.divide(total, raw, out=np.ones_like(raw), where=np.abs(raw) > TINY)
    found: FloatArray = parts * factor[:, None]
    return found


class Fit(Protocol):
    """A learner's own function; levels: cross-fitted expected outcomes [n, K+1]."""

    def __call__(self, sample: Sample, levels: FloatArray, growth: Growth, seed: int) -> EffectModel: ...


class Restore(Protocol):
    """The model behind its trees and numbers, for K treatments."""

    def __call__(self, trees: tuple[Grown, ...], numbers: tuple[float, ...], treatments: int) -> EffectModel: ...


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """A way to learn effects.

    name: stable, as written in definitions.   label, meaning: for marketers.   source: the paper.
    baseline: a rule of thumb that the others must beat.   blended: whether it is part of the mean that the automatic
    choice starts from; of learners that say nearly the same, one is (settled on simulated markets).
    """

    name: str
    label: Text
    meaning: Text
    source: str
    fit: Fit
    restore: Restore
    baseline: bool = False
    blended: bool = True

    def learn(self, sample: Sample, *, growth: Growth = GROWTH, seed: int = 0) -> EffectModel:
        """A model of effects from an experiment; equal seeds and equal data give equal models.

        Cost: about 2 · folds · arms small boosters for the levels, and one to three for the effects.
        """
        return self.fit(sample, crossed_levels(sample, growth, seed), growth, seed)


@cache
def learners() -> Mapping[str, Learner]:
    """All learners by name: the files of the folder, and those of third parties."""
    found = discover(Learner, PACKAGE, named=lambda learner: learner.name, group=GROUP)
    return {name: extension.value for name, extension in found.items()}


def learner(name: str) -> Learner:
    """One learner by its name, or BadQuestion with the names that exist."""
    if name not in learners():
        raise BadQuestion("No such learner of effects", expected=", ".join(learners()), seen=name)
    return learners()[name]


def kept(name: str, model: EffectModel) -> dict[str, object]:
    """A model as plain values and texts; `restored` reads them."""
    return {"learner": name, "numbers": list(model.numbers()), "trees": [grown.text() for grown in model.trees()]}


def restored(values: Mapping[str, object], treatments: int) -> EffectModel:
    """The model behind `kept`; raises BadQuestion when its learner is not there."""
    texts = cast("list[str]", values["trees"])
    numbers = cast("list[float]", values["numbers"])
    trees = tuple(Grown.from_text(str(text)) for text in texts)
    return learner(str(values["learner"])).restore(trees, tuple(float(number) for number in numbers), treatments)
