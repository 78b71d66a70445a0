"""Memberships: who belongs to which segment since when, and who entered and left at which instant.

`membership_delta` is append-only: who belonged at an earlier instant are those who had entered more often than left by
then. `membership` is its present state, `segment_run` one row per build with its counts, `segment_recheck` until when
each answer stands by itself. All instants are naive UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.time import from_store, to_store
from aimwell.store.warehouse.cut import instant_literal
from aimwell.store.warehouse.engine import Engine

MEMBERSHIP, CHANGES, RUNS, RECHECKS = "membership", "membership_delta", "segment_run", "segment_recheck"
_CHANGED = "segment_changed"
_INSTANT = pa.timestamp("us")
_TABLES: Mapping[str, pa.Schema] = {
    MEMBERSHIP: pa.schema({"segment": pa.string(), "customer_id": pa.string(), "since": _INSTANT}),
    CHANGES: pa.schema({"segment": pa.string(), "customer_id": pa.string(), "change": pa.string(), "as_of": _INSTANT}),
    RUNS: pa.schema(
        {"segment": pa.string(), "as_of": _INSTANT}
        | {name: pa.int64() for name in ("people", "members", "entered", "left_it")}
    ),
    RECHECKS: pa.schema({"segment": pa.string(), "customer_id": pa.string(), "recheck_at": _INSTANT}),
}


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """What a build of one segment found.

    people: of whom the rule was asked.   members: who belong now, of all customers.   entered, left: since the build
    before.   fresh: False if this build left the segment as it was, since its rule needs a full build.
    lacking: tags of which the rule speaks and the data carry nothing, so that nobody has them.
    """

    name: str
    as_of: datetime
    people: int
    members: int
    entered: int
    left: int
    fresh: bool = True
    lacking: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Members per person asked, 0 when nobody was asked."""
        return self.members / self.people if self.people else 0.0


def record(engine: Engine, found: Mapping[str, str], as_of: datetime, *, people: int) -> list[SegmentResult]:
    """Keep who belongs to each segment as of an instant, with what changed; all segments or none.

    found: for each segment a physical table with one column `customer_id`, each customer once.
    people: how many customers were asked.   Recording the same again changes no membership.
    Raises BadQuestion if a later state is recorded already: memberships go forward in time.
    """
    with engine.transaction():
        prepare(engine)
        _refuse_past(engine, list(found), as_of)
        changes: list[dict[str, object]] = []
        for name, table in found.items():
            rows = engine.to_arrow(_changes(_now({name: table}), [name], as_of)).cast(_TABLES[CHANGES])
            counts = rows.column("change").value_counts().to_pylist()
            changes += [{"segment": name, "change": each["values"], "n": each["counts"]} for each in counts]
            engine.append(CHANGES, rows)
        engine.create_table_as(MEMBERSHIP, _next_membership(_now(found), list(found), as_of))
        return keep_runs(engine, list(found), as_of, people, changes)


def record_some(
    engine: Engine, found: Mapping[str, str], among: str, as_of: datetime, *, people: int
) -> list[SegmentResult]:
    """Like `record`, for some customers alone: those in the physical table `among` (column `customer_id`).

    Changes rows in place, so that it costs what changes: needs an engine that can delete rows.
    """
    if not found:
        return []
    with engine.transaction():
        prepare(engine)
        names = list(found)
        _refuse_past(engine, names, as_of)
        engine.create_table_as(_CHANGED, _changes(_now(found), names, as_of, among))
        changes = engine.to_arrow(_counted(exp.select("*").from_(_CHANGED))).to_pylist()
        engine.run(exp.Insert(this=exp.to_table(CHANGES), expression=exp.select("*").from_(_CHANGED)))
        same = [
            exp.EQ(this=exp.column(key, table=_CHANGED), expression=exp.column(key, table=MEMBERSHIP))
            for key in ("segment", "customer_id")
        ]
        leaving = exp.select(exp.Literal.number(1)).from_(_CHANGED).where(*same, _equal("change", "leave"))
        engine.run(exp.Delete(this=exp.to_table(MEMBERSHIP), where=exp.Where(this=exp.Exists(this=leaving))))
        entering = exp.select("segment", "customer_id", "as_of").from_(_CHANGED).where(_equal("change", "enter"))
        engine.run(exp.Insert(this=exp.to_table(MEMBERSHIP), expression=entering))
        engine.drop(_CHANGED)
        return keep_runs(engine, names, as_of, people, changes)


def keep_runs(
    engine: Engine, names: Sequence[str], as_of: datetime, people: int, changes: Sequence[Mapping[str, object]]
) -> list[SegmentResult]:
    """Write down the counts of a build; `changes` has a row (segment, change, n) for each that happened."""
    turns = {(row["segment"], row["change"]): int(str(row["n"])) for row in changes}
    members = sizes(engine)
    results = [
        SegmentResult(
            name, as_of, people, members.get(name, 0), turns.get((name, "enter"), 0), turns.get((name, "leave"), 0)
        )
        for name in names
    ]
    rows = [
        {"segment": r.name, "as_of": to_store(as_of), "people": people, "members": r.members}
        | {"entered": r.entered, "left_it": r.left}
        for r in results
    ]
    engine.append(RUNS, pa.Table.from_pylist(rows, schema=_TABLES[RUNS]))
    return results


def retire(engine: Engine, name: str, as_of: datetime) -> int:
    """Everybody leaves a segment that is no longer defined; its history stays. Returns how many left."""
    empty = f"segment_new_{name}"
    engine.write(empty, pa.table({"customer_id": pa.array([], pa.string())}))
    try:
        [result] = record(engine, {name: empty}, as_of, people=0)
    finally:
        engine.drop(empty)
    return result.left


def prepare(engine: Engine) -> None:
    """Make the tables that are not there yet."""
    standing = set(engine.tables())
    for name, schema in _TABLES.items():
        if name not in standing:
            engine.write(name, schema.empty_table())


def sizes(engine: Engine) -> dict[str, int]:
    """How many belong to each segment now."""
    if MEMBERSHIP not in engine.tables():
        return {}
    query = exp.select("segment", exp.alias_(exp.Count(this=exp.Star()), "n")).from_(MEMBERSHIP).group_by("segment")
    return {row["segment"]: row["n"] for row in engine.to_arrow(query).to_pylist()}


def members_at(engine: Engine, name: str, as_of: datetime) -> list[str]:
    """Who belonged to a segment at an instant, as recorded by then; sorted by id.

    Raises BadQuestion for a segment of which nothing is recorded.
    """
    prepare(engine)
    _require(engine, [name])
    sign = exp.Case(
        ifs=[exp.If(this=_equal("change", "enter"), true=exp.Literal.number(1))],
        default=exp.Neg(this=exp.Literal.number(1)),
    )
    query = (
        exp.select("customer_id")
        .from_(CHANGES)
        .where(
            _equal("segment", name),
            exp.LTE(this=exp.column("as_of"), expression=instant_literal(to_store(as_of))),
        )
        .group_by("customer_id")
        .having(exp.GT(this=exp.Sum(this=sign), expression=exp.Literal.number(0)))
        .order_by("customer_id")
    )
    ids: list[str] = engine.to_arrow(query).column("customer_id").to_pylist()
    return ids


def trend(engine: Engine, name: str) -> list[SegmentResult]:
    """Every recorded build of a segment, oldest first."""
    prepare(engine)
    query = exp.select("*").from_(RUNS).where(_equal("segment", name)).order_by("as_of")
    return [
        SegmentResult(name, from_store(row["as_of"]), row["people"], row["members"], row["entered"], row["left_it"])
        for row in engine.to_arrow(query).to_pylist()
    ]


def last_builds(engine: Engine) -> dict[str, datetime]:
    """The instant of the last build of each segment (aware, UTC)."""
    if RUNS not in engine.tables():
        return {}
    query = exp.select("segment", exp.alias_(exp.Max(this=exp.column("as_of")), "as_of")).from_(RUNS)
    return {row["segment"]: from_store(row["as_of"]) for row in engine.to_arrow(query.group_by("segment")).to_pylist()}


def _counted(changes: exp.Query) -> exp.Select:
    count = exp.alias_(exp.Count(this=exp.Star()), "n")
    return exp.select("segment", "change", count).from_(changes.subquery("changes")).group_by("segment", "change")


def _refuse_past(engine: Engine, names: list[str], as_of: datetime) -> None:
    for name, last in last_builds(engine).items():
        if name in names and last > as_of:
            raise BadQuestion(
                f"The segment {name!r} is recorded as of {last.isoformat()} already",
                seen=f"a build as of {as_of.isoformat()}",
                remedy="Memberships go forward; ask the rule itself for an earlier instant (matching), or members_at.",
            )


def _require(engine: Engine, names: Sequence[str]) -> None:
    known = last_builds(engine)
    missing = [name for name in names if name not in known]
    if missing:
        raise BadQuestion(
            f"Nothing is recorded of the segment {missing[0]!r}",
            expected=f"one of {', '.join(sorted(known)) or '(none yet)'}",
            remedy="Refresh the segments first.",
        )


def _now(found: Mapping[str, str]) -> exp.Query:
    parts = [
        exp.select(exp.alias_(exp.Literal.string(name), "segment"), "customer_id").from_(exp.to_table(table))
        for name, table in found.items()
    ]
    query: exp.Query = parts[0]
    for part in parts[1:]:
        query = exp.union(query, part, distinct=False)
    # As one table, so that it can stand on the right of EXCEPT.
    return exp.select("segment", "customer_id").from_(query.subquery("found"))


def _changes(now: exp.Query, names: list[str], as_of: datetime, among: str | None = None) -> exp.Query:
    """Who enters and who leaves: the difference of now and what is recorded (of some customers alone, if given)."""
    standing = exp.select("segment", "customer_id").from_(MEMBERSHIP).where(_among(names))
    if among is not None:
        asked = exp.select("customer_id").from_(among).subquery()
        standing = standing.where(exp.In(this=exp.column("customer_id"), query=asked))
    entering = exp.except_(now.copy(), standing.copy(), distinct=True)
    leaving = exp.except_(standing, now.copy(), distinct=True)
    parts = [
        exp.select(
            "segment", "customer_id", exp.alias_(exp.Literal.string(change), "change"), _stamp(as_of, "as_of")
        ).from_(query.subquery(change))
        for change, query in (("enter", entering), ("leave", leaving))
    ]
    return exp.union(parts[0], parts[1], distinct=False)


def _next_membership(now: exp.Query, names: list[str], as_of: datetime) -> exp.Query:
    same = exp.and_(
        *[
            exp.EQ(this=exp.column(key, table="now"), expression=exp.column(key, table="old"))
            for key in ("segment", "customer_id")
        ]
    )
    since = exp.func("coalesce", exp.column("since", table="old"), instant_literal(to_store(as_of)))
    current = (
        exp.select(
            exp.column("segment", table="now"), exp.column("customer_id", table="now"), exp.alias_(since, "since")
        )
        .from_(now.subquery("now"))
        .join(exp.to_table(MEMBERSHIP).as_("old"), on=same, join_type="left")
    )
    others = exp.select("segment", "customer_id", "since").from_(MEMBERSHIP).where(exp.Not(this=_among(names)))
    return exp.union(current, others, distinct=False)


def _among(names: Sequence[str]) -> exp.Expr:
    return exp.In(this=exp.column("segment"), expressions=[exp.Literal.string(name) for name in names])


def _stamp(as_of: datetime, name: str) -> exp.Expr:
    return exp.alias_(instant_literal(to_store(as_of)), name)


def _equal(column: str, value: str) -> exp.Expr:
    return exp.EQ(this=exp.column(column), expression=exp.Literal.string(value))
