"""Where the example workspaces are: inside the installed package, or beside the source."""

from __future__ import annotations

from pathlib import Path

import aimwell
from aimwell.core.errors import BadQuestion
from aimwell.store.workspace import SETTINGS_FILE


def _root() -> Path:
    package = Path(aimwell.__file__).parent
    inside = package / "examples"
    return inside if inside.is_dir() else package.parent.parent / "examples"


def example_names() -> list[str]:
    """The example workspaces that ship with Aimwell."""
    return sorted(path.parent.name for path in _root().glob(f"*/{SETTINGS_FILE}"))


def example_folder(name: str) -> Path:
    """The folder of an example workspace; raises BadQuestion with the names there are."""
    if name not in example_names():
        raise BadQuestion(f"There is no example {name!r}", expected=f"one of {', '.join(example_names())}")
    return _root() / name
