"""Keeps the segments that journeys ask for fresh: those of customers who were touched, and of those who are due."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlglot import exp

from aimwell.core.time import to_store
from aimwell.insight.features.build import Features
from aimwell.insight.opening import workshop_of
from aimwell.insight.segments.definition import Segment
from aimwell.insight.segments.membership import RECHECKS, SegmentResult, last_builds, prepare
from aimwell.insight.segments.order import in_order
from aimwell.insight.segments.refresh import refresh
from aimwell.insight.segments.touched import refresh_touched
from aimwell.store.warehouse.cut import instant_literal
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.store.workspace import Workspace

_INSTANT_AFTER = timedelta(microseconds=1)


@dataclass(slots=True)
class Refresher:
    """Hold one beside an open warehouse; definitions are read when it is made."""

    workspace: Workspace
    warehouse: Warehouse
    segments: Mapping[str, Segment]

    def refresh(self, asked: Collection[str], touched: Collection[str], now: datetime) -> list[SegmentResult]:
        """Bring the segments that are asked for, and those that they speak of, up to date as of now.

        touched: customers of whom something is new. A segment that was never built is built for everyone first.
        Nothing is done, at the cost of one look, when nobody is touched or due.
        """
        engine = self.warehouse.engine
        prepare(engine)
        wanted = in_order(self.segments, [name for name in sorted(asked) if name in self.segments])
        if not wanted or not any(facts.rows for facts in self.warehouse.catalog.values()):
            return []
        built = last_builds(engine)
        as_of = max([now, *(built[name] + _INSTANT_AFTER for name in wanted if name in built)])
        chosen = {name: self.segments[name] for name in wanted}
        if missing := [name for name in wanted if name not in built]:
            needed = in_order(self.segments, missing)
            return refresh({name: self.segments[name] for name in needed}, self._features(as_of))
        if not touched and not self._due(as_of):
            return []
        return refresh_touched(chosen, self._features(as_of), touched)

    def _features(self, as_of: datetime) -> Features:
        workshop = workshop_of(self.workspace, self.warehouse)
        return Features(workshop.history(as_of), workshop.library, f"live {as_of.isoformat()}")

    def _due(self, as_of: datetime) -> bool:
        due = exp.LTE(this=exp.column("recheck_at"), expression=instant_literal(to_store(as_of)))
        query = exp.select(exp.Literal.number(1)).from_(RECHECKS).where(due).limit(1)
        return bool(self.warehouse.engine.to_arrow(query).num_rows)
