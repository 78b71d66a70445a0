"""The workspace in which journeys are rehearsed: the same definitions and rules, simulated channels, its own ledger."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from aimwell.content.definition import Content
from aimwell.delivery.catalogue import ConfiguredChannel
from aimwell.delivery.opening import channels_of
from aimwell.insight.segments.definition import Segment
from aimwell.store.workspace import SETTINGS_FILE, Workspace, open_workspace
from aimwell.strategy.journeys.definition import Journey

_HEAD = (
    "# A rehearsal, made by `aimwell rehearse`: customers are real, answers are simulated. It is made anew each time.\n"
)
_KEPT = ("currency", "timezone", "country", "language")
_PLAYS = {"push_token": "push", "wechat": "wechat", "phone": "sms", "email": "email"}


def make_stage(workspace: Workspace, folder: Path) -> Workspace:
    """Make a workspace like this one in which no channel reaches anybody; the folder must not exist yet."""
    folder.mkdir(parents=True)
    for kind in (Journey, Content, Segment):
        if (workspace.folder / kind.folder).is_dir():
            shutil.copytree(workspace.folder / kind.folder, folder / kind.folder)
    settings = workspace.settings
    lines = [f"{name} = {_toml(getattr(settings, name))}" for name in _KEPT]
    lines += [
        f"name = {_toml(f'{settings.name} (rehearsal)')}",
        "simulated = true",
        f"about = {_toml('Real customers, simulated addresses, consents and answers.')}",
        f"identity = {_toml(settings.identity.model_dump(mode='json', exclude_none=True))}",
    ]
    if settings.delivery:
        lines.append(f"delivery = {_toml(settings.delivery)}")
    for name, channel in channels_of(workspace).items():
        lines += [f"[channels.{name}]", 'kind = "simulated"', f'plays = "{_played(channel)}"']
        lines += ["refusing = 0.01", "bouncing = 0.03"]
    (folder / SETTINGS_FILE).write_text(_HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return open_workspace(folder)


def is_stage(folder: Path) -> bool:
    """Whether a folder was made by `make_stage`, and so may be made anew."""
    file = folder / SETTINGS_FILE
    return file.is_file() and file.read_text(encoding="utf-8").startswith(_HEAD)


def _played(channel: ConfiguredChannel) -> str:
    """What the channel is to people, by its address, or by its name where any address will do."""
    by_address = _PLAYS.get(channel.abilities.address)
    return by_address or (channel.name if channel.name in _PLAYS.values() else "push")


def _toml(value: object) -> str:
    """A value as TOML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
