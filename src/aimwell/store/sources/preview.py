"""A dry run: what a source would load, tried in memory, with the first rows of every table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlglot import exp

from aimwell.store.sources.definition import Source
from aimwell.store.sources.load import load_sources
from aimwell.store.sources.report import LoadReport
from aimwell.store.sources.trees import column
from aimwell.store.warehouse.duck import DuckEngine

_LIMIT = 20_000
_SHOWN = 5


@dataclass(frozen=True)
class Preview:
    """What a load would do: its report, and the first rows of each table (the columns that hold anything)."""

    report: LoadReport
    rows: Mapping[str, tuple[Mapping[str, object], ...]]


def preview(
    source: Source,
    folder: Path,
    zone: str,
    *,
    limit: int | None = _LIMIT,
    shown: int = _SHOWN,
    at: datetime | None = None,
) -> Preview:
    """Load a source into memory and say what came of it; no warehouse is touched.

    limit: rows that are read of each file (None: all).   shown: rows of each table that are given back, by key.
    Raises what `load` raises.
    """
    engine = DuckEngine()
    try:
        report = load_sources(engine, [source], folder, zone, at=at, limit=limit)
        tables = dict.fromkeys(mapping.table for mapping in source.tables)
        return Preview(report, {name: _first(engine, source, name, shown) for name in tables})
    finally:
        engine.close()


def _first(engine: DuckEngine, source: Source, name: str, shown: int) -> tuple[Mapping[str, object], ...]:
    mappings = [mapping for mapping in source.tables if mapping.table == name]
    named = dict.fromkeys(each for mapping in mappings for each in mapping.mappings)
    query = exp.select(*[column(each) for each in named]).from_(exp.to_table(name))
    ordered = query.order_by(*[column(part) for part in mappings[0].key if part in named]).limit(shown)
    return tuple(engine.to_arrow(ordered).to_pylist())
