"""`aimwell source …`: look at unknown files, load what is new, see what was refused."""

from __future__ import annotations

from typing import Annotated

import typer

from aimwell.cli.books import show_books, show_rejects
from aimwell.cli.command import group, session_of
from aimwell.cli.console import Session, told
from aimwell.cli.patterns import one_pattern
from aimwell.core.errors import BadQuestion
from aimwell.core.text import Language, Text
from aimwell.store.sources.definition import Source
from aimwell.store.sources.load import load
from aimwell.store.sources.proposing.propose import Proposal, propose
from aimwell.store.sources.rejects import rejects

SOURCE = group("source", "Files and tables of any shape, mapped to canonical tables by configuration alone.")
_app = SOURCE.app

_SURE = Text("# 把握 {sure:.0%}", "# {sure:.0%} sure")
_ANSWER = Text("回答问题：--answer {name}={answer}", "To answer: --answer {name}={answer}")
_KEEP = Text(
    "加上 --save 保存到 sources/，再运行 aimwell source load。",
    "Add --save to keep this in sources/, then run `aimwell source load`.",
)
_SAVED = Text("已保存：{place}。下一步：aimwell source load。", "Saved as {place}. Next: `aimwell source load`.")
_SAVED_OPEN = Text(
    "已保存：{place}。仍有问题未回答：请在文件中二选一，再运行 aimwell source load。",
    "Saved as {place}. A question is open: choose one of the two lines in the file, then run `aimwell source load`.",
)


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
    paths: Annotated[list[str], typer.Argument(metavar="FILES", help="Files or a pattern, such as 'invoices/*.csv'")],
    table: Annotated[str | None, typer.Option(help="Canonical table that it is known to be")] = None,
    answer: Annotated[list[str] | None, typer.Option(help="Answer to a question, as name=value")] = None,
    save: Annotated[bool, typer.Option("--save", help="Keep the proposal in sources/")] = False,
) -> None:
    """Propose how unknown files could be loaded, ask what they leave open, and show what would be loaded."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        answers = dict(_pair(each) for each in answer or [])
        path = one_pattern(paths, workspace.folder)
        found = propose(path, workspace.folder, workspace.settings.timezone, table=table, answers=answers)
        place = workspace.place("sources", f"{found.name}.yaml")
        if save and place.exists():
            raise BadQuestion(f"{place} is there already", remedy="Remove it, or edit it by hand.")
        if save:
            place.write_text(found.yaml, encoding="utf-8")
        language = session.speaks(workspace)
        session.json(found)
        _show(session, found, language)
        saved = _SAVED if found.definition else _SAVED_OPEN
        session.say((saved if save else _KEEP).format(place=place).said(language))


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
        show_books(session, report, session.speaks(workspace))


@_app.command("rejects")
def list_rejects(
    context: typer.Context,
    source: Annotated[str | None, typer.Argument(help="Name of a source; by default all")] = None,
    limit: Annotated[int, typer.Option(help="How many rows at most")] = 50,
) -> None:
    """Show refused rows with their reason, file and row number."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        if source is not None and source not in workspace.definitions(Source):
            known = ", ".join(workspace.definitions(Source)) or "(none)"
            raise BadQuestion(f"There is no source {source!r}", expected=f"one of {known}")
        with workspace.warehouse() as warehouse:
            found = rejects(warehouse.engine, source=source, limit=limit)
        session.json(found)
        show_rejects(session, found, session.speaks(workspace))


def _pair(written: str) -> tuple[str, str]:
    name, sign, value = written.partition("=")
    if not sign:
        raise BadQuestion(f"{written!r} is no answer", expected="name=value")
    return name, value


def _show(session: Session, found: Proposal, language: Language) -> None:
    session.say(_SURE.format(sure=found.confidence).said(language))
    session.say(found.yaml)
    for note in found.notes:
        session.say(f"- {note.said(language)}")
    for question in found.questions:
        answers = " / ".join(f"{name} ({said.said(language)})" for name, said in question.answers.items())
        default = f" [{question.default}]" if question.default else ""
        session.say(f"? {question.asked.said(language)} {answers}{default}")
        other = next((name for name in question.answers if name != question.default), None)
        if other is not None:
            session.say(f"  {_ANSWER.format(name=question.name, answer=other).said(language)}")
    if found.preview is not None:
        show_books(session, found.preview.report, language)
