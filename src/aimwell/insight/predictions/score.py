"""Scores: the answers of the model in use for everybody asked about today, and the list of whom to contact first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
from sqlglot import exp

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.progress import Progress, silent
from aimwell.core.text import Language
from aimwell.core.time import to_store
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.campaigns import GOODS
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.life import champion
from aimwell.insight.predictions.models import StoredModel, load
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.reasons import Reason
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.scores import Scores
from aimwell.insight.predictions.training import scoring_rows
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import IntArray
from aimwell.store.warehouse.cut import instant_literal

TABLE = "score"
BINS = 20


@dataclass(frozen=True, slots=True)
class Scored(Result):
    """One customer's answer.

    value: probability, or expected amount.   typical, low, high: middle amount, and the bounds that 8 of 10 stay
    within; None where there are no amounts.   rank: 1 is the best; 0 where it was not asked for.
    reasons: the weightiest first; empty where they were not asked for.
    """

    customer_id: str
    rank: int
    value: float
    typical: float | None
    low: float | None
    high: float | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Scoring(Result):
    """What was scored.

    mean: mean of the values.   edges, counts: a histogram of the values.   audience: the best of the list, with
    reasons.
    """

    prediction: str
    version: str
    as_of: datetime
    people: int
    mean: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    audience: tuple[Scored, ...]

    def to_arrow(self, language: Language) -> pa.Table:
        """The audience as a table, one row per customer, the reasons in words."""
        return audience_table(self.audience, language)


def score(
    definition: Prediction,
    workshop: Workshop,
    as_of: datetime,
    *,
    version: str | None = None,
    campaign: str | None = None,
    top: int = 0,
    progress: Progress = silent,
) -> Scoring:
    """Score everybody whom the question is about as of the instant, and keep the scores in the table `score`.

    version: by default the one in use.   campaign: for questions about campaigns, the one that is planned; needed where
    the model reads how a campaign's goods fit the customer.   top: how many of the best get reasons.
    Ties of the raw score are broken by customer id. Scoring the same instant again replaces its scores; if it fails,
    they stay.
    Raises BadQuestion when nothing was trained yet, NotEnoughData when nobody is in the population.
    """
    stored = _stored(definition, workshop, version)
    progress("features", 0.0)
    _refuse_unplanned(definition, workshop, stored, campaign)
    rows = scoring_rows(definition, workshop, as_of, _read_columns(stored), campaign=campaign)
    if not len(rows):
        raise NotEnoughData(
            f"{definition.name}: nobody is in the population as of {as_of.date()}", remedy="Widen the population."
        )
    progress("score", 0.6)
    scores = stored.model.scores(rows.table)
    order: IntArray = np.argsort(-scores.raw, kind="stable").astype(np.int64)
    rank = np.empty(len(rows), dtype=np.int64)
    rank[order] = np.arange(1, len(rows) + 1)
    _keep(workshop, definition.name, stored.version, as_of, rows, scores, rank)
    progress("reasons", 0.8)
    best = order[:top]
    audience = _scored(stored, rows.take(best), scores.take(best), rank[best]) if top else ()
    counts, edges = np.histogram(scores.value, bins=BINS)
    progress("reasons", 1.0)
    return Scoring(
        definition.name,
        stored.version,
        as_of,
        len(rows),
        float(scores.value.mean()),
        tuple(edges.tolist()),
        tuple(counts.tolist()),
        audience,
    )


def explain(
    definition: Prediction,
    workshop: Workshop,
    as_of: datetime,
    customers: Sequence[str],
    *,
    version: str | None = None,
    campaign: str | None = None,
) -> tuple[Scored, ...]:
    """The answers for these customers with their reasons, in the order given, whether or not they are asked about.

    Raises BadQuestion when nothing was trained yet.
    """
    stored = _stored(definition, workshop, version)
    _refuse_unplanned(definition, workshop, stored, campaign)
    columns = _read_columns(stored)
    rows = scoring_rows(definition, workshop, as_of, columns, customers=customers, campaign=campaign)
    scores = stored.model.scores(rows.table)
    found = {each.customer_id: each for each in _scored(stored, rows, scores, np.zeros(len(rows), np.int64))}
    return tuple(found[customer] for customer in dict.fromkeys(customers))


def audience_table(audience: Sequence[Scored], language: Language) -> pa.Table:
    """Scored customers as a table; the reasons in words, one column each."""
    deepest = max((len(each.reasons) for each in audience), default=0)
    columns: dict[str, list[object]] = {
        "rank": [each.rank for each in audience],
        "customer_id": [each.customer_id for each in audience],
        "value": [each.value for each in audience],
    }
    if any(each.typical is not None for each in audience):
        columns |= {name: [getattr(each, name) for each in audience] for name in ("typical", "low", "high")}
    for place in range(deepest):
        columns[f"reason_{place + 1}"] = [
            each.reasons[place].text.said(language) if place < len(each.reasons) else None for each in audience
        ]
    return pa.table(columns)


def _stored(definition: Prediction, workshop: Workshop, version: str | None) -> StoredModel:
    chosen = version or champion(workshop, definition.name)
    if definition.flat is not None:
        raise BadQuestion(f"{definition.name} is about a flat file, which has nobody to score as of a day")
    if chosen is None:
        raise BadQuestion(f"No version of {definition.name!r} is in use", remedy="Train it first.")
    return load(workshop.folder, definition.name, chosen)


def _refuse_unplanned(definition: Prediction, workshop: Workshop, stored: StoredModel, campaign: str | None) -> None:
    """A model that reads the fit with a campaign's goods cannot answer without a campaign."""
    if definition.cut_offs.by != "campaign" or campaign is not None:
        return
    names = [name for name in stored.model.encoding.names if name in workshop.library.owners]
    read = [name for name in names if GOODS in workshop.library.owner(name).given]
    if read:
        raise BadQuestion(
            f"{definition.name}: say for which campaign",
            expected=f"a campaign, since the model reads {', '.join(read[:3])}",
            remedy="Name one whose coupons are loaded, or leave such features out of the definition.",
        )


def _read_columns(stored: StoredModel) -> tuple[Column, ...]:
    return tuple(stored.speaker.columns[name] for name in stored.model.encoding.names)


def _scored(stored: StoredModel, rows: Rows, scores: Scores, rank: IntArray) -> tuple[Scored, ...]:
    reasons = stored.speaker.reasons(stored.model, rows.table)
    return tuple(
        Scored(
            str(rows.customers[place]),
            int(rank[place]),
            float(scores.value[place]),
            None if scores.typical is None else float(scores.typical[place]),
            None if scores.low is None else float(scores.low[place]),
            None if scores.high is None else float(scores.high[place]),
            reasons[place],
        )
        for place in range(len(rows))
    )


def _keep(
    workshop: Workshop, prediction: str, version: str, as_of: datetime, rows: Rows, scores: Scores, rank: IntArray
) -> None:
    """Write the scores; those of the same prediction and instant, of whatever version, give way to them."""
    engine, people = workshop.warehouse.engine, len(rows)
    fresh = pa.table(
        {
            "prediction": pa.array([prediction] * people, pa.string()),
            "version": pa.array([version] * people, pa.string()),
            "customer_id": pa.array(rows.customers.tolist(), pa.string()),
            "as_of": pa.array([to_store(as_of)] * people, pa.timestamp("us")),
            "raw": pa.array(scores.raw, pa.float64()),
            "value": pa.array(scores.value, pa.float64()),
            "rank": pa.array(rank, pa.int64()),
        }
    )
    if TABLE not in engine.tables():
        engine.write(TABLE, fresh)
        return
    same = exp.and_(
        exp.EQ(this=exp.column("prediction"), expression=exp.Literal.string(prediction)),
        exp.EQ(this=exp.column("as_of"), expression=instant_literal(to_store(as_of))),
    )
    with engine.transaction():
        if engine.to_arrow(exp.select("rank").from_(TABLE).where(same).limit(1)).num_rows:
            with workshop.passing("scores") as kept:
                engine.create_table_as(kept, exp.select("*").from_(TABLE).where(exp.Not(this=exp.paren(same))))
                engine.create_table_as(TABLE, exp.select("*").from_(kept))
        engine.append(TABLE, fresh)
