"""The table `decision` of the warehouse: one row for each customer and decision, with reason and probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

import numpy as np
import pyarrow as pa
from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.core.time import from_store, to_store
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import BoolArray, IntArray
from aimwell.store.warehouse.cut import instant_literal
from aimwell.strategy.decisions.choosing import Chosen
from aimwell.strategy.decisions.definition import NOTHING, Decision
from aimwell.strategy.decisions.gains import basis_of
from aimwell.strategy.decisions.people import People

TABLE = "decision"
_SQL = {pa.string(): exp.DType.TEXT, pa.float64(): exp.DType.DOUBLE, pa.bool_(): exp.DType.BOOLEAN}

REASONS: Mapping[str, Text] = {
    "best": Text("在预算和限额内净增益最大", "Adds most for its cost within budget and limits"),
    "minimum": Text("为满足该方案的最低人数", "Given to meet the treatment's minimum"),
    "by_lot": Text("抽签试探，以便学习", "Drawn by lot, so that something is learnt"),
    "held_out": Text("对照组，不触达", "Held out, to measure what the rest gains"),
    "not_worth_it": Text("没有方案的增益超过成本", "No treatment adds more than it costs"),
    "others_gain_more": Text("预算或名额给了增益更高的客户", "Money or places went to those who gain more"),
    "not_allowed": Text("没有可用的方案", "May not get any of the treatments"),
}


def version_of(definition: Decision) -> str:
    """What tells one wording of a definition from another."""
    return blake2b(definition.model_dump_json(by_alias=True).encode(), digest_size=6).hexdigest()


def decision_rows(definition: Decision, people: People, chosen: Chosen, as_of: datetime) -> pa.Table:
    """Everyone's row; the reason is a key of REASONS, `gain` the expected value added in money, cost not taken off.

    probability: with which lot gave this choice, given whether the customer is held out; for those who are, with which
    they are. error: standard error of the treatment's mean gain as a share of it. aim: what the prices of money and
    places point to, also for those held out. dealt: the treatments that lots deal to customers like this one, their
    names joined by blanks; empty where nothing is drawn. best: what is given without a lot; empty for those held out.
    basis: on what the gain rests (a key of BASES); empty for nothing.
    """
    count = people.customers.size
    some = chosen.option >= 0
    rows = np.arange(count)
    treatments = definition.treatments.values()
    names, reason = [*definition.treatments, NOTHING], reasons(people, chosen)
    errors = np.array([*people.errors, 0.0])
    best = np.full(count, len(names), dtype=np.int64)
    best[chosen.inside] = chosen.best.chosen % len(names)
    return pa.table(
        {
            "decision": pa.repeat(pa.scalar(definition.name, pa.string()), count),
            "version": pa.repeat(pa.scalar(version_of(definition), pa.string()), count),
            "as_of": pa.repeat(pa.scalar(to_store(as_of), pa.timestamp("us")), count),
            "customer_id": pa.array(people.customers, pa.string()),
            "treatment": _said(names, chosen.option),
            "channel": _said([*(each.channel for each in treatments), ""], chosen.option),
            "offer": _said([*(each.offer for each in treatments), ""], chosen.option),
            "cost": np.where(some, people.cost[rows, chosen.option], 0.0),
            "gain": np.where(some, people.gain[rows, chosen.option], 0.0),
            "error": errors[chosen.option],
            "probability": chosen.probability,
            "held_out": pa.array(chosen.held_out, pa.bool_()),
            "by_lot": pa.array(chosen.by_lot, pa.bool_()),
            "reason": _said(list(REASONS), reason),
            "aim": _said(names, chosen.aim),
            "best": _said([*names, ""], best),
            "dealt": _dealt(chosen.dealt, list(definition.treatments)),
            "basis": _said([*(basis_of(each.gain) for each in treatments), ""], chosen.option),
        }
    )


def _dealt(dealt: BoolArray, names: list[str]) -> pa.Array:
    bits = dealt @ (1 << np.arange(len(names), dtype=np.int64))
    kinds, kind = np.unique(bits, return_inverse=True)
    words = [" ".join(name for place, name in enumerate(names) if each >> place & 1) for each in kinds.tolist()]
    return _said(words, kind)


def _said(words: Sequence[str], places: IntArray) -> pa.Array:
    """Words by their place among a few; -1 is the last."""
    return pa.array(list(words), pa.string()).take(pa.array(places % len(words)))


def reasons(people: People, chosen: Chosen) -> IntArray:
    """Why each customer gets what they get: a place in REASONS [n]."""
    nothing: BoolArray = chosen.option < 0
    net = people.net
    worth = (people.allowed & (net > 0)).any(axis=1)
    taken = np.where(nothing, 0.0, net[np.arange(nothing.size), chosen.option])
    place = {name: number for number, name in enumerate(REASONS)}
    cases = {
        "held_out": chosen.held_out,
        "by_lot": chosen.by_lot,
        "best": ~nothing & (taken > 0),
        "minimum": ~nothing,
        "not_allowed": ~people.allowed.any(axis=1),
        "not_worth_it": ~worth,
    }
    found = np.select(list(cases.values()), [place[name] for name in cases], place["others_gain_more"])
    return found.astype(np.int64)


def keep(workshop: Workshop, rows: pa.Table, name: str, as_of: datetime) -> None:
    """Write the rows; those of the same decision and instant give way to them, and stay if it fails."""
    engine = workshop.warehouse.engine
    if TABLE not in engine.tables():
        engine.write(TABLE, rows)
        return
    standing = engine.columns(TABLE)
    absent = [column for column in rows.schema if column.name not in standing]
    if not absent and not was_decided(workshop, name, as_of):
        engine.append(TABLE, rows)
        return
    columns: list[exp.Expr] = [exp.column(each, quoted=True) for each in standing]
    columns += [exp.alias_(exp.cast(exp.null(), _SQL[column.type]), column.name) for column in absent]
    with engine.transaction(), workshop.passing("former_decisions") as former:
        others = exp.Not(this=exp.paren(_run(name, as_of)))
        engine.create_table_as(former, exp.select(*columns).from_(TABLE).where(others))
        engine.create_table_as(TABLE, exp.select("*").from_(former))
        engine.append(TABLE, rows)


def was_decided(workshop: Workshop, name: str, as_of: datetime | None = None) -> bool:
    """Whether rows of this decision are there, of this instant if one is given."""
    engine = workshop.warehouse.engine
    if TABLE not in engine.tables():
        return False
    mine = (
        exp.EQ(this=exp.column("decision"), expression=exp.Literal.string(name)) if as_of is None else _run(name, as_of)
    )
    found = exp.select(exp.Literal.number(1)).from_(TABLE).where(mine).limit(1)
    return bool(engine.to_arrow(found).num_rows)


def runs_before(workshop: Workshop, name: str, until: datetime) -> list[datetime]:
    """The instants before `until` as of which something was decided with lots and aims told, oldest first."""
    engine = workshop.warehouse.engine
    if TABLE not in engine.tables() or "dealt" not in engine.columns(TABLE):
        return []
    query = exp.select("as_of").distinct().from_(TABLE).order_by("as_of")
    query = query.where(
        exp.EQ(this=exp.column("decision"), expression=exp.Literal.string(name)),
        exp.LTE(this=exp.column("as_of"), expression=instant_literal(to_store(until))),
        exp.Not(this=exp.Is(this=exp.column("dealt"), expression=exp.null())),
    )
    return [from_store(each) for each in engine.to_arrow(query).column("as_of").to_pylist()]


def last_run(workshop: Workshop, name: str, before: datetime | None = None) -> datetime:
    """The instant of the last time that something was decided; raises BadQuestion when it never was."""
    engine = workshop.warehouse.engine
    last = None
    if TABLE in engine.tables():
        conditions: list[exp.Expr] = [exp.EQ(this=exp.column("decision"), expression=exp.Literal.string(name))]
        if before is not None:
            conditions.append(exp.LT(this=exp.column("as_of"), expression=instant_literal(to_store(before))))
        query = exp.select(exp.alias_(exp.Max(this=exp.column("as_of")), "last")).from_(TABLE).where(*conditions)
        last = engine.to_arrow(query).column("last")[0].as_py()
    if last is None:
        raise BadQuestion(f"Nothing was decided by {name!r} yet", remedy=f"Run `aimwell decide {name}` first.")
    return from_store(last)


def treatments_query(name: str, as_of: datetime) -> exp.Select:
    """Each customer's treatment, or `nothing`, as `customer_id` and `value`: what journeys read.

    Whoever was to get something by an earlier run and is in this one no more gets nothing.
    """
    value = exp.alias_(exp.column("treatment"), "value")
    now = exp.select("customer_id", value).from_(TABLE).where(_run(name, as_of))
    nothing = exp.Literal.string(NOTHING)
    asked = exp.select("customer_id").from_(TABLE).where(_run(name, as_of))
    gone = exp.select("customer_id", exp.alias_(nothing, "value")).distinct().from_(TABLE)
    gone = gone.where(
        exp.EQ(this=exp.column("decision"), expression=exp.Literal.string(name)),
        exp.LT(this=exp.column("as_of"), expression=instant_literal(to_store(as_of))),
        exp.NEQ(this=exp.column("treatment"), expression=nothing.copy()),
        exp.Not(this=exp.In(this=exp.column("customer_id"), query=asked.subquery())),
    )
    return exp.select("customer_id", "value").from_(exp.union(now, gone, distinct=False).subquery("told"))


def run_query(name: str, as_of: datetime) -> exp.Select:
    """All rows of one run, in order of customers."""
    return exp.select("*").from_(TABLE).where(_run(name, as_of)).order_by("customer_id")


def _run(name: str, as_of: datetime) -> exp.Expr:
    return exp.and_(
        exp.EQ(this=exp.column("decision"), expression=exp.Literal.string(name)),
        exp.EQ(this=exp.column("as_of"), expression=instant_literal(to_store(as_of))),
    )


def channels_of_run(workshop: Workshop, name: str, as_of: datetime) -> dict[str, str]:
    """The channel of each treatment that was given in a run."""
    query = exp.select("treatment", "channel").distinct().from_(TABLE).where(_run(name, as_of)).order_by("treatment")
    rows = workshop.warehouse.engine.to_arrow(query).to_pylist()
    return {row["treatment"]: row["channel"] for row in rows if row["treatment"] != NOTHING}
