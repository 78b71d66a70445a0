"""Keeps segments fresh between full builds: only for customers of whom something is new, and those who are due.

The rows of these customers are first copied into narrow tables; then every rule runs on the copies alone. Who is due
follows from `segment_recheck`: "no purchase in 30 days" becomes true when nothing happens. A full build afterwards
finds no difference in any segment whose rule follows from facts alone. Rules that read tags are answered for the
customers at hand with tags built for them (tags that need everyone: as of the last full build); for everyone else, and
for scores, a full build is what brings them up to date. What concerns all customers at once (a product gets another
category, the weather) needs a full build too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
from sqlglot import exp

from aimwell.core.progress import Progress, silent
from aimwell.core.rules import Rule, predictions_of, tags_of
from aimwell.core.time import local_day, to_store
from aimwell.insight.features.build import PREFIX, Features
from aimwell.insight.rules.compile import population
from aimwell.insight.rules.context import RuleContext
from aimwell.insight.segments.definition import Segment
from aimwell.insight.segments.membership import RECHECKS, SegmentResult, last_builds, prepare, record_some
from aimwell.insight.segments.order import in_order
from aimwell.insight.segments.refresh import BUILT, members_of, recheck_queries
from aimwell.store.warehouse.binder import Catalog
from aimwell.store.warehouse.cut import TableFacts, instant_literal
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.history import History

SLICE = "slice_"
PEOPLE, _GIVEN = "slice_people", "slice_given"


def refresh_touched(
    segments: Mapping[str, Segment],
    features: Features,
    customers: Iterable[str],
    *,
    batch: Features | None = None,
    progress: Progress = silent,
) -> list[SegmentResult]:
    """Bring the segments of some customers up to date as of the features' instant, and of those who are due.

    features: library and history to read; their tables are not built for everyone.
    batch: the features of the last full build, for tags that need everyone; without it, segments that read such tags
    are left as they are (`fresh` is False).   Segments never built before are left out: they need a full build.
    All segments or none are kept. Needs an engine that can delete rows (DuckDB).
    """
    engine, history = features.history.engine, features.history
    prepare(engine)
    built = last_builds(engine)
    names = [name for name in in_order(segments) if name in built]
    fresh = [name for name in names if _answerable(name, segments, features, batch)]
    with _slices(history, customers, engine) as narrow:
        sliced = Features(narrow, features.library, f"{features.version} slice")
        found: dict[str, str] = {}
        context = RuleContext(sliced, batch=batch)
        for number, name in enumerate(fresh):
            progress(name, number / len(fresh))
            engine.create_scratch_as(BUILT + name, members_of(segments[name], context, narrow))
            found[name] = BUILT + name
            context = RuleContext(sliced, members=dict(found), batch=batch)
        with engine.transaction():
            results = record_some(engine, found, PEOPLE, history.as_of, people=_people(history))
            _replace_rechecks(engine, segments, fresh, RuleContext(sliced, members=dict.fromkeys(fresh, "")))
    left = [SegmentResult(name, built[name], 0, 0, 0, 0, fresh=False) for name in names if name not in found]
    progress("done", 1.0)
    return [*results, *left]


def touched_between(history: History, since: datetime) -> list[str]:
    """Customers of whom anything became known from an instant on, up to the history's cut; sorted by id.

    Looks at when things occurred and when they were known. Rows that were loaded late without saying so are not seen:
    whoever loads them names their customers.
    """
    parts = [
        exp.select("customer_id").from_(name).where(condition)
        for name, facts in sorted(history.catalog.items())
        if facts.rows and "customer_id" in facts.columns and (condition := _news(facts, history, since)) is not None
    ]
    if not parts:
        return []
    union: exp.Query = parts[0]
    for part in parts[1:]:
        union = exp.union(union, part, distinct=True)
    query = exp.select("customer_id").distinct().from_("news").with_("news", as_=union).order_by("customer_id")
    ids: list[str] = history.to_arrow(query).column("customer_id").to_pylist()
    return ids


def _news(facts: TableFacts, history: History, since: datetime) -> exp.Expr | None:
    """The condition that a row became visible at or after the instant; None if its table tells no time."""
    table, moment = facts.table, instant_literal(to_store(since))
    instants = [table.known, *table.masked, "created_at", "first_seen"]
    conditions: list[exp.Expr] = [
        exp.GTE(this=exp.column(name), expression=moment.copy())
        for name in dict.fromkeys(instants)
        if name in facts.filled
    ]
    if table.shape == "fact" and table.occurred:
        conditions.append(exp.GTE(this=exp.column(table.occurred), expression=moment))
    elif table.shape == "day_fact" and table.occurred:
        day = exp.cast(exp.Literal.string(local_day(since, history.zone).isoformat()), exp.DType.DATE)
        conditions.append(exp.GTE(this=exp.column(table.occurred), expression=day))
    return exp.or_(*conditions) if conditions else None


def _answerable(name: str, segments: Mapping[str, Segment], features: Features, batch: Features | None) -> bool:
    """Whether a rule and all that it speaks of can be answered for a few customers."""
    rules: list[Rule] = [segments[each].rule for each in in_order(segments, [name])]
    if any(predictions_of(rule) for rule in rules):
        return False
    families = [features.library.owner(tag) for rule in rules for tag in tags_of(rule)]
    return batch is not None or all(family.freshness == "live" for family in families)


@contextmanager
def _slices(history: History, customers: Iterable[str], engine: Engine) -> Iterator[History]:
    """The history with every table about customers narrowed to those at hand and those due; copies go afterwards."""
    before = set(engine.tables())
    try:
        engine.write(_GIVEN, pa.table({"customer_id": pa.array(sorted(set(customers)), pa.string())}))
        engine.create_scratch_as(PEOPLE, _with_due(history.as_of))
        yield replace(history, catalog=_narrowed(history.catalog, engine))
    finally:
        for name in set(engine.tables()) - before:
            if name.startswith((SLICE, BUILT, PREFIX)):
                engine.drop(name)


def _with_due(as_of: datetime) -> exp.Query:
    due = exp.LT(this=exp.column("recheck_at"), expression=instant_literal(to_store(as_of)))
    return exp.union(
        exp.select("customer_id").from_(_GIVEN),
        exp.select("customer_id").from_(RECHECKS).where(due),
        distinct=True,
    )


def _narrowed(catalog: Catalog, engine: Engine) -> dict[str, TableFacts]:
    found: dict[str, TableFacts] = dict(catalog)
    for name, facts in catalog.items():
        if facts.rows and "customer_id" in facts.columns:
            among = exp.select("customer_id").from_(PEOPLE).subquery()
            rows = exp.select("*").from_(facts.table.name).where(exp.In(this=exp.column("customer_id"), query=among))
            engine.create_scratch_as(SLICE + name, rows)
            found[name] = replace(facts, table=replace(facts.table, name=SLICE + name))
    return found


def _people(history: History) -> int:
    count = exp.select(exp.alias_(exp.Count(this=exp.Star()), "n")).from_("people")
    return int(history.to_arrow(count.with_("people", as_=population(history))).column("n")[0].as_py())


def _replace_rechecks(engine: Engine, segments: Mapping[str, Segment], names: list[str], context: RuleContext) -> None:
    among = exp.In(this=exp.column("customer_id"), query=exp.select("customer_id").from_(PEOPLE).subquery())
    of_these = exp.In(this=exp.column("segment"), expressions=[exp.Literal.string(name) for name in names])
    if names:
        engine.run(exp.Delete(this=exp.to_table(RECHECKS), where=exp.Where(this=exp.and_(among, of_these))))
    for query in recheck_queries(segments, names, context):
        engine.run(exp.Insert(this=exp.to_table(RECHECKS), expression=query))
