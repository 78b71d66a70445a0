"""Whether what is to be said fits the channels that are to say it: contents against `[channels]` of aimwell.toml."""

from __future__ import annotations

from collections.abc import Mapping

from aimwell.content.definition import Content
from aimwell.content.lengths import shortest
from aimwell.core.errors import BadDefinition
from aimwell.core.problems import Problem
from aimwell.delivery.catalogue import ConfiguredChannel, configured, misfits, overlong
from aimwell.store.workspace import Workspace


def check_messages(workspace: Workspace) -> None:
    """Check the channels' settings and that each content names a channel and has the parts that it takes.

    Raises BadDefinition with every problem; call `check_all` before.
    """
    channels = configured(workspace.settings.channels, toml=workspace.settings_text)
    problems: list[Problem] = []
    for name, content in workspace.definitions(Content).items():
        place = f"{Content.folder}: {name}"
        if content.channel not in channels:
            remedy = f"channels are {', '.join(channels)}; see docs/channels.md"
            problems.append(Problem(place, None, "channel", f"there is no channel {content.channel!r}", remedy))
            continue
        kind = channels[content.channel].kind
        for language, parts in content.parts.items():
            problems += [Problem(place, None, f"parts.{language}", wrong) for wrong in misfits(kind, parts)]
    if problems:
        raise BadDefinition(problems)


def warn_messages(contents: Mapping[str, Content], channels: Mapping[str, ConfiguredChannel]) -> list[Problem]:
    """Parts that are too long for the channel that they are written for, whatever the values; no reason to refuse."""
    found: list[Problem] = []
    for name, content in contents.items():
        if content.channel not in channels:
            continue
        for language, parts in content.parts.items():
            lengths = {part: shortest(source) for part, source in parts.items()}
            found += [
                Problem(f"{Content.folder}: {name}", None, f"parts.{language}", said, "shorten it")
                for said in overlong(channels[content.channel], lengths)
            ]
    return found


def unfit(
    contents: Mapping[str, Content], channels: Mapping[str, ConfiguredChannel]
) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """What keeps a content from going out by a channel that it was not written for, by both names."""
    return {
        (name, other): wrong
        for name, content in contents.items()
        for other, channel in channels.items()
        if other != content.channel
        and (wrong := tuple(dict.fromkeys(w for parts in content.parts.values() for w in misfits(channel.kind, parts))))
    }
