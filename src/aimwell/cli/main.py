"""`aimwell`: the command line; finds its commands in the folder, adds the options they share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from aimwell import __version__
from aimwell.cli.command import Commands
from aimwell.cli.console import Session
from aimwell.core.registry import discover
from aimwell.core.text import Language

_ABOUT = "Aimwell: from raw customer data to measured, self-improving, one-to-one marketing."


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"aimwell {__version__}")
        raise typer.Exit


def _shared(
    context: typer.Context,
    workspace: Annotated[
        Path, typer.Option("--workspace", "-w", envvar="AIMWELL_WORKSPACE", help="Folder of the workspace")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors")] = False,
    language: Annotated[
        str | None, typer.Option("--language", "-l", help="zh or en; by default the workspace's")
    ] = None,
    _: Annotated[bool, typer.Option("--version", callback=lambda value: _version(wanted=value), is_eager=True)] = False,
) -> None:
    if language not in {None, "zh", "en"}:
        raise typer.BadParameter("the language is zh or en", param_hint="--language")
    context.obj = Session(workspace, as_json, quiet, cast("Language | None", language))


def build() -> typer.Typer:
    """The whole command line, assembled from the files in `commands/` and from third parties."""
    app = typer.Typer(help=_ABOUT, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(_shared)
    found = discover(Commands, "aimwell.cli.commands", named=lambda commands: commands.name, group="aimwell.commands")
    for extension in found.values():
        commands = extension.value
        if commands.top_level:
            app.registered_commands += commands.app.registered_commands
        else:
            app.add_typer(commands.app, name=commands.name)
    return app


def run() -> None:
    """The entry point of the `aimwell` command."""
    build()()
