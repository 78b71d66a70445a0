"""`aimwell journey …`: which journeys there are, who is where in them, and moving people to another version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy import func, select

from aimwell.cli.command import group, session_of
from aimwell.cli.console import told
from aimwell.cli.journeys import read_journeys
from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.migrating import migrate as migrate_people
from aimwell.strategy.journeys.migrating import plan_migration
from aimwell.strategy.journeys.running import running_journeys

JOURNEY = group("journey", "Journeys: which there are, who is where, moving people between versions.")
_app = JOURNEY.app

_FINE = Text("{count} 个旅程，没有问题。", "{count} journeys, no problem.")
_MOVED = Text("{people:,} 人已移到第 {number} 版。", "{people:,} people moved to version {number}.")
_ONLY_SHOWN = Text("只是预览；加 --yes 才会移动。", "Only shown; --yes moves them.")
Name = Annotated[str, typer.Argument(help="Name of the journey")]


@_app.command("list")
def list_all(context: typer.Context) -> None:
    """List the journeys: those with a file and those that were applied, with state, version and people."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        definitions = workspace.definitions(Journey)
        with workspace.ledger() as ledger, ledger.reading() as connection:
            running = {each.name: each for each in running_journeys(connection)}
        rows: list[list[object]] = []
        for name in sorted(definitions.keys() | running.keys()):
            title = definitions[name].title.said(language) if name in definitions else None
            one = running.get(name)
            people = one.enrolments if one else {}
            counts = [people.get(state, 0) for state in ("active", "finished", "exited")]
            rows.append([name, title, one.state if one else None, one.version if one else None, *counts])
        columns = ["journey", "label", "state", "version", "active", "finished", "exited"]
        session.json([dict(zip(columns, row, strict=True)) for row in rows])
        session.table(columns, rows)


@_app.command("show")
def show(context: typer.Context, name: Name) -> None:
    """Show the nodes of a journey's file, where each leads, and how many wait there."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        definitions = workspace.definitions(Journey)
        if name not in definitions:
            raise BadQuestion(f"There is no journey {name!r}", expected=f"one of {', '.join(definitions) or '(none)'}")
        with workspace.ledger() as ledger, ledger.reading() as connection:
            counted = select(enrolment.c.node, func.count()).where(
                enrolment.c.journey == name, enrolment.c.state == "active"
            )
            found = connection.execute(counted.group_by(enrolment.c.node)).all()
            waiting: dict[str, int] = {str(node): people for node, people in found}
        rows: list[list[object]] = []
        for node, each in definitions[name].nodes.items():
            leads = ", ".join(f"{port} → {target}" for port, target in each.to.items())
            rows.append([node, each.kind, each.implementation.label.said(language), leads, waiting.get(node, 0)])
        columns = ["node", "kind", "label", "leads to", "people"]
        session.json([dict(zip(columns, row, strict=True)) for row in rows])
        session.table(columns, rows)


@_app.command("check")
def check(context: typer.Context) -> None:
    """Check every journey and list all problems, with file, line and remedy; warn of what is seldom wanted."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        found = read_journeys(workspace)
        session.json({"journeys": sorted(found.definitions), "warnings": list(found.warnings)})
        for warning in found.warnings:
            session.say(str(warning))
        session.say(_FINE.format(count=len(found.definitions)).said(session.speaks(workspace)))


@_app.command("migrate")
def migrate(
    context: typer.Context,
    name: Name,
    from_version: Annotated[int, typer.Argument(help="Number of the version on which people are")],
    to_version: Annotated[int, typer.Argument(help="Number of the version to which they go")],
    node: Annotated[list[str] | None, typer.Option(help="OLD=NEW; by default the node of the same name")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Move them; without it they are only shown")] = False,
) -> None:
    """Show who waits where in a version and where each would go in another; with --yes, move them."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        with workspace.ledger() as ledger:
            with ledger.reading() as connection:
                found = plan_migration(connection, name, from_version, to_version, _node_map(node or []))
            moved = migrate_people(ledger, found, datetime.now(UTC)) if yes else 0
        session.json({"migration": found, "moved": moved})
        rows = [[step.node, step.people, step.target, step.why_not] for step in found.steps]
        session.table(["node", "people", "goes to", "stays because"], rows)
        said = _MOVED.format(people=moved, number=to_version) if yes else _ONLY_SHOWN
        session.say(said.said(language))


def _node_map(pairs: list[str]) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs]
    wrong = [pair for pair, (old, _, new) in zip(pairs, split, strict=True) if not old or not new]
    if wrong:
        raise BadQuestion(f"--node {wrong[0]!r} is no pair", expected="OLD=NEW, such as pause=rest")
    return {old: new for old, _, new in split}
