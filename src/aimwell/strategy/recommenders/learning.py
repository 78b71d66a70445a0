"""The booster: learns which candidates are bought, from the buyers of past days, and ranks candidates by it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from aimwell.core.errors import NotEnoughData
from aimwell.insight.predictions import trees
from aimwell.insight.predictions.settings import FEWEST_TO_LEARN, TreeSettings
from aimwell.insight.predictions.sheet import Sheet as TreeSheet
from aimwell.science.arrays import BoolArray, FloatArray, IntArray
from aimwell.strategy.recommenders.definition import Learning
from aimwell.strategy.recommenders.features import NEVER, PLACE

_FEWEST_APART = 300
"""Novel purchases from which trees of their own are worth it: with fewer they follow single purchases."""
_ROUNDS = 200
"""Trees where the definition leaves their number to us: later time is too short a stretch to choose it on."""


@dataclass(frozen=True)
class Lesson:
    """What was learnt of one day: features of pairs, whether they were bought, and how many pairs each stands for.

    groups: what each column speaks of.   unseen: share of the pairs on sale that no generator proposed and that were
    bought all the same.
    """

    matrix: FloatArray
    bought: BoolArray
    weights: FloatArray
    names: tuple[str, ...]
    groups: tuple[str, ...]
    unseen: float

    @property
    def wanted(self) -> int:
        """Pairs that were bought."""
        return int(self.bought.sum())


def probability(raw: FloatArray) -> FloatArray:
    """Probability behind the booster's log-odds: that a customer who comes buys the item [n]."""
    likely: FloatArray = expit(raw)
    return likely


@dataclass(frozen=True)
class Booster:
    """Trees over the features of pairs.

    unseen: the probability of what no generator proposed.   apart: small trees that learnt from pairs never bought
    before alone, where there were enough; for such pairs the log-odds are the mean of both.
    """

    grown: trees.Trees
    names: tuple[str, ...]
    groups: tuple[str, ...]
    unseen: float
    apart: trees.Trees | None = None

    def raw(self, matrix: FloatArray) -> FloatArray:
        """Log-odds that each pair is bought [n]."""
        if not matrix.shape[0]:
            return np.empty(0)
        found = self.grown.raw(matrix)
        rows = np.flatnonzero(novel_rows(matrix, self.names))
        if self.apart is not None and rows.size:
            found[rows] = (found[rows] + self.apart.raw(matrix[rows])) / 2
        return found

    def voices(self, matrix: FloatArray) -> tuple[FloatArray, tuple[str, ...]]:
        """What each group of features adds to the log-odds of each pair [n, groups], exactly; dear, for lists only."""
        parts = self.grown.contributions(matrix)[:, :-1]
        rows = np.flatnonzero(novel_rows(matrix, self.names))
        if self.apart is not None and rows.size:
            parts[rows] = (parts[rows] + self.apart.contributions(matrix[rows])[:, :-1]) / 2
        names = tuple(dict.fromkeys(self.groups))
        inside = np.array([names.index(group) for group in self.groups])
        return np.stack([parts[:, inside == each].sum(axis=1) for each in range(len(names))], axis=1), names


def sampled(bought: BoolArray, others: int, seed: int) -> tuple[IntArray, FloatArray]:
    """Rows to learn from: all that were bought, and so many others for each, with weights that make up for it.

    bought: [n].   Returns the rows, in order, and their weights: probabilities learnt from them stay true.
    """
    positives, negatives = np.flatnonzero(bought), np.flatnonzero(~bought)
    wanted = others * max(positives.size, 1)
    if wanted >= negatives.size:
        return np.arange(bought.size), np.ones(bought.size)
    chosen = np.random.default_rng(seed).choice(negatives, size=wanted, replace=False)
    weights = np.ones(bought.size)
    weights[chosen] = negatives.size / wanted
    rows = np.sort(np.concatenate([positives, chosen]))
    return rows, weights[rows]


def learn(lessons: Sequence[Lesson], settings: Learning, *, seed: int = 0) -> Booster:
    """A booster from the lessons of several days; equal seeds give equal trees.

    Raises NotEnoughData when hardly anything was bought on those days.
    """
    wanted = sum(lesson.wanted for lesson in lessons)
    if wanted < FEWEST_TO_LEARN:
        raise NotEnoughData(
            "Too little was bought to learn what is bought next",
            expected=f"at least {FEWEST_TO_LEARN} purchases of candidates on the days that are learnt from",
            seen=f"{wanted} on {len(lessons)} days",
            remedy="Take more days (learn.days), a longer horizon (horizon_days), or coarser items (level).",
        )
    first = lessons[0]
    matrix = np.concatenate([lesson.matrix for lesson in lessons])
    truth = np.concatenate([lesson.bought for lesson in lessons]).astype(np.float64)
    weights = np.concatenate([lesson.weights for lesson in lessons])
    nothing = (0,) * len(first.names)
    data = TreeSheet(matrix, truth, weights, nothing, nothing)
    chosen: TreeSettings = settings.trees
    rounds = _ROUNDS if chosen.rounds == "auto" else chosen.rounds
    grown = trees.grow(data, chosen, "binary", rounds, seed)
    unseen = float(np.mean([lesson.unseen for lesson in lessons]))
    novel = novel_rows(matrix, first.names)
    apart = None
    if truth[novel].sum() >= _FEWEST_APART and not novel.all():
        alone = TreeSheet(matrix[novel], truth[novel], weights[novel], nothing, nothing)
        rounds = settings.novel.rounds if settings.novel.rounds != "auto" else _ROUNDS
        apart = trees.grow(alone, settings.novel, "binary", rounds, seed)
    return Booster(grown, first.names, first.groups, unseen, apart)


def novel_rows(matrix: FloatArray, names: Sequence[str]) -> BoolArray:
    """Which pairs were never bought before; none where the customer's own purchases are left out [n]."""
    if NEVER not in names:
        return np.zeros(matrix.shape[0], dtype=np.bool_)
    return np.isnan(matrix[:, names.index(NEVER)])


def without(lesson: Lesson, groups: Collection[str]) -> Lesson:
    """The lesson as it would be without some generators: their columns are gone, and what they alone proposed."""
    columns = kept_columns(lesson.groups, groups)
    names = tuple(lesson.names[each] for each in columns)
    matrix = lesson.matrix[:, columns]
    rows = proposed(matrix, names)
    return replace(
        lesson,
        matrix=matrix[rows],
        bought=lesson.bought[rows],
        weights=lesson.weights[rows],
        names=names,
        groups=tuple(lesson.groups[each] for each in columns),
    )


def kept_columns(groups: Sequence[str], left_out: Collection[str]) -> IntArray:
    """The places of the columns that do not speak of what is left out."""
    return np.array([place for place, group in enumerate(groups) if group not in left_out], dtype=np.int64)


def proposed(matrix: FloatArray, names: Sequence[str]) -> BoolArray:
    """Which pairs some generator whose columns are there proposed [n]."""
    places = [place for place, name in enumerate(names) if name.endswith(PLACE)]
    return np.asarray(np.isfinite(matrix[:, places]).any(axis=1), dtype=np.bool_)
