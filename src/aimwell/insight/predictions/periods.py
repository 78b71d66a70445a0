"""A prediction cut-off by cut-off: what was learnt, what was foretold while choosing, and what was held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from aimwell.insight.predictions.baseline import baselines_of
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.guard import answer_of
from aimwell.insight.predictions.likelihood import Trial
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.scores import Baseline, Scores
from aimwell.science.arrays import FloatArray
from aimwell.science.metrics.interval import Estimate
from aimwell.science.metrics.ranking import auc_difference

Role = Literal["learnt", "chosen_on", "held_out"]


@dataclass(frozen=True, slots=True)
class PeriodResult(Result):
    """One cut-off: how many were asked, how many said yes, and how well they were ranked by what was learnt before.

    role: learnt (never foretold), chosen_on (foretold while settings were chosen) or held_out (judged once).
    auc, baseline: None where nothing was foretold, or everybody answered alike.
    """

    cut_off: str
    role: Role
    people: int
    positives: int
    mean: float
    auc: Estimate | None = None
    baseline: Estimate | None = None


def period_results(
    definition: Prediction, learnt: Rows, trial: Trial, judged: Rows, scores: Scores, baseline: Baseline
) -> tuple[PeriodResult, ...]:
    """Every cut-off in order of time; those inside the training part were foretold from the ones before them."""
    found: list[PeriodResult] = []
    foretold = learnt.take(trial.places) if trial.ordered else learnt.take(np.empty(0, np.int64))
    for cut in sorted({*learnt.cut.tolist(), *judged.cut.tolist()}):
        here, tried = np.flatnonzero(judged.cut == cut), np.flatnonzero(foretold.cut == cut)
        if here.size:
            likely = 1.0 - scores.nothing if judged.positives < len(judged) else scores.raw
            found.append(_result(judged.take(here), "held_out", likely[here], baseline.raw[here]))
        elif tried.size:
            rows = foretold.take(tried)
            found.append(_result(rows, "chosen_on", trial.raw[tried], baselines_of(definition, rows, learnt)[0].raw))
        else:
            found.append(_result(learnt.at(cut), "learnt", None, None))
    return tuple(found)


def _result(rows: Rows, role: Role, raw: FloatArray | None, baseline: FloatArray | None) -> PeriodResult:
    name = rows.cuts[int(rows.cut[0])].name
    start = PeriodResult(name, role, len(rows), rows.positives, float(rows.truth.mean()))
    happened = answer_of(rows)
    if raw is None or baseline is None or not happened.any() or happened.all():
        return start
    order = auc_difference(raw, baseline, happened)
    return PeriodResult(name, role, len(rows), rows.positives, start.mean, order.first, order.second)
