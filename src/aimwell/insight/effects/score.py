"""Effects of everybody asked about today: per customer and treatment, with doubt and regions, never a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.progress import Progress, silent
from aimwell.insight.effects.definition import Effect
from aimwell.insight.effects.keeping import StoredEffect, effect_key, load_effect
from aimwell.insight.effects.kept import Run, keep_scores
from aimwell.insight.effects.model import Answers
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.life import champion
from aimwell.insight.predictions.rows import Names
from aimwell.insight.predictions.training import scoring_rows
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.metrics.interval import quantile_of_normal
from aimwell.science.uplift.choice import Evidence
from aimwell.science.uplift.regions import REGIONS, Regions, regions
from aimwell.science.uplift.shortlist import Shortlist, shortlist


@dataclass(frozen=True)
class EffectScores:
    """The answers for n customers, by id, and the treatments that they are about.

    evidence: what was found about each treatment.   table: the raw features behind the answers.
    money: whether effects are in money rather than chances.
    """

    effect: str
    version: str
    as_of: datetime
    customers: Names
    treatments: tuple[str, ...]
    answers: Answers
    evidence: tuple[Evidence, ...]
    cut: float
    margin: float
    money: bool
    table: pa.Table

    def regions(self, place: int) -> Regions:
        """The probabilities of the four regions for one treatment."""
        return regions(
            self.answers.without,
            self.answers.effect[:, place],
            level_error=self.answers.without_error,
            effect_error=self.answers.error[:, place],
            cut=self.cut,
            margin=self.margin,
        )

    def details(self, place: int) -> pa.Table:
        """One treatment, one row per customer: effect with 95 % bounds, expected outcome without, the four regions.

        differs: whether effects differ between people at all; if not, all rows hold the average effect.
        """
        reach, people = quantile_of_normal(0.95), len(self.customers)
        effect, error = self.answers.effect[:, place], self.answers.error[:, place]
        found = self.regions(place)
        columns: dict[str, object] = {
            "customer_id": pa.array(self.customers.tolist(), pa.string()),
            "effect_name": pa.array([self.effect] * people, pa.string()),
            "treatment": pa.array([self.treatments[place]] * people, pa.string()),
            "effect": effect,
            "low": effect - reach * error,
            "high": effect + reach * error,
            "error": error,
            "without": self.answers.without,
            "differs": pa.array([self.evidence[place].differs] * people, pa.bool_()),
            "money": pa.array([self.money] * people, pa.bool_()),
        }
        return pa.table(columns | {region: getattr(found, region) for region in REGIONS})

    def to_arrow(self) -> pa.Table:
        """One row per customer and treatment; `order` is the best guess for ranking, also where nothing was proven."""
        parts = [
            self.details(place).append_column("order", pa.array(self.answers.order[:, place]))
            for place in range(len(self.treatments))
        ]
        return pa.concat_tables(parts)


def score_effect(
    definition: Effect,
    workshop: Workshop,
    as_of: datetime,
    *,
    version: str | None = None,
    customers: Sequence[str] | None = None,
    progress: Progress = silent,
) -> EffectScores:
    """The effect of each treatment on everybody whom the question is about as of the instant, kept in the warehouse.

    version: by default the one in use.   customers: these instead of the population; then nothing is kept.
    Scoring the same instant again replaces its scores.
    Raises BadQuestion when nothing was trained yet, NotEnoughData when nobody is in the population.
    """
    stored = stored_effect(definition, workshop, version)
    progress("features", 0.0)
    columns = (*stored.columns, *_price(definition, workshop, as_of, stored))
    rows = scoring_rows(definition.question(), workshop, as_of, columns, customers=customers)
    if not len(rows):
        raise NotEnoughData(
            f"{definition.name}: nobody is in the population as of {as_of.date()}", remedy="Widen the population."
        )
    rows = rows.take(np.argsort(rows.customers, kind="stable").astype(np.int64))
    progress("score", 0.5)
    scores = EffectScores(
        definition.name,
        stored.version,
        as_of,
        rows.customers,
        stored.model.treatments,
        stored.model.answers(rows.table),
        stored.model.choice.evidence,
        definition.buyer_from,
        definition.margin,
        stored.money,
        rows.table,
    )
    progress("save", 0.9)
    if customers is None:
        keep_effect(workshop, scores)
    return scores


def _price(definition: Effect, workshop: Workshop, as_of: datetime, stored: StoredEffect) -> tuple[Column, ...]:
    """The column that tells what a customer would pay, where discounts are asked about and it is not there anyway."""
    tag = definition.depths.price_tag if definition.depths else None
    if tag is None or tag in stored.model.encoding.names:
        return ()
    return tuple(workshop.features(as_of).columns([tag]))


def keep_effect(workshop: Workshop, scores: EffectScores) -> None:
    """Write scores into the warehouse; where no difference was found nobody is ranked before another but by id."""
    for place, treatment in enumerate(scores.treatments):
        order = scores.answers.effect[:, place]
        run = Run(scores.effect, treatment, scores.version, scores.as_of)
        keep_scores(workshop, run, order, scores.details(place))


def stored_effect(definition: Effect, workshop: Workshop, version: str | None = None) -> StoredEffect:
    """A version, by default the one in use; raises BadQuestion when nothing was trained yet."""
    chosen = version or champion(workshop, effect_key(definition.name))
    if chosen is None:
        raise BadQuestion(
            f"No version of the effect {definition.name!r} is in use",
            remedy=f"Train it first: `aimwell effect train {definition.name}`.",
        )
    return load_effect(workshop.folder, definition.name, chosen)


def within_budget(
    scores: EffectScores, treatment: str, *, budget: float, cost: float, worth: float = 1.0
) -> tuple[list[str], Shortlist]:
    """The customers to give a treatment within a budget, the best return first, ties by id; and what that costs.

    cost: of treating one customer.   worth: money of a unit of the outcome.   Where no difference was found everybody
    has the same effect: then either all are worth it or none, and the list is in order of ids, not of promise.
    Raises BadQuestion for a treatment that was not learnt, and for a budget of 0.
    """
    place = place_of(scores, treatment)
    found = shortlist(scores.answers.effect[:, place], budget=budget, cost=cost, worth=worth)
    return [str(who) for who in scores.customers[found.chosen]], found


def place_of(scores: EffectScores, treatment: str) -> int:
    """Where a treatment stands among those of the scores; raises BadQuestion for one that was not learnt."""
    if treatment not in scores.treatments:
        raise BadQuestion(
            f"{scores.effect} knows no treatment {treatment!r}", expected=f"one of {', '.join(scores.treatments)}"
        )
    return scores.treatments.index(treatment)
