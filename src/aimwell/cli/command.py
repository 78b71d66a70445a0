"""A group of commands is one file in `commands/`: it says its name and brings its own verbs."""

from __future__ import annotations

from dataclasses import dataclass

import typer

from aimwell.cli.console import Session


@dataclass(frozen=True, slots=True)
class Commands:
    """The verbs of one noun (`aimwell segment …`), or, without a noun, verbs of the top level (`aimwell init`)."""

    name: str
    app: typer.Typer
    top_level: bool = False


def session_of(context: typer.Context) -> Session:
    """The options that were given before the command."""
    found = context.find_object(Session)
    return found if found is not None else Session()


def group(name: str, about: str) -> Commands:
    """A noun with verbs."""
    return Commands(name, typer.Typer(help=about, no_args_is_help=True, add_completion=False))
