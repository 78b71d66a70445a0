"""Which kinds of channel there are, and which channels a workspace has: `[channels.NAME]` of aimwell.toml, checked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from aimwell.core.definitions import NAME_PATTERN
from aimwell.core.errors import BadDefinition
from aimwell.core.problems import Problem
from aimwell.core.registry import discover
from aimwell.delivery.channel import GROUP, PACKAGE, Abilities, Channel, ChannelKind, ChannelSettings, Report, Request

FILE = "aimwell.toml"
DEFAULT = "mailbox"
"""The channel of a workspace that names none: messages stay in the local mailbox, and nobody outside gets any."""


@dataclass(frozen=True, slots=True)
class ConfiguredChannel:
    """A channel of a workspace: its name in journeys, the kind that plays it, and its settings."""

    name: str
    kind: ChannelKind
    settings: ChannelSettings

    @property
    def abilities(self) -> Abilities:
        """Where it sends, what it can report, whether keys may be repeated."""
        return self.kind.abilities(self.settings)

    def place(self, folder: Path) -> Path:
        """The folder of the workspace that belongs to this channel alone, made if need be."""
        place = folder / "channels" / self.name
        place.mkdir(parents=True, exist_ok=True)
        return place

    def open(self, folder: Path) -> Channel:
        """Make it ready to send; `folder` is the workspace's. Raises Unavailable when a secret is missing."""
        return self.kind.open(self.settings, self.place(folder))

    def read_callback(self, request: Request) -> Sequence[Report]:
        """What the provider posted; raises BadCallback."""
        return self.kind.read_callback(self.settings, request)

    def collect(self, folder: Path, since: int) -> tuple[Sequence[Report], int]:
        """What was reported in its own folder after a mark, and the next mark."""
        return self.kind.collect(self.settings, self.place(folder), since)


@cache
def channel_kinds() -> Mapping[str, ChannelKind]:
    """Every kind of channel that was found, by name."""
    found = discover(ChannelKind, PACKAGE, named=lambda kind: kind.name, group=GROUP)  # type: ignore[type-abstract]
    return {name: extension.value for name, extension in found.items()}


def configured(channels: Mapping[str, object], *, toml: str = "") -> Mapping[str, ConfiguredChannel]:
    """The channels of a workspace by name; raises BadDefinition with the problems of all of them.

    channels: the tables under `[channels]`, by name; empty means the local mailbox alone.   toml: the text of the file,
    so that problems carry their line. A table's `kind` says what plays the channel, by default its own name.

    >>> sorted(configured({})), configured({"push": {"kind": "simulated", "plays": "push"}})["push"].kind.name
    (['mailbox'], 'simulated')
    """
    found: dict[str, ConfiguredChannel] = {}
    problems: list[Problem] = []
    for name, table in (channels or {DEFAULT: {}}).items():
        try:
            found[name] = _channel(name, table)
        except _Mistakes as mistakes:
            problems += [
                Problem(FILE, _line(toml, name, path), ".".join(["channels", name, *path]), message, remedy)
                for path, message, remedy in mistakes.found
            ]
    if problems:
        raise BadDefinition(problems)
    return found


def misfits(kind: ChannelKind, parts: Iterable[str]) -> list[str]:
    """What is wrong with parts of content that are to go through a kind of channel, in words; empty if they fit."""
    given = list(parts)
    wrong = [
        f"{kind.name} takes no part {part!r} (it takes {', '.join(kind.parts)})"
        for part in given
        if part not in kind.parts
    ]
    if kind.parts[0] not in given:
        wrong.append(f"{kind.name} needs the part {kind.parts[0]!r}")
    return wrong


def overlong(channel: ConfiguredChannel, lengths: Mapping[str, int]) -> list[str]:
    """Which parts of a content are too long for a channel, in words; empty if all fit.

    lengths: characters by part.
    """
    longest = channel.abilities.longest
    return [
        f"the {part} has {length:,} characters or more, and {channel.name} takes {longest[part]:,}"
        for part, length in lengths.items()
        if length > longest.get(part, length)
    ]


class _Mistakes(Exception):
    """What is wrong with one table: path, message and remedy of each."""

    def __init__(self, found: list[tuple[tuple[str, ...], str, str]]) -> None:
        super().__init__()
        self.found = found


def _channel(name: str, table: object) -> ConfiguredChannel:
    if not re.fullmatch(NAME_PATTERN, name):
        raise _Mistakes([((), "a channel's name is small letters, digits and _, a letter first", "rename it")])
    if not isinstance(table, Mapping):
        raise _Mistakes([((), "expected a table", f"write [channels.{name}]")])
    chosen = str(table.get("kind", name))
    if chosen not in channel_kinds():
        close = difflib.get_close_matches(chosen, channel_kinds(), 1)
        known = f"kinds are {', '.join(channel_kinds())}"
        raise _Mistakes(
            [(("kind",), f"there is no kind of channel {chosen!r}", f"did you mean {close[0]!r}?" if close else known)]
        )
    kind = channel_kinds()[chosen]
    try:
        settings = kind.settings.model_validate({key: value for key, value in table.items() if key != "kind"})
    except ValidationError as error:
        raise _Mistakes(list(_told(error, kind.settings))) from error
    return ConfiguredChannel(name, kind, settings)


def _told(error: ValidationError, settings: type[BaseModel]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    for mistake in error.errors(include_url=False, include_input=False):
        path = tuple(map(str, mistake["loc"]))
        if mistake["type"] == "extra_forbidden":
            known = _keys(settings, path[:-1])
            close = difflib.get_close_matches(path[-1], known, 1)
            yield (
                path,
                f"unknown key {path[-1]!r}",
                f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}",
            )
        else:
            yield path, mistake["msg"].removeprefix("Value error, "), ""


def _keys(settings: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    model: Any = settings
    for step in path:
        field = getattr(model, "model_fields", {}).get(step)
        model = getattr(field, "annotation", None)
    return sorted(getattr(model, "model_fields", {}))


def _line(toml: str, name: str, path: tuple[str, ...]) -> int | None:
    """The line of a key in its table, or of the table, as far as a plain search can tell."""
    inside, start = False, None
    for number, line in enumerate(toml.splitlines(), 1):
        if header := re.match(r"\s*\[([^\[\]]+)\]", line):
            inside = header[1].strip().startswith(f"channels.{name}")
            start = start or (number if inside else None)
        elif inside and path and line.split("=")[0].strip() == path[-1]:
            return number
    return start
