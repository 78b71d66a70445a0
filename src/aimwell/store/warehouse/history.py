"""Histories and horizons: the only views through which features and labels read the warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.time import add_days, require_aware
from aimwell.store.warehouse.binder import Binder, Catalog
from aimwell.store.warehouse.cut import Cut
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.macros import Setting


@dataclass(frozen=True)
class _View:
    engine: Engine
    catalog: Catalog
    as_of: datetime
    zone: ZoneInfo
    settings: Mapping[str, Setting] = field(default_factory=dict)

    @property
    def _cut(self) -> Cut:
        return Cut(require_aware(self.as_of), self.zone)

    def bind(self, query: str | exp.Expr, relations: Mapping[str, str] | None = None) -> exp.Select:
        """The statement behind authored SQL, restricted to what this view may know."""
        return Binder(self.catalog, self._cut, self.engine.dialect, self.settings).bind(query, relations)

    def to_arrow(self, query: str | exp.Expr, relations: Mapping[str, str] | None = None) -> pa.Table:
        """The rows of an authored query."""
        return self.engine.to_arrow(self.bind(query, relations))

    def create_table_as(self, name: str, query: str | exp.Expr, relations: Mapping[str, str] | None = None) -> None:
        """Keep the rows of an authored query as a table."""
        self.engine.create_table_as(name, self.bind(query, relations))

    def create_scratch_as(self, name: str, query: str | exp.Expr, relations: Mapping[str, str] | None = None) -> None:
        """Keep the rows of an authored query for a moment; whoever makes the table drops it."""
        self.engine.create_scratch_as(name, self.bind(query, relations))

    def has(self, table: str, *columns: str) -> bool:
        """Whether the table is loaded with rows and every one of the columns holds some value."""
        facts = self.catalog.get(table)
        return facts is not None and facts.rows > 0 and all(column in facts.filled for column in columns)


@dataclass(frozen=True)
class Horizon(_View):
    """What happened in `[as_of, until)`: for labels alone."""

    until: datetime = datetime.max  # noqa: DTZ901 (always given)

    @property
    def _cut(self) -> Cut:
        return Cut(require_aware(self.as_of), self.zone, require_aware(self.until))


@dataclass(frozen=True)
class History(_View):
    """Everything known before the instant `as_of`."""

    def horizon(self, days: int) -> Horizon:
        """The label window of so many local days from `as_of` on."""
        if days < 1:
            raise BadQuestion("A horizon has at least one day", seen=str(days))
        return Horizon(
            self.engine, self.catalog, self.as_of, self.zone, self.settings, add_days(self.as_of, days, self.zone)
        )

    def at(self, as_of: datetime) -> History:
        """The same warehouse seen at another instant."""
        return History(self.engine, self.catalog, as_of, self.zone, self.settings)

    @property
    def timeless(self) -> list[str]:
        """Loaded state tables that do not say since when their values are known; model cards name them."""
        return sorted(name for name, facts in self.catalog.items() if facts.timeless and facts.rows)
