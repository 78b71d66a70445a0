"""`aimwell check` holds contents against the channels of the workspace, and tells all mistakes of both."""

from __future__ import annotations

from pathlib import Path

import pytest

from aimwell.cli.messages import check_messages
from aimwell.core.errors import BadDefinition
from aimwell.store.workspace import Workspace, open_workspace

SETTINGS = 'name = "shop"\ncurrency = "CNY"\ntimezone = "Asia/Shanghai"\n'


def workspace(folder: Path, channels: str = "", **contents: str) -> Workspace:
    (folder / "aimwell.toml").write_text(SETTINGS + channels, encoding="utf-8")
    (folder / "content").mkdir()
    for name, text in contents.items():
        (folder / "content" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return open_workspace(folder)


def test_contents_that_fit_their_channels_pass(tmp_path: Path) -> None:
    check_messages(workspace(tmp_path, hello="channel: mailbox\nparts: {all: {text: hi, subject: hi}}"))


def test_contents_for_no_channel_and_with_wrong_parts_are_told_together(tmp_path: Path) -> None:
    made = workspace(
        tmp_path,
        '[channels.push]\nkind = "simulated"\n',
        hello="channel: pusch\nparts: {all: {text: hi}}",
        bye="channel: push\nparts: {zh: {text: 再见}, en: {subject: bye}}",
    )
    with pytest.raises(BadDefinition) as caught:
        check_messages(made)
    told = [(problem.file, problem.path, problem.message) for problem in caught.value.problems]
    assert told == [
        ("content: bye", "parts.en", "simulated takes no part 'subject' (it takes text, title, link)"),
        ("content: bye", "parts.en", "simulated needs the part 'text'"),
        ("content: hello", "channel", "there is no channel 'pusch'"),
    ]


def test_mistakes_in_the_settings_of_channels_have_their_line(tmp_path: Path) -> None:
    made = workspace(tmp_path, '[channels.push]\nkind = "simulated"\nplais = "push"\n')
    with pytest.raises(BadDefinition, match=r"aimwell\.toml:6: channels\.push\.plais: unknown key 'plais'"):
        check_messages(made)
