"""Builds segments for everyone: every rule once, in order, kept together or not at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.progress import Progress, silent
from aimwell.core.rules import tags_of
from aimwell.insight.features.build import Features
from aimwell.insight.rules.compile import matching, population
from aimwell.insight.rules.context import RuleContext
from aimwell.insight.rules.recheck import freshness, rechecks
from aimwell.insight.segments.definition import Segment
from aimwell.insight.segments.membership import RECHECKS, SegmentResult, prepare, record
from aimwell.insight.segments.order import in_order
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.history import History

BUILT = "segment_new_"


def refresh(
    segments: Mapping[str, Segment],
    features: Features,
    *,
    only: Collection[str] | None = None,
    progress: Progress = silent,
) -> list[SegmentResult]:
    """Build segments for everyone as of the features' instant, and keep who entered and left; in the order built.

    only: names of segments to build, with those that they speak of; by default all.
    If any rule fails, nothing is kept and the last good build stands.
    Raises BadDefinition for segments that contain each other, BadQuestion for what a rule cannot mean.
    """
    names = in_order(segments, only)
    engine, history = features.history.engine, features.history
    context = RuleContext(features)
    wanted = [tag for name in names for tag in tags_of(segments[name].rule)]
    features.prepare({family.name: family for family in map(features.library.owner, wanted)}.values())
    found: dict[str, str] = {}
    try:
        for number, name in enumerate(names):
            progress(name, number / len(names))
            table = BUILT + name
            engine.create_scratch_as(table, members_of(segments[name], context, history))
            found[name] = table
            context = RuleContext(features, members=dict(found))
        if not found:
            return []
        with engine.transaction():
            results = record(engine, found, history.as_of, people=_people(features))
            _keep_rechecks(engine, segments, names, features)
    finally:
        for table in found.values():
            engine.drop(table)
    progress("done", 1.0)
    carried = {column.name for column in features.columns(wanted)}
    return [replace(each, lacking=_lacking(segments[each.name], carried)) for each in results]


def _lacking(segment: Segment, carried: Collection[str]) -> tuple[str, ...]:
    """The tags of a rule that the data do not carry."""
    return tuple(tag for tag in tags_of(segment.rule) if tag not in carried)


def members_of(segment: Segment, context: RuleContext, history: History) -> exp.Select:
    """Who belongs: a bound query of ids; raises BadQuestion that names the segment."""
    try:
        return matching(segment.rule, context, history)
    except BadQuestion as bad:
        what = f"The segment {segment.name!r} cannot be built: {bad.what}"
        raise BadQuestion(what, expected=bad.expected, seen=bad.seen, remedy=bad.remedy) from bad


def _people(features: Features) -> int:
    count = exp.select(exp.alias_(exp.Count(this=exp.Star()), "n")).from_("people")
    query = count.with_("people", as_=population(features.history))
    return int(features.history.to_arrow(query).column("n")[0].as_py())


def _keep_rechecks(engine: Engine, segments: Mapping[str, Segment], names: list[str], features: Features) -> None:
    """For every segment whose rule follows from facts alone: until when each customer's answer stands."""
    prepare(engine)
    kept: exp.Query = (
        exp.select("segment", "customer_id", "recheck_at")
        .from_(RECHECKS)
        .where(
            exp.Not(this=exp.In(this=exp.column("segment"), expressions=[exp.Literal.string(name) for name in names]))
        )
    )
    for query in recheck_queries(segments, names, RuleContext(features, members=dict.fromkeys(names, ""))):
        kept = exp.union(kept, query, distinct=False)
    engine.create_table_as(RECHECKS, kept)


def recheck_queries(segments: Mapping[str, Segment], names: list[str], context: RuleContext) -> list[exp.Query]:
    """One bound query (segment, customer_id, recheck_at) per segment that can change by itself."""
    found: list[exp.Query] = []
    for name in names:
        if not is_live(name, segments):
            continue
        query = rechecks(segments[name].rule, context, context.features.history)
        if query is not None:
            label = exp.alias_(exp.Literal.string(name), "segment")
            found.append(exp.select(label, "customer_id", "recheck_at").from_(query.subquery("due")))
    return found


def is_live(name: str, segments: Mapping[str, Segment]) -> bool:
    """Whether a segment follows from facts alone, so that it can be kept exact between full builds."""
    rules = {each: segment.rule for each, segment in segments.items()}
    return freshness(segments[name].rule, rules.get) == "live"
