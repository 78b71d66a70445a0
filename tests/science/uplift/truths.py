"""A small market whose effects are known, for tests of learners and of the choice among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.science.uplift.sample import Sample, sample_of
from aimwell.science.uplift.trees import Growth

SMALL = Growth(rounds=40, leaves=4, min_rows=40, folds=2, effect_rounds=30, effect_min_rows=60)
"""Enough for a thousand rows, and quick."""

Effect = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Truth:
    """An experiment and what nobody sees: the effect of each treatment on each row [n, K], and its baseline [n]."""

    sample: Sample
    effects: FloatArray
    level: FloatArray


def none(X: FloatArray) -> FloatArray:
    """No effect on anybody."""
    return np.zeros(len(X))


def same(X: FloatArray) -> FloatArray:
    """The same effect on everybody."""
    return np.full(len(X), 0.15)


def step(X: FloatArray) -> FloatArray:
    """A large effect on a third of the people, a small harm to the others."""
    return np.where(X[:, 2] > 0.4, 0.35, -0.05)


def market(
    n: int, seed: int, *effects: Effect, money: bool = False, chance: float | None = 0.5, spread: float = 0.15
) -> Truth:
    """n people, one arm for each effect beside the control group.

    money: outcomes are amounts instead of yes and no (ten times the effects).   chance: of not being in the control
    group; None lets it depend on the baseline (from .3 to .7), as when good customers are contacted more.
    """
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(n, 4))
    level = 0.3 + spread * np.tanh(X[:, 0] + X[:, 1])
    treated = np.full(n, chance) if chance is not None else 0.3 + 0.4 * (level > 0.3)
    arms = len(effects)
    probability = np.column_stack([1 - treated, *(treated / arms for _ in effects)])
    arm = (generator.random(n)[:, None] > np.cumsum(probability, axis=1)[:, :-1]).sum(axis=1)
    truth = np.column_stack([effect(X) for effect in effects])
    expected = level + np.where(arm > 0, truth[np.arange(n), arm - 1], 0.0)
    outcome = 10 * expected + generator.normal(size=n) if money else (generator.random(n) < expected).astype(float)
    names = ["none", *(f"offer {place}" for place in range(1, arms + 1))]
    scale = 10.0 if money else 1.0
    return Truth(sample_of(X, arm, outcome, probability, names=names), truth * scale, level * scale)
