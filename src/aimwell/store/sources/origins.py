"""Where rows come from: each file's number, which its rows carry, and its place in the order of files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

import pyarrow as pa
from sqlglot import exp

from aimwell.core.tables import TABLES
from aimwell.store.sources.compile import FILES
from aimwell.store.sources.log import Entry, read_log
from aimwell.store.sources.planning import Plan
from aimwell.store.sources.settle import CONTENDERS, CONTESTED, TYPED, WINNERS
from aimwell.store.sources.trees import ORIGIN, among, column, delete, temporary_columns
from aimwell.store.warehouse.engine import Engine

STAGED = "load_staged"
LOOKUP = "load_lookup_"
_COLUMNS = (("origin", "BIGINT"), ("source", "VARCHAR"), ("file", "VARCHAR"), ("name", "VARCHAR"), ("rank", "BIGINT"))

Origins = Mapping[tuple[str, str], int]


def name_files(engine: Engine, plans: Iterable[Plan]) -> Origins:
    """Give every file that is to be read a number, and keep all files, old and new, as a table in their order.

    Files stand in the order of source and path, stretches of a table in that of their loading.
    """
    listed = list(plans)
    stale = {entry.origin for plan in listed for entry in plan.stale}
    log = read_log(engine)
    following = max((entry.origin for entry in log), default=0) + 1
    rows = [(entry.source, entry.file, entry.modified > 0, entry.origin) for entry in log if entry.origin not in stale]
    origins: dict[tuple[str, str], int] = {}
    for plan in listed:
        for piece in plan.pieces:
            origins[plan.source.name, piece.name] = following
            rows.append((plan.source.name, piece.name, piece.path is not None, following))
            following += 1
    ordered = sorted(rows, key=lambda row: (row[0], row[1] if row[2] else "", row[3]))
    table = pa.Table.from_pylist(
        [
            {"origin": origin, "source": source, "file": file, "name": PurePosixPath(file).name, "rank": rank}
            for rank, (source, file, _, origin) in enumerate(ordered, 1)
        ],
        schema=pa.schema([(name, pa.int64() if kind == "BIGINT" else pa.string()) for name, kind in _COLUMNS]),
    )
    engine.run(temporary_columns(FILES, _COLUMNS))
    engine.append(FILES, table)
    return origins


def drop_rows(engine: Engine, entries: Iterable[Entry]) -> set[str]:
    """Remove the rows of files from every table; returns the tables that lost any."""
    origins = [entry.origin for entry in entries]
    lost: set[str] = set()
    present = set(engine.tables())
    for name in TABLES:
        if not origins or name not in present or ORIGIN not in engine.columns(name):
            continue
        theirs = among(column(ORIGIN), origins)
        count = exp.select(exp.Count(this=exp.Star())).from_(exp.to_table(name)).where(theirs)
        if engine.to_arrow(count).column(0)[0].as_py():
            engine.run(delete(name, theirs.copy()))
            lost.add(name)
    return lost


def clear(engine: Engine, lookups: Iterable[str] = ()) -> None:
    """Drop the tables that only loading needs."""
    for name in (FILES, STAGED, TYPED, CONTESTED, CONTENDERS, WINNERS, *(LOOKUP + each for each in lookups)):
        engine.drop(name)
