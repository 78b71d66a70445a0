"""What was decided before, with which probability, and what came of it: the log by which other choices are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from aimwell.core.errors import NotEnoughData
from aimwell.core.time import to_store
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import BoolArray, FloatArray, IntArray
from aimwell.store.warehouse.cut import instant_literal
from aimwell.strategy.decisions.definition import ASSUMED, Decision
from aimwell.strategy.decisions.people import Words
from aimwell.strategy.decisions.rows import TABLE, run_query, runs_before

MOST_RUNS = 12
"""So many of the last runs are looked at, at most."""
_COLUMNS = (
    "customer_id",
    "treatment",
    "aim",
    "dealt",
    "basis",
    "probability",
    "cost",
    "gain",
    "error",
    "held_out",
    "by_lot",
)


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Choices whose time is up, in order of runs and then of customers [n].

    runs: their instants.   run: of each row, a place in `runs`.   treatment: what was chosen.   aim: what prices
    pointed to.   dealt: names that lots dealt to customers like this one.   basis: on what the gain rests; empty for
    nothing, and where a row was kept before it was told.   cost, gain, error: as the row has them.
    outcome: in money, what was counted after the decision.   before: the same of the time before it, equally long.
    """

    runs: tuple[datetime, ...]
    run: IntArray
    customers: Words
    treatment: Words
    aim: Words
    dealt: Words
    basis: Words
    probability: FloatArray
    cost: FloatArray
    gain: FloatArray
    error: FloatArray
    held_out: BoolArray
    by_lot: BoolArray
    outcome: FloatArray
    before: FloatArray

    def __len__(self) -> int:
        return int(self.outcome.size)

    @property
    def assumed(self) -> BoolArray:
        """Whose gain no experiment has measured; where a row does not tell, its error does [n]."""
        found: BoolArray = np.where(self.basis == "", self.error >= ASSUMED, self.basis == "assumed")
        return found

    def take(self, rows: IntArray) -> Past:
        """Some of the rows."""
        columns = {name: getattr(self, name)[rows] for name in self.__slots__ if name != "runs"}
        return Past(runs=self.runs, **columns)


def past_of(definition: Decision, workshop: Workshop, known: datetime) -> Past:
    """All choices of the last runs of a decision of which everything that counts had happened by an instant.

    Raises NotEnoughData when there is no such run, or there are no purchases to count.
    """
    within = definition.outcome.within
    runs = runs_before(workshop, definition.name, known - within)[-MOST_RUNS:]
    if not runs:
        raise NotEnoughData(
            f"{definition.name}: no choice is old enough to be judged",
            expected=f"a decision of {within.days} days before {known.date()} or earlier (outcome: within)",
            remedy=f"Decide with `aimwell decide {definition.name}`, and look again when the time is up.",
        )
    return joined([outcomes_of(definition, workshop, each, each + within) for each in runs])


def joined(parts: Sequence[Past]) -> Past:
    """Runs after each other."""
    sizes = [len(part) for part in parts]
    names = [name for name in Past.__slots__ if name not in ("runs", "run")]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    run = np.repeat(np.arange(len(parts), dtype=np.int64), sizes)
    return Past(runs=tuple(part.runs[0] for part in parts), run=run, **columns)


def outcomes_of(definition: Decision, workshop: Workshop, as_of: datetime, until: datetime) -> Past:
    """One run with what was counted from its instant until another, and equally long before."""
    name, engine = definition.name, workshop.warehouse.engine
    if "amount" not in engine.columns("purchase"):
        raise NotEnoughData(f"{name}: there are no purchases with amounts to compare with")
    earlier = as_of - (until - as_of)
    rows = run_query(name, as_of).subquery("decided")
    query = exp.select(*(exp.column(each, table="decided") for each in _present(workshop)), "outcome", "before")
    mine = exp.EQ(this=exp.column("customer_id", table="decided"), expression=exp.column("customer_id", table="bought"))
    bought = _bought(earlier, as_of, until).subquery("bought")
    query = query.from_(rows).join(bought, on=mine, join_type="left").order_by("decided.customer_id")
    found = engine.to_arrow(query)
    numbers = {each: _numbers(found, each) for each in ("probability", "cost", "gain", "error", "outcome", "before")}
    if not _bought_anything(workshop, as_of, until):
        raise NotEnoughData(f"{name}: nobody bought anything between {as_of.date()} and {until.date()}")
    times = definition.outcome.times
    return Past(
        runs=(as_of,),
        run=np.zeros(found.num_rows, dtype=np.int64),
        customers=_words(found, "customer_id"),
        treatment=_words(found, "treatment"),
        aim=_words(found, "aim"),
        dealt=_words(found, "dealt"),
        basis=_words(found, "basis"),
        probability=numbers["probability"],
        cost=numbers["cost"],
        gain=numbers["gain"],
        error=numbers["error"],
        held_out=_truths(found, "held_out"),
        by_lot=_truths(found, "by_lot"),
        outcome=numbers["outcome"] * times,
        before=numbers["before"] * times,
    )


def _present(workshop: Workshop) -> list[str]:
    there = workshop.warehouse.engine.columns(TABLE)
    return [each for each in _COLUMNS if each in there]


def _between(since: datetime, until: datetime) -> exp.Expr:
    at = exp.column("occurred_at")
    return exp.and_(
        exp.GTE(this=at, expression=instant_literal(to_store(since))),
        exp.LT(this=at.copy(), expression=instant_literal(to_store(until))),
    )


def _bought(earlier: datetime, as_of: datetime, until: datetime) -> exp.Select:
    """What each customer bought before and after the instant."""
    amount = exp.cast(exp.column("amount"), exp.DType.DOUBLE)
    sums = [
        exp.alias_(exp.Sum(this=exp.Case().when(_between(since, end), amount.copy()).else_("0")), name)
        for name, since, end in (("outcome", as_of, until), ("before", earlier, as_of))
    ]
    return exp.select("customer_id", *sums).from_("purchase").where(_between(earlier, until)).group_by("customer_id")


def _bought_anything(workshop: Workshop, since: datetime, until: datetime) -> bool:
    query = exp.select(exp.Literal.number(1)).from_("purchase").where(_between(since, until)).limit(1)
    return bool(workshop.warehouse.engine.to_arrow(query).num_rows)


def _numbers(table: pa.Table, name: str) -> FloatArray:
    array: FloatArray = np.asarray(pc.fill_null(table.column(name).cast(pa.float64()), 0.0), dtype=np.float64)
    return array


def _truths(table: pa.Table, name: str) -> BoolArray:
    return np.asarray(table.column(name), dtype=bool)


def _words(table: pa.Table, name: str) -> NDArray[np.str_]:
    """Words; empty where a table of an older version does not have them."""
    if name not in table.column_names:
        return np.full(table.num_rows, "", dtype=np.str_)
    return np.array(pc.fill_null(table.column(name), "").to_pylist(), dtype=np.str_)
