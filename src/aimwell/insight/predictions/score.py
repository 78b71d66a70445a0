"""Scores: the answers of the model in use for everybody asked about today, and the list of whom to contact first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.progress import Progress, silent
from aimwell.core.text import Language
from aimwell.core.time import to_store
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.campaigns import GOODS
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.expected import TABLE as EXPECTED
from aimwell.insight.predictions.expected import ScoringRun, expected_rows
from aimwell.insight.predictions.kept import keep_rows
from aimwell.insight.predictions.life import champion
from aimwell.insight.predictions.models import StoredModel, load, stored_card
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.reasons import Reason
from aimwell.insight.predictions.rows import CutOff, Rows
from aimwell.insight.predictions.scores import Scores
from aimwell.insight.predictions.targets import answers_before
from aimwell.insight.predictions.training import scoring_rows
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import IntArray

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
    if definition.target is not None and definition.target.amount is not None:
        _keep_expected(definition, workshop, stored.version, as_of, rows, scores)
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
        raise BadQuestion(
            f"{definition.name} is about a flat file, which has nobody to score as of a day",
            remedy=f"Give the rows: `aimwell prediction score {definition.name} --file NEW.csv`.",
        )
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


def _keep_expected(
    definition: Prediction, workshop: Workshop, version: str, as_of: datetime, rows: Rows, scores: Scores
) -> None:
    """Write what is expected beside the amount of the period just before, from which the course of value follows."""
    customers = rows.customers
    with workshop.passing(f"people_{definition.name}") as people:
        workshop.warehouse.engine.write(people, pa.table({"customer_id": pa.array(customers.tolist(), pa.string())}))
        current = answers_before(definition, workshop, CutOff(str(as_of.date()), 0.0, 1.0, as_of), people, customers)
    learnt = stored_card(workshop.folder, definition.name, version).trained_as_of or as_of
    run = ScoringRun(definition.name, version, as_of, known_at=max(as_of, learnt))
    fresh = expected_rows(run, customers, current, scores.value)
    keep_rows(workshop, EXPECTED, fresh, definition.name, as_of)


def _keep(
    workshop: Workshop, prediction: str, version: str, as_of: datetime, rows: Rows, scores: Scores, rank: IntArray
) -> None:
    """Write the scores; those of the same prediction and instant, of whatever version, give way to them."""
    people = len(rows)
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
    keep_rows(workshop, TABLE, fresh, prediction, as_of)
