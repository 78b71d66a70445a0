"""`aimwell source …`: look at unknown files, load what is new, see what was refused."""

from __future__ import annotations

from typing import Annotated

import typer

from aimwell.cli.command import group, session_of
from aimwell.cli.console import Session, told
from aimwell.core.errors import BadQuestion
from aimwell.core.text import Language
from aimwell.store.sources.definition import Source
from aimwell.store.sources.load import load
from aimwell.store.sources.proposing.propose import Proposal, propose
from aimwell.store.sources.rejects import rejects
from aimwell.store.sources.report import LoadReport

SOURCE = group("source", "Files and tables of any shape, mapped to canonical tables by configuration alone.")
_app = SOURCE.app


@_app.command("list")
def list_all(context: typer.Context) -> None:
    """List the sources and the tables that they fill."""
    session = session_of(context)
    with told(session):
        found = session.workspace().definitions(Source)
        session.json([{"name": name, "tables": [each.table for each in one.tables]} for name, one in found.items()])
        session.table(
            ["source", "tables"], [[name, ", ".join(each.table for each in one.tables)] for name, one in found.items()]
        )


@_app.command("check")
def check(
    context: typer.Context,
    path: Annotated[str, typer.Argument(help="File or glob, such as 'invoices/*.csv'")],
    table: Annotated[str | None, typer.Option(help="Canonical table that it is known to be")] = None,
    answer: Annotated[list[str] | None, typer.Option(help="Answer to a question, as name=value")] = None,
    save: Annotated[bool, typer.Option("--save", help="Keep the proposal in sources/")] = False,
) -> None:
    """Propose how unknown files could be loaded, ask what they leave open, and show what would be loaded."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        answers = dict(_pair(each) for each in answer or [])
        found = propose(path, workspace.folder, workspace.settings.timezone, table=table, answers=answers)
        session.json(found)
        _show(session, found, session.speaks(workspace))
        if save:
            place = workspace.place("sources", f"{found.name}.yaml")
            if place.exists():
                raise BadQuestion(f"{place} is there already", remedy="Remove it, or edit it by hand.")
            place.write_text(found.yaml, encoding="utf-8")
            session.say(f"Saved as {place}.")


@_app.command("load")
def load_all(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Names of sources; by default all")] = None,
) -> None:
    """Load what is new or changed, all of it or nothing, and report the books and what looks odd."""
    from aimwell.insight.opening import settle_load  # insight costs seconds that the other verbs do not need
    from aimwell.worker.job import load_progress

    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        with workspace.warehouse() as warehouse, session.progress("load") as progress:
            report = load(workspace, warehouse, names or None, progress=load_progress(progress))
            settle_load(workspace, warehouse, changed=report.changed)
        session.json(report)
        _books(session, report, session.speaks(workspace))


@_app.command("rejects")
def show_rejects(
    context: typer.Context,
    source: Annotated[str | None, typer.Argument(help="Name of a source; by default all")] = None,
    limit: Annotated[int, typer.Option(help="How many rows at most")] = 50,
) -> None:
    """Show refused rows with their reason, file and row number."""
    session = session_of(context)
    with told(session):
        with session.workspace().warehouse() as warehouse:
            found = rejects(warehouse.engine, source=source, limit=limit)
        session.json(found)
        session.table(
            ["source", "table", "reason", "file", "row", "as it was"],
            [[each.source, each.table, each.reason, each.file, each.row_number, each.raw] for each in found],
        )


def _pair(written: str) -> tuple[str, str]:
    name, sign, value = written.partition("=")
    if not sign:
        raise BadQuestion(f"{written!r} is no answer", expected="name=value")
    return name, value


def _show(session: Session, found: Proposal, language: Language) -> None:
    session.say(found.yaml)
    session.say(f"# {found.confidence:.0%}")
    for note in found.notes:
        session.say(f"- {note.said(language)}")
    for question in found.questions:
        default = f" [{question.default}]" if question.default else ""
        session.say(f"? {question.name}: {question.asked.said(language)} ({' / '.join(question.answers)}){default}")
    if found.preview is not None:
        _books(session, found.preview.report, language)


def _books(session: Session, report: LoadReport, language: Language) -> None:
    rows: list[list[object]] = []
    for source in report.sources:
        for table in source.tables:
            tally = table.tally
            why = "; ".join(f"{reason} {count:,}" for reason, count in tally.rejected.items())
            rows.append(
                [
                    source.source,
                    table.table,
                    tally.read,
                    tally.kept,
                    tally.filtered,
                    tally.duplicates,
                    tally.refused,
                    why,
                ]
            )
    session.table(["source", "table", "read", "kept", "filtered", "duplicate", "rejected", "why"], rows)
    if not report.changed:
        session.say("Nothing new: every file had been loaded before, as it is.")
    for quality in report.quality:
        for odd in quality.oddities:
            session.say(f"{quality.table}.{odd.column}: {odd.said.said(language)}")
        for orphan in quality.orphans:
            session.say(f"{quality.table}.{orphan.column}: {orphan.rows:,} rows point to no {orphan.references}")
