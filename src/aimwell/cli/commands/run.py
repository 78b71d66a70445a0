"""`aimwell run` and `aimwell demo`: the whole job over a workspace, ending in a report and lists of whom to contact."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from aimwell.cli.command import Commands, session_of
from aimwell.cli.console import FAILED, Session, told
from aimwell.cli.definition_kinds import check_all
from aimwell.cli.examples import example_folder
from aimwell.cli.recommended import in_report
from aimwell.cli.reporting import run_and_report
from aimwell.cli.summary import effect_lines, journey_lines, strategy_lines, summary_lines
from aimwell.core.text import Text
from aimwell.store.workspace import SETTINGS_FILE, Workspace, open_workspace

RUN = Commands("run", typer.Typer(), top_level=True)

_OPEN = Text(
    "用浏览器打开报告，右上角切换中英文。",
    "Open the report in a browser; the button on the top right switches languages.",
)


@RUN.app.command("run")
def run(
    context: typer.Context,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Date; by default the end of the data")] = None,
) -> None:
    """Load, tag, score and segment everybody; leave a report and lists of whom to contact in `out/`."""
    session = session_of(context)
    with told(session):
        _run(session, session.workspace(), as_of, rehearsal=False)


@RUN.app.command("demo")
def demo(
    context: typer.Context,
    folder: Annotated[Path, typer.Option(help="Where the workspace is made")] = Path("demo"),
) -> None:
    """Build the Complete Journey workspace, run the whole job on real customers, and rehearse its journey on them."""
    session = session_of(context)
    with told(session):
        if not (folder / SETTINGS_FILE).exists():
            shutil.copytree(example_folder("complete_journey"), folder, dirs_exist_ok=True)
        _run(session, open_workspace(folder), None, rehearsal=True)


def _run(session: Session, workspace: Workspace, as_of: str | None, *, rehearsal: bool) -> None:
    language = session.speaks(workspace)
    check_all(workspace)  # every mistake is told before any work is done
    in_report(workspace)
    with session.progress(workspace.settings.name) as progress:
        left = run_and_report(workspace, as_of=as_of, language=language, rehearsal=rehearsal, progress=progress)
    session.json(
        {
            "as_of": left.results.as_of,
            "report": left.report,
            "lists": left.lists,
            "seconds": left.results.seconds,
            "predictions": {name: trained.backtest for name, trained in left.results.predictions.items()},
            "effects": {
                "refits": left.results.effects.refits,
                "scorings": left.results.effects.scorings,
                "waiting": left.results.effects.waiting,
            },
            "segments": left.results.segments,
            "decisions": {name: story.plan for name, story in left.strategies.plans.items()},
            "recommenders": {name: story.judged for name, story in left.strategies.lists.items()},
            "failures": left.failures,
            "journeys": {story.name: story for story in left.journeys},
        }
    )
    currency = workspace.settings.currency
    for line in summary_lines(left.results, left.titles, currency, language, left.lists, left.report):
        session.say(line)
    for line in effect_lines(left.effects, currency, language):
        session.say(line)
    for line in strategy_lines(left.strategies, language):
        session.say(line)
    session.say(_OPEN.said(language))
    for line in journey_lines(left.journeys, workspace.folder, language):
        session.say(line)
    if left.failures:
        raise typer.Exit(FAILED)  # whoever schedules runs is told; what succeeded is kept
