"""Aimwell: from raw customer data to measured, self-improving, one-to-one marketing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aimwell.store.workspace import Workspace

__version__ = "0.1.0"


def open(folder: str | Path) -> Workspace:  # noqa: A001 (the name that users type: aimwell.open)
    """Open the workspace in a folder: `aimwell.open("shop")`; raises BadQuestion when there is none."""
    from aimwell.store.workspace import open_workspace

    return open_workspace(folder)
