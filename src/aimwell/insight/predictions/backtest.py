"""The backtest: the last cut-offs are held out, all is learnt and chosen before them, then they are judged once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pyarrow as pa

from aimwell.core.errors import NotEnoughData
from aimwell.core.progress import Progress, part, silent
from aimwell.core.text import Text
from aimwell.insight.predictions.baseline import baselines_of
from aimwell.insight.predictions.cutoffs import held_out
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.evaluation import Evaluation
from aimwell.insight.predictions.findings import Finding
from aimwell.insight.predictions.flat import flat_rows
from aimwell.insight.predictions.guard import (
    answer_of,
    inspect_base_rates,
    inspect_columns,
    inspect_split,
    inspect_windows,
    inspect_worth,
)
from aimwell.insight.predictions.kind import Model, kind_of
from aimwell.insight.predictions.likelihood import Trial
from aimwell.insight.predictions.periods import PeriodResult, period_results
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.provenance import provenance
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.scores import Baseline, Scores
from aimwell.insight.predictions.training import training_rows
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import IntArray
from aimwell.science.metrics.ranking import auc_estimate

ROUGHLY = 200
"""Resamples for the intervals of parts and of further baselines."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen inside the training part: trees per bag, the share of the regression, and which settings."""

    rounds: int
    linear_share: float
    setting: int
    ordered: bool


@dataclass(frozen=True, slots=True)
class Backtest(Result):
    """How the prediction would have done: everybody, new and existing customers apart, cut-off by cut-off.

    others: everybody again beside each further baseline, the metrics alone.
    held_out: names of the cut-offs judged.   learnt_rows, learnt_positives: what was learnt from.
    """

    prediction: str
    title: Text
    kind: str
    as_of: datetime | None
    held_out: tuple[str, ...]
    learnt_rows: int
    learnt_positives: int
    everybody: Evaluation
    new: Evaluation
    existing: Evaluation
    others: tuple[Evaluation, ...]
    periods: tuple[PeriodResult, ...]
    findings: tuple[Finding, ...]
    choice: Choice
    seed: int

    @property
    def beats_baseline(self) -> bool | None:
        """Whether the model is better than the baseline beyond chance, by the order of its list (or its error)."""
        first = self.everybody.metrics[0] if self.everybody.metrics else None
        return first.proven if first else None


@dataclass(frozen=True)
class Judged:
    """A backtest with what made it, for those who go on from it: model, rows, scores, baseline."""

    result: Backtest
    model: Model
    trial: Trial
    rows: Rows
    scores: Scores
    baseline: Baseline


def backtest(
    definition: Prediction, workshop: Workshop, as_of: datetime, *, seed: int = 0, progress: Progress = silent
) -> Backtest:
    """How good the prediction would have been, in order of time: nothing after a held-out date is used before it.

    as_of: nothing known later is used at all.   Raises NotEnoughData where the data carry no answer.
    """
    rows = gather(definition, workshop, as_of, part(progress, 0.0, 0.6))
    known = provenance(definition, workshop, as_of).findings()
    return judge_rows(definition, rows, as_of, seed=seed, progress=part(progress, 0.6, 1.0), known=known).result


def gather(definition: Prediction, workshop: Workshop, as_of: datetime, progress: Progress) -> Rows:
    """The rows with known answers, from the warehouse or from the flat file."""
    if definition.flat is not None:
        return flat_rows(definition, workshop.folder)
    return training_rows(definition, workshop, as_of, progress)


def judge_rows(
    definition: Prediction,
    rows: Rows,
    as_of: datetime | None,
    *,
    seed: int,
    progress: Progress = silent,
    known: tuple[Finding, ...] = (),
) -> Judged:
    """Hold out the rows to be judged, learn from the others whose answers were known by then, judge once.

    known: what is already to be said of the data.
    """
    held = held_out(definition, rows.cuts)
    first = min(held, key=lambda cut: rows.cuts[cut].opens)
    learnt, judged = rows.take(rows.learnable_for(first) & ~np.isin(rows.cut, held)), rows.at(*held)
    _refuse_unordered(definition, rows, learnt, judged)
    learnt = sampled(learnt, definition, seed)
    kind = kind_of(definition.kind)
    model, trial = kind.fit(learnt, definition.model, seed, part(progress, 0.0, 0.6))
    scores, (base, *others) = model.scores(judged.table), baselines_of(definition, judged, learnt)
    progress("judge", 0.65)
    whole, new, existing = _apart(definition, judged, scores, base, seed)
    progress("guard", 0.85)
    parts = _Parts(learnt, judged, model, trial, scores)
    result = Backtest(
        prediction=definition.name,
        title=definition.title,
        kind=definition.kind,
        as_of=as_of,
        held_out=tuple(rows.cuts[cut].name for cut in held),
        learnt_rows=len(learnt),
        learnt_positives=learnt.positives,
        everybody=whole,
        new=new,
        existing=existing,
        others=tuple(_beside(definition, judged, scores, other, seed) for other in others),
        periods=period_results(definition, learnt, trial, judged, scores, base),
        findings=(*_findings(definition, parts, whole, seed), *known),
        choice=Choice(trial.rounds, trial.mix.share, definition.model.options().index(trial.settings), trial.ordered),
        seed=seed,
    )
    progress("guard", 1.0)
    return Judged(result, model, trial, judged, scores, base)


@dataclass(frozen=True)
class _Parts:
    learnt: Rows
    judged: Rows
    model: Model
    trial: Trial
    scores: Scores


def _apart(
    definition: Prediction, judged: Rows, scores: Scores, base: Baseline, seed: int
) -> tuple[Evaluation, Evaluation, Evaluation]:
    """Everybody, then those first seen lately, then the others (those of whom it is not known included)."""
    kind, sizes = kind_of(definition.kind), tuple(definition.lists)
    is_new = judged.age_days < definition.new_within_days
    whole = kind.judge(judged, scores, base, sizes=sizes, seed=seed)
    new, existing = (
        kind.judge(
            judged.take(places), scores.take(places), base.take(places), sizes=sizes, seed=seed, resamples=ROUGHLY
        )
        for places in (np.flatnonzero(is_new), np.flatnonzero(~is_new))
    )
    return whole, new, existing


def _beside(definition: Prediction, judged: Rows, scores: Scores, other: Baseline, seed: int) -> Evaluation:
    kind, sizes = kind_of(definition.kind), tuple(definition.lists)
    found = kind.judge(judged, scores, other, sizes=sizes, seed=seed, resamples=ROUGHLY)
    return Evaluation(found.people, found.positives, found.mean, found.baseline, found.metrics, notes=found.notes)


def _findings(definition: Prediction, parts: _Parts, whole: Evaluation, seed: int) -> tuple[Finding, ...]:
    learnt, judged = parts.learnt, parts.judged
    found = [
        *inspect_windows(learnt, judged),
        *inspect_columns(learnt, seed),
        *inspect_base_rates(learnt, judged, definition.minimum_positives),
    ]
    happened = answer_of(judged)
    if happened.any() and not happened.all():
        likely = parts.scores.raw if happened.sum() == judged.positives else parts.scores.value
        ordered = auc_estimate(likely, happened, groups=judged.customers)
        found += inspect_split(_together(learnt, judged), parts.model.encoding, parts.trial, ordered, seed)
    return (*found, *inspect_worth(whole))


def _together(learnt: Rows, judged: Rows) -> Rows:
    """Learnt and judged rows in one, all of whose columns are known to both."""
    return replace(
        learnt,
        customers=np.concatenate([learnt.customers, judged.customers]),
        cut=np.concatenate([learnt.cut, judged.cut]),
        table=pa.concat_tables([learnt.table, judged.table]),
        truth=np.concatenate([learnt.truth, judged.truth]),
        age_days=np.concatenate([learnt.age_days, judged.age_days]),
        past=np.concatenate([learnt.past, judged.past]),
    )


def _refuse_unordered(definition: Prediction, rows: Rows, learnt: Rows, judged: Rows) -> None:
    if len(learnt) and len(judged):
        return
    raise NotEnoughData(
        f"{definition.name}: there is no earlier cut-off to learn from",
        expected="at least two cut-offs, the answer of the first known before the last begins",
        seen=", ".join(cut.name for cut in rows.cuts),
        remedy="Load more history, shorten the horizon, or ask at more dates.",
    )


def sampled(rows: Rows, definition: Prediction, seed: int) -> Rows:
    """The rows themselves, or, where there are more than `most_rows`, so many of them drawn at random."""
    most = definition.model.most_rows
    if len(rows) <= most:
        return rows
    places: IntArray = np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False)).astype(np.int64)
    return rows.take(places)
