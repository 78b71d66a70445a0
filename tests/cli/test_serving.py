"""`aimwell serve` as a person runs it: one command takes events, runs journeys, sends messages, and answers why."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cli.conftest import Run

from aimwell.content.definition import Content
from aimwell.core.definitions import parse_definitions
from aimwell.store.workspace import open_workspace
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.definition import Journey

SETTINGS = """
name = "A shop"
currency = "CNY"
timezone = "Asia/Shanghai"
language = "en"

[channels.mailbox]
"""
CONTENT = "{channel: mailbox, parts: {en: {subject: Welcome, text: 'Hello {{ name | default: \"you\" }}'}}}"
JOURNEY = """
objective: activation
entry: {event: signed_up}
hold_out: 1%
goal: {bought: {event: bought}}
within: 10d
start: hello
nodes:
  hello: {send: {channel: mailbox, content: hello, purpose: service}, to: done}
  done: {end: {}}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "aimwell.toml").write_text(SETTINGS, encoding="utf-8")
    (journey,) = parse_definitions(JOURNEY, "hello.yaml", Journey, name="hello")
    (content,) = parse_definitions(CONTENT, "hello.yaml", Content, name="hello")
    with open_workspace(tmp_path).ledger() as ledger, ledger.writing() as connection:
        contents = {"hello": content.model_dump(mode="json", exclude_defaults=True)}
        apply_version(connection, journey, datetime.now(UTC), "tests", contents=contents)
    return tmp_path


@contextmanager
def running(folder: Path) -> Iterator[tuple[str, str]]:
    """`aimwell serve` on the workspace: its address and the write key that it made."""
    command = [sys.executable, "-m", "aimwell", "serve", "--port", "0", "-w", str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        try:
            key = process.stdout.readline().split()[3]
            words = next(line for line in process.stdout if "Running at" in line).split()
            yield words[2].rstrip(":"), key
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=90) == 0


def wait_for_message(client: httpx.Client) -> dict[str, Any]:
    """The funnel as soon as somebody has got a message; as it is after a minute."""
    counted: dict[str, Any] = {}
    for _ in range(300):
        counted = client.get("/api/journeys/hello/funnel").json()
        if counted["steps"]["exposed"]:
            break
        time.sleep(0.2)
    return counted


@pytest.mark.slow
def test_one_command_takes_events_sends_messages_and_says_why(place: Path, run: Run) -> None:
    with running(place) as (address, key), httpx.Client(base_url=address, auth=(key, ""), timeout=30) as client:
        event = {"userId": "ann", "event": "signed_up", "messageId": "m1"}
        assert client.post("/v1/track", json=event).status_code == 200
        assert wait_for_message(client)["finished"] == 1
        told = client.get("/api/journeys/hello/why/ann").json()
        assert client.get("/api/journeys/nothing/funnel").status_code == 404
        assert httpx.get(f"{address}/api/journeys/hello/funnel").status_code == 401
    assert [message["state"] for message in told["messages"]] == ["accepted"]
    shown = run("why", "ann", "hello", "-w", str(place))
    assert shown.code == 0
    assert told["sentences"][-1] in shown.out
    assert json.loads(run("funnel", "hello", "--json", "-w", str(place)).out)["finished"] == 1


def test_a_key_is_shown_once_and_kept_as_a_digest(place: Path, run: Run) -> None:
    made = run("key", "site", "--origin", "https://shop.example", "-w", str(place))
    assert made.code == 0
    secret = made.out.split()[3]
    kept = (place / "write_keys.toml").read_text(encoding="utf-8")
    assert secret not in kept
    assert "sha256:" in kept
    assert run("key", "site", "-w", str(place)).code == 2
    assert run("key", "both", "--trusted", "--origin", "https://shop.example", "-w", str(place)).code == 2
    assert (place / "write_keys.toml").read_text(encoding="utf-8") == kept


def test_a_journey_that_is_not_here_has_no_funnel_but_an_answer_to_why(place: Path, run: Run) -> None:
    assert run("funnel", "nothing", "-w", str(place)).code == 2
    assert run("why", "nobody", "hello", "-w", str(place)).code == 0
