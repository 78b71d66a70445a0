"""What a journey changed: those who were let in against those held out at the same door, for the goal and for money.

Chance alone decides who is held out, at the moment of entry, so that the two groups differ in nothing else. Everybody
who came in counts, whether or not a message reached them (the effect of the journey as it runs, and no selection by
who could be reached). Only enrolments whose time for the goal is over count, so that both groups had the same time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
from sqlalchemy import BigInteger, Connection, select, type_coerce
from sqlglot import exp

from aimwell.science.experiment.difference import Moments, difference_of_means, difference_of_shares
from aimwell.science.metrics.interval import Estimate
from aimwell.store.ledger.columns import length, micros
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.warehouse.engine import Engine

_PEOPLE, _SPENT = "lift_people", "purchase"


@dataclass(frozen=True, slots=True)
class Group:
    """One side: people whose time is over, how many of them reached the goal, and what they spent in that time."""

    people: int
    reached: int
    money: Moments

    @property
    def share(self) -> float | None:
        """Share who reached the goal; None for nobody."""
        return self.reached / self.people if self.people else None


@dataclass(frozen=True, slots=True)
class Lift:
    """The effect per person let in: `goal` as a difference of shares, `money` in the currency; None where unknown.

    pending: enrolments whose time is not over.   within: the time that each had.
    """

    journey: str
    within: timedelta
    treated: Group
    held_out: Group
    pending: int
    goal: Estimate | None
    money: Estimate | None

    @property
    def proven(self) -> bool:
        """Whether the goal's interval leaves out zero."""
        return self.goal is not None and self.goal.excludes_zero


def lift(
    connection: Connection, journey: str, within: timedelta, now: datetime, *, money: Mapping[int, float] | None = None
) -> Lift:
    """The effect of a journey on its goal, and on money if it is given.

    Each customer's first enrolment counts, so that people, not passages, are compared. The goals of ended enrolments
    must have been settled (`strategy.journeys.goals`).
    within: how long after entry the goal counts.   money: spent within that time, by enrolment id; missing is nothing.
    """
    rows = entries(connection, journey)
    over = [row for row in rows if row.entered_at + length(within) <= micros(now)]
    groups = {
        held_out: Group(
            people=sum(row.held_out == held_out for row in over),
            reached=sum(row.held_out == held_out and row.goal_at is not None for row in over),
            money=Moments.of((money or {}).get(row.id, 0.0) for row in over if row.held_out == held_out),
        )
        for held_out in (False, True)
    }
    treated, control = groups[False], groups[True]
    return Lift(
        journey=journey,
        within=within,
        treated=treated,
        held_out=control,
        pending=len(rows) - len(over),
        goal=difference_of_shares(treated.reached, treated.people, control.reached, control.people),
        money=difference_of_means(treated.money, control.money) if money is not None else None,
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """A customer's first enrolment: instants in microseconds."""

    id: int
    customer_id: str
    entered_at: int
    held_out: bool
    goal_at: int | None


def entries(connection: Connection, journey: str) -> list[Entry]:
    """The first enrolment of each customer in a journey."""
    entered, goal = (type_coerce(enrolment.c[name], BigInteger) for name in ("entered_at", "goal_at"))
    query = select(enrolment.c.id, enrolment.c.customer_id, entered, enrolment.c.held_out, goal)
    mine = query.where(enrolment.c.journey == journey, enrolment.c.number == 1)
    return [Entry(*row) for row in connection.execute(mine)]


def money_of(engine: Engine, people: Sequence[Entry], within: timedelta) -> dict[int, float] | None:
    """What each spent from entry until their time was over, by enrolment id, from the warehouse's purchases.

    None if the warehouse has no purchases.
    """
    if _SPENT not in engine.tables() or not people:
        return None
    instants = pa.timestamp("us")
    engine.write(
        _PEOPLE,
        pa.table(
            {
                "enrolment_id": pa.array([each.id for each in people], pa.int64()),
                "customer_id": [each.customer_id for each in people],
                "since": pa.array([each.entered_at for each in people], pa.int64()).cast(instants),
                "until": pa.array([each.entered_at + length(within) for each in people], pa.int64()).cast(instants),
            }
        ),
    )
    spent = exp.alias_(exp.cast(exp.Sum(this=exp.column("amount", table="b")), exp.DType.DOUBLE), "spent")
    bought = exp.column("occurred_at", table="b")
    query = (
        exp.select(exp.column("enrolment_id", table="p"), spent)
        .from_(exp.alias_(exp.to_table(_PEOPLE), "p", table=True))
        .join(
            exp.alias_(exp.to_table(_SPENT), "b", table=True),
            on=exp.and_(
                exp.EQ(this=exp.column("customer_id", table="b"), expression=exp.column("customer_id", table="p")),
                exp.GTE(this=bought, expression=exp.column("since", table="p")),
                exp.LT(this=bought.copy(), expression=exp.column("until", table="p")),
            ),
        )
        .group_by(exp.column("enrolment_id", table="p"))
    )
    try:
        rows = engine.to_arrow(query).to_pylist()
    finally:
        engine.drop(_PEOPLE)
    return {row["enrolment_id"]: row["spent"] or 0.0 for row in rows}
