"""`aimwell clustering …`: find groups of alike customers, look at them, keep them up to date."""

from __future__ import annotations

from typing import Annotated

import typer

from aimwell.cli.command import group, session_of
from aimwell.cli.console import Session, told
from aimwell.core.errors import BadQuestion
from aimwell.core.text import Language
from aimwell.insight import clusterings
from aimwell.insight.clusterings import Clustering, ClusteringResult
from aimwell.insight.opening import as_of_instant, open_workshop
from aimwell.store.workspace import Workspace

CLUSTERING = group("clustering", "Groups of alike customers, with names in words and honest stability.")
_app = CLUSTERING.app

Name = Annotated[str, typer.Argument(help="Name of the clustering")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Date or instant; by default the end of the data")]


def _known(workspace: Workspace, name: str) -> Clustering:
    found = workspace.definitions(Clustering)
    if name not in found:
        raise BadQuestion(f"There is no clustering {name!r}", expected=f"one of {', '.join(found) or '(none)'}")
    return found[name]


@_app.command("fit")
def fit(
    context: typer.Context,
    name: Name,
    as_of: AsOf = None,
    look: Annotated[bool, typer.Option("--look", help="Only look: keep nothing")] = False,
) -> None:
    """Find the groups, name them, judge their stability and worth, and put them into use."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        definition = _known(workspace, name)
        with open_workshop(workspace) as workshop, session.progress(name) as progress:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            if look:
                result = clusterings.propose(definition, workshop, instant, progress=progress).result
            else:
                result = clusterings.fit(definition, workshop, instant, progress=progress)
        session.json(result)
        _show(session, result, session.speaks(workspace))


@_app.command("show")
def show(context: typer.Context, name: Name) -> None:
    """Show the groups in use."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        _known(workspace, name)
        version = clusterings.current(workspace.folder, name)
        if version is None:
            raise BadQuestion(f"{name!r} has not been fitted", remedy=f"Run `aimwell clustering fit {name}`.")
        session.as_json = True
        session.json(clusterings.read_result(workspace.folder, name, version))


@_app.command("assign")
def assign(context: typer.Context, name: Name, as_of: AsOf = None) -> None:
    """Place everyone as of an instant into the groups in use, new customers too."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        _known(workspace, name)
        with open_workshop(workspace) as workshop:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            result = clusterings.refresh(name, workshop, instant)
        session.json(result)
        session.say(f"Everyone as of {instant:%Y-%m-%d} is placed.")


def _show(session: Session, result: ClusteringResult, language: Language) -> None:
    session.table(
        ["group", "name", "people", "share", "stability", "worth"],
        [
            [
                each.segment,
                each.name.said(language),
                each.people,
                round(each.share, 3),
                each.verdict_text.said(language),
                each.value.value if each.value else None,
            ]
            for each in result.groups
        ],
    )
    for note in result.notes:
        session.say(f"- {note.said(language)}")
