"""The warehouse of a workspace: an engine, and what it holds of the canonical tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import TracebackType
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from aimwell.core.errors import NotEnoughData
from aimwell.core.tables import TABLES, Table
from aimwell.core.time import from_store
from aimwell.store.warehouse.cut import TableFacts
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.history import History
from aimwell.store.warehouse.macros import Setting


@dataclass
class Warehouse:
    """Opens histories; knows which canonical tables are loaded, with which columns, filled or not."""

    engine: Engine
    zone: ZoneInfo
    settings: Mapping[str, Setting] = field(default_factory=dict)
    _facts: dict[str, TableFacts] | None = field(default=None, repr=False)

    def history(self, as_of: datetime) -> History:
        """Everything known before that (aware) instant."""
        return History(self.engine, self.catalog, as_of, self.zone, self.settings)

    @property
    def catalog(self) -> Mapping[str, TableFacts]:
        """The canonical tables that are there; read once, and again after `refresh`."""
        if self._facts is None:
            present = set(self.engine.tables())
            self._facts = {name: self._inspect(table) for name, table in TABLES.items() if name in present}
        return self._facts

    def refresh(self) -> None:
        """Forget what is known of the tables (after a load)."""
        self._facts = None

    def shaped(self, name: str, rows: pa.Table) -> pa.Table:
        """Rows with exactly the columns that a table has: what it lacks is left away, what they lack is empty."""
        present = self.engine.columns(name)
        fitting = rows.select([column for column in rows.column_names if column in present])
        for column in present:
            if column not in fitting.column_names:
                fitting = fitting.append_column(column, pa.nulls(rows.num_rows))
        return fitting.select(list(present))

    def note_append(self, name: str, rows: pa.Table, *, restated: bool = False) -> None:
        """Take note of rows that were just appended to a canonical table, without reading the table again.

        restated: they are further versions of keys that are there.
        """
        if self._facts is None or name not in self._facts:
            self.refresh()
            return
        facts = self._facts[name]
        filled = {column for column in rows.column_names if rows.column(column).null_count < rows.num_rows}
        instants = [each.name for each in facts.table.columns if each.kind == "instant" and each.name in filled]
        found = [pc.min(rows.column(each)).as_py() for each in instants]
        earliest = min([*found, *([facts.earliest] if facts.earliest else [])], default=None)
        kept = replace(facts, filled=facts.filled | filled, rows=facts.rows + rows.num_rows, earliest=earliest)
        if restated:
            kept = replace(kept, versioned=True)
        self._facts = {**self._facts, name: kept}

    def last_instant(self) -> datetime:
        """The last instant at which anything is recorded as having happened.

        Raises NotEnoughData when no fact is loaded.
        """
        found: list[datetime] = []
        for name, facts in self.catalog.items():
            table = TABLES[name]
            if table.shape == "fact" and table.occurred and facts.rows:
                query = exp.select(exp.alias_(exp.Max(this=exp.column(table.occurred)), "last")).from_(name)
                value = self.engine.to_arrow(query).column("last")[0].as_py()
                found += [from_store(value)] if value else []
        if not found:
            raise NotEnoughData("Nothing has happened yet in this workspace", remedy="Load a source first.")
        return max(found)

    def _inspect(self, table: Table) -> TableFacts:
        # What begins with an underscore is the warehouse's own (which file a row came from): no view shows it.
        columns = tuple(name for name in self.engine.columns(table.name) if not name.startswith("_"))
        counts = [exp.alias_(exp.Count(this=exp.column(c, quoted=True)), f"n{i}") for i, c in enumerate(columns)]
        instants = [column.name for column in table.columns if column.kind == "instant" and column.name in columns]
        earliest = [exp.alias_(exp.Min(this=exp.column(name)), f"t{i}") for i, name in enumerate(instants)]
        query = exp.select(exp.alias_(exp.Count(this=exp.Star()), "n"), *counts, *earliest).from_(table.name)
        row = self.engine.to_arrow(query).to_pylist()[0]
        since = [row[f"t{i}"] for i in range(len(instants)) if row[f"t{i}"]]
        filled = frozenset(c for i, c in enumerate(columns) if row[f"n{i}"])
        versioned = table.shape == "state" and self._repeats(table)
        return TableFacts(table, columns, filled, int(row["n"]), versioned, min(since, default=None))

    def _repeats(self, table: Table) -> bool:
        keys = [exp.column(part) for part in table.key]
        repeated = exp.select(exp.Literal.number(1)).from_(table.name).group_by(*keys).having("count(*) > 1").limit(1)
        return bool(self.engine.to_arrow(repeated).num_rows)

    def close(self) -> None:
        """Release the engine."""
        self.engine.close()

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
