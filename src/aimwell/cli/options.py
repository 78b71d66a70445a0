"""The options that every command shares; they may stand before the command or behind it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, cast

import typer

from aimwell import __version__
from aimwell.cli.console import Session
from aimwell.core.text import Language

_FOLDER = "Folder of the workspace; by default the current one"


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aimwell {__version__}")
        raise typer.Exit


_Folder = Annotated[Path | None, typer.Option("--workspace", "-w", help=_FOLDER)]
_FolderOrEnvironment = Annotated[
    Path | None, typer.Option("--workspace", "-w", envvar="AIMWELL_WORKSPACE", help=_FOLDER)
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else")]
_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors")]
_Language = Annotated[str | None, typer.Option("--language", "-l", help="zh or en; by default the workspace's")]
_Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave")
]


def session_of(context: typer.Context) -> Session:
    """What was asked for by the options that all commands share."""
    return context.ensure_object(Session)


def before(
    context: typer.Context,
    workspace: _FolderOrEnvironment = None,
    as_json: _AsJson = False,
    quiet: _Quiet = False,
    language: _Language = None,
    _: _Version = False,
) -> None:
    """The options before the command."""
    behind(context, workspace, as_json, quiet, language)


def behind(
    context: typer.Context,
    workspace: _Folder = None,
    as_json: _AsJson = False,
    quiet: _Quiet = False,
    language: _Language = None,
) -> None:
    """The options behind the command; what is given twice counts as it was given last."""
    if language not in {None, "zh", "en"}:
        raise typer.BadParameter(f"{language!r} is no language we speak: zh or en", param_hint="--language")
    session = session_of(context)
    session.folder = workspace or session.folder
    session.as_json = as_json or session.as_json
    session.quiet = quiet or session.quiet
    session.language = cast("Language | None", language) or session.language


def with_shared(verb: Callable[..., None]) -> Callable[..., None]:
    """The verb with the shared options behind its own; a verb that takes no context stays as it is."""
    own = inspect.signature(verb, eval_str=True)
    place = next((name for name, each in own.parameters.items() if each.annotation is typer.Context), None)
    shared = inspect.signature(behind, eval_str=True).parameters.values()
    added = [each for each in shared if each.name not in own.parameters and each.annotation is not typer.Context]
    if place is None or not added:
        return verb

    @wraps(verb)
    def called(**words: object) -> None:
        given = {each.name: words.pop(each.name) for each in added}
        behind(cast("typer.Context", words[place]), **given)  # type: ignore[arg-type]
        verb(**words)

    signature = own.replace(parameters=[*own.parameters.values(), *added])
    called.__signature__ = signature  # type: ignore[attr-defined]
    called.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()}
    return called
