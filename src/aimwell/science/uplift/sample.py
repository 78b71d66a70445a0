"""The rows of an experiment that effects are learnt from: features, arm by lot, its known probability, outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.text import Text
from aimwell.science.arrays import BoolArray, FloatArray, IntArray, codes, numbers, same_length, table

FEWEST = 20
"""With fewer people in an arm nothing is learnt: every fold needs some of each."""
SURPRISE = 0.001
"""Arms whose sizes differ from the probabilities by a chance as small as this are warned of."""

_UNEVEN = Text(
    "分组“{arm}”实际 {seen} 人，按所记概率应约 {expected} 人：请核对分配记录，否则结论不可靠。",
    "Arm {arm!r} holds {seen} people where its probabilities promise about {expected}: check how people were "
    "assigned, or nothing below can be trusted.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """n rows of an experiment with a control group (arm 0) and K other arms.

    X: features [n, d], NaN unknown.   arm: 0 … K [n].   outcome: yes/no as 0 and 1, or money [n].
    probability: with which each row could have been given each arm, never estimated [n, K+1].
    names: of the arms, the control group first.   words: columns of X that hold codes of words.
    groups: customer of each row, for folds and intervals; None when each row is a customer.
    """

    X: FloatArray
    arm: IntArray
    outcome: FloatArray
    probability: FloatArray
    names: tuple[str, ...]
    words: tuple[int, ...] = ()
    groups: IntArray | None = None

    def __len__(self) -> int:
        return int(self.outcome.size)

    @property
    def treatments(self) -> int:
        """How many arms there are beside the control group."""
        return len(self.names) - 1

    @property
    def binary(self) -> bool:
        """Whether the outcome is yes or no."""
        return bool(np.all((self.outcome == 0) | (self.outcome == 1)))

    @property
    def received(self) -> FloatArray:
        """The probability of the arm that each row was given [n]."""
        found: FloatArray = self.probability[np.arange(len(self)), self.arm]
        return found

    def take(self, rows: IntArray | BoolArray) -> Sample:
        """Only some rows."""
        groups = None if self.groups is None else self.groups[rows]
        return replace(
            self,
            X=self.X[rows],
            arm=self.arm[rows],
            outcome=self.outcome[rows],
            probability=self.probability[rows],
            groups=groups,
        )

    def versus(self, treatment: int) -> BoolArray:
        """Which rows are of the control group or of this treatment (1 … K)."""
        found: BoolArray = (self.arm == 0) | (self.arm == treatment)
        return found

    def chance(self, treatment: int) -> FloatArray:
        """Probability of this treatment among those who got it or nothing [n]."""
        both = self.probability[:, 0] + self.probability[:, treatment]
        found: FloatArray = self.probability[:, treatment] / both
        return found


def sample_of(
    X: ArrayLike,
    arm: Sequence[str] | ArrayLike,
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    names: Sequence[str],
    words: Sequence[int] = (),
    groups: ArrayLike | None = None,
) -> Sample:
    """The rows of an experiment, checked.

    arm: name of each row's arm, or its place in `names` [n].   names: all arms, the control group first.
    probability: of each arm, for everybody [K+1] or for each row [n, K+1]; each row sums to 1. They are what the
    lottery was set to; estimating them from who was treated would hide every mistake of it.
    Raises NotEnoughData for an arm that (almost) nobody got, BadQuestion for probabilities of 0 or 1 or unknown arms.
    """
    features, gained = table(X, "features"), numbers(outcome, "outcomes")
    arms = _places(arm, tuple(names))
    same_length(features=features, outcomes=gained, arms=arms)
    drawn = _probabilities(probability, gained.size, tuple(names))
    _refuse_empty_arms(arms, tuple(names))
    members = None if groups is None else codes(groups, "customers")
    if members is not None:
        same_length(outcomes=gained, customers=members)
    return Sample(features, arms, gained, drawn, tuple(names), tuple(words), members)


def uneven_arms(sample: Sample) -> tuple[Text, ...]:
    """Warnings where the arms are larger or smaller than their probabilities allow (sample ratio mismatch)."""
    found: list[Text] = []
    for place, name in enumerate(sample.names):
        seen, promised = int((sample.arm == place).sum()), sample.probability[:, place]
        error = float(np.sqrt((promised * (1 - promised)).sum()))
        if 2 * norm.sf(abs(seen - promised.sum()) / error) < SURPRISE:
            found.append(_UNEVEN.format(arm=name, seen=f"{seen:,}", expected=f"{promised.sum():,.0f}"))
    return tuple(found)


def fold_numbers(sample: Sample, folds: int, seed: int) -> IntArray:
    """Which of `folds` parts each row belongs to [n]: a customer's rows together, arms spread evenly otherwise."""
    generator = np.random.default_rng(seed)
    if sample.groups is not None:
        members = int(sample.groups.max()) + 1
        dealt: IntArray = generator.permutation(np.arange(members) % folds).astype(np.int64)
        return dealt[sample.groups]
    found = np.empty(len(sample), dtype=np.int64)
    chance = generator.random(len(sample))
    order = np.lexsort((chance, sample.arm))
    found[order] = np.arange(len(sample)) % folds
    return found


def _places(arm: Sequence[str] | ArrayLike, names: tuple[str, ...]) -> IntArray:
    if len(names) < 2 or len(set(names)) != len(names):
        raise BadQuestion(
            "An experiment has a control group and at least one other arm",
            expected="two or more different names, the control group first",
            seen=", ".join(names) or "none",
        )
    given = np.asarray(arm)
    if given.dtype.kind in "US":
        place = {name: index for index, name in enumerate(names)}
        unknown = sorted(set(given.tolist()) - set(names))
        if unknown:
            raise BadQuestion("Rows name an arm that does not exist", expected=", ".join(names), seen=unknown[0])
        return np.array([place[name] for name in given.tolist()], dtype=np.int64)
    placed = numbers(given, "arms")
    if not np.all(np.isin(placed, np.arange(len(names)))):
        odd = float(placed[~np.isin(placed, np.arange(len(names)))][0])
        raise BadQuestion("Rows name an arm that does not exist", expected=f"0 to {len(names) - 1}", seen=f"{odd:g}")
    return placed.astype(np.int64)


def _probabilities(probability: ArrayLike, n: int, names: tuple[str, ...]) -> FloatArray:
    drawn = np.asarray(probability, dtype=np.float64)
    if drawn.ndim == 1 and drawn.size == len(names):
        drawn = np.tile(drawn, (n, 1))
    if drawn.shape != (n, len(names)) or not np.isfinite(drawn).all():
        raise BadQuestion(
            "Every arm needs the probability with which it was drawn",
            expected=f"{len(names)} numbers, for everybody or for each row",
            seen=f"an array of shape {drawn.shape}",
            remedy="Log the probabilities of the lottery; they are never estimated here.",
        )
    if drawn.min() <= 0 or drawn.max() >= 1:
        odd = float(drawn.min() if drawn.min() <= 0 else drawn.max())
        place = int(np.argwhere((drawn <= 0) | (drawn >= 1))[0, 1])
        raise BadQuestion(
            f"Arm {names[place]!r} was certain or impossible for somebody, who then tells nothing about its effect",
            expected="probabilities above 0 and below 1",
            seen=f"{odd:g}",
            remedy="Leave these customers out, and give every arm a random share next time.",
        )
    if np.abs(drawn.sum(axis=1) - 1).max() > 1e-6:
        worst = float(drawn.sum(axis=1)[np.abs(drawn.sum(axis=1) - 1).argmax()])
        raise BadQuestion("The probabilities of the arms must sum to 1", expected="1", seen=f"{worst:g}")
    return drawn


def _refuse_empty_arms(arms: IntArray, names: tuple[str, ...]) -> None:
    sizes = np.bincount(arms, minlength=len(names))
    for name, size in zip(names, sizes.tolist(), strict=True):
        if size < FEWEST:
            raise NotEnoughData(
                f"Nobody got the arm {name!r}" if size == 0 else f"Hardly anybody got the arm {name!r}",
                expected=f"at least {FEWEST} people in every arm",
                seen=f"{size}",
                remedy="Leave this arm out of the question, or wait until it was given to more people.",
            )
