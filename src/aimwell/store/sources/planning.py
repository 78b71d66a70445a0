"""Deciding what a load must read: which files are new, changed, the same or gone, and whether they have the columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from aimwell.core.errors import AimwellError, BadSource
from aimwell.core.problems import Problem
from aimwell.store.sources.definition import Source
from aimwell.store.sources.expression import names_in, parse_expression
from aimwell.store.sources.log import Entry
from aimwell.store.sources.parts import nearest
from aimwell.store.sources.places import content_of, is_there
from aimwell.store.sources.reading import FileRead, Piece, RawColumn, RawKind, Read, reader_of
from aimwell.store.sources.staging import unified

# Raised when the same definition and file would give other rows than before.
_RULES = "1"


class UnreadableSources(BadSource):
    """Some sources cannot be read as they say; nothing was loaded, and every problem is listed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        listed = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in the sources, nothing was loaded:\n{listed}")


@dataclass(frozen=True)
class Plan:
    """What a load does with one source.

    pieces: to be read.   contents: their hashes (tables are known only once they are read).   stale: entries whose rows
    go before.   touched: entries of files that were written again with the same content.   gone: files that were moved
    away: their rows stay.   removed: files that are there, but no longer meant by the source: their rows go.
    """

    source: Source
    mapping: str
    pieces: tuple[Piece, ...] = ()
    contents: Mapping[str, str] = field(default_factory=dict)
    stale: tuple[Entry, ...] = ()
    touched: tuple[Entry, ...] = ()
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Look:
    """What is known of a source's pieces before they are read.

    kinds: the raw columns over all pieces.   renames: for a piece, raw columns that other pieces write in other case.
      empty: pieces that hold nothing at all.
    """

    kinds: dict[str, RawKind]
    renames: Mapping[str, Mapping[str, str]]
    empty: tuple[str, ...] = ()


def plan_load(source: Source, folder: Path, log: Iterable[Entry], default_zone: str) -> Plan:
    """What has to be read of a source, against what was loaded before; reads no rows.

    Raises BadSource when the source names nothing that is there and nothing was ever loaded from it.
    """
    mine = {entry.file: entry for entry in log if entry.source == source.name}
    mapping = mapping_of(source, folder, default_zone)
    remapped = [entry for entry in mine.values() if entry.mapping != mapping]
    restart = source.read.incremental and bool(remapped)
    pieces = _pieces(source, folder, None if restart else _mark(mine.values()), known=bool(mine))
    plan = Plan(source, mapping)
    for piece in pieces:
        plan = _sorted_in(plan, piece, None if restart else mine.get(piece.name))
    if restart:
        return replace(plan, stale=tuple(mine.values()), changed=plan.new, new=())
    plan = _with_absent(plan, {piece.name for piece in pieces}, mine, folder)
    return _with_losers(plan, pieces, mine) if plan.changed or plan.removed else plan


def mapping_of(source: Source, folder: Path, default_zone: str) -> str:
    """A hash of all that decides which rows a file gives: the definition but for names and places, and its lookups."""
    written = source.model_dump(mode="json", exclude={"name", "label", "read"})
    written["read"] = source.read.model_dump(mode="json", exclude={"path", "package", "url_env"})
    written["lookups"] = [_contents(lookup.read, folder) for lookup in source.lookup]
    text = json.dumps([_RULES, default_zone, written], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def look(plan: Plan) -> tuple[Look, list[Problem]]:
    """The columns of what is to be read, and every file that cannot be read or lacks a column."""
    reader = reader_of(plan.source.read)
    needed = list(raw_names(plan.source, optional=False))
    kinds: dict[str, list[RawKind]] = {}
    renames: dict[str, dict[str, str]] = {}
    problems: list[Problem] = []
    empty: list[str] = []
    for piece in plan.pieces:
        try:
            columns = reader.columns(piece, plan.source.read)
        except AimwellError as error:
            problems.append(Problem(f"sources/{plan.source.name}", None, piece.name, str(error)))
            continue
        if not columns:
            empty.append(piece.name)
            continue
        renames[piece.name] = _renames(columns, kinds)
        for column in columns:
            kinds.setdefault(renames[piece.name].get(column.name, column.name), []).append(column.kind)
        if not reader.sparse:
            problems += _lacking(plan.source.name, piece, columns, needed)
    if plan.pieces and len(empty) == len(plan.pieces) and not plan.unchanged and not problems:
        what = "it is empty" if len(empty) == 1 else "they are all empty"
        remedy = "Was the export cut short? Remove the file, or fill it."
        problems.append(Problem(f"sources/{plan.source.name}", None, ", ".join(empty[:3]), what, remedy))
    return Look({name: unified(found) for name, found in kinds.items()}, renames, tuple(empty)), problems


def _pieces(source: Source, folder: Path, mark: str | None, *, known: bool) -> list[Piece]:
    try:
        return reader_of(source.read).pieces(source.read, folder, mark)
    except BadSource:
        if not known:
            raise
        return []  # what was loaded from files that have since been moved away stays


def _sorted_in(plan: Plan, piece: Piece, entry: Entry | None) -> Plan:
    """The plan with one more piece, as new, changed or the same."""
    if piece.path is None:
        name = (piece.name,)
        return replace(plan, pieces=(*plan.pieces, piece), new=plan.new + (name if entry is None else ()))
    if entry is not None and entry.mapping == plan.mapping:
        if (piece.size, piece.modified) == (entry.size, entry.modified):
            return replace(plan, unchanged=(*plan.unchanged, piece.name))
        if content_of(piece.path) == entry.content:
            again = replace(entry, size=piece.size, modified=piece.modified)
            return replace(plan, unchanged=(*plan.unchanged, piece.name), touched=(*plan.touched, again))
    contents = {**plan.contents, piece.name: content_of(piece.path)}
    plan = replace(plan, pieces=(*plan.pieces, piece), contents=contents)
    if entry is None:
        return replace(plan, new=(*plan.new, piece.name))
    return replace(plan, changed=(*plan.changed, piece.name), stale=(*plan.stale, entry))


def _with_absent(plan: Plan, found: Collection[str], mine: Mapping[str, Entry], folder: Path) -> Plan:
    """The plan with the files that the source no longer names: moved away, or left out by a new path."""
    if plan.source.read.incremental:
        return plan
    absent = [entry for name, entry in mine.items() if name not in found]
    left_out = [entry for entry in absent if is_there(entry.file, folder)]
    names = tuple(entry.file for entry in left_out)
    gone = tuple(entry.file for entry in absent if entry.file not in names)
    return replace(plan, gone=gone, removed=names, stale=(*plan.stale, *left_out))


def _with_losers(plan: Plan, pieces: Iterable[Piece], mine: Mapping[str, Entry]) -> Plan:
    """The plan with those files read again of which rows gave way to rows of others: these may have changed."""
    again = [piece for piece in pieces if piece.name in plan.unchanged and mine[piece.name].lost]
    names = {piece.name for piece in again}
    order = {piece.name: place for place, piece in enumerate(pieces)}
    return replace(
        plan,
        pieces=tuple(sorted([*plan.pieces, *again], key=lambda piece: order[piece.name])),
        contents={**plan.contents, **{name: mine[name].content for name in names}},
        stale=(*plan.stale, *(mine[name] for name in sorted(names))),
    )


def _mark(entries: Iterable[Entry]) -> str | None:
    """The watermark that was reached last."""
    marked = [entry for entry in entries if entry.mark is not None]
    return max(marked, key=lambda entry: entry.origin).mark if marked else None


def _contents(read: Read, folder: Path) -> list[str]:
    if not isinstance(read, FileRead):
        return []
    return [content_of(piece.path) for piece in reader_of(read).pieces(read, folder, None) if piece.path]


def raw_names(source: Source, *, optional: bool = True) -> Iterator[str]:
    """The raw columns of its own files that a source uses, with or without those that files may lack."""
    found: list[str] = [mine for lookup in source.lookup for mine in lookup.on]
    for table in source.tables:
        for mapping in table.mappings.values():
            if mapping.optional and not optional:
                continue
            found += [*([mapping.column] if mapping.column else []), *mapping.collect]
            found += names_in(parse_expression(mapping.expression)) if mapping.expression else []
        for expression in [*([table.where] if table.where else []), *table.reject.values()]:
            found += names_in(parse_expression(expression))
    beside = tuple(f"{lookup.name}." for lookup in source.lookup)
    yield from (name for name in dict.fromkeys(found) if not (beside and name.startswith(beside)))


def _lacking(source: str, piece: Piece, columns: Sequence[RawColumn], needed: Iterable[str]) -> Iterator[Problem]:
    names = [column.name for column in columns]
    folded = [name.casefold() for name in names]
    for name in needed:
        if name in names or folded.count(name.casefold()) == 1:
            continue
        remedy = nearest(name, names).strip(" ()")
        if len(names) == 1 and any(sign in names[0] for sign in ",;\t|"):
            remedy = f"the only column is {names[0]!r}: is the delimiter another one?"
        yield Problem(f"sources/{source}", None, piece.name, f"there is no column {name!r}", remedy)


def _renames(columns: Sequence[RawColumn], known: Iterable[str]) -> dict[str, str]:
    own = {column.name for column in columns}
    folded = {name.casefold(): name for name in known}
    found: dict[str, str] = {}
    for name in own:
        other = folded.get(name.casefold())
        if other is not None and other != name and other not in own:
            found[name] = other
    return found
