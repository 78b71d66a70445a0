"""`aimwell profile` and `aimwell explain`: everyone's tags at one instant, and one customer's page."""

from __future__ import annotations

from typing import Annotated

import typer

from aimwell.cli.command import Commands, session_of
from aimwell.cli.console import told
from aimwell.core.text import Text
from aimwell.insight import profiles
from aimwell.insight.opening import as_of_instant, open_workshop
from aimwell.insight.predictions import Prediction
from aimwell.insight.segments.definition import Segment
from aimwell.store.workspace import Workspace

_BUILT = Text(
    "{customers:,} 位客户，{tags} 个标签，{meanings} 种含义",
    "{customers:,} customers, {tags} tags, {meanings} meanings",
)
_UNAVAILABLE = Text(
    "{families} 类标签缺数据：aimwell tags 说明缺什么。",
    "{families} families of tags lack data: `aimwell tags` says what.",
)

PROFILE = Commands("profile", typer.Typer(), top_level=True)


@PROFILE.app.command("profile")
def profile(
    context: typer.Context,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Date; by default the end of the data")] = None,
) -> None:
    """Build everyone's profile: every tag that the data can carry, as of one instant."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        with open_workshop(workspace) as workshop, session.progress("profile") as progress:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            result = profiles.build(workshop.described(instant), progress=progress)
        session.json(result)
        counts = {"customers": result.customers, "tags": len(result.columns), "meanings": result.meanings}
        session.say(_BUILT.format(**counts).said(language))
        if result.unavailable:
            session.say(_UNAVAILABLE.format(families=len(result.unavailable)).said(language))


@PROFILE.app.command("explain")
def explain(context: typer.Context, customer: Annotated[str, typer.Argument(help="Customer id")]) -> None:
    """Print one customer's page: tags, scores, segments, what happened last."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        with workspace.warehouse() as warehouse:
            amounts = {name for name, one in workspace.definitions(Prediction).items() if one.kind == "how_much"}
            page = profiles.explain(warehouse, customer, labels=_labels(workspace), amounts=amounts)
        session.json(page)
        session.say(profiles.told(page, session.speaks(workspace), workspace.settings.currency))


def _labels(workspace: Workspace) -> dict[str, Text]:
    return {
        name: one.title
        for found in (workspace.definitions(Prediction), workspace.definitions(Segment))
        for name, one in found.items()
    }
