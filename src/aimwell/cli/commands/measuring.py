"""`aimwell funnel`: how far people came in a journey, what became of its messages, and what it changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Annotated

import typer

from aimwell.cli.command import Commands, session_of
from aimwell.cli.console import Session, told
from aimwell.core.errors import Unavailable
from aimwell.core.text import Language, Text
from aimwell.delivery.opening import channels_of
from aimwell.evaluation.journeys.funnel import STEPS, Funnel, NodeFunnel
from aimwell.store.warehouse.engine import Engine
from aimwell.store.workspace import Workspace
from aimwell.web.report.journeys import tell_journey
from aimwell.web.report.sections.effects import effect, money_effect
from aimwell.web.report.sections.journeys import JourneyStory

_FUNNEL = Text(
    "{journey}（{state}）：进入 {entered:,}，其中留出 {held_out:,}；"
    "进行中 {active:,}，完成 {finished:,}，退出 {exited:,}",
    "{journey} ({state}): {entered:,} entered, {held_out:,} of them held out; {active:,} on the way, "
    "{finished:,} finished, {exited:,} left",
)
_SIMULATED = Text(
    "模拟的回应：没有任何消息离开这台机器，效果由模拟设定。",
    "Simulated answers: no message left this machine, and the effect was put into the simulation.",
)
_MESSAGES = Text("各节点的消息", "Messages by node")
_SILENT = Text("—：该渠道无从得知。", "—: the channel cannot tell.")
_TOLD_BY_CHANNELS = {"delivered", "opened", "clicked", "joined", "shared"}

MEASURING = Commands("measuring", typer.Typer(), top_level=True)


@MEASURING.app.command("funnel")
def funnel(context: typer.Context, journey: Annotated[str, typer.Argument(help="Name of the journey")]) -> None:
    """Show how far people came in a journey and in each node that sends, and what it changed against its hold-out."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        with workspace.ledger() as ledger, _readable(workspace) as engine:
            story = tell_journey(ledger, journey, engine, currency=workspace.settings.currency)
        session.json(_plain(story))
        _tell(session, workspace, story)


@contextmanager
def _readable(workspace: Workspace) -> Iterator[Engine | None]:
    """The warehouse to read purchases from; None where there is none yet, or while a running worker holds it."""
    with ExitStack() as opened:
        engine: Engine | None = None
        if (workspace.folder / workspace.settings.warehouse.path).exists():
            try:
                engine = opened.enter_context(workspace.warehouse()).engine
            except Unavailable:  # the funnel is live all the same, and says that money is not compared
                engine = None
        yield engine


def _tell(session: Session, workspace: Workspace, story: JourneyStory) -> None:
    language, found = session.speaks(workspace), story.funnel
    if story.simulated:
        session.say(_SIMULATED.said(language))
    counts = {"entered": found.entered, "active": found.active, "finished": found.finished, "held_out": story.held_out}
    left = sum(people for reason, people in found.exited.items() if reason != "held_out")
    session.say(_FUNNEL.format(journey=found.journey, state=found.state, exited=left, **counts).said(language))
    session.table(["step", "people"], [[STEPS[step].said(language), people] for step, people in found.steps.items()])
    signals = {name: channel.abilities.signals for name, channel in channels_of(workspace).items()}
    _tell_nodes(session, found, signals, language)
    session.say(effect(story.lift).said(language))
    session.say(money_effect(story.lift, story.currency).said(language))


def _tell_nodes(session: Session, found: Funnel, signals: Mapping[str, frozenset[str]], language: Language) -> None:
    """What became of the messages of each node on each channel."""
    if not found.nodes:
        return
    rows = [[node.node, node.channel, *_counts(node, signals.get(node.channel))] for node in found.nodes]
    columns = ["node", "channel", *(STEPS[step].said(language) for step in STEPS)]
    session.table(columns, rows, title=_MESSAGES.said(language))
    if any("—" in row for row in rows):
        session.say(_SILENT.said(language))


def _counts(node: NodeFunnel, told: frozenset[str] | None) -> list[object]:
    """Messages by step; a dash where nothing came and the channel could not have told."""
    return [
        "—" if not count and told is not None and step in _TOLD_BY_CHANNELS - told else count
        for step, count in node.steps.items()
    ]


def _plain(story: JourneyStory) -> dict[str, object]:
    found, lift = story.funnel, story.lift
    return {
        "journey": found.journey,
        "state": found.state,
        "simulated": story.simulated,
        "entered": found.entered,
        "held_out": story.held_out,
        "active": found.active,
        "finished": found.finished,
        "exited": found.exited,
        "steps": found.steps,
        "places": found.places,
        "nodes": found.nodes,
        "spent": found.spent,
        "lift": lift,
        "proven": {"goal": lift is not None and lift.proven, "money": lift is not None and lift.money_proven},
        "said": {"goal": effect(lift), "money": money_effect(lift, story.currency)},
    }
