"""`aimwell`: the command line; its commands are found in their folder, and imported when they are called."""

from __future__ import annotations

import typer

from aimwell.cli.options import before
from aimwell.cli.shelf import Shelf

_ABOUT = "Aimwell: from raw customer data to measured, self-improving, one-to-one marketing."


def build() -> typer.Typer:
    """The whole command line, assembled from the files in `commands/` and from third parties."""
    app = typer.Typer(cls=Shelf, help=_ABOUT, no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(before)
    return app


def run() -> None:
    """The entry point of the `aimwell` command."""
    build()()
