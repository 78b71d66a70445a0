"""Journeys by the command line: checked, planned, applied, paused, stopped and migrated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run

JOURNEY = """\
objective: activation
entry: {api: true}
goal: {bought: {event: order}}
within: 30d
start: greet
nodes:
  greet: {send: {channel: mailbox, content: hello}, to: pause}
  pause: {wait: {for: 2d}, to: done}
  done: {end: {}}
"""
CONTENT = "channel: mailbox\nparts: {all: {text: Hello}}\n"


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> str:
    """A workspace with one journey and the content that it sends."""
    place = tmp_path / "w"
    assert run("init", str(place)).code == 0
    (place / "journeys" / "welcome.yaml").write_text(JOURNEY, encoding="utf-8")
    (place / "content" / "hello.yaml").write_text(CONTENT, encoding="utf-8")
    return str(place)


def as_json(run: Run, folder: str, *words: str) -> Any:
    said = run("--json", "--workspace", folder, *words)
    assert said.code == 0, said.err
    return said.json


def test_a_journey_is_planned_then_applied_then_the_same(run: Run, folder: str) -> None:
    (planned,) = as_json(run, folder, "plan")["journeys"]
    assert (planned["status"], planned["messages"]) == ("added", 1)
    assert as_json(run, folder, "apply", "--yes") == {"applied": {"welcome": 1}}
    assert json.loads((Path(folder) / "journeys.lock").read_text(encoding="utf-8"))["welcome"]["number"] == 1
    assert as_json(run, folder, "plan")["journeys"][0]["status"] == "same"
    assert as_json(run, folder, "apply", "--yes") == {"applied": {"welcome": 1}}
    (listed,) = as_json(run, folder, "journey", "list")
    assert (listed["state"], listed["version"]) == ("running", 1)


def test_what_is_seldom_meant_is_shown_before_it_is_applied_and_lets_pass(run: Run, folder: str) -> None:
    file = Path(folder) / "journeys" / "welcome.yaml"
    file.write_text(JOURNEY.replace("{api: true}", "{event: order}"), encoding="utf-8")
    (warning,) = as_json(run, folder, "plan")["warnings"]
    assert (warning["file"], warning["line"], warning["path"]) == ("journeys/welcome.yaml", 3, "goal.bought")
    shown = run("--workspace", folder, "--language", "en", "apply", "--yes")
    assert shown.code == 0
    assert "Allowed, but seldom meant:" in shown.out
    assert "they finish as they enter" in shown.out
    assert "Applied: welcome 1" in shown.out


def test_a_content_that_a_channel_cannot_carry_is_refused_and_one_too_long_is_told(run: Run, folder: str) -> None:
    settings = Path(folder) / "aimwell.toml"
    channels = '\n[channels.mailbox]\n[channels.push]\nkind = "simulated"\n[channels.email]\nkind = "simulated"\n'
    settings.write_text(settings.read_text(encoding="utf-8") + channels, encoding="utf-8")
    letter = Path(folder) / "content" / "letter.yaml"
    letter.write_text("channel: mailbox\nparts: {all: {text: Hello, subject: Hi}}\n", encoding="utf-8")
    file = Path(folder) / "journeys" / "welcome.yaml"
    file.write_text(JOURNEY.replace("mailbox, content: hello", "push, content: letter"), encoding="utf-8")
    said = run("--workspace", folder, "plan")
    assert said.code == 2
    assert "the content 'letter' cannot go out by push: simulated takes no part 'subject'" in said.err
    words = "x" * 241
    letter.write_text(f"channel: push\nparts: {{all: {{text: {words}}}}}\n", encoding="utf-8")
    (warning,) = as_json(run, folder, "plan")["warnings"]
    assert warning["message"] == "the text has 241 characters or more, and push takes 240"
    file.write_text(JOURNEY.replace("mailbox, content: hello", "email, content: hello"), encoding="utf-8")
    told = [each["message"] for each in as_json(run, folder, "plan")["warnings"]]
    assert "the content 'hello' is written for mailbox and goes out by email" in told


def test_nothing_is_applied_without_a_yes(run: Run, folder: str) -> None:
    said = run("--json", "--workspace", folder, "apply")
    assert said.code == 2
    assert "--yes" in said.err
    assert as_json(run, folder, "journey", "list")[0]["state"] is None


def test_apply_refuses_when_somebody_else_applied_and_says_how_to_go_on(run: Run, folder: str) -> None:
    file, lock = Path(folder) / "journeys" / "welcome.yaml", Path(folder) / "journeys.lock"
    as_json(run, folder, "apply", "--yes")
    first = lock.read_text(encoding="utf-8")
    file.write_text(JOURNEY.replace("30d", "60d"), encoding="utf-8")
    as_json(run, folder, "apply", "--yes")
    lock.write_text(first, encoding="utf-8")
    file.write_text(JOURNEY.replace("2d", "3d"), encoding="utf-8")
    shown = run("--workspace", folder, "--language", "en", "plan")
    assert "The ledger has moved on" in shown.out
    assert "within: 30d → 60d" in shown.out
    assert "nodes.pause.wait.for: 2d → 3d" in shown.out
    said = run("--workspace", folder, "apply", "--yes")
    assert said.code == 2
    assert "--over" in said.err
    assert as_json(run, folder, "apply", "--yes", "--over", "welcome") == {"applied": {"welcome": 3}}


def test_all_problems_are_listed_with_their_lines(run: Run, folder: str) -> None:
    file = Path(folder) / "journeys" / "welcome.yaml"
    file.write_text(JOURNEY.replace("hello", "helo").replace("to: done", "to: dome"), encoding="utf-8")
    for command in (["journey", "check"], ["plan"], ["check"]):
        said = run("--json", "--workspace", folder, *command)
        assert said.code == 2
        problems = json.loads(said.err)["problems"]
        assert {(each["file"], each["line"]) for each in problems} >= {("journeys/welcome.yaml", n) for n in (7, 8, 9)}
        assert {each["remedy"] for each in problems} >= {"did you mean 'hello'?", "did you mean 'done'?"}


def test_a_journey_is_paused_resumed_and_stopped_for_good(run: Run, folder: str) -> None:
    as_json(run, folder, "apply", "--yes")
    assert as_json(run, folder, "pause", "welcome")["changed"]
    assert as_json(run, folder, "resume", "welcome")["changed"]
    assert as_json(run, folder, "stop", "welcome", "--yes")["people"] == 0
    again = run("--workspace", folder, "resume", "welcome")
    assert again.code == 2
    assert "stays stopped" in again.err


def test_a_journey_is_shown_and_an_unknown_one_refused(run: Run, folder: str) -> None:
    assert [row["node"] for row in as_json(run, folder, "journey", "show", "welcome")] == ["greet", "pause", "done"]
    assert run("--workspace", folder, "journey", "show", "welcom").code == 2


def test_a_migration_is_only_shown_until_it_is_confirmed(run: Run, folder: str) -> None:
    as_json(run, folder, "apply", "--yes")
    (Path(folder) / "journeys" / "welcome.yaml").write_text(JOURNEY.replace("2d", "3d"), encoding="utf-8")
    as_json(run, folder, "apply", "--yes")
    shown = as_json(run, folder, "journey", "migrate", "welcome", "1", "2")
    assert (shown["moved"], shown["migration"]["steps"]) == (0, [])
    refused = run("--workspace", folder, "journey", "migrate", "welcome", "1", "2", "--node", "pause")
    assert refused.code == 2
    assert "OLD=NEW" in refused.err


def test_what_is_seldom_wanted_is_said(run: Run, folder: str) -> None:
    (Path(folder) / "journeys" / "welcome.yaml").write_text(JOURNEY + "hold_out: 0%\n", encoding="utf-8")
    (warning,) = as_json(run, folder, "journey", "check")["warnings"]
    assert (warning["line"], warning["remedy"]) == (10, "write hold_out: 10%")
