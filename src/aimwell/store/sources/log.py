"""What has been loaded: one entry for each file (or stretch of a table), and a digest of each table's content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import pyarrow as pa
from sqlglot import exp

from aimwell.store.sources.trees import ORIGIN, call, column, data_type, delete
from aimwell.store.warehouse.engine import Engine

LOG = "load_log"
STATE = "load_state"
_NOTHING = "empty"

_SCHEMA = pa.schema(
    [
        ("origin", pa.int64()),
        ("source", pa.string()),
        ("file", pa.string()),
        ("size", pa.int64()),
        ("modified", pa.int64()),
        ("content", pa.string()),
        ("mapping", pa.string()),
        ("mark", pa.string()),
        ("loaded_at", pa.timestamp("us")),
        ("rows", pa.int64()),
        ("kept", pa.int64()),
        ("lost", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One loaded piece of a source.

    origin: its number, which its rows carry.   size, modified (nanoseconds): of files, to see at a glance that nothing
    changed.   content: hash of what it held.   mapping: hash of the definition that mapped it.   mark: watermark
    reached.   rows, kept: read, and put into tables.   lost: rows that gave way to a row of another file, so that this
    file must be read again when the other one changes.
    """

    origin: int
    source: str
    file: str
    size: int
    modified: int
    content: str
    mapping: str
    mark: str | None
    loaded_at: datetime
    rows: int = 0
    kept: int = 0
    lost: int = 0


def read_log(engine: Engine) -> list[Entry]:
    """All entries, in the order of loading; none before the first load."""
    if LOG not in engine.tables():
        return []
    found = engine.to_arrow(exp.select("*").from_(LOG)).to_pylist()
    return sorted((Entry(**row) for row in found), key=lambda entry: entry.origin)


def write_log(engine: Engine, entries: Iterable[Entry]) -> None:
    """Put entries into the log, each in the place of the one of the same source and file."""
    rows = [asdict(entry) for entry in entries]
    if rows:
        engine.merge(LOG, pa.Table.from_pylist(rows, schema=_SCHEMA), ("source", "file"))


def add_lost(engine: Engine, lost: dict[int, int]) -> None:
    """Note that rows of earlier files gave way to rows of others."""
    write_log(
        engine,
        [replace(entry, lost=entry.lost + lost[entry.origin]) for entry in read_log(engine) if lost.get(entry.origin)],
    )


def forget(engine: Engine, entries: Iterable[Entry]) -> None:
    """Remove entries from the log."""
    for entry in entries:
        same = exp.EQ(this=column("origin"), expression=exp.Literal.number(entry.origin))
        engine.run(delete(LOG, same))


def write_state(engine: Engine, tables: Iterable[str]) -> None:
    """Note the digest of the content of tables that may have changed."""
    rows = [{"table_name": name, "digest": _digest(engine, name)} for name in sorted(tables)]
    if rows:
        schema = pa.schema([("table_name", pa.string()), ("digest", pa.string())])
        engine.merge(STATE, pa.Table.from_pylist(rows, schema=schema), ("table_name",))


def data_version(engine: Engine) -> str:
    """A short text that changes exactly when the loaded data change, however and in however many loads they came.

    Before the first load it is that of no data.
    """
    found: list[str] = []
    if STATE in engine.tables():
        rows = engine.to_arrow(exp.select("*").from_(STATE)).to_pylist()
        found = sorted(f"{row['table_name']}={row['digest']}" for row in rows if row["digest"] != _NOTHING)
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:16]


def _digest(engine: Engine, name: str) -> str:
    """The sum of the hashes of all rows, over the columns that hold anything: the same in any order of rows."""
    columns = sorted(each for each in engine.columns(name) if each != ORIGIN)
    counts = [exp.alias_(exp.Count(this=column(each)), f"n{at}") for at, each in enumerate(columns)]
    row = engine.to_arrow(exp.select(*counts).from_(exp.to_table(name))).to_pylist()[0]
    filled = [each for at, each in enumerate(columns) if row[f"n{at}"]]
    if not filled:
        return _NOTHING
    hashed = call("hash", *[column(each) for each in filled])
    total = exp.cast(exp.Sum(this=exp.cast(hashed, data_type("HUGEINT"))), data_type("VARCHAR"))
    summed = engine.to_arrow(exp.select(total).from_(exp.to_table(name))).column(0)[0].as_py()
    return f"{','.join(filled)}:{summed}"
