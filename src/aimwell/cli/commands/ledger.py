"""`aimwell ledger …`: a safe copy while everything runs, and the move from SQLite to PostgreSQL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from aimwell.cli.command import group, session_of
from aimwell.cli.console import told
from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.store.ledger.copying import back_up as copy_ledger
from aimwell.store.ledger.copying import move as move_ledger
from aimwell.store.ledger.ledger import open_ledger

LEDGER = group("ledger", "The ledger: copies of it, and the move to PostgreSQL.")
_app = LEDGER.app

_COPIED = Text("账本已复制到 {folder}（{size:.1f} MB）。", "The ledger was copied to {folder} ({size:.1f} MB).")
_MOVED = Text(
    '已移入 {rows:,} 行。请在 aimwell.toml 写入 [ledger] url_env = "{variable}"，再启动；原来的文件没有改动。',
    'Moved {rows:,} rows. Now write [ledger] url_env = "{variable}" into aimwell.toml, then start; the files stay as '
    "they are.",
)


@_app.command("back-up")
def back_up(context: typer.Context, folder: Annotated[Path, typer.Argument(help="A new folder for the copy")]) -> None:
    """Copy the ledger while everything runs; the copy holds together as of one instant."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        if workspace.settings.ledger.url_env:
            raise BadQuestion(
                "This ledger is a PostgreSQL database",
                remedy="Copy it with `pg_dump`, or as your house copies its databases.",
            )
        made = copy_ledger(workspace.folder / workspace.settings.ledger.path, folder)
        size = sum(path.stat().st_size for path in made)
        session.json({"files": made, "bytes": size})
        session.say(_COPIED.format(folder=folder, size=size / 1_000_000).said(session.speaks(workspace)))


@_app.command("move")
def move(
    context: typer.Context,
    variable: Annotated[str, typer.Argument(help="Environment variable with postgresql://user:password@host/database")],
) -> None:
    """Copy everything into an empty PostgreSQL database, all or nothing; stop `aimwell serve` before."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        if workspace.settings.ledger.url_env:
            raise BadQuestion("This ledger is a PostgreSQL database already")
        target = open_ledger(_url(variable))
        try:
            with workspace.ledger() as ledger:
                counts = move_ledger(ledger, target)
        finally:
            target.close()
        session.json({"rows": counts, "url_env": variable})
        said = _MOVED.format(rows=sum(counts.values()), variable=variable)
        session.say(said.said(session.speaks(workspace)))


def _url(variable: str) -> str:
    """The URL in a variable of the environment; on the command line its password would be seen by others."""
    if "://" in variable:
        raise BadQuestion(
            "A URL with its password does not belong on the command line",
            expected="the name of an environment variable",
            remedy="export AIMWELL_LEDGER=postgresql://…, then `aimwell ledger move AIMWELL_LEDGER`.",
        )
    url = os.environ.get(variable, "")
    if "://" not in url:
        raise BadQuestion(
            f"There is no URL in the environment variable {variable!r}",
            expected="postgresql://user:password@host/database",
            remedy=f"export {variable}=… before.",
        )
    return url
