"""Whether what is to be said fits the channels that are to say it: contents against `[channels]` of aimwell.toml."""

from __future__ import annotations

from aimwell.content.definition import Content
from aimwell.core.errors import BadDefinition
from aimwell.core.problems import Problem
from aimwell.delivery.catalogue import configured, misfits
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
