"""Scores of effects in the warehouse: one row per customer and treatment, beside the scores of predictions.

The table `score` holds the effect under the name `effects/NAME/TREATMENT`, so that rules, journeys and profiles read it
as any score. The table `effect_score` holds what belongs to it: bounds, outcome without treatment, whether people
differ at all, and the four regions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.time import from_store, to_store
from aimwell.insight.effects.keeping import score_key
from aimwell.insight.predictions.kept import keep_rows
from aimwell.insight.predictions.rows import Names
from aimwell.insight.predictions.score import TABLE as SCORE
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import BoolArray, FloatArray
from aimwell.store.warehouse.cut import instant_literal

TABLE = "effect_score"


@dataclass(frozen=True, slots=True)
class Run:
    """One scoring of one treatment: which effect and version, and the instant asked."""

    effect: str
    treatment: str
    version: str
    as_of: datetime


@dataclass(frozen=True, slots=True, eq=False)
class KeptEffect:
    """The last scores of one treatment that were known at an instant, in order of customers.

    value: the effect in the outcome's unit [n].   error: its standard error [n].   low, high: 95 % bounds [n].
    differs: whether effects differ between people; if not, value and bounds are those of the average effect.
    money: whether the unit is money rather than a chance.
    """

    run: Run
    customers: Names
    value: FloatArray
    error: FloatArray
    low: FloatArray
    high: FloatArray
    differs: bool
    money: bool


def keep_scores(workshop: Workshop, run: Run, order: FloatArray, details: pa.Table) -> None:
    """Write the scores of one treatment; those of the same treatment and instant, of whatever version, give way.

    order: what ranks, larger is better [n]; ties by customer.   details: customer_id and the columns of `effect_score`.
    """
    people = details.num_rows
    best = np.lexsort((np.array(details.column("customer_id").to_pylist()), -order))
    rank = np.empty(people, dtype=np.int64)
    rank[best] = np.arange(1, people + 1)
    key = score_key(run.effect, run.treatment)
    same = {
        "prediction": pa.array([key] * people, pa.string()),
        "version": pa.array([run.version] * people, pa.string()),
        "customer_id": details.column("customer_id"),
        "as_of": pa.array([to_store(run.as_of)] * people, pa.timestamp("us")),
    }
    raw = {"raw": pa.array(order, pa.float64()), "value": details.column("effect"), "rank": pa.array(rank)}
    more = {name: details.column(name) for name in details.column_names if name not in same}
    keep_rows(workshop, SCORE, pa.table(same | raw), key, run.as_of)
    keep_rows(workshop, TABLE, pa.table(same | more), key, run.as_of)


def scored_treatments(workshop: Workshop, effect: str, as_of: datetime) -> list[str]:
    """The treatments of an effect that have scores known at the instant, by name."""
    if TABLE not in workshop.warehouse.engine.tables():
        return []
    mine = exp.EQ(this=exp.column("effect_name"), expression=exp.Literal.string(effect))
    query = exp.select("treatment").distinct().from_(TABLE).where(mine, _until(as_of)).order_by("treatment")
    return [str(each) for each in workshop.warehouse.engine.to_arrow(query).column("treatment").to_pylist()]


def last_scores(workshop: Workshop, effect: str, treatment: str, as_of: datetime) -> KeptEffect:
    """The last scores of a treatment that were known at the instant; raises BadQuestion when there are none."""
    engine, known = workshop.warehouse.engine, scored_treatments(workshop, effect, as_of)
    if treatment not in known:
        raise BadQuestion(
            f"There are no scores of the effect {effect!r} for the arm {treatment!r} as of {as_of.date()}",
            expected=f"one of the arms {', '.join(known)}" if known else "scores that were known then",
            remedy=f"Name one of these arms, or run `aimwell effect score {effect}` first.",
        )
    mine = exp.EQ(this=exp.column("prediction"), expression=exp.Literal.string(score_key(effect, treatment)))
    last = exp.alias_(exp.Max(this=exp.column("as_of")), "last")
    then = engine.to_arrow(exp.select(last).from_(TABLE).where(mine, _until(as_of))).column("last")[0].as_py()
    at = exp.EQ(this=exp.column("as_of"), expression=instant_literal(then))
    rows = engine.to_arrow(exp.select("*").from_(TABLE).where(mine.copy(), at).order_by("customer_id"))
    return KeptEffect(
        Run(effect, treatment, str(rows.column("version")[0].as_py()), from_store(then)),
        np.array(rows.column("customer_id").to_pylist(), dtype=np.str_),
        _numbers(rows, "effect"),
        _numbers(rows, "error"),
        _numbers(rows, "low"),
        _numbers(rows, "high"),
        bool(_truths(rows, "differs")[0]),
        bool(_truths(rows, "money")[0]),
    )


def _until(as_of: datetime) -> exp.Expr:
    return exp.LTE(this=exp.column("as_of"), expression=instant_literal(to_store(as_of)))


def _numbers(rows: pa.Table, name: str) -> FloatArray:
    return np.asarray(rows.column(name), dtype=np.float64)


def _truths(rows: pa.Table, name: str) -> BoolArray:
    return np.asarray(rows.column(name), dtype=bool)
