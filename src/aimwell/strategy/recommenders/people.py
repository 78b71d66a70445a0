"""What limits and segments need to know of customers: risk level, when it was tested, and the expert's segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.insight.predictions.rows import Names
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.store.warehouse.history import History
from aimwell.strategy.recommenders.past import Past

UNKNOWN = "?"


@dataclass(frozen=True)
class People:
    """One entry per customer of the past [n].

    risk_level: 1 to 5, NaN never tested.   tested_days: days since the test, NaN not known,
    without end for one whose test has no date while others have.   segment: place in
    `segments`, by the attributes that the definition names or, without any, by how often a customer comes.
    """

    risk_level: FloatArray
    tested_days: FloatArray
    segment: IntArray
    segments: Names


def known_customers(history: History) -> Names:
    """The ids of all customers that are known, whether they bought or not, in order."""
    if not history.has("customer"):
        return np.empty(0, dtype=np.str_)
    rows = history.to_arrow("SELECT customer_id FROM customer GROUP BY customer_id ORDER BY customer_id")
    return np.asarray(rows.column("customer_id").to_pylist(), dtype=np.str_)


def read_people(history: History, past: Past, expert_by: Sequence[str]) -> People:
    """What is known of the customers of the past; raises BadQuestion for an attribute that is not loaded."""
    unknown = [name for name in expert_by if not history.has("customer", name)]
    if unknown:
        raise BadQuestion(
            f"expert_by: customers have no {unknown[0]!r}",
            expected="attributes of the customer table that hold some value",
            remedy="Load it, or leave expert_by out.",
        )
    nothing = np.full(past.people, np.nan)
    level, tested = nothing, nothing.copy()
    spoken: list[list[str]] = []
    if history.has("customer"):
        rows = history.to_arrow(_query(history, expert_by))
        ids = np.asarray(rows.column("customer_id").to_pylist(), dtype=np.str_)
        inside = np.flatnonzero(np.isin(ids, past.customers))
        where = np.searchsorted(past.customers, ids[inside])

        def figures(name: str) -> FloatArray:
            found = nothing.copy()
            if name in rows.column_names:
                found[where] = rows.column(name).to_numpy(zero_copy_only=False).astype(np.float64)[inside]
            return found

        level, tested = figures("risk_level"), figures("tested_days")
        if history.has("customer", "risk_tested_at"):
            tested = np.where(np.isnan(tested) & ~np.isnan(level), np.inf, tested)
        for name in expert_by:
            values = [UNKNOWN] * past.people
            told = rows.column(name).to_pylist()
            for place, row in zip(where, inside, strict=True):
                values[place] = UNKNOWN if told[row] is None else str(told[row])
            spoken.append(values)
    labels = [" · ".join(each) for each in zip(*spoken, strict=True)] if spoken else _by_visits(past)
    segments, segment = np.unique(np.asarray(labels, dtype=np.str_), return_inverse=True)
    return People(level, tested, segment.astype(np.int64), segments)


def _query(history: History, expert_by: Sequence[str]) -> exp.Select:
    chosen: list[exp.Expr] = [exp.column("customer_id")]
    if history.has("customer", "risk_level"):
        chosen.append(exp.alias_(exp.cast(exp.column("risk_level"), exp.DType.DOUBLE), "risk_level"))
    if history.has("customer", "risk_tested_at"):
        between = [exp.column("risk_tested_at"), exp.Anonymous(this="as_of")]
        days = exp.cast(exp.Anonymous(this="days_between", expressions=between), exp.DType.DOUBLE)
        chosen.append(exp.alias_(days, "tested_days"))
    chosen += [exp.column(name) for name in expert_by]
    return exp.select(*chosen).from_("customer")


def _by_visits(past: Past) -> list[str]:
    """Three segments of about equal size by visits of the last 84 days, and those who never came."""
    visits = past.visits["visits_84"]
    came = visits[~np.isnan(visits)]
    edges = np.quantile(came, [1 / 3, 2 / 3]) if came.size else np.zeros(2)
    return [UNKNOWN if np.isnan(each) else str(int(np.searchsorted(edges, each))) for each in visits]
