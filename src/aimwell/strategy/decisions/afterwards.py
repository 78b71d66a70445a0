"""What happened after a decision, beside what was planned: told by those who were held out by lot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlglot import exp

from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.core.time import to_store
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import BoolArray, FloatArray
from aimwell.science.experiment.difference import Moments, difference_of_means
from aimwell.science.metrics.interval import Estimate, normal_interval
from aimwell.store.warehouse.cut import instant_literal
from aimwell.strategy.decisions.plan import LEVEL, joint_error
from aimwell.strategy.decisions.rows import last_run, run_query

_INSIDE = Text("实际落在计划区间内", "What happened lies within the plan's interval")
_OUTSIDE = Text("实际落在计划区间外", "What happened lies outside of the plan's interval")
_UNKNOWN = Text("没有对照组，无法说明做了多少贡献", "Nobody was held out: what it caused cannot be said")
_NO_PROOF = Text("未能证明有增益", "No gain is proven")


@dataclass(frozen=True, slots=True)
class Afterwards:
    """Planned and happened, both in money over all customers who were not held out, with 80 % intervals.

    happened: what they bought more than if they had bought as those who were held out; None when too few were.
    people, held_out: customers.   cost: planned.   said: the verdicts in words.
    """

    decision: str
    as_of: datetime
    until: datetime
    people: int
    held_out: int
    cost: float
    planned: Estimate
    happened: Estimate | None
    said: tuple[Text, ...]


def compare(name: str, workshop: Workshop, until: datetime) -> Afterwards:
    """Compare the last decision before an instant with the purchases from then until that instant.

    Whatever was decided is compared with holding out, whether or not it could be sent: that is what the plan promised.
    Raises BadQuestion when nothing was decided before, NotEnoughData when there are no purchases to compare with.
    """
    as_of = last_run(workshop, name, until)
    rows = workshop.warehouse.engine.to_arrow(run_query(name, as_of))
    held_out = np.asarray(rows.column("held_out"), dtype=bool)
    gain, cost = (np.asarray(rows.column(each), dtype=np.float64) for each in ("gain", "cost"))
    error = np.asarray(rows.column("error"), dtype=np.float64)
    treatment = np.array(rows.column("treatment").to_pylist())
    parts = [(float(gain[here].sum()), float(error[here][0])) for here in _each(treatment)]
    planned = normal_interval(float(gain.sum()), joint_error(parts), LEVEL)
    bought = _bought(workshop, name, as_of, until, np.array(rows.column("customer_id").to_pylist()))
    people = int((~held_out).sum())
    found = difference_of_means(Moments.of(bought[~held_out]), Moments.of(bought[held_out]), LEVEL)
    happened = Estimate(found.value * people, found.low * people, found.high * people, LEVEL) if found else None
    return Afterwards(
        name, as_of, until, people, int(held_out.sum()), float(cost.sum()), planned, happened, _said(planned, happened)
    )


def _each(treatment: np.ndarray[tuple[int], np.dtype[np.str_]]) -> list[BoolArray]:
    """Who got each treatment; all of them have the same error."""
    return [treatment == each for each in np.unique(treatment)]


def _said(planned: Estimate, happened: Estimate | None) -> tuple[Text, ...]:
    if happened is None:
        return (_UNKNOWN,)
    verdict = _INSIDE if planned.low <= happened.value <= planned.high else _OUTSIDE
    return (verdict,) if happened.low > 0 else (verdict, _NO_PROOF)


def _bought(
    workshop: Workshop,
    name: str,
    since: datetime,
    until: datetime,
    customers: np.ndarray[tuple[int], np.dtype[np.str_]],
) -> FloatArray:
    """What each customer bought from one instant until another, in order of customers."""
    engine = workshop.warehouse.engine
    if "amount" not in engine.columns("purchase"):
        raise NotEnoughData(f"{name}: there are no purchases with amounts to compare with")
    at = exp.column("occurred_at")
    query = (
        exp.select("customer_id", exp.alias_(exp.cast(exp.Sum(this=exp.column("amount")), exp.DType.DOUBLE), "bought"))
        .from_("purchase")
        .where(
            exp.GTE(this=at, expression=instant_literal(to_store(since))),
            exp.LT(this=at.copy(), expression=instant_literal(to_store(until))),
        )
        .group_by("customer_id")
    )
    amounts = dict(zip(*engine.to_arrow(query).to_pydict().values(), strict=True))
    if not amounts:
        raise NotEnoughData(f"{name}: nobody bought anything between {since.date()} and {until.date()}")
    return np.array([float(amounts.get(each) or 0.0) for each in customers.tolist()])
