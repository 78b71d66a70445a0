"""Loading: sources into the warehouse, all of it or nothing, and the same again adds nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from aimwell.core.errors import AimwellError, BadQuestion, Unavailable
from aimwell.core.problems import Problem
from aimwell.core.time import require_aware, to_store
from aimwell.store.sources.definition import Source
from aimwell.store.sources.log import data_version, forget, read_log, write_log, write_state
from aimwell.store.sources.origins import clear, drop_rows, name_files
from aimwell.store.sources.parts import nearest
from aimwell.store.sources.passing import Passing
from aimwell.store.sources.planning import Look, Plan, UnreadableSources, look, plan_load
from aimwell.store.sources.quality import inspect_tables
from aimwell.store.sources.rejects import drop_rejects, ensure_rejects
from aimwell.store.sources.report import LoadReport, SourceReport
from aimwell.store.sources.steps import Progress, Teller
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.store.workspace import Workspace


def load(
    workspace: Workspace,
    warehouse: Warehouse,
    sources: Iterable[str] | None = None,
    *,
    progress: Progress | None = None,
    at: datetime | None = None,
) -> LoadReport:
    """Bring the sources of a workspace into its warehouse: what is new or changed, and only that.

    sources: names; by default all.   progress: told of every step; what it raises ends the load.   at: the instant that
    counts as now (for `loaded_at`, and for dates in the future), by default the clock's.
    All or nothing: when anything fails the tables are as before. Raises BadDefinition, or UnreadableSources with every
    file that is missing, cannot be read or lacks a column.
    """
    known = workspace.definitions(Source)
    chosen = choose(known, sources)
    zone = workspace.settings.timezone
    report = load_sources(warehouse.engine, chosen, workspace.folder, zone, progress=progress, at=at)
    warehouse.refresh()
    loaded = {entry.source for entry in read_log(warehouse.engine)}
    return replace(report, undefined=tuple(sorted(loaded - set(known))))


def unload(warehouse: Warehouse, source: str, files: Iterable[str] | None = None) -> tuple[str, ...]:
    """Take back what a source brought, all of it or the rows of some files; returns the names of the files.

    files: as the log names them; by default all. All or nothing. Rows that gave way to the removed ones come back when
    their files are loaded again. Raises BadQuestion for what was never loaded.
    """
    engine = warehouse.engine
    entries = {entry.file: entry for entry in read_log(engine) if entry.source == source}
    wanted = list(entries) if files is None else list(files)
    for name in wanted:
        if name not in entries:
            raise BadQuestion(f"The source {source} never loaded {name!r}{nearest(name, entries)}")
    if not wanted:
        raise BadQuestion(f"Nothing was ever loaded from {source!r}", remedy="List the sources with what they brought.")
    gone = [entries[name] for name in wanted]
    with engine.transaction():
        changed = drop_rows(engine, gone)
        drop_rejects(engine, [entry.origin for entry in gone])
        forget(engine, gone)
        write_log(engine, [replace(entry, content="", size=-1) for entry in read_log(engine) if entry.lost])
        write_state(engine, changed)
    warehouse.refresh()
    return tuple(wanted)


def choose(known: Mapping[str, Source], names: Iterable[str] | None) -> list[Source]:
    """The named sources, or all; raises BadQuestion for a name that does not exist."""
    if names is None:
        return [known[name] for name in sorted(known)]
    wanted = sorted(set(names))
    for name in wanted:
        if name not in known:
            raise BadQuestion(f"There is no source {name!r}{nearest(name, known)}")
    return [known[name] for name in wanted]


def load_sources(
    engine: Engine,
    sources: Sequence[Source],
    folder: Path,
    zone: str,
    *,
    progress: Progress | None = None,
    at: datetime | None = None,
    limit: int | None = None,
) -> LoadReport:
    """`load` for definitions at hand; `limit` stops after so many rows of each file (a preview)."""
    if engine.dialect != "duckdb":
        raise Unavailable(
            "Sources are loaded by DuckDB, not by Spark",
            remedy="Load into a DuckDB workspace and write its tables to Spark, or fill the canonical tables there.",
        )
    teller = Teller(progress)
    now = to_store(require_aware(at or datetime.now(UTC)))
    before = data_version(engine)
    prepared = _prepare(engine, sources, folder, zone, teller)
    reports: list[SourceReport] = []
    changed: set[str] = set()
    with engine.transaction():
        ensure_rejects(engine)
        origins = name_files(engine, [plan for plan, _ in prepared])
        for plan, seen in prepared:
            passing = Passing(engine, plan, seen, folder, zone, now, origins, teller, limit)
            reports.append(passing.run())
            changed |= passing.changed
            write_log(engine, plan.touched)
        write_state(engine, changed)
        clear(engine, [lookup.name for source in sources for lookup in source.lookup])
    teller.tell("", "check", 0, 1)
    quality = inspect_tables(engine, sorted(changed), zone, now, given=_given(sources))
    teller.tell("", "check", 1, 1)
    version = data_version(engine)
    return LoadReport(now, version, version != before, tuple(reports), quality)


def _given(sources: Iterable[Source]) -> set[tuple[str, str]]:
    """The columns that a mapping fills with one value, where it is no surprise that they hold one."""
    return {
        (mapping.table, name)
        for source in sources
        for mapping in source.tables
        for name, each in mapping.mappings.items()
        if each.constant is not None
    }


def _prepare(
    engine: Engine, sources: Sequence[Source], folder: Path, zone: str, teller: Teller
) -> list[tuple[Plan, Look]]:
    """What is to be read, looked at; raises UnreadableSources with every problem of every source."""
    log = read_log(engine)
    prepared: list[tuple[Plan, Look]] = []
    problems: list[Problem] = []
    for done, source in enumerate(sources):
        teller.tell(source.name, "look", done, len(sources))
        try:
            plan = plan_load(source, folder, log, zone)
        except AimwellError as error:
            problems.append(Problem(f"sources/{source.name}", None, "read", str(error)))
            continue
        seen, found = look(plan)
        prepared.append((plan, seen))
        problems += found
    if problems:
        raise UnreadableSources(problems)
    return prepared
