"""What the tests of sources share: definitions from a few lines of YAML, files from a few lines of text, loads."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from textwrap import dedent

from sqlglot import exp

from aimwell.core.definitions import parse_definitions
from aimwell.core.time import zone
from aimwell.store.sources.definition import Source
from aimwell.store.sources.load import load_sources
from aimwell.store.sources.report import LoadReport, Tally
from aimwell.store.warehouse.duck import DuckEngine

SHANGHAI = "Asia/Shanghai"
NOW = datetime(2026, 1, 1, tzinfo=zone("UTC"))

ORDERS = """
read: {path: orders.csv}
timezone: UTC
tables:
  - table: purchase
    columns: {order_id: order, line: line, customer_id: customer, occurred_at: at, amount: paid}
"""


def source(yaml: str, name: str = "orders") -> Source:
    """The one definition in a YAML text."""
    return parse_definitions(dedent(yaml), f"sources/{name}.yaml", Source, name=name)[0]


def write(folder: Path, file: str, text: str, encoding: str = "utf-8") -> Path:
    """A file with that text (its indentation taken away)."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dedent(text).lstrip("\n").encode(encoding))
    return path


def load(engine: DuckEngine, folder: Path, *sources: Source, at: datetime = NOW) -> LoadReport:
    """A load in Shanghai's time; every load balances."""
    report = load_sources(engine, list(sources), folder, SHANGHAI, at=at)
    assert report.balanced
    return report


def tally(report: LoadReport, table: str = "purchase", source: str | None = None) -> Tally:
    """The ledger of one table."""
    found = [
        each.tally
        for part in report.sources
        for each in part.tables
        if each.table == table and source in (None, part.source)
    ]
    assert len(found) == 1
    return found[0]


def rows(engine: DuckEngine, table: str, *columns: str) -> list[tuple[object, ...]]:
    """Some columns of a table, sorted."""
    if table not in engine.tables():
        return []
    found = engine.to_arrow(exp.select(*[exp.column(c, quoted=True) for c in columns]).from_(table)).to_pylist()
    return sorted((tuple(row.values()) for row in found), key=repr)
