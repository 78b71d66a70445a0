"""The files that a person names on the command line, as the one path or pattern that a source reads."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from aimwell.core.errors import BadQuestion


def one_pattern(paths: Sequence[str], workspace: Path, here: Path | None = None) -> str:
    """One path or pattern, from the workspace's folder, that means the files which were named.

    A shell may have written a pattern out as its files: then they become a pattern again. A path counts from the
    current folder (`here`), and where nothing is found there, from the workspace.
    Raises BadQuestion when no pattern means these files and no others.
    """
    here = here or Path.cwd()
    pattern = paths[0] if len(paths) == 1 else _gathered(paths, here)
    if Path(pattern).is_absolute() or here.resolve() == workspace or not _found(here, pattern):
        return pattern
    return os.path.relpath(here / pattern, workspace)


def _gathered(paths: Sequence[str], here: Path) -> str:
    """The pattern of files that lie in one folder and have the beginning and the end of their names in common.

    Dates and numbers at its edges go into the star, where that means no other file: tomorrow's file is meant too.
    """
    folder, names = Path(paths[0]).parent, [Path(path).name for path in paths]
    begin = _shared_beginning(names)
    end = _shared_beginning([name[len(begin) :][::-1] for name in names])[::-1]
    wide = re.sub(r"\d[\d._-]*$", "", begin) + "*" + re.sub(r"^[\d._-]*\d", "", end)
    tried = (wide, f"{begin}*{end}")
    for pattern in (str(folder / each) for each in tried):
        if {path.resolve() for path in _found(here, pattern)} == {(here / path).resolve() for path in paths}:
            return pattern
    raise BadQuestion(
        f"{len(paths)} files were named that no single pattern means",
        expected="files of one kind, such as 'invoices/*.csv'",
        remedy="Give a pattern in quotes, and check other files by themselves.",
    )


def _shared_beginning(words: Sequence[str]) -> str:
    first, last = min(words), max(words)
    return first[: next((at for at, sign in enumerate(first) if last[at : at + 1] != sign), len(first))]


def _found(folder: Path, pattern: str) -> list[Path]:
    """The files of a pattern, from a folder."""
    if Path(pattern).is_absolute():
        folder, pattern = Path("/"), pattern.lstrip("/")
    return [path for path in folder.glob(pattern) if path.is_file()]
