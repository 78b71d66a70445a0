"""A group of commands is one file in `commands/`: it says its name and brings its own verbs."""

from __future__ import annotations

from dataclasses import dataclass

import typer

from aimwell.cli.options import session_of

__all__ = ["Commands", "group", "session_of"]


@dataclass(frozen=True, slots=True)
class Commands:
    """The verbs of one noun (`aimwell segment …`), or, without a noun, verbs of the top level (`aimwell init`).

    The file is imported when one of its verbs is called; until then its text says what there is. So names stand in it
    literally: `group("segment", "What it is about.")`, `@SEGMENT.app.command("list")`.
    """

    name: str
    app: typer.Typer
    top_level: bool = False


def group(name: str, about: str) -> Commands:
    """A noun with verbs."""
    return Commands(name, typer.Typer(help=about, no_args_is_help=True, add_completion=False))
