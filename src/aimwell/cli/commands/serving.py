"""`aimwell serve`, `aimwell work`, `aimwell key` and `aimwell why`: a workspace that runs."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from aimwell.cli.beside import kept_running
from aimwell.cli.command import Commands, session_of
from aimwell.cli.console import Session, told
from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.delivery.opening import channels_of, links_of, open_desk
from aimwell.delivery.outbox.why import why as explain_why
from aimwell.store.workspace import Workspace
from aimwell.web.server.app import application
from aimwell.web.server.keys import WriteKey, digest_of, new_secret, read_keys
from aimwell.web.server.run import log_as_json
from aimwell.web.server.run import serve as serve_application
from aimwell.worker.work import work as run_loop

KEYS_FILE = "write_keys.toml"

_READY = Text(
    "正在运行：{address} · 事件发到 {address}/v1/batch · 按 Ctrl-C 结束。",
    "Running at {address}: events go to {address}/v1/batch. Ctrl-C ends it.",
)
_SECRET = Text(
    "写入密钥 {name}：{secret}\n请现在保存，以后不会再显示；工作区只保留其摘要（{file}）。",
    "Write key {name}: {secret}\nKeep it now, it is not shown again; the workspace has only its digest ({file}).",
)
SERVING = Commands("serving", typer.Typer(), top_level=True)


@SERVING.app.command("serve")
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes any free one")] = 8000,
    worker: Annotated[bool, typer.Option(help="Run the worker beside it, in a process of its own")] = True,
) -> None:
    """Take events, run journeys and send messages: one command, two processes, until Ctrl-C."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        keys = _keys(workspace) or [_make_key(session, workspace, "first", trusted=True, origins=())]
        log_as_json()
        with (
            workspace.ledger() as ledger,
            open_desk(workspace, ledger, datetime.now(UTC), worker=f"web:{host}:{port}") as desk,
        ):
            app = application(
                workspace.folder,
                ledger,
                desk,
                channels_of(workspace),
                keys,
                links=links_of(workspace),
                language=language,
            )
            beside = [sys.executable, "-m", "aimwell", "work", "-w", str(workspace.folder)]
            with kept_running(beside) if worker else nullcontext():
                serve_application(
                    app,
                    host,
                    port,
                    ready=lambda address: session.say(_READY.format(address=address).said(language)),
                )


@SERVING.app.command("work")
def work(context: typer.Context) -> None:
    """Run the worker alone: what arrived is taken in, journeys move, messages leave. On PostgreSQL several may run."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        log_as_json()
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: stop.set())
        run_loop(workspace, stop)


@SERVING.app.command("key")
def key(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the key: every message keeps it as its source")],
    trusted: Annotated[
        bool, typer.Option("--trusted", help="A secret between servers: its identifiers count as verified")
    ] = False,
    origin: Annotated[
        list[str] | None, typer.Option(help="Pages that may use it, such as https://shop.example")
    ] = None,
) -> None:
    """Make a write key for the event API and show it once."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        made = _make_key(session, workspace, name, trusted=trusted, origins=tuple(origin or ()))
        session.json({"name": made.name, "trusted": made.trusted, "origins": list(made.origins)})


@SERVING.app.command("why")
def why(
    context: typer.Context,
    customer: Annotated[str, typer.Argument(help="Customer id")],
    journey: Annotated[str, typer.Argument(help="Name of the journey")],
) -> None:
    """Say why a customer was, or was not, contacted by a journey."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        with workspace.ledger() as ledger, ledger.reading() as connection:
            found = explain_why(connection, customer, journey)
        session.json(found)
        for sentence in found.sentences:
            session.say(sentence.said(session.speaks(workspace)))


def _keys(workspace: Workspace) -> list[WriteKey]:
    file = workspace.folder / KEYS_FILE
    return read_keys(file) if file.is_file() else []


def _make_key(
    session: Session, workspace: Workspace, name: str, *, trusted: bool, origins: tuple[str, ...]
) -> WriteKey:
    """Write the digest of a new key into the workspace; the secret goes to the person alone."""
    file = workspace.folder / KEYS_FILE
    if any(each.name == name for each in _keys(workspace)):
        raise BadQuestion(f"There is already a write key {name!r}", remedy="Choose another name.")
    secret = new_secret()
    made = WriteKey(name, digest_of(secret), trusted, origins)
    _append(file, made)
    session.say(_SECRET.format(name=name, secret=secret, file=KEYS_FILE).said(session.speaks(workspace)))
    return made


def _append(file: Path, made: WriteKey) -> None:
    listed = ", ".join(f'"{origin}"' for origin in made.origins)
    with file.open("a", encoding="utf-8") as opened:
        opened.write(
            f'["{made.name}"]\nkey_digest = "{made.key_digest}"\n'
            f"trusted = {str(made.trusted).lower()}\norigins = [{listed}]\n\n"
        )
