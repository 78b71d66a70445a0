"""`aimwell rehearse`: a workspace's journeys on its real customers, a virtual clock and simulated answers."""

from __future__ import annotations

from typing import Annotated

import typer

from aimwell.cli.command import Commands, session_of
from aimwell.cli.console import told
from aimwell.cli.rehearsal import rehearse_aside
from aimwell.cli.summary import journey_lines
from aimwell.core.text import Text
from aimwell.insight.opening import as_of_instant
from aimwell.simulation.shoppers import Shoppers
from aimwell.store.workspace import open_workspace
from aimwell.web.report.journeys import journey_stories

REHEARSING = Commands("rehearsing", typer.Typer(), top_level=True)

_PLAYED = Text(
    "已排演 {days} 天：客户和人群是真实的，联系方式、同意、打开和下单都是模拟的；没有消息发出，真实账本未改动。",
    "{days} days were played: customers and segments are real; addresses, consents, openings and orders are simulated. "
    "Nothing was sent, and the real ledger was not touched.",
)

_UNDECIDED = Text(
    "决策 {names} 还没有做过，因此读取它的旅程里所有人都走“其他”；先运行 `aimwell decide`。",
    "Nothing was decided yet by {names}, so in journeys that read it everybody went the way of the others; run "
    "`aimwell decide` first.",
)


@REHEARSING.app.command("rehearse")
def rehearse(
    context: typer.Context,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Date; by default the end of the data")] = None,
    seed: Annotated[int, typer.Option(help="Other seeds give other answers")] = 0,
) -> None:
    """Play the journeys on the workspace's customers with simulated answers, aside in `rehearsal/`; nothing is sent."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        with workspace.warehouse() as warehouse:
            since = as_of_instant(workspace, warehouse, as_of)
        with session.progress(workspace.settings.name) as progress:
            played = rehearse_aside(workspace, since, shoppers=Shoppers(seed), progress=progress)
        stories = journey_stories(open_workspace(played.folder))
        session.json(
            {
                "folder": played.folder,
                "undecided": played.undecided,
                "journeys": {story.name: story for story in stories},
            }
        )
        session.say(_PLAYED.format(days=(played.until - played.since).days).said(language))
        if played.undecided:
            session.say(_UNDECIDED.format(names=", ".join(played.undecided)).said(language))
        for line in journey_lines(stories, played.folder, language):
            session.say(line)
