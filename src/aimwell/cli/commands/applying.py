"""`aimwell plan`, `apply`, `pause`, `resume` and `stop`: what journeys would do, and doing it."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from aimwell.cli.command import Commands, session_of
from aimwell.cli.console import Session, told
from aimwell.cli.journeys import Journeys, read_journeys
from aimwell.core.errors import BadQuestion
from aimwell.core.text import Language, Text
from aimwell.store.workspace import Workspace
from aimwell.strategy.journeys.lock import read_lock, write_lock
from aimwell.strategy.journeys.planning import Change, JourneyPlan, Plan, apply_plan, plan_journeys
from aimwell.strategy.journeys.running import pause as pause_journey
from aimwell.strategy.journeys.running import resume as resume_journey
from aimwell.strategy.journeys.running import stop as stop_journey

_STATUS = {
    "added": Text("新增", "new"),
    "changed": Text("有改动", "changed"),
    "same": Text("无改动", "same"),
    "removed": Text("文件已删除，仍在运行；要结束请用 aimwell stop", "no file, still running; `aimwell stop` ends it"),
    "stopped": Text("已停止，不再应用", "stopped, and not applied again"),
}
_NOTHING = Text("没有可应用的改动。", "Nothing to apply.")
_STAY = Text(
    "{people:,} 人在途，留在第 {number} 版：{nodes}", "{people:,} on the way stay on version {number}: {nodes}"
)
_EFFECT = Text(
    "应用后立即进入 {lets_in:,} 人；每人最多 {messages} 条消息；他们最多花费 {cost}",
    "lets in {lets_in:,} people at once; at most {messages} messages each; at most {cost} for them",
)
_UNBOUNDED = Text("不限（循环中发送）", "any number of (it sends in a loop)")
_MOVED_ON = Text(
    "账本已在文件所依据的版本之后改变。账本的改动：", "The ledger has moved on since this file was written. It changed:"
)
_OURS = Text("文件的改动：", "The file changed:")
_APPLIED = Text("已应用：{names}", "Applied: {names}")
_WARNINGS = Text("允许，但通常不是本意：", "Allowed, but seldom meant:")
_ASK = Text("应用这些改动？", "Apply these changes?")
_PAUSED = Text("{name} 已暂停：无人移动，消息等待。", "{name} is paused: nobody moves, messages wait.")
_RESUMED = Text("{name} 已继续。", "{name} goes on.")
_STOPPED = Text("{name} 已停止：{people:,} 人退出。", "{name} has stopped: {people:,} people left it.")
_ASK_STOP = Text("停止后不能恢复。停止 {name}？", "What is stopped stays stopped. Stop {name}?")

APPLYING = Commands("applying", typer.Typer(), top_level=True)
Name = Annotated[str, typer.Argument(help="Name of the journey")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking")]


@APPLYING.app.command("plan")
def plan(context: typer.Context) -> None:
    """Show what applying the files would change: who is affected, what it would send and cost at most."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        journeys = read_journeys(workspace)
        found = _plan(workspace, journeys)
        session.json({"journeys": found.journeys, "warnings": list(journeys.warnings)})
        _show(session, workspace, found)
        _warn(session, workspace, journeys)


@APPLYING.app.command("apply")
def apply(
    context: typer.Context,
    yes: Yes = False,
    over: Annotated[
        list[str] | None, typer.Option(help="Replace this journey although the ledger has moved on; may be repeated")
    ] = None,
) -> None:
    """Make the files the versions that new enrolments get; those on the way stay on theirs."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        journeys = read_journeys(workspace)
        shown = _plan(workspace, journeys)
        _show(session, workspace, shown)
        if not shown.empty:
            _warn(session, workspace, journeys)
            _confirm(session, _ASK.said(language), yes=yes)
        with workspace.ledger() as ledger, ledger.writing() as connection:
            lock = read_lock(workspace.folder)
            planned = plan_journeys(
                connection, journeys.definitions, lock, contents=journeys.contents, costs=journeys.costs
            )
            _still(shown, planned)
            applied = apply_plan(
                connection,
                planned,
                journeys.definitions,
                datetime.now(UTC),
                getpass.getuser(),
                contents=journeys.contents,
                over=over or (),
            )
        write_lock(workspace.folder, {**lock, **applied})
        session.json({"applied": {name: base.number for name, base in applied.items()}})
        if not shown.empty:
            names = ", ".join(f"{name} {base.number}" for name, base in applied.items())
            session.say(_APPLIED.format(names=names).said(language))


@APPLYING.app.command("pause")
def pause(context: typer.Context, name: Name) -> None:
    """Pause a journey: nobody moves or comes in, and its messages wait, until it is resumed."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        with workspace.ledger() as ledger, ledger.writing() as connection:
            changed = pause_journey(connection, name, datetime.now(UTC))
        session.json({"journey": name, "state": "paused", "changed": changed})
        session.say(_PAUSED.format(name=name).said(session.speaks(workspace)))


@APPLYING.app.command("resume")
def resume(context: typer.Context, name: Name) -> None:
    """Let a paused journey go on from where everybody is."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        with workspace.ledger() as ledger, ledger.writing() as connection:
            changed = resume_journey(connection, name, datetime.now(UTC))
        session.json({"journey": name, "state": "running", "changed": changed})
        session.say(_RESUMED.format(name=name).said(session.speaks(workspace)))


@APPLYING.app.command("stop")
def stop(context: typer.Context, name: Name, yes: Yes = False) -> None:
    """End a journey for good: everyone on the way leaves it, and messages that wait are not sent."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        _confirm(session, _ASK_STOP.format(name=name).said(language), yes=yes)
        with workspace.ledger() as ledger:
            people = stop_journey(ledger, name, datetime.now(UTC))
        session.json({"journey": name, "state": "stopped", "people": people})
        session.say(_STOPPED.format(name=name, people=people).said(language))


def _plan(workspace: Workspace, journeys: Journeys) -> Plan:
    with workspace.ledger() as ledger, ledger.reading() as connection:
        return plan_journeys(
            connection,
            journeys.definitions,
            read_lock(workspace.folder),
            contents=journeys.contents,
            costs=journeys.costs,
        )


def _confirm(session: Session, question: str, *, yes: bool) -> None:
    if yes:
        return
    if session.as_json or session.quiet or not typer.confirm(question):
        raise BadQuestion("Nothing was done, for it was not confirmed", remedy="Repeat it with --yes.")


def _still(shown: Plan, planned: Plan) -> None:
    """What was shown is what is done; people who moved on meanwhile make no difference."""
    if [(each.name, each.status, each.changes) for each in shown.journeys] != [
        (each.name, each.status, each.changes) for each in planned.journeys
    ]:
        raise BadQuestion("Somebody applied something in between", remedy="Run `aimwell plan` again.")


def _show(session: Session, workspace: Workspace, found: Plan) -> None:
    language = session.speaks(workspace)
    for each in found.journeys:
        session.say(f"{each.name}: {_STATUS[each.status].said(language)}")
        if each.status != "added":  # of what is new the file says it all
            _show_changes(session, each.changes)
        if each.moved_on:
            session.say(f"  {_MOVED_ON.said(language)}")
            _show_changes(session, each.theirs)
            session.say(f"  {_OURS.said(language)}")
            _show_changes(session, each.ours)
        if each.status in {"added", "changed"}:
            _show_effect(session, each, language, workspace.settings.currency)
    if found.empty:
        session.say(_NOTHING.said(language))


def _warn(session: Session, workspace: Workspace, journeys: Journeys) -> None:
    """What is allowed but seldom wanted; nothing is refused for it."""
    if journeys.warnings:
        session.say(_WARNINGS.said(session.speaks(workspace)))
    for warning in journeys.warnings:
        session.say(f"  {warning}")


def _show_changes(session: Session, changes: tuple[Change, ...]) -> None:
    for change in changes:
        session.say(f"    {change.place}: {change.before or '—'} → {change.after or '—'}")


def _show_effect(session: Session, each: JourneyPlan, language: Language, currency: str) -> None:
    unbounded = _UNBOUNDED.said(language)
    cost = unbounded if each.cost is None else f"{each.cost / 1_000_000:,.2f} {currency}"
    messages = unbounded if each.messages is None else each.messages
    session.say(f"  {_EFFECT.format(lets_in=each.lets_in, messages=messages, cost=cost).said(language)}")
    if each.current and each.people:
        nodes = ", ".join(f"{node} {count:,}" for node, count in each.waiting.items())
        said = _STAY.format(people=each.people, number=each.current.number, nodes=nodes)
        session.say(f"  {said.said(language)}")
