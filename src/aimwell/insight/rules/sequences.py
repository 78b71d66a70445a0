"""Leaves about order: first this, then that, within a span of time."""

from __future__ import annotations

from sqlglot import exp

from aimwell.core.rules import Steps
from aimwell.insight.rules.comparing import length_of
from aimwell.insight.rules.context import View
from aimwell.insight.rules.facts import step_rows
from aimwell.insight.rules.windows import window_conditions

_ID, _AT, _STEP, _START = "customer_id", "at", "step", "start_at"


def sequence_ctes(body: Steps, view: View, name: str) -> list[tuple[str, exp.Query]]:
    """Named queries whose last one holds the customers who took all steps in order.

    Every row of a step carries the latest instant at which a chain that ends with this row can have begun; one window
    over the rows in time order gives it from the step before. Of rows at one instant the later steps come first, so
    that a step never follows another at the same instant.
    """
    every = f"{name}_steps"
    found: list[tuple[str, exp.Query]] = [(every, _all_steps(body, view))]
    for number in range(2, len(body.steps) + 1):
        found.append((f"{name}_chain_{number}", _chained(found[-1][0], number)))
    # Only who took the first step and the last one at all: sorting everybody's rows would cost half as much again.
    able = [exp.In(this=exp.column(_ID), query=_took(every, number).subquery()) for number in (1, len(body.steps))]
    found[1] = (found[1][0], _chained(every, 2).where(*able, copy=False))
    last: list[exp.Expr] = [exp.EQ(this=exp.column(_STEP), expression=exp.Literal.number(len(body.steps)))]
    if body.span is None:
        last.append(exp.Not(this=exp.Is(this=exp.column(_START), expression=exp.null())))
    else:
        latest = exp.Add(this=exp.column(_START), expression=length_of(body.span))
        last.append(exp.LTE(this=exp.column(_AT), expression=latest))
    return [*found, (name, exp.select(_ID).distinct().from_(found[-1][0]).where(*last))]


def _all_steps(body: Steps, view: View) -> exp.Query:
    parts: list[exp.Query] = []
    for number, step in enumerate(body.steps, 1):
        rows = step_rows(step, view)
        rows = rows.narrowed(*window_conditions(body, rows.at, view))
        start = rows.at if number == 1 else exp.cast(exp.null(), exp.DType.TIMESTAMPNTZ)
        parts.append(
            rows.select(
                exp.column(_ID),
                exp.alias_(rows.at, _AT),
                exp.alias_(exp.Literal.number(number), _STEP),
                exp.alias_(start, _START),
            )
        )
    union = parts[0]
    for part in parts[1:]:
        union = exp.union(union, part, distinct=False)
    return union


def _chained(source: str, number: int) -> exp.Select:
    """The rows with the start of the best chain filled in for one more step."""
    before = exp.Case(ifs=[exp.If(this=_is_step(number - 1), true=exp.column(_START))])
    best = exp.Window(
        this=exp.Max(this=before),
        partition_by=[exp.column(_ID)],
        order=exp.Order(
            expressions=[
                exp.Ordered(this=exp.column(_AT), nulls_first=False),
                exp.Ordered(this=exp.column(_STEP), desc=True, nulls_first=False),
            ]
        ),
        spec=exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW", end_side=None),
        over="OVER",
    )
    start = exp.Case(ifs=[exp.If(this=_is_step(number), true=best)], default=exp.column(_START))
    return exp.select(exp.column(_ID), exp.column(_AT), exp.column(_STEP), exp.alias_(start, _START)).from_(source)


def _took(source: str, number: int) -> exp.Select:
    return exp.select(_ID).from_(source).where(_is_step(number))


def _is_step(number: int) -> exp.Expr:
    return exp.EQ(this=exp.column(_STEP), expression=exp.Literal.number(number))
