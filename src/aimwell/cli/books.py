"""The books of a load and the rows that it refused, as a person reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aimwell.cli.console import Session
from aimwell.core.text import Language, Text
from aimwell.store.sources.rejects import Rejected
from aimwell.store.sources.report import LoadReport

_REFUSED = Text("{source} → {table}：拒收 {why}", "{source} → {table}: refused {why}")
_NOTHING_NEW = Text(
    "没有新内容：所有文件都已按现状导入过。", "Nothing new: every file had been loaded before, as it is."
)
_NO_ROWS = Text("没有可收下的行：各表与之前相同。", "No row could be kept: the tables are what they were before.")
_NO_SOURCES = Text(
    "还没有数据来源：用 aimwell source check 文件 --save 建一个。",
    "There are no sources yet: `aimwell source check FILES --save` makes one.",
)
_ORPHANS = Text(
    "{table}.{column}：{rows:,} 行在 {references} 中找不到", "{table}.{column}: {rows:,} rows point to no {references}"
)
_NONE_REFUSED = Text("没有被拒收的行。", "No row was refused.")


def show_books(session: Session, report: LoadReport, language: Language) -> None:
    """Where every row went, why rows were refused, and what looks odd."""
    if not report.sources:
        session.say(_NO_SOURCES.said(language))
        return
    rows: list[list[object]] = []
    refused: list[str] = []
    for source in report.sources:
        for table in source.tables:
            tally = table.tally
            books = [tally.read, tally.kept, tally.filtered, tally.duplicates, tally.refused]
            rows.append([source.source, table.table, *books])
            if tally.rejected:
                why = ", ".join(f"{reason} {count:,}" for reason, count in tally.rejected.items())
                said = _REFUSED.format(source=source.source, table=table.table, why=why)
                refused.append(said.said(language))
    if rows:
        session.table(["source", "table", "read", "kept", "filtered", "duplicate", "rejected"], rows)
    for line in refused:
        session.say(line)
    if not report.changed:
        read = any(source.new or source.changed for source in report.sources)
        session.say((_NO_ROWS if read else _NOTHING_NEW).said(language))
    for source in report.sources:
        for note in source.notes:
            session.say(f"{source.source}: {note.said(language)}")
    _show_quality(session, report, language)


def show_rejects(session: Session, found: Sequence[Rejected], language: Language) -> None:
    """Each refused row on two lines: where it stood and why, then what it held."""
    if not found:
        session.say(_NONE_REFUSED.said(language))
    for each in found:
        session.say(f"{each.file}:{each.row_number}  {each.source} → {each.table}: {each.reason}")
        session.say(f"    {_told(each.raw)}")


def _show_quality(session: Session, report: LoadReport, language: Language) -> None:
    for quality in report.quality:
        for odd in quality.oddities:
            session.say(f"{quality.table}: {odd.said.said(language)}")
        for orphan in quality.orphans:
            said = _ORPHANS.format(
                table=quality.table, column=orphan.column, rows=orphan.rows, references=orphan.references
            )
            session.say(said.said(language))


def _told(raw: str) -> str:
    """A row as it was read, in short."""
    try:
        row = json.loads(raw)
    except ValueError:  # a line that could not even be split into cells
        return raw
    return ", ".join(f"{name}={value}" for name, value in row.items()) if isinstance(row, dict) else raw
