"""How much, if anything: a mean for buyers, and how far truth strayed from it on rows that it had not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from aimwell.core.abreast import abreast
from aimwell.insight.predictions.encoding import Encoding
from aimwell.insight.predictions.folds import Fold, make_folds
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.settings import ModelSettings
from aimwell.insight.predictions.sheet import Sheet, make_sheet
from aimwell.insight.predictions.trees import Trees, grow, grow_until
from aimwell.science.arrays import FloatArray, IntArray

LEVELS = np.linspace(0.0, 1.0, 101)
LADDER = (0.2, 0.4, 0.6, 0.8)
FEWEST_PER_STEP = 40
FEWEST_ROUNDS = 20


@dataclass(frozen=True)
class Amounts:
    """The amount of those who buy at all.

    trees: log of the mean.   level: seen total over foretold total, out of fold.   edges: borders of the foretold
    mean between steps.   ratios: quantiles 0 … 100 % of seen over foretold in each step [steps, 101].
    """

    trees: Trees
    level: float
    edges: FloatArray
    ratios: FloatArray

    def mean(self, matrix: FloatArray) -> FloatArray:
        """Expected amount, given that there is one [n]."""
        found: FloatArray = np.exp(np.clip(self.trees.raw(matrix), -30, 30))
        return found

    def quantile(self, mean: FloatArray, nothing: FloatArray, level: float) -> FloatArray:
        """The amount that a share `level` of such customers stays below, those with nothing included [n].

        mean: of `mean`.   nothing: probability of no amount at all.
        """
        buying = np.maximum(1.0 - nothing, 1e-9)
        inside = np.clip((level - nothing) / buying, 0.0, 1.0)
        step = np.searchsorted(self.edges, mean, side="right")
        found = np.zeros_like(mean)
        for place in range(len(self.ratios)):
            here = step == place
            found[here] = mean[here] * np.interp(inside[here], LEVELS, self.ratios[place])
        found[level <= nothing] = 0.0
        return found

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON, all but the trees."""
        return {"level": self.level, "edges": self.edges.tolist(), "ratios": self.ratios.tolist()}

    @staticmethod
    def from_dict(values: Mapping[str, object], trees: Trees) -> Amounts:
        """The amounts that `to_dict` wrote down."""
        ratios = np.array(values["ratios"], dtype=np.float64).reshape(-1, LEVELS.size)
        edges = np.array(values["edges"], dtype=np.float64)
        return Amounts(trees, float(str(values["level"])), edges, ratios)


def fit_amounts(rows: Rows, encoding: Encoding, settings: ModelSettings, seed: int) -> Amounts:
    """Learn from the rows with an amount how large it is.

    rows: those whose truth is above 0 are used; there are at least ten (the likelihood saw to it).
    """
    buyers = rows.take(rows.truth > 0)
    sheet = make_sheet(buyers, encoding.matrix(buyers.table), encoding, settings, buyers.truth)
    sheet = replace(sheet, monotone=(0,) * len(sheet.monotone))
    rounds, places, foretold = _out_of_fold(buyers, sheet, settings, seed)
    trees = grow(sheet, settings.amount_trees, "gamma", rounds, seed)
    level, edges, ratios = _spread(foretold, buyers.truth[places])
    return Amounts(trees, level, edges, ratios)


def _out_of_fold(buyers: Rows, sheet: Sheet, settings: ModelSettings, seed: int) -> tuple[int, IntArray, FloatArray]:
    """Rounds that were best on later time, and which rows were foretold how much by rows before them."""
    larger = buyers.truth > float(np.median(buyers.truth))
    folds = make_folds(buyers, larger, settings.folds, seed)

    def try_out(fold: Fold) -> tuple[int, FloatArray]:
        judge = sheet.take(fold.judge)
        trees, best = grow_until(sheet.take(fold.learn), judge, settings.amount_trees, "gamma", seed)
        return best, np.exp(trees.raw(judge.matrix))

    tried = abreast(try_out, folds)
    rounds, foretold = [best for best, _ in tried], [amount for _, amount in tried]
    if not folds:
        mean = np.full(len(buyers), float(buyers.truth.mean()))
        return FEWEST_ROUNDS, np.arange(len(buyers)), mean
    chosen = (
        max(int(np.median(rounds)), FEWEST_ROUNDS)
        if settings.amount_trees.rounds == "auto"
        else settings.amount_trees.rounds
    )
    return chosen, np.concatenate([fold.judge for fold in folds]), np.concatenate(foretold)


def _spread(foretold: FloatArray, seen: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Overall level, borders of the steps, and the quantiles of seen over foretold in each step."""
    level = float(seen.sum() / foretold.sum())
    wide = foretold.size >= FEWEST_PER_STEP * (len(LADDER) + 1)
    edges: FloatArray = np.unique(np.quantile(foretold, LADDER)) if wide else np.empty(0)
    step = np.searchsorted(edges, foretold, side="right")
    ratio = seen / foretold
    whole = np.quantile(ratio, LEVELS)
    ratios = [
        np.quantile(ratio[step == place], LEVELS) if (step == place).sum() >= FEWEST_PER_STEP else whole
        for place in range(edges.size + 1)
    ]
    return level, edges, np.array(ratios)
