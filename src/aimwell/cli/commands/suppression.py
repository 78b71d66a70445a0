"""`aimwell suppression …`: addresses that nothing is ever sent to, added, listed and allowed again by hand."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from aimwell.cli.command import group, session_of
from aimwell.cli.console import told
from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.insight.identity.addresses import normalise
from aimwell.store.ledger.consents import release as release_address
from aimwell.store.ledger.consents import suppress, suppressed
from aimwell.store.workspace import Workspace

SUPPRESSION = group("suppression", "Suppressed addresses: nothing is ever sent to them.")
_app = SUPPRESSION.app

_NONE = Text("没有停用的联系方式。", "No address is suppressed.")
_ADDED = Text("{value} 已停用：不再向它发送。", "{value} is suppressed: nothing is sent to it any more.")
_ALREADY = Text("{value} 此前已停用，原因不变。", "{value} was suppressed before; the first reason stays.")
_RELEASED = Text("{value} 已恢复：可以再向它发送。", "{value} is allowed again.")
Address = Annotated[str, typer.Argument(help="E-mail address, telephone number, push token, …")]
Kind = Annotated[
    str | None, typer.Option(help="email, phone, push_token, wechat, …; by default told by the look of the address")
]


@_app.command("list")
def list_all(
    context: typer.Context,
    kind: Annotated[str | None, typer.Option(help="Only addresses of this kind")] = None,
    most: Annotated[int, typer.Option(min=1, help="How many to list, the latest first")] = 100,
) -> None:
    """List suppressed addresses with the reason, who said so and since when, the latest first."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        with workspace.ledger() as ledger, ledger.reading() as connection:
            found = suppressed(connection, kind=kind, most=most)
        session.json(found)
        if not found:
            session.say(_NONE.said(session.speaks(workspace)))
            return
        rows = [[each.kind, each.value, each.reason, f"{each.since:%Y-%m-%d %H:%M} UTC", each.source] for each in found]
        session.table(["kind", "address", "why", "since", "source"], rows)


@_app.command("add")
def add(
    context: typer.Context,
    address: Address,
    kind: Kind = None,
    why: Annotated[str, typer.Option(help="The reason, as it is listed later")] = "by hand",
) -> None:
    """Never send to an address again, also what already waits for it."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        known, value = _address(workspace, address, kind)
        with workspace.ledger() as ledger, ledger.writing() as connection:
            who, now = getpass.getuser(), datetime.now(UTC)
            new = suppress(connection, known, value, reason=why, at=now, source=who)
        session.json({"kind": known, "value": value, "new": new})
        session.say((_ADDED if new else _ALREADY).format(value=value).said(session.speaks(workspace)))


@_app.command("release")
def release(context: typer.Context, address: Address, kind: Kind = None) -> None:
    """Allow an address again; consent is a matter of its own and stays as it is."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        known, value = _address(workspace, address, kind)
        with workspace.ledger() as ledger, ledger.writing() as connection:
            if not release_address(connection, known, value):
                raise BadQuestion(
                    f"The {known} {value} is not suppressed", remedy="`aimwell suppression list` shows those that are."
                )
        session.json({"kind": known, "value": value})
        session.say(_RELEASED.format(value=value).said(session.speaks(workspace)))


def _address(workspace: Workspace, address: str, kind: str | None) -> tuple[str, str]:
    """Kind and value as identifiers are kept."""
    code = workspace.settings.identity.calling_code
    for known in (kind,) if kind else ("email", "phone"):
        value = normalise(known, address, code)
        if value is not None:
            return known, value
    raise BadQuestion(
        f"{address!r} is no {kind or 'e-mail address or telephone number'}",
        remedy="For another kind of address, say which: --kind push_token.",
    )
