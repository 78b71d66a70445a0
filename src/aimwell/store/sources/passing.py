"""One source on its way through a load: staged, typed, settled, written, and every row accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from aimwell.core.errors import BadSource, QueryFailed
from aimwell.store.sources.compile import FILTERED, Compiler
from aimwell.store.sources.definition import Lookup, TableMapping
from aimwell.store.sources.log import Entry, add_lost, forget, read_log, write_log
from aimwell.store.sources.origins import LOOKUP, STAGED, Origins, drop_rows
from aimwell.store.sources.planning import Look, Plan, raw_names
from aimwell.store.sources.reading import Batch, Piece, RawKind, reader_of
from aimwell.store.sources.rejects import MALFORMED, Rejected, drop_rejects, keep_broken, keep_rejects, samples
from aimwell.store.sources.report import SourceReport, TableReport, Tally
from aimwell.store.sources.settle import (
    ACCEPTED,
    CONFLICT,
    DUPLICATE,
    SUPERSEDED,
    TYPED,
    Settled,
    Settling,
    conflicts_query,
    reasons_query,
    refused_query,
)
from aimwell.store.sources.staging import Staging, unified
from aimwell.store.sources.steps import Phase, Teller
from aimwell.store.sources.trees import temporary
from aimwell.store.sources.words import notes_of
from aimwell.store.warehouse.engine import Engine


@dataclass
class Passing:
    """Carries one source through a load, inside the load's transaction; `changed` collects the tables that changed."""

    engine: Engine
    plan: Plan
    seen: Look
    folder: Path
    zone: str
    at: datetime
    origins: Origins
    teller: Teller
    limit: int | None = None
    changed: set[str] = field(default_factory=set)
    _marks: dict[str, str | None] = field(default_factory=dict)
    _contents: dict[str, str] = field(default_factory=dict)
    _kept: Counter[int] = field(default_factory=Counter)
    _lost: Counter[int] = field(default_factory=Counter)

    def run(self) -> SourceReport:
        """Do all of it; the report says what became of every row."""
        self._drop(self.plan.stale)
        pieces = [piece for piece in self.plan.pieces if piece.name not in self.seen.empty]
        staging = Staging(self.engine, STAGED, dict(self.seen.kinds), "staged")
        for done, piece in enumerate(pieces):
            self._tell("read", done, len(pieces))
            self._read(piece, staging)
        staging.flush()
        self._tell("read", len(pieces), len(pieces))
        pieces = [piece for piece in pieces if self._differs(piece, staging)]
        reports = self._mapped_all(staging) if pieces else []
        read = [self._origin(piece) for piece in pieces]
        self._log(pieces, staging)
        return self._report(pieces, staging, reports, read)

    def _tell(self, phase: Phase, done: int, total: int) -> None:
        self.teller.tell(self.plan.source.name, phase, done, total)

    def _origin(self, piece: Piece) -> int:
        return self.origins[self.plan.source.name, piece.name]

    def _drop(self, entries: Sequence[Entry]) -> None:
        """Take back what earlier loads of these files brought."""
        if entries:
            self.changed |= drop_rows(self.engine, entries)
            drop_rejects(self.engine, [entry.origin for entry in entries])
            forget(self.engine, entries)

    def _read(self, piece: Piece, staging: Staging) -> None:
        """Stage the rows of one piece; a preview stops at its limit."""
        read, left = self.plan.source.read, self.limit
        renames = self.seen.renames.get(piece.name, {})
        for batch in reader_of(read).batches(piece, read):
            rows = batch.rows.rename_columns([renames.get(name, name) for name in batch.rows.column_names])
            numbers, broken = batch.numbers, batch.broken
            if left is not None:
                rows, numbers, broken = rows.slice(0, left), numbers.slice(0, left), broken[:left]
                left -= rows.num_rows
            staging.add(Batch(rows, numbers, broken), self._origin(piece))
            self._marks[piece.name] = batch.mark
            if left is not None and left <= 0:
                return

    def _differs(self, piece: Piece, staging: Staging) -> bool:
        """Whether a piece holds other rows than when it was loaded last; of files that is known beforehand."""
        if piece.path is not None:
            self._contents[piece.name] = self.plan.contents[piece.name]
            return True
        origin = self._origin(piece)
        self._contents[piece.name] = content = staging.content(origin)
        earlier = [e for e in read_log(self.engine) if (e.source, e.file) == (self.plan.source.name, piece.name)]
        if any((entry.content, entry.mapping) == (content, self.plan.mapping) for entry in earlier):
            staging.discard(origin)
            return False
        self._drop(earlier)
        return True

    def _mapped_all(self, staging: Staging) -> list[TableReport]:
        source = self.plan.source
        lookups = {lookup.name: self._looked_up(lookup) for lookup in source.lookup}
        compiler = Compiler(self.engine, source, staging, lookups, self.zone)
        reports: list[TableReport] = []
        for done, mapping in enumerate(source.tables):
            self._tell("map", done, len(source.tables))
            reports.append(self._mapped(mapping, compiler, staging))
        self._tell("map", len(reports), len(reports))
        return reports

    def _looked_up(self, lookup: Lookup) -> Staging:
        """The rows of a lookup, staged; raises BadSource when one key has several."""
        reader = reader_of(lookup.read)
        pieces = reader.pieces(lookup.read, self.folder, None)
        kinds: dict[str, list[RawKind]] = {}
        for piece in pieces:
            for each in reader.columns(piece, lookup.read):
                kinds.setdefault(each.name, []).append(each.kind)
        staging = Staging(
            self.engine, LOOKUP + lookup.name, {name: unified(found) for name, found in kinds.items()}, lookup.name
        )
        for number, piece in enumerate(pieces):
            for batch in reader.batches(piece, lookup.read):
                staging.add(batch, number)
        staging.flush()
        if lookup.keep:
            staging.keep_one(list(lookup.on.values()), list(lookup.by), last=lookup.keep == "last")
        staging.require_unique(list(lookup.on.values()))
        return staging

    def _mapped(self, mapping: TableMapping, compiler: Compiler, staging: Staging) -> TableReport:
        compiled = compiler.compile(mapping)
        try:
            self.engine.run(temporary(TYPED, compiled.query))
        except QueryFailed as error:
            raise BadSource(
                f"The source {self.plan.source.name} cannot be mapped to {mapping.table}",
                seen=str(error).split("\n", 1)[0],
                remedy="Guard the expression that fails on some row (CASE WHEN …).",
            ) from error
        settling = Settling(self.engine, self.plan.source.name, mapping, compiled.targets)
        settling.ensure_table()
        settled = settling.settle()
        settling.write(settled)
        tally = self._tally(staging, settled)
        if tally.refused:
            self._keep_refused(mapping.table, staging, settling, tally)
        if tally.kept or settled.replaced:
            self.changed.add(mapping.table)
        return TableReport(mapping.table, tally)

    def _keep_refused(self, table: str, staging: Staging, settling: Settling, tally: Tally) -> None:
        name, once = self.plan.source.name, self.plan.source.read.incremental
        keep_rejects(self.engine, name, table, refused_query(staging.raw_row(), STAGED), self.at, once=once)
        if CONFLICT in tally.rejected:
            clashes = conflicts_query(settling, staging.raw_row(), STAGED)
            keep_rejects(self.engine, name, table, clashes, self.at, once=once)
        keep_broken(self.engine, name, table, staging, self._names, self.at)

    @property
    def _names(self) -> dict[int, str]:
        return {origin: file for (source, file), origin in self.origins.items() if source == self.plan.source.name}

    def _tally(self, staging: Staging, settled: Settled) -> Tally:
        ends: Counter[str] = Counter({MALFORMED: len(staging.broken)})
        for row in self.engine.to_arrow(reasons_query()).to_pylist():
            ends[row["reason"]] += row["n"]
            if row["reason"] == ACCEPTED:
                self._kept[row["file"]] += row["n"]
        for end in settled.ends:
            self._lost[end.file] += end.lost
            if not end.there:
                ends[end.verdict] += end.rows
                ends[ACCEPTED] -= end.rows
                self._kept[end.file] -= end.rows
        counted = {end: ends.pop(end, 0) for end in (ACCEPTED, FILTERED, DUPLICATE, SUPERSEDED)}
        return Tally(
            read=sum(staging.rows.values()),
            kept=counted[ACCEPTED],
            filtered=counted[FILTERED],
            duplicates=counted[DUPLICATE] + counted[SUPERSEDED],
            superseded=counted[SUPERSEDED],
            replaced=settled.replaced,
            rejected=dict(sorted((end, rows) for end, rows in ends.items() if rows)),
        )

    def _log(self, pieces: Sequence[Piece], staging: Staging) -> None:
        write_log(self.engine, self._entries(pieces, staging))
        own = set(self._names)
        others = {origin: count for origin, count in self._lost.items() if origin not in own}
        if others:
            add_lost(self.engine, others)

    def _entries(self, pieces: Sequence[Piece], staging: Staging) -> Iterator[Entry]:
        empty = [piece for piece in self.plan.pieces if piece.name in self.seen.empty]
        for piece in [*pieces, *empty]:
            origin, mark = self._origin(piece), self._marks.get(piece.name) or piece.since
            if piece.since is not None and mark == piece.since and not self._kept[origin]:
                continue  # nothing but the rows at the mark, which are there already
            yield Entry(
                origin=origin,
                source=self.plan.source.name,
                file=piece.name,
                size=piece.size,
                modified=piece.modified,
                content=self._contents.get(piece.name) or self.plan.contents.get(piece.name, ""),
                mapping=self.plan.mapping,
                mark=mark,
                loaded_at=self.at,
                rows=staging.rows.get(origin, 0),
                kept=self._kept[origin],
                lost=self._lost[origin],
            )

    def _report(
        self, pieces: Sequence[Piece], staging: Staging, reports: Sequence[TableReport], read: Sequence[int]
    ) -> SourceReport:
        plan, source = self.plan, self.plan.source
        picked = samples(self.engine, read)
        tables = [p.name for p in plan.pieces if p.path is None]
        differing = [piece.name for piece in pieces]
        encodings = Counter(filter(None, (reader_of(source.read).encoding(piece, source.read) for piece in pieces)))
        used = set(raw_names(source))
        return SourceReport(
            source=source.name,
            new=tuple(name for name in plan.new if name not in tables or name in differing),
            changed=(*plan.changed, *(n for n in tables if n in differing and n not in (*plan.new, *plan.changed))),
            unchanged=(*plan.unchanged, *(name for name in tables if name not in differing)),
            gone=plan.gone,
            removed=plan.removed,
            unmapped=tuple(name for name in staging.kinds if not _used(name, used)),
            encodings=dict(encodings),
            notes=notes_of(plan, self.seen.empty, encodings),
            tables=tuple(replace(each, samples=_of_table(picked, each)) for each in reports),
        )


def _used(name: str, used: set[str]) -> bool:
    """Whether a raw column is used, by itself or as a part of one that is."""
    return name in used or any(name.startswith(f"{other}.") or other.startswith(f"{name}.") for other in used)


def _of_table(
    picked: Mapping[tuple[str, str], tuple[Rejected, ...]], report: TableReport
) -> dict[str, tuple[Rejected, ...]]:
    return {
        reason: found
        for (table, reason), found in picked.items()
        if table == report.table and reason in report.tally.rejected
    }
