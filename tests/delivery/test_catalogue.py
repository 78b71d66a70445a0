"""The channels of a workspace: all problems at once with their lines, kinds by name, parts that fit."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from aimwell.core.errors import BadDefinition
from aimwell.delivery.catalogue import channel_kinds, configured, misfits, overlong

TOML = """\
name = "shop"

[channels.mail]
kind = "email"
host = "mail.example.org"
sendr = "x"

[channels.sms]
url = "ftp://x"

[channels.sms.callback]
secret_env = "lower"

[channels.pusch]

[channels.push]
kind = "simulatd"
"""


def test_without_channels_messages_stay_in_the_local_mailbox(tmp_path: Path) -> None:
    channels = configured({})
    assert list(channels) == ["mailbox"]
    assert channels["mailbox"].place(tmp_path) == tmp_path / "channels" / "mailbox"


def test_a_channels_kind_is_its_name_unless_it_says_another() -> None:
    made = configured({"onsite": {}, "push": {"kind": "simulated"}, "wechat": {"kind": "simulated", "plays": "wechat"}})
    assert [(name, one.kind.name) for name, one in made.items()] == [
        ("onsite", "onsite"),
        ("push", "simulated"),
        ("wechat", "simulated"),
    ]


def test_all_problems_of_all_channels_are_told_with_line_and_remedy() -> None:
    with pytest.raises(BadDefinition) as caught:
        configured(tomllib.loads(TOML)["channels"], toml=TOML)
    told = {problem.path: problem for problem in caught.value.problems}
    assert set(told) == {
        "channels.mail.sender",
        "channels.mail.sendr",
        "channels.sms.url",
        "channels.sms.callback.secret_env",
        "channels.pusch.kind",
        "channels.push.kind",
    }
    assert told["channels.mail.sendr"].line == 6
    assert told["channels.mail.sendr"].remedy == "did you mean 'sender'?"
    assert told["channels.sms.url"].line == 9
    assert told["channels.sms.callback.secret_env"].line == 12
    assert told["channels.push.kind"].remedy == "did you mean 'simulated'?"
    assert told["channels.pusch.kind"].line == 14


def test_names_and_tables_that_cannot_be_are_refused() -> None:
    with pytest.raises(BadDefinition, match="small letters"):
        configured({"E-Mail": {"kind": "mailbox"}})
    with pytest.raises(BadDefinition, match="expected a table"):
        configured({"mailbox": True})


def test_parts_of_content_are_held_against_what_a_channel_takes() -> None:
    sms = channel_kinds()["sms"]
    assert misfits(sms, ["text"]) == []
    assert misfits(sms, ["subject"]) == ["sms takes no part 'subject' (it takes text)", "sms needs the part 'text'"]


def test_parts_too_long_for_a_channel_are_told_by_what_it_plays() -> None:
    table = {"push": {"kind": "simulated"}, "text": {"kind": "simulated", "plays": "sms"}, "mailbox": {}}
    channels = configured(table)
    lengths = {"title": 66, "text": 241}
    assert overlong(channels["push"], lengths) == [
        "the title has 66 characters or more, and push takes 65",
        "the text has 241 characters or more, and push takes 240",
    ]
    assert overlong(channels["push"], {"title": 65, "text": 240}) == []
    assert overlong(channels["text"], {"text": 671}) == ["the text has 671 characters or more, and text takes 670"]
    assert overlong(channels["mailbox"], lengths) == []
