"""Effects of everybody asked about today: per customer and treatment, with doubt and regions, never a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.insight.effects.definition import Effect
from aimwell.insight.effects.model import Answers, load_model
from aimwell.insight.effects.rows import learnable
from aimwell.insight.predictions.rows import Names
from aimwell.insight.predictions.training import scoring_rows
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.metrics.interval import quantile_of_normal
from aimwell.science.uplift.regions import REGIONS, regions
from aimwell.science.uplift.shortlist import Shortlist, shortlist


@dataclass(frozen=True)
class EffectScores:
    """The answers for n customers, by id, and the treatments that they are about."""

    effect: str
    version: str
    as_of: datetime
    customers: Names
    treatments: tuple[str, ...]
    answers: Answers
    cut: float
    margin: float

    def to_arrow(self) -> pa.Table:
        """One row per customer and treatment: effect with 95 % bounds, expected outcome without, the four regions."""
        reach = quantile_of_normal(0.95)
        parts: list[pa.Table] = []
        for place, name in enumerate(self.treatments):
            effect, error = self.answers.effect[:, place], self.answers.error[:, place]
            found = regions(
                self.answers.without,
                effect,
                level_error=self.answers.without_error,
                effect_error=error,
                cut=self.cut,
                margin=self.margin,
            )
            columns: dict[str, object] = {
                "customer_id": self.customers.tolist(),
                "treatment": [name] * len(self.customers),
                "effect": effect,
                "low": effect - reach * error,
                "high": effect + reach * error,
                "order": self.answers.order[:, place],
                "without": self.answers.without,
            }
            parts.append(pa.table(columns | {region: getattr(found, region) for region in REGIONS}))
        return pa.concat_tables(parts)


def score_effect(
    definition: Effect,
    workshop: Workshop,
    as_of: datetime,
    *,
    version: str,
    customers: Sequence[str] | None = None,
) -> EffectScores:
    """The effect of each treatment on everybody whom the question is about as of the instant.

    customers: these instead of the population.   Raises BadQuestion when the version is not there, NotEnoughData when
    nobody is in the population.
    """
    model = load_model(workshop.folder, definition.name, version)
    columns = tuple(column for column in learnable(definition, workshop, as_of) if column.name in model.encoding.names)
    rows = scoring_rows(definition.question(), workshop, as_of, columns, customers=customers)
    if not len(rows):
        raise NotEnoughData(
            f"{definition.name}: nobody is in the population as of {as_of.date()}", remedy="Widen the population."
        )
    order = np.argsort(rows.customers, kind="stable").astype(np.int64)
    rows = rows.take(order)
    return EffectScores(
        definition.name,
        version,
        as_of,
        rows.customers,
        model.treatments,
        model.answers(rows.table),
        definition.buyer_from,
        definition.margin,
    )


def within_budget(
    scores: EffectScores, treatment: str, *, budget: float, cost: float, worth: float = 1.0
) -> tuple[list[str], Shortlist]:
    """The customers to give a treatment within a budget, the best return first, ties by id; and what that costs.

    cost: of treating one customer.   worth: money of a unit of the outcome.   Where no difference was found everybody
    has the same effect: then either all are worth it or none, and the list is in order of ids, not of promise.
    Raises BadQuestion for a treatment that was not learnt, and for a budget of 0.
    """
    if treatment not in scores.treatments:
        raise BadQuestion(
            f"{scores.effect} knows no treatment {treatment!r}", expected=f"one of {', '.join(scores.treatments)}"
        )
    effect = scores.answers.effect[:, scores.treatments.index(treatment)]
    found = shortlist(effect, budget=budget, cost=cost, worth=worth)
    return [str(who) for who in scores.customers[found.chosen]], found
