"""Whom a treatment changes most, and why, in words: for the list that is looked at, not for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Language, Text
from aimwell.insight.effects.definition import Effect
from aimwell.insight.effects.depths import DepthReport, personal_depths
from aimwell.insight.effects.keeping import StoredEffect
from aimwell.insight.effects.model import EffectModel
from aimwell.insight.effects.score import EffectScores, place_of
from aimwell.insight.predictions.encoding import Encoding
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.reasons import TOP, Reason
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.metrics.interval import Estimate, quantile_of_normal


@dataclass(frozen=True, slots=True)
class Moved(Result):
    """One customer of a list.

    rank: 1 is the best; 0 where nobody is ahead of another or it was not asked for.   effect: with its 95 % bounds.
    without: the outcome expected without the treatment.   reasons: what makes this effect larger or smaller than
    others', the weightiest first; empty where effects do not differ.
    """

    customer_id: str
    treatment: str
    rank: int
    effect: Estimate
    without: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class TreatmentScores(Result):
    """What was scored of one treatment.

    said: whether effects differ, in a sentence.   average: the effect on everybody in the experiment.
    mean: of those scored.   regions: their expected shares.
    """

    treatment: str
    differs: bool
    said: Text
    average: Estimate
    mean: float
    regions: dict[str, float]


@dataclass(frozen=True, slots=True)
class EffectScoring(Result):
    """What was scored, and the best of each treatment with reasons; nobody is listed where effects do not differ."""

    effect: str
    version: str
    as_of: datetime
    money: bool
    people: int
    treatments: tuple[TreatmentScores, ...]
    audience: tuple[Moved, ...]


def told(scores: EffectScores, stored: StoredEffect, *, top: int = 0, treatment: str | None = None) -> EffectScoring:
    """The scores as a page or a list shows them.

    top: how many of the best of each treatment get reasons.   treatment: only this one.
    Raises BadQuestion for a treatment that was not learnt.
    """
    places = [place_of(scores, treatment)] if treatment else list(range(len(scores.treatments)))
    parts = tuple(
        TreatmentScores(
            scores.treatments[place],
            scores.evidence[place].differs,
            scores.evidence[place].said,
            scores.evidence[place].average,
            float(scores.answers.effect[:, place].mean()),
            scores.regions(place).shares(),
        )
        for place in places
    )
    listed = [place for place in places if top and scores.evidence[place].differs]
    audience = tuple(each for place in listed for each in _best(scores, stored, place, top))
    return EffectScoring(
        scores.effect, scores.version, scores.as_of, scores.money, len(scores.customers), parts, audience
    )


def explain_effect(scores: EffectScores, stored: StoredEffect, treatment: str) -> tuple[Moved, ...]:
    """Everybody of the scores with reasons, in order of ids; meant for a few customers."""
    place = place_of(scores, treatment)
    return _moved(scores, stored, place, np.arange(len(scores.customers)), ranked=False)


def audience_rows(audience: Sequence[Moved], language: Language) -> pa.Table:
    """A list of customers as a table; the reasons in words, one column each."""
    deepest = max((len(each.reasons) for each in audience), default=0)
    columns: dict[str, list[object]] = {
        "treatment": [each.treatment for each in audience],
        "rank": [each.rank for each in audience],
        "customer_id": [each.customer_id for each in audience],
        "effect": [each.effect.value for each in audience],
        "low": [each.effect.low for each in audience],
        "high": [each.effect.high for each in audience],
        "without": [each.without for each in audience],
    }
    for place in range(deepest):
        columns[f"reason_{place + 1}"] = [
            each.reasons[place].text.said(language) if place < len(each.reasons) else None for each in audience
        ]
    return pa.table(columns)


def depth_list(definition: Effect, scores: EffectScores, report: DepthReport | None) -> pa.Table:
    """Which depth for whom: one row per customer who is to get a discount, with the profit foretold beyond none.

    By person only where the card says that this is proven to pay; otherwise the one depth that earns most, for all.
    Raises BadQuestion where the definition speaks of no depths.
    """
    best = personal_depths(definition, scores.answers.levels, scores.table)
    if best is None or report is None:
        raise BadQuestion(
            f"{definition.name} speaks of no depths",
            expected="depths: the discount of each arm, its margin and price",
            seen="none",
            remedy="Write `depths` into the definition, and train it again.",
        )
    names = np.array(definition.treatment.names)
    alike = np.full(len(best.best), list(names).index(report.single))
    given = best.best if report.personal else alike
    rows, profit = np.flatnonzero(best.depths[given] > 0), best.profit
    gain = profit[np.arange(len(given)), given] - profit[:, 0]
    return pa.table(
        {
            "customer_id": scores.customers[rows].tolist(),
            "arm": names[given[rows]].tolist(),
            "depth": best.depths[given[rows]],
            "gain": gain[rows],
        }
    )


def _best(scores: EffectScores, stored: StoredEffect, place: int, top: int) -> tuple[Moved, ...]:
    best = np.argsort(-scores.answers.effect[:, place], kind="stable")[:top]
    return _moved(scores, stored, place, best.astype(np.int64), ranked=True)


def _moved(
    scores: EffectScores, stored: StoredEffect, place: int, rows: IntArray, *, ranked: bool
) -> tuple[Moved, ...]:
    reach = quantile_of_normal(0.95)
    effect, error = scores.answers.effect[rows, place], scores.answers.error[rows, place]
    reasons: list[tuple[Reason, ...]] = [()] * rows.size
    if scores.evidence[place].differs:
        reasons = stored.speaker.reasons(_OfTreatment(stored.model, place), scores.table.take(pa.array(rows)), TOP)
    return tuple(
        Moved(
            str(scores.customers[row]),
            scores.treatments[place],
            number + 1 if ranked else 0,
            Estimate(float(value), float(value - reach * doubt), float(value + reach * doubt)),
            float(scores.answers.without[row]),
            reasons[number],
        )
        for number, (row, value, doubt) in enumerate(zip(rows.tolist(), effect, error, strict=True))
    )


@dataclass(frozen=True, slots=True)
class _OfTreatment:
    """The part of a model that tells the effect of one treatment."""

    model: EffectModel
    place: int

    @property
    def encoding(self) -> Encoding:
        return self.model.encoding

    def contributions(self, table: pa.Table) -> FloatArray:
        return self.model.contributions(table, self.place)
