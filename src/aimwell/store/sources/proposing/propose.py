"""Proposes how to load a file that nobody has described: a source to read and complete, and what it would load."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

from aimwell.core.definitions import NAME_PATTERN, parse_definitions
from aimwell.core.errors import BadQuestion, BadSource
from aimwell.core.tables import TABLES
from aimwell.core.text import Text
from aimwell.store.sources.checks import RESERVED
from aimwell.store.sources.definition import Source
from aimwell.store.sources.parts import nearest
from aimwell.store.sources.preview import Preview, preview
from aimwell.store.sources.proposing.matching import Match, best_match, match, order_of, quoted, unit_price
from aimwell.store.sources.proposing.questions import (
    DAY_FIRST,
    LEAVE_OUT,
    Question,
    questions,
    wordy_codes,
)
from aimwell.store.sources.proposing.sniffing import Sniffed, sniff
from aimwell.store.sources.proposing.values import Guess, guess
from aimwell.store.sources.proposing.writing import Draft, Mapped, write_yaml

_BESIDE = ("product", "customer")
_NOT_BESIDE = {"price", "margin", "created_at", "known_at", "source"}


@dataclass(frozen=True)
class Proposal:
    """A proposed source: its YAML, how sure it is (0 to 1), what to ask, and what it would load.

    definition and preview are None as long as a question without a default is open.
    """

    name: str
    yaml: str
    confidence: float
    questions: tuple[Question, ...]
    notes: tuple[Text, ...]
    definition: Source | None
    preview: Preview | None


def propose(
    path: str,
    folder: Path,
    zone: str,
    *,
    table: str | None = None,
    answers: Mapping[str, str] | None = None,
    at: datetime | None = None,
) -> Proposal:
    """How the files of a path or glob could be loaded, judged by their names, columns and values.

    folder: the workspace, from which the path counts.   zone: timezone of naive times.   table: the canonical table
    that it is known to be.   answers: to questions of an earlier proposal, by their names.
    What the values leave open (03/04/2024, or 1,234) is asked, never guessed. Raises BadSource when the files cannot be
    read or resemble no canonical table, BadQuestion for answers to nothing.
    """
    sniffed = sniff(path, folder)
    guesses = {name: guess(kind, sniffed.values(name)) for name, kind in sniffed.columns.items()}
    chosen = _chosen(path, guesses, table, len(sniffed.rows))
    asked = questions(sniffed, guesses, chosen)
    given = _given(asked, answers or {})
    drafts = _drafts(sniffed, guesses, chosen, given)
    read = {"path": path, **_read_options(sniffed, guesses, given)}
    if sniffed.read.format != "csv" or not path.lower().endswith((".csv", ".tsv", ".txt", ".csv.gz")):
        read = {"format": sniffed.read.format, **read}
    text = write_yaml(read, drafts)
    name = _name(path)
    open_ones = [question for question in asked if question.name not in given]
    definition = None if open_ones else parse_definitions(text, f"sources/{name}.yaml", Source, name=name)[0]
    tried = preview(definition, folder, zone, at=at) if definition else None
    sure = _confidence(chosen, sniffed, len(open_ones))
    return Proposal(name, text, sure, tuple(asked), _notes(sniffed, guesses, chosen, drafts, zone), definition, tried)


def _chosen(path: str, guesses: Mapping[str, Guess], table: str | None, rows: int) -> Match:
    if table is not None:
        if table not in TABLES:
            raise BadQuestion(f"There is no canonical table {table!r}{nearest(table, TABLES)}")
        return match(TABLES[table], guesses, rows=rows)
    found = best_match(path, guesses, rows=rows)
    if not found or found[0].missing:
        lacking = f"; nearest is {found[0].table.name}, without {', '.join(found[0].missing)}" if found else ""
        raise BadSource(
            f"{path} resembles no canonical table{lacking}",
            seen=f"the columns {', '.join(guesses)}",
            remedy="Say which table it is, or write the source by hand.",
        )
    return found[0]


def _given(asked: Sequence[Question], answers: Mapping[str, str]) -> dict[str, str]:
    """The answers, those by default included; raises BadQuestion for one that does not fit."""
    by_name = {question.name: question for question in asked}
    for name, answer in answers.items():
        if name not in by_name:
            raise BadQuestion(f"Nothing was asked under {name!r}{nearest(name, by_name)}")
        if answer not in by_name[name].answers:
            raise BadQuestion(f"{answer!r} does not answer {name!r}{nearest(answer, by_name[name].answers)}")
    defaults = {question.name: question.default for question in asked if question.default is not None}
    return {**defaults, **answers}


def _drafts(sniffed: Sniffed, guesses: Mapping[str, Guess], chosen: Match, given: Mapping[str, str]) -> list[Draft]:
    first = Draft(chosen.table.name)
    for name in order_of({*chosen.columns, *chosen.made}, chosen.table):
        if name in chosen.columns:
            first.columns[name] = _choices(chosen, name, sniffed, guesses, given)
        else:
            first.put(name, {"expression": chosen.made[name]})
    drafts = [first]
    if chosen.table.name == "purchase":
        _number_lines(first, chosen, sniffed)
        first.columns = {name: first.columns[name] for name in order_of(first.columns, chosen.table)}
        drafts += [draft for name in _BESIDE if (draft := _beside(name, first, chosen, guesses, sniffed))]
        if given.get("codes") == LEAVE_OUT:
            _leave_out(wordy_codes(sniffed, chosen.columns["product_id"]), chosen.columns["product_id"], drafts)
    elif chosen.table.name in _BESIDE:
        first.attributes = _attributes(chosen, guesses)
        first.deduplicate = {"keep": "last"} if sniffed.files > 1 and "known_at" not in chosen.columns else None
    return drafts


def _leave_out(codes: Sequence[str], raw: str, drafts: Sequence[Draft]) -> None:
    listed = ", ".join("'" + code.replace("'", "''") + "'" for code in codes)
    for draft in drafts:
        if draft.table in {"purchase", "product"}:
            without = f"{quoted(raw)} NOT IN ({listed})"
            draft.where = f"{draft.where} AND {without}" if draft.where else without


def _choices(
    chosen: Match, name: str, sniffed: Sniffed, guesses: Mapping[str, Guess], given: Mapping[str, str]
) -> list[tuple[Mapped, str]]:
    """The mapping of a column; two of them while day or month first is open."""
    raw = chosen.columns[name]
    seen = guesses[raw]
    column = chosen.table.column(name)
    kind = column.kind if column else "text"
    if kind in {"instant", "day"}:
        if seen.either is not None:
            answer = given.get(f"date:{raw}")
            if answer is None:
                words = ("day first", "month first")
                return [(_dated(raw, formats), word) for formats, word in zip(seen.either, words, strict=True)]
            return [(_dated(raw, seen.either[0 if answer == DAY_FIRST else 1]), "")]
        return [(_dated(raw, seen.formats or seen.clock), "")]
    if kind == "text" and seen.pointed and sniffed.columns[raw] == "text":
        return [({"expression": f"regexp_replace({quoted(raw)}, '[.]0$', '')"}, "")]
    return [(raw, "")]


def _dated(raw: str, formats: Sequence[str]) -> Mapped:
    if not formats:
        return raw
    return {"column": raw, "format": formats[0] if len(formats) == 1 else list(formats)}


def _number_lines(first: Draft, chosen: Match, sniffed: Sniffed) -> None:
    """Number the lines of orders that have several, where the file does not."""
    raw = chosen.columns.get("order_id")
    if "line" in first.columns or (raw is not None and len(set(map(str, sniffed.values(raw)))) == len(sniffed.rows)):
        return
    parts = [quoted(raw)] if raw else [quoted(chosen.columns[name]) for name in ("customer_id", "occurred_at")]
    first.columns["line"] = [({"expression": f"cast(nth({', '.join(parts)}) AS text)"}, "")]


def _beside(name: str, first: Draft, chosen: Match, guesses: Mapping[str, Guess], sniffed: Sniffed) -> Draft | None:
    """Products or customers that stand in the same file, if it says anything about them; rows without id are not."""
    rows = len(sniffed.rows)
    key = TABLES[name].key[0]
    if key not in first.columns or key in chosen.made:
        return None
    price = unit_price(guesses, chosen.columns.values())
    found = match(TABLES[name], guesses, rows=rows, taken=[*chosen.columns.values(), *([price] if price else [])])
    more = {column: raw for column, raw in found.columns.items() if column not in {key, *_NOT_BESIDE}}
    more = {
        column: raw for column, raw in more.items() if found.table.column(column) and guesses[raw].meaning == "text"
    }
    if not more:
        return None
    draft = Draft(name, {key: first.columns[key]})
    if name == "customer":
        draft.columns["created_at"] = first.columns["occurred_at"]
    for column in order_of(more, found.table):
        draft.put(column, more[column])
    draft.deduplicate = {"keep": "first", "by": "created_at"} if name == "customer" else {"keep": "last"}
    raw = chosen.columns[key]
    if len(sniffed.values(raw)) < rows:
        draft.where = f"{quoted(raw)} IS NOT NULL"
    return draft


def _attributes(chosen: Match, guesses: Mapping[str, Guess]) -> dict[str, Mapped]:
    """What else a file says about customers or products, under its own names."""
    found: dict[str, Mapped] = {}
    for raw, seen in guesses.items():
        name = re.sub(r"[^a-z0-9]+", "_", raw.lower()).strip("_")
        free = re.fullmatch(NAME_PATTERN, name) and name not in RESERVED and not chosen.table.column(name)
        if raw in chosen.columns.values() or not free or name in found or seen.either:
            continue
        plain = seen.meaning in {"number", "integer", "boolean"} and not seen.pointed
        kind = seen.meaning if plain else None
        found[name] = {"column": raw, "cast": kind} if kind else raw
    return found


def _read_options(sniffed: Sniffed, guesses: Mapping[str, Guess], given: Mapping[str, str]) -> dict[str, object]:
    options = dict(sniffed.options)
    told = {seen.decimal for seen in guesses.values() if seen.meaning == "number"}
    if given.get("decimal") == "," or "," in told:
        options |= {"decimal": ",", "thousands": "."}
    return options


def _notes(
    sniffed: Sniffed, guesses: Mapping[str, Guess], chosen: Match, drafts: Sequence[Draft], zone: str
) -> tuple[Text, ...]:
    notes: list[Text] = []
    if any(guesses[raw].meaning == "instant" for raw in chosen.columns.values()):
        said = Text("没有时区的时间按 {zone} 读取", "Times without an offset are read as {zone}")
        notes.append(said.format(zone=zone))
    if not sniffed.certain:
        said = Text("编码看起来是 {codec},请确认", "The encoding looks like {codec}: please check")
        notes.append(said.format(codec=sniffed.encoding))
    mapped = [str(choice) for draft in drafts for choices in draft.columns.values() for choice in choices]
    mapped += [str(each) for draft in drafts for each in draft.attributes.values()]
    unused = [raw for raw in guesses if not any(raw in each or raw.split(".")[0] in each for each in mapped)]
    if unused:
        notes.append(Text("未使用的列:{names}", "Columns not used: {names}").format(names=", ".join(unused)))
    for name in chosen.table.required:
        raw = chosen.columns.get(name)
        blank = len(sniffed.rows) - len(sniffed.values(raw)) if raw else 0
        if blank:
            said = Text(
                "{raw} 有 {share:.1%} 为空,将被拒绝", "{raw} is blank in {share:.1%} of the rows: they will be refused"
            )
            notes.append(said.format(raw=raw, share=blank / len(sniffed.rows)))
    quantity = chosen.columns.get("quantity")
    if quantity and guesses[quantity].negative:
        said = Text("{raw} 有负数,视为退货", "{raw} has negative values: they count as returns")
        notes.append(said.format(raw=quantity))
    return tuple(notes)


def _confidence(chosen: Match, sniffed: Sniffed, still_open: int) -> float:
    certain = 1.0 if sniffed.certain else 0.95
    return round(chosen.score * certain * 0.8**still_open, 2)


def _name(path: str) -> str:
    """A name for the source, from the path: its file, or its folder when the file is a pattern."""
    pure = PurePath(path)
    base = pure.name.split(".")[0]
    if any(sign in base for sign in "*?[") and not re.search(r"[a-z]{2}", base.lower()):
        base = pure.parent.name
    name = re.sub(r"[^a-z0-9]+", "_", base.lower()).strip("_")
    return name if re.fullmatch(NAME_PATTERN, name) else f"source_{name}".rstrip("_")
