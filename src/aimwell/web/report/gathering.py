"""Gathers for the report what the main job does not return: totals, what sets segments apart, one customer's page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby

from sqlglot import exp

from aimwell.core.rules import segments_of, tags_of
from aimwell.core.tables import TABLES
from aimwell.core.text import Text
from aimwell.core.time import from_store
from aimwell.insight import predictions, profiles
from aimwell.insight.clusterings import ClusteringResult
from aimwell.insight.features.library import Library
from aimwell.insight.predictions import Backtest, Prediction, Scoring, Workshop
from aimwell.insight.rules.words import sentence
from aimwell.insight.segments.definition import Segment
from aimwell.insight.segments.differences import Difference, Differences, differences_of
from aimwell.insight.segments.membership import SegmentResult, members_at
from aimwell.insight.segments.overlap import overlap
from aimwell.store.sources.log import read_log
from aimwell.store.sources.quality import inspect_tables
from aimwell.store.sources.rejects import REJECT
from aimwell.store.sources.report import LoadReport, TableQuality
from aimwell.store.warehouse.engine import Engine
from aimwell.web.report.build import Overview
from aimwell.web.report.sections.customer import CustomerStory
from aimwell.web.report.sections.quality import Earlier
from aimwell.web.report.sections.segments import Apart, SegmentStory

_OVERVIEW = """
WITH bought AS (
  SELECT customer_id, order_id, min(occurred_at) AS occurred_at, sum(amount) AS amount
  FROM purchase GROUP BY customer_id, order_id
)
SELECT count(DISTINCT customer_id) AS customers, count(*) AS orders, coalesce(sum(amount), 0) AS revenue,
  count(DISTINCT CASE WHEN occurred_at >= days_before(56) THEN customer_id END) AS active,
  min(occurred_at) AS since, max(occurred_at) AS until
FROM bought
"""
_DIFFERENCES = 5


def overview(workshop: Workshop, as_of: datetime) -> Overview:
    """Totals of what is known at the instant."""
    row = workshop.history(as_of).to_arrow(_OVERVIEW).to_pylist()[0]
    return Overview(
        customers=int(row["customers"]),
        orders=int(row["orders"]),
        revenue=float(row["revenue"]),
        active=int(row["active"]),
        tags=len(workshop.described(as_of).columns()),
        since=from_store(row["since"]) if row["since"] else as_of,
        until=from_store(row["until"]) if row["until"] else as_of,
    )


def segment_story(
    workshop: Workshop,
    results: Sequence[SegmentResult],
    definitions: Mapping[str, Segment],
    predicted: Mapping[str, Text],
    as_of: datetime,
) -> SegmentStory:
    """The segments with their rules in words, what sets each apart, and how they overlap."""
    names = {name: each.title for name, each in definitions.items()}
    sentences = {name: _sentence(each, workshop.library, names, predicted) for name, each in definitions.items()}
    engine = workshop.warehouse.engine
    members = {result.name: members_at(engine, result.name, as_of) for result in results}
    defining = {name: defining_tags(name, definitions) for name in members}
    apart = differences_of(workshop.described(as_of), members, leave_out=defining)
    return SegmentStory(
        results,
        definitions,
        sentences,
        {name: Apart(found.summary, strongest(found, workshop.library)) for name, found in apart.items()},
        overlap(engine, names=[result.name for result in results]) if len(results) > 1 else None,
    )


def _sentence(segment: Segment, library: Library, names: Mapping[str, Text], predicted: Mapping[str, Text]) -> Text:
    return Text(
        sentence(segment.rule, "zh", library, segments=names, predictions=predicted),
        sentence(segment.rule, "en", library, segments=names, predictions=predicted),
    )


def defining_tags(name: str, definitions: Mapping[str, Segment]) -> list[str]:
    """The tags by which a segment is defined, those of the segments that it speaks of included."""
    open_, found, seen = [name], list[str](), set[str]()
    while open_:
        each = open_.pop()
        if each in seen or each not in definitions:
            continue
        seen.add(each)
        found += tags_of(definitions[each].rule)
        open_ += segments_of(definitions[each].rule)
    return list(dict.fromkeys(found))


def strongest(found: Differences, library: Library) -> list[Difference]:
    """The strongest difference of each family of tags, so that one habit is not told five times over."""
    chosen: dict[str, Difference] = {}
    for each in found.found:
        chosen.setdefault(library.owner(each.column).tag_family, each)
    return list(chosen.values())[:_DIFFERENCES]


def customer_story(
    workshop: Workshop,
    definitions: Mapping[str, Prediction],
    backtests: Mapping[str, Backtest],
    scorings: Mapping[str, Scoring],
    labels: Mapping[str, Text],
    as_of: datetime,
) -> CustomerStory | None:
    """The page of the first customer of the first list, with the reasons of every score; None without a list."""
    first = next((name for name, scoring in scorings.items() if scoring.audience), None)
    if first is None:
        return None
    customer = scorings[first].audience[0].customer_id
    amounts = {name for name, each in definitions.items() if each.kind == "how_much"}
    page = profiles.explain(workshop.warehouse, customer, labels=labels, amounts=amounts)
    asked = [answer.prediction for answer in page.scores if answer.prediction in scorings]
    reasons = {}
    for name in asked:
        again = backtests[name].held_out[-1] if definitions[name].cut_offs.by == "campaign" else None
        found = predictions.explain(definitions[name], workshop, as_of, [customer], campaign=again)
        reasons[name] = found[0].reasons
    title = labels.get(first, Text(first, first))
    chosen = Text(
        f"客户 {customer}：名单「{title.zh}」的第一名，作为例子。任何客户都可以用 aimwell explain 看到同样的一页。",
        f'Customer {customer}, first on the list "{title.en}", as an example. The same page of anybody: '
        "aimwell explain CUSTOMER.",
    )
    return CustomerStory(page, chosen, reasons)


def all_labels(
    predicted: Mapping[str, Text], segments: Mapping[str, Segment], clusterings: Mapping[str, ClusteringResult]
) -> dict[str, Text]:
    """What predictions, segments and groups of clusterings are called, by name."""
    groups = {group.segment: group.name for result in clusterings.values() for group in result.groups}
    return {**groups, **{name: each.title for name, each in segments.items()}, **predicted}


def earlier_loads(engine: Engine, load: LoadReport) -> list[Earlier]:
    """What the sources of which this run read nothing had brought before."""
    fresh = {source.source for source in load.sources if source.tables}
    entries = sorted((each for each in read_log(engine) if each.source not in fresh), key=lambda each: each.source)
    rejected = _rejected(engine)
    found: list[Earlier] = []
    for source, group in groupby(entries, key=lambda each: each.source):
        pieces = list(group)
        found.append(
            Earlier(
                source,
                len(pieces),
                sum(each.rows for each in pieces),
                sum(each.kept for each in pieces),
                from_store(max(each.loaded_at for each in pieces)),
                rejected.get(source, {}),
            )
        )
    return found


def _rejected(engine: Engine) -> dict[str, Counter[str]]:
    if REJECT not in engine.tables():
        return {}
    counted = exp.alias_(exp.Count(this=exp.Star()), "refused")
    rows = engine.to_arrow(exp.select("source", "reason", counted).from_(REJECT).group_by("source", "reason"))
    found: dict[str, Counter[str]] = {}
    for row in rows.to_pylist():
        found.setdefault(row["source"], Counter())[row["reason"]] += int(row["refused"])
    return found


def quality_of(engine: Engine, load: LoadReport, zone: str) -> Sequence[TableQuality]:
    """What is odd in the tables: as this run saw it, or, where it loaded nothing, as they stand.

    Columns that always hold one value are not told of again: a source may fill them so on purpose.
    """
    if load.quality:
        return load.quality
    now = datetime.now(UTC).replace(tzinfo=None)
    present = set(engine.tables())
    found = inspect_tables(engine, [name for name in TABLES if name in present], zone, now)
    return [
        replace(table, oddities=tuple(odd for odd in table.oddities if odd.kind != "constant"))
        for table in found
        if table.rows
    ]
