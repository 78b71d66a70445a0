"""The whole on PostgreSQL, as processes: one server, two workers; nobody is lost, nobody is written to twice."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from tests.cli.test_serving import CONTENT

from aimwell.content.definition import Content
from aimwell.core.definitions import parse_definitions
from aimwell.delivery.channels.mailbox import letters
from aimwell.delivery.outbox.balances import verify_balances
from aimwell.store.ledger.schema.enrolments import enrolment, lease
from aimwell.store.ledger.schema.outbox import attempt, intent
from aimwell.store.workspace import open_workspace
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.definition import Journey

PEOPLE, AT_ONCE = 300, 20
SETTINGS = """
name = "A shop"
currency = "CNY"
timezone = "Asia/Shanghai"
language = "en"

[ledger]
url_env = "AIMWELL_TEST_LEDGER"

[channels.mailbox]
"""
JOURNEY = """
objective: activation
entry: {event: signed_up}
hold_out: 10%
goal: {bought: {event: bought}}
within: 10d
start: hello
nodes:
  hello: {send: {channel: mailbox, content: hello, purpose: service}, to: looks}
  looks: {wait: {event: {event: looked}, at_most: 1d}, to: {happened: again, timeout: done}}
  again: {send: {channel: mailbox, content: hello, purpose: service}, to: done}
  done: {end: {}}
"""


@pytest.fixture
def place(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIMWELL_TEST_LEDGER", postgres_url)
    (tmp_path / "aimwell.toml").write_text(SETTINGS, encoding="utf-8")
    (journey,) = parse_definitions(JOURNEY, "hello.yaml", Journey, name="hello")
    (content,) = parse_definitions(CONTENT, "hello.yaml", Content, name="hello")
    with open_workspace(tmp_path).ledger() as ledger, ledger.writing() as connection:
        contents = {"hello": content.model_dump(mode="json", exclude_defaults=True)}
        apply_version(connection, journey, datetime.now(UTC), "tests", contents=contents)
    return tmp_path


@contextmanager
def process(*words: str, log: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until the block ends, and then ends well when it is told to."""
    command = [sys.executable, "-m", "aimwell", *words]
    with (
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, encoding="utf-8", env=dict(os.environ)
        ) as started,
    ):
        try:
            yield started
        finally:
            started.send_signal(signal.SIGINT)
        assert started.wait(timeout=90) == 0, log.read_text(encoding="utf-8")


def tell(client: httpx.Client, event: str, people: Sequence[str]) -> None:
    """Say of people that something happened, some in a batch, batches side by side; the first batch comes twice."""
    calls = [{"type": "track", "userId": who, "event": event, "messageId": f"{event}-{who}"} for who in people]
    batches = [calls[start : start + AT_ONCE] for start in range(0, len(calls), AT_ONCE)]

    def post(batch: list[dict[str, str]]) -> int:
        return client.post("/v1/batch", json={"batch": batch}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(post, [*batches, batches[0]])) == {200}


def wait_until(client: httpx.Client, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The funnel as soon as it has come so far; as it is after two minutes."""
    counted: dict[str, Any] = {}
    for _ in range(600):
        counted = client.get("/api/journeys/hello/funnel").json()
        if reached(counted):
            break
        time.sleep(0.2)
    return counted


@pytest.mark.slow
def test_one_server_and_two_workers_lose_nobody_and_write_to_nobody_twice(place: Path) -> None:
    people = [f"p{number:03}" for number in range(PEOPLE)]
    where = ("-w", str(place))
    with ExitStack() as running:
        served = running.enter_context(process("serve", "--port", "0", "--no-worker", *where, log=place / "serve.log"))
        assert served.stdout is not None
        key = served.stdout.readline().split()[3]
        address = next(line for line in served.stdout if "Running at" in line).split()[2].rstrip(":")
        for number in range(2):
            running.enter_context(process("work", *where, log=place / f"work{number}.log"))
        wait_for_workers(place)
        client = running.enter_context(httpx.Client(base_url=address, auth=(key, ""), timeout=60))
        tell(client, "signed_up", people)
        counted = wait_until(client, lambda found: found["entered"] == PEOPLE and not pending(found))
        assert counted["entered"] == PEOPLE
        held_out = counted["exited"].get("held_out", 0)
        assert 0 < held_out < PEOPLE
        assert counted["steps"]["exposed"] == PEOPLE - held_out
        tell(client, "looked", people)
        counted = wait_until(client, lambda found: found["finished"] == PEOPLE - held_out and not pending(found))
        assert counted["finished"] == PEOPLE - held_out
    check(place, {f"p{number:03}" for number in range(PEOPLE)}, 2 * (PEOPLE - held_out))


def wait_for_workers(place: Path) -> None:
    """Until both workers have said that they are there; after two minutes the test goes on, and will tell."""
    with open_workspace(place).ledger() as ledger:
        for _ in range(600):
            with ledger.reading() as connection:
                there = select(lease.c.holder).where(lease.c.name.startswith("outbox:worker:"))
                if len(set(connection.scalars(there))) == 2:
                    return
            time.sleep(0.2)


def pending(found: dict[str, Any]) -> int:
    """Messages that wait or are being sent, and people in the moment between two nodes."""
    waiting: int = sum(node["waiting"] for node in found["nodes"])
    arriving: int = found["places"].get("hello", 0)
    return waiting + arriving


def check(place: Path, people: set[str], messages: int) -> None:
    """Everybody came in once, each message left once, both balances hold, and both workers had a share."""
    with open_workspace(place).ledger() as ledger, ledger.reading() as connection:
        verify_balances(connection)
        assert set(connection.scalars(select(enrolment.c.customer_id))) == people
        assert connection.scalar(select(func.count()).select_from(enrolment)) == len(people)
        assert set(connection.scalars(select(intent.c.state))) == {"accepted"}
        keys = list(connection.scalars(select(intent.c.key)))
        holders = select(lease.c.holder).where(lease.c.name.startswith("outbox:shard:"))
        assert set(connection.scalars(holders)) == {""}, "workers that end give their shards back"
        assert connection.scalar(select(func.max(attempt.c.number))) == 1
    sent = letters(place / "channels" / "mailbox", limit=10 * messages)
    assert len(keys) == messages
    assert Counter(letter.key for letter in sent) == Counter(keys)
    logs = [(place / f"work{number}.log").read_text(encoding="utf-8") for number in range(2)]
    failures = [line for log in logs for line in log.splitlines() if "a step failed" in line]
    assert failures == []
    sent_by = [sum(map(int, re.findall(r'"sent": (\d+)', log))) for log in logs]
    assert sum(sent_by) == messages
    assert all(sent_by), "both workers had a share"
