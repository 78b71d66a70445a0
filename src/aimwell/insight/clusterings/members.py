"""Who belongs to which group since when: every group is a segment, recorded like those of rules.

`membership` and `membership_delta` hold the groups beside all other segments, so that rules read them as
`segment: name.g1`. `clustering_run` says which version of a clustering placed the customers from which instant on.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime

import pyarrow as pa
from sqlglot import exp

from aimwell.core.time import to_store
from aimwell.insight.clusterings.people import People
from aimwell.insight.clusterings.shelf import Kept, segment_name
from aimwell.insight.predictions.workshop import Workshop
from aimwell.insight.segments.membership import SegmentResult, record, sizes
from aimwell.science.arrays import IntArray
from aimwell.store.warehouse.engine import Engine

RUNS = "clustering_run"
_SCHEMA = pa.schema(
    {
        "clustering": pa.string(),
        "version": pa.string(),
        "as_of": pa.timestamp("us"),
        "people": pa.int64(),
        "placed": pa.int64(),
    }
)


def record_groups(workshop: Workshop, kept: Kept, people: People, labels: IntArray) -> list[SegmentResult]:
    """Keep who belongs to each group as of an instant, with what changed; groups that are no more lose everybody.

    Raises BadQuestion if a later state is recorded already: memberships go forward in time.
    """
    engine, name = workshop.warehouse.engine, kept.definition.name
    wanted = {kept.segment(label): label for label in range(len(kept.groups))}
    gone = [segment for segment in recorded_groups(engine, name) if segment not in wanted]
    with ExitStack() as stack:
        found: dict[str, str] = {}
        for number, segment in enumerate([*wanted, *gone]):
            physical = stack.enter_context(workshop.passing(f"{name}_{number}"))
            engine.write(physical, _ids(people, labels, wanted.get(segment)))
            found[segment] = physical
        with engine.transaction():
            results = record(engine, found, people.as_of, people=len(people.ids))
            _keep_run(engine, kept, people.as_of, len(people.ids), int((labels >= 0).sum()))
    return results


def recorded_groups(engine: Engine, clustering: str) -> list[str]:
    """Segments of the groups of a clustering that have members now, sorted."""
    prefix = segment_name(clustering, "")
    return sorted(segment for segment in sizes(engine) if segment.startswith(prefix))


def runs(engine: Engine, clustering: str) -> list[dict[str, object]]:
    """Every placing of a clustering's customers, oldest first: version, as_of (naive UTC), people, placed."""
    if RUNS not in engine.tables():
        return []
    named = exp.EQ(this=exp.column("clustering"), expression=exp.Literal.string(clustering))
    query = exp.select("version", "as_of", "people", "placed").from_(RUNS).where(named).order_by("as_of", "version")
    rows: list[dict[str, object]] = engine.to_arrow(query).to_pylist()
    return rows


def _keep_run(engine: Engine, kept: Kept, as_of: datetime, people: int, placed: int) -> None:
    row = {
        "clustering": kept.definition.name,
        "version": kept.version,
        "as_of": to_store(as_of),
        "people": people,
        "placed": placed,
    }
    engine.append(RUNS, pa.Table.from_pylist([row], schema=_SCHEMA))


def _ids(people: People, labels: IntArray, label: int | None) -> pa.Table:
    members: Sequence[str] = [] if label is None else [people.ids[row] for row in (labels == label).nonzero()[0]]
    return pa.table({"customer_id": pa.array(members, pa.string())})
