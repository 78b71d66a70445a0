"""`aimwell outbox …`: messages in doubt and dead ones, which a person decides about."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from aimwell.cli.command import group, session_of
from aimwell.cli.console import told
from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.delivery.opening import open_desk
from aimwell.delivery.outbox.recovery import Unsettled, resolve_unknown, unsettled
from aimwell.delivery.outbox.recovery import revive as revive_message
from aimwell.store.ledger.ledger import Ledger

OUTBOX = group("outbox", "The outbox: messages in doubt and dead ones, which a person decides about.")
_app = OUTBOX.app

_STATES: dict[Literal["unknown", "dead"], Text] = {
    "unknown": Text("存疑", "in doubt"),
    "dead": Text("已放弃", "dead"),
}
_NONE = Text("没有等待人工处理的消息。", "No message waits for a person.")
_HOW = Text(
    "存疑：aimwell outbox resolve KEY --as accepted|refused|retry；已放弃：aimwell outbox revive KEY",
    "In doubt: aimwell outbox resolve KEY --as accepted|refused|retry. Dead: aimwell outbox revive KEY.",
)
_MORE = Text("只列出最早的 {count:,} 条。", "Only the oldest {count:,} are listed.")
_REVIVED = Text("{count:,} 条消息将重新尝试。", "{count:,} messages are tried again.")
_RESOLVED = {
    "accepted": Text("{key}：记为服务商已收下。", "{key}: the provider has it."),
    "refused": Text("{key}：记为未发送，不再尝试。", "{key}: it was not sent, and is not tried again."),
    "retry": Text("{key}：记为未发送，将重新尝试。", "{key}: it was not sent, and is tried again."),
}
_AT_ONCE = 500
State = Annotated[Literal["unknown", "dead"] | None, typer.Option(help="Only those in doubt, or only the dead")]
Channel = Annotated[str | None, typer.Option(help="Only those of this channel")]


@_app.command("list")
def list_open(
    context: typer.Context,
    state: State = None,
    channel: Channel = None,
    most: Annotated[int, typer.Option(min=1, help="How many of each state to list")] = 100,
) -> None:
    """List messages in doubt and dead ones, the oldest first, with the reason."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        with workspace.ledger() as ledger:
            found = {each: _open(ledger, each, channel, most + 1) for each in _STATES if state in {None, each}}
        listed = [one for each in found.values() for one in each[:most]]
        session.json(listed)
        if not listed:
            session.say(_NONE.said(language))
            return
        columns = ["key", "state", "channel", "customer", "journey", "attempts", "since", "why"]
        session.table(columns, [_row(one, _STATES[_state(one)].said(language)) for one in listed])
        if any(len(each) > most for each in found.values()):
            session.say(_MORE.format(count=most).said(language))
        session.say(_HOW.said(language))


@_app.command("revive")
def revive(
    context: typer.Context,
    keys: Annotated[list[str] | None, typer.Argument(help="Keys of dead messages")] = None,
    channel: Annotated[str | None, typer.Option(help="Every dead message of this channel, as after an outage")] = None,
) -> None:
    """Have dead messages tried again from now on; consent, caps and quiet hours are asked again."""
    session = session_of(context)
    with told(session):
        if bool(keys) == (channel is not None):
            raise BadQuestion(
                "It is not said which messages to revive",
                expected="keys, or --channel NAME",
                remedy="`aimwell outbox list` shows the keys.",
            )
        workspace = session.workspace()
        with workspace.ledger() as ledger:
            chosen = sorted(set(keys or [one.key for one in _open(ledger, "dead", channel, None)]))
            _revive(ledger, chosen)
        session.json({"revived": chosen})
        session.say(_REVIVED.format(count=len(chosen)).said(session.speaks(workspace)))


@_app.command("resolve")
def resolve(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Key of a message in doubt")],
    verdict: Annotated[
        Literal["accepted", "refused", "retry"],
        typer.Option("--as", help="accepted: the provider has it; refused: never sent; retry: not sent, send it now"),
    ],
) -> None:
    """Decide about a message in doubt, once you have asked the provider what became of it."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        now = datetime.now(UTC)
        with workspace.ledger() as ledger, open_desk(workspace, ledger, now) as desk:
            resolve_unknown(desk, key, verdict, getpass.getuser(), now)
        session.json({"key": key, "as": verdict})
        session.say(_RESOLVED[verdict].format(key=key).said(session.speaks(workspace)))


def _revive(ledger: Ledger, keys: Sequence[str]) -> None:
    """Some at a time, so that others who write need not wait for all."""
    who, now = getpass.getuser(), datetime.now(UTC)
    for begin in range(0, len(keys), _AT_ONCE):
        with ledger.writing() as connection:
            for key in keys[begin : begin + _AT_ONCE]:
                revive_message(connection, key, who, now)


def _open(
    ledger: Ledger, state: Literal["unknown", "dead"], channel: str | None, most: int | None
) -> Sequence[Unsettled]:
    with ledger.reading() as connection:
        return unsettled(connection, state, channel=channel, most=most)


def _state(one: Unsettled) -> Literal["unknown", "dead"]:
    return "dead" if one.state == "dead" else "unknown"


def _row(one: Unsettled, state: str) -> list[object]:
    since = f"{one.since:%Y-%m-%d %H:%M} UTC"
    return [one.key, state, one.channel, one.customer_id, one.journey, one.attempts, since, one.detail]
