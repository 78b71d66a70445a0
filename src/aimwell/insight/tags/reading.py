"""Reads the tags of a workspace and keeps where each stands, so that later mistakes are told with file and line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from aimwell.core.definitions import Located, parse_definitions, read_yaml
from aimwell.core.errors import BadDefinition
from aimwell.core.problems import Problem
from aimwell.insight.tags.definition import Tag

Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one tag stands: the file, and the way to it inside the file."""

    file: str
    located: Located
    prefix: Steps

    def problem(self, path: Iterable[str | int], message: str, remedy: str = "") -> Problem:
        """A problem at a part of the tag."""
        steps = tuple(path)
        shown = ".".join(str(step) for step in steps)
        return Problem(self.file, self.located.line((*self.prefix, *steps)), shown, message, remedy)


@dataclass
class Written:
    """What was read: the tags that are right by themselves, the place of every tag, and what is wrong with others."""

    tags: dict[str, Tag] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_written(root: Path) -> Written:
    """Every tag in the folder `tags/` of a workspace; nothing is raised, so that all mistakes can be told together."""
    written = Written()
    folder = root / Tag.folder
    files = sorted(folder.rglob("*")) if folder.is_dir() else []
    for file in files:
        if file.suffix in {".yaml", ".yml"} and file.is_file():
            shown = str(file.relative_to(root))
            try:
                _read(file, shown, written)
            except BadDefinition as bad:
                written.problems += bad.problems
            except UnicodeDecodeError as error:
                reason = f"is not UTF-8 text: {error.reason}"
                written.problems.append(Problem(shown, None, "", reason, "save the file as UTF-8"))
    return written


def _read(file: Path, shown: str, written: Written) -> None:
    text = file.read_text(encoding="utf-8-sig")
    located = read_yaml(text, shown)
    several = isinstance(located.value, list)
    for number, entry in enumerate(located.value if isinstance(located.value, list) else [located.value]):
        prefix: Steps = (number,) if several else ()
        name = str(entry.get("name", file.stem)) if isinstance(entry, dict) else file.stem
        if name in written.places:
            twice = f"{name!r} is already defined in {written.places[name].file}"
            written.problems.append(Place(shown, located, prefix).problem(("name",), twice, "Rename one of them."))
        written.places.setdefault(name, Place(shown, located, prefix))
    for tag in parse_definitions(text, shown, Tag, name=file.stem):
        written.tags.setdefault(tag.name, tag)
