"""How likely is it: trees blended with a shrunken regression, chosen on later time, ranked raw, then calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aimwell.core.abreast import abreast
from aimwell.core.errors import BadInput, NotEnoughData
from aimwell.core.progress import Progress, part
from aimwell.insight.predictions.encoding import Encoding
from aimwell.insight.predictions.folds import Fold, make_folds
from aimwell.insight.predictions.linear import Linear, fit_linear
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.settings import FEWEST_TO_LEARN, ModelSettings
from aimwell.insight.predictions.sheet import Sheet, make_sheet
from aimwell.insight.predictions.trees import Trees, grow, grow_until
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.calibrate import Calibration, Record, calibrate, record, restore
from aimwell.science.metrics.ranking import auc

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
FEWEST_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Mix:
    """How two opinions become one: the regression's log-odds, stretched to the spread of the trees', and its share."""

    share: float
    stretch: float = 1.0

    def of(self, trees: FloatArray, line: FloatArray | None) -> FloatArray:
        """The raw score of both [n]."""
        return trees if line is None or self.share == 0 else (1 - self.share) * trees + self.share * self.stretch * line


@dataclass(frozen=True)
class Likelihood:
    """A fitted answer to "will it happen": raw log-odds that rank, and the probability behind each.

    mix: how the regression enters the raw score.
    """

    trees: Trees
    linear: Linear | None
    mix: Mix
    calibration: Calibration

    def raw(self, matrix: FloatArray) -> FloatArray:
        """Log-odds that rank [n]."""
        return self.mix.of(self.trees.raw(matrix), self.linear.raw(matrix) if self.linear else None)

    def probability(self, raw: FloatArray) -> FloatArray:
        """Calibrated probabilities of raw scores [n]."""
        return self.calibration.probability(raw)

    def contributions(self, matrix: FloatArray) -> FloatArray:
        """What each column adds to the raw score [n, d+1], the last column being the average."""
        found = self.trees.contributions(matrix)
        if self.linear:
            found = (1 - self.mix.share) * found
            found += self.mix.share * self.mix.stretch * self.linear.contributions(matrix)
        return found

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON, all but the trees."""
        linear = self.linear.to_dict() if self.linear else None
        mix = {"share": self.mix.share, "stretch": self.mix.stretch}
        return {"linear": linear, "mix": mix, "calibration": record(self.calibration)}

    @staticmethod
    def from_dict(values: Mapping[str, object], trees: Trees) -> Likelihood:
        """The likelihood that `to_dict` wrote down."""
        linear, mix, curve = values["linear"], values["mix"], values["calibration"]
        if not (isinstance(mix, dict) and isinstance(curve, dict)):
            raise BadInput("The stored model lacks its mix or its calibration", remedy="Train the prediction again.")
        kept: Record = curve
        return Likelihood(
            trees,
            Linear.from_dict(linear) if isinstance(linear, dict) else None,
            Mix(float(mix["share"]), float(mix["stretch"])),
            restore(kept),
        )


@dataclass(frozen=True)
class Trial:
    """What was tried inside the training part, on rows that the trial had not learnt from.

    settings, rounds, mix: what was chosen.   places, raw: which rows were judged, and their raw scores.
    ordered: whether later rows were foretold from earlier ones.   quality: mean AUC over the folds.
    """

    settings: ModelSettings
    rounds: int
    mix: Mix
    places: IntArray
    raw: FloatArray
    ordered: bool
    quality: float


def fit_likelihood(
    rows: Rows, encoding: Encoding, settings: ModelSettings, seed: int, progress: Progress
) -> tuple[Likelihood, Trial]:
    """Learn from all the rows whether the truth is more than nothing; what is to be chosen is chosen on later time.

    Raises NotEnoughData when fewer than ten customers are on either side.
    """
    happened = rows.truth > 0
    _refuse_few(rows)
    matrix = encoding.matrix(rows.table)
    folds = make_folds(rows, happened, settings.folds, seed)
    if not folds:
        raise NotEnoughData("Too few answers to choose and calibrate on", remedy="Take a longer horizon or more dates.")
    options = settings.options()
    trials: list[Trial] = []
    for index, option in enumerate(options):
        sheet = make_sheet(rows, matrix, encoding, option, happened.astype(np.float64))
        watch = part(progress, 0.7 * index / len(options), 0.7 * (index + 1) / len(options))
        trials.append(_try_out(rows, sheet, folds, option, seed, watch))
    best = max(trials, key=lambda trial: round(trial.quality, 6))
    progress("fit", 0.75)
    sheet = make_sheet(rows, matrix, encoding, best.settings, happened.astype(np.float64))
    trees = grow(sheet, best.settings.trees, "binary", best.rounds, seed)
    linear = fit_linear(sheet, trees.gains(), best.settings.linear.penalty) if best.mix.share > 0 else None
    groups = rows.customers[best.places]
    curve = calibrate(best.raw, happened[best.places], groups=groups, seed=seed)
    progress("fit", 1.0)
    return Likelihood(trees, linear, best.mix, curve), best


def _refuse_few(rows: Rows) -> None:
    yes = rows.positives
    no = len(rows) - yes
    if min(yes, no) < FEWEST_TO_LEARN:
        answer = "yes" if yes < no else "no"
        raise NotEnoughData(
            "There is too little to learn from",
            expected=f"at least {FEWEST_TO_LEARN} rows with each answer",
            seen=f"{min(yes, no)} of {len(rows)} rows with the answer {answer}",
            remedy="Take a longer horizon, more cut-offs, a wider population or another target.",
        )


def _try_out(
    rows: Rows, sheet: Sheet, folds: list[Fold], settings: ModelSettings, seed: int, progress: Progress
) -> Trial:
    """Foretell each fold from its earlier rows, then choose the rounds and the blend that ranked best over all."""
    progress("choose", 0.0)
    grown = abreast(lambda fold: _foretold(sheet, fold, settings, seed), folds)
    by_trees = [raw for _, _, raw in grown]
    rounds = [best for _, best, _ in grown]
    by_line: list[FloatArray | None] = [None] * len(folds)
    if settings.linear.share != 0:
        for index, (fold, (trees, _, _)) in enumerate(zip(folds, grown, strict=True)):
            progress("choose", 0.5 + 0.5 * index / len(folds))
            line = fit_linear(sheet.take(fold.learn), trees.gains(), settings.linear.penalty)
            by_line[index] = line.raw(sheet.matrix[fold.judge])
    progress("choose", 1.0)
    truths = [sheet.truth[fold.judge] for fold in folds]
    mix, quality = _best_mix(by_trees, by_line, truths, settings)
    raw = np.concatenate([mix.of(one, two) for one, two in zip(by_trees, by_line, strict=True)])
    return Trial(
        settings,
        max(int(np.median(rounds)), FEWEST_ROUNDS) if settings.trees.rounds == "auto" else settings.trees.rounds,
        mix,
        np.concatenate([fold.judge for fold in folds]),
        raw,
        folds[0].cut is not None,
        quality,
    )


def _foretold(sheet: Sheet, fold: Fold, settings: ModelSettings, seed: int) -> tuple[Trees, int, FloatArray]:
    """Trees grown on a fold's earlier rows, the best number of rounds, and their raw scores of its later rows."""
    judge = sheet.take(fold.judge)
    trees, best = grow_until(sheet.take(fold.learn), judge, settings.trees, "binary", seed)
    return trees, best, trees.raw(judge.matrix)


def _best_mix(
    trees: list[FloatArray], lines: list[FloatArray | None], truths: list[FloatArray], settings: ModelSettings
) -> tuple[Mix, float]:
    """The mix that ranked best over the folds, the smaller share where two rank alike, and its mean AUC."""
    wanted = settings.linear.share
    drawn = [line for line in lines if line is not None]
    spread = float(np.concatenate(drawn).std()) if drawn else 0.0
    stretch = float(np.concatenate(trees).std()) / spread if spread > 0 else 1.0
    tried = [Mix(share, stretch or 1.0) for share in (SHARES if wanted == "auto" else (wanted,))]

    def quality(mix: Mix) -> float:
        blends = [mix.of(one, two) for one, two in zip(trees, lines, strict=True)]
        return float(np.mean([auc(raw, truth) for raw, truth in zip(blends, truths, strict=True)]))

    best = max(tried, key=lambda mix: (round(quality(mix), 4), -mix.share))
    return best, quality(best)
