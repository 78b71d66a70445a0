"""Definitions: what people write in YAML, read with the line of every value, all mistakes reported at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aimwell.core.errors import BadDefinition
from aimwell.core.problems import Problem
from aimwell.core.text import Text

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"


class Label(BaseModel):
    """A phrase in both languages, as written in a definition."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = Field(description="Chinese")
    en: str = Field(description="English")

    @property
    def text(self) -> Text:
        return Text(self.zh, self.en)


class Definition(BaseModel):
    """The base of every kind of definition: frozen, with a stable name, refusing unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    folder: ClassVar[str]

    name: str = Field(pattern=NAME_PATTERN, description="Stable name; by default the file's name")
    label: Label | None = Field(default=None, description="What marketers read; by default the name")

    @property
    def title(self) -> Text:
        return self.label.text if self.label else Text(self.name, self.name)


D = TypeVar("D", bound=Definition)


@dataclass(frozen=True, slots=True)
class Located:
    """Plain values read from YAML, with the line on which each of them stands (by path from the root)."""

    value: object
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)

    def line(self, path: Iterable[str | int]) -> int | None:
        """The line of the deepest part of the path that exists (1-based)."""
        steps = tuple(path)
        while steps and steps not in self.lines:
            steps = steps[:-1]
        return self.lines.get(steps)


def read_yaml(text: str, file: str) -> Located:
    """The values of a YAML text with their lines; raises BadDefinition for bad syntax and for a key given twice."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = str(getattr(error, "problem", None) or error)
        raise BadDefinition([Problem(file, mark.line + 1 if mark else None, "", f"not YAML: {reason}")]) from error
    lines: dict[tuple[str | int, ...], int] = {}
    twice: list[Problem] = []
    value = _plain(root, (), lines, twice, file) if root is not None else None
    if twice:
        raise BadDefinition(twice)
    return Located(value, lines)


def _plain(
    node: yaml.Node,
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    twice: list[Problem],
    file: str,
) -> object:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in mapping:
                twice.append(
                    Problem(file, key_node.start_mark.line + 1, _dotted((*path, key)), "this key is given twice")
                )
            lines[(*path, key)] = key_node.start_mark.line + 1
            mapping[key] = _plain(value_node, (*path, key), lines, twice, file)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, i), lines, twice, file) for i, child in enumerate(node.value)]
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    except (ValueError, yaml.YAMLError) as error:
        twice.append(Problem(file, node.start_mark.line + 1, _dotted(path), f"cannot be read: {error}"))
        return None


def read_definitions(root: Path, kind: type[D]) -> dict[str, D]:
    """All definitions of a kind in a workspace, by name; one file holds one definition or a list of them.

    Raises BadDefinition with every problem of every file, each with line, place and remedy.
    """
    found: dict[str, D] = {}
    problems: list[Problem] = []
    places: dict[str, str] = {}
    for file in _files(root / kind.folder):
        shown = str(file.relative_to(root))
        try:
            for definition in parse_definitions(file.read_text(encoding="utf-8-sig"), shown, kind, name=file.stem):
                if definition.name in found:
                    problems.append(
                        Problem(
                            shown, None, "name", f"{definition.name!r} is already defined in {places[definition.name]}"
                        )
                    )
                found[definition.name] = definition
                places[definition.name] = shown
        except BadDefinition as bad:
            problems += bad.problems
        except UnicodeDecodeError as error:
            problems.append(Problem(shown, None, "", f"is not UTF-8 text: {error.reason}", "save the file as UTF-8"))
    if problems:
        raise BadDefinition(problems)
    return found


Step = str | int


def locate(root: Path, kind: type[Definition]) -> dict[str, tuple[str, Callable[[tuple[Step, ...]], int | None]]]:
    """For each definition of a kind, by name, the file that holds it and how to find the line of a place inside it.

    Call it on definitions that can be read; the files are read again.
    """
    found: dict[str, tuple[str, Callable[[tuple[Step, ...]], int | None]]] = {}
    for file in _files(root / kind.folder):
        shown = str(file.relative_to(root))
        located = read_yaml(file.read_text(encoding="utf-8-sig"), shown)
        entries = located.value if isinstance(located.value, list) else [located.value]
        for index, entry in enumerate(entries):
            prefix: tuple[Step, ...] = (index,) if isinstance(located.value, list) else ()
            name = entry.get("name", file.stem) if isinstance(entry, dict) else file.stem

            def line_of(
                place: tuple[Step, ...], at: tuple[Step, ...] = prefix, located: Located = located
            ) -> int | None:
                return located.line((*at, *place))

            found[str(name)] = (shown, line_of)
    return found


def parse_definitions(text: str, file: str, kind: type[D], *, name: str) -> list[D]:
    """The definitions in one YAML text; `name` is used where a single definition does not give its own."""
    located = read_yaml(text, file)
    if located.value is None:
        raise BadDefinition([Problem(file, None, "", "the file is empty", f"write a {kind.__name__.lower()} into it")])
    entries = located.value if isinstance(located.value, list) else [located.value]
    several = isinstance(located.value, list)
    found: list[D] = []
    problems: list[Problem] = []
    for index, entry in enumerate(entries):
        prefix: tuple[str | int, ...] = (index,) if several else ()
        if not isinstance(entry, dict):
            problems.append(Problem(file, located.line(prefix), "", "expected keys and values", "write `key: value`"))
            continue
        try:
            found.append(kind.model_validate({"name": name, **entry} if not several else entry))
        except ValidationError as error:
            problems += _problems(error, located, prefix, file, kind)
    if problems:
        raise BadDefinition(problems)
    return found


def _problems(
    error: ValidationError, located: Located, prefix: tuple[str | int, ...], file: str, kind: type[BaseModel]
) -> Iterator[Problem]:
    seen: set[tuple[int | None, str]] = set()
    for mistake in error.errors(include_url=False):
        path = _real(located, prefix, mistake["loc"])
        line = located.line(path)
        remedy = ""
        message = mistake["msg"].removeprefix("Value error, ")
        if mistake["type"] == "extra_forbidden":
            known = _fields(kind, path[len(prefix) : -1])
            close = difflib.get_close_matches(str(path[-1]), known, 1)
            message = f"unknown key {path[-1]!r}"
            remedy = (
                f"did you mean {close[0]!r}?" if close else (f"known keys: {', '.join(sorted(known))}" if known else "")
            )
        if (line, message) in seen:
            continue
        seen.add((line, message))
        yield Problem(file, line, _dotted(path[len(prefix) :]), message, remedy)


def _real(located: Located, prefix: tuple[str | int, ...], loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path in the file: pydantic adds the tag of the chosen union member, which is not a key that anyone wrote."""
    path = prefix
    for step in loc:
        if (*path, step) in located.lines:
            path = (*path, step)
    last = loc[-1] if loc else None
    if last is not None and (not path or path[-1] != last) and isinstance(last, str):
        return (*path, last)
    return path


def _fields(kind: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """The keys that are known at that place, where the place is the definition itself or a plain nested model."""
    model: Any = kind
    for step in path:
        info = getattr(model, "model_fields", {}).get(str(step))
        annotation = getattr(info, "annotation", None)
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.rglob("*") if file.suffix in {".yaml", ".yml"} and file.is_file())


def _dotted(path: Iterable[str | int]) -> str:
    return ".".join(str(step) for step in path)
