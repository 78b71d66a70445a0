"""A server that ends finishes what it took; one that is killed has kept what it acknowledged."""

from __future__ import annotations

import json
import logging
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from tests.web.server.desks import SERVER, SERVER_SECRET, track

from aimwell.core.errors import Unavailable
from aimwell.store.ledger.arrivals import read_after
from aimwell.store.ledger.ledger import open_ledger
from aimwell.web.server.run import JsonLines, serving


@contextmanager
def child(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, with its address."""
    command = [sys.executable, str(Path(__file__).with_name("killed.py")), str(folder), SERVER_SECRET]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def stored(folder: Path) -> list[str]:
    ledger = open_ledger(folder)
    with ledger.reading_events() as connection:
        names = [row.message_id for row in read_after(connection, 0, 1_000_000)]
    ledger.close()
    return names


def send_until_it_ends(url: str, name: str, told: list[str]) -> None:
    """Send batches one after the other, noting what was acknowledged, until the server is gone."""
    with httpx.Client(base_url=url, verify=False) as client:
        for number in range(100_000):
            ids = [f"{name}-{number}-{item}" for item in range(20)]
            try:
                answer = client.post("/v1/batch", json={"batch": [track(each) for each in ids]}, headers=SERVER)
            except httpx.TransportError:
                return
            if answer.status_code == 200:
                told.extend(item["messageId"] for item in answer.json()["results"] if item["status"] == "accepted")


def interrupt(folder: Path, number: signal.Signals, after: float) -> tuple[list[str], int]:
    """Let four senders send to a server, send it a signal, and return what they were told, with its exit status."""
    told: list[str] = []
    with child(folder) as (process, url):
        senders = [threading.Thread(target=send_until_it_ends, args=(url, f"s{n}", told)) for n in range(4)]
        for sender in senders:
            sender.start()
        deadline = time.monotonic() + 30
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(after)
        process.send_signal(number)
        status = process.wait(30)
        for sender in senders:
            sender.join()
    return told, status


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    chance = random.Random(7)
    for turn in range(3):
        folder = tmp_path / str(turn)
        told, status = interrupt(folder, signal.SIGKILL, chance.random() / 3)
        kept = Counter(stored(folder))
        assert status == -signal.SIGKILL
        assert told
        assert set(told) <= set(kept)
        assert set(kept.values()) == {1}


def test_a_server_that_is_asked_to_end_commits_what_it_took_and_ends_well(tmp_path: Path) -> None:
    told, status = interrupt(tmp_path, signal.SIGTERM, 0.2)
    assert status == 0
    assert Counter(told) == Counter(stored(tmp_path))  # nothing is kept either of which nobody was told


def test_a_server_whose_port_is_taken_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Unavailable, match="could not start"), serving(FastAPI(), port=taken.getsockname()[1]):
            pass


def test_the_log_is_one_json_object_a_line() -> None:
    record = logging.LogRecord("aimwell", logging.WARNING, "", 0, "%d were\nlost", (3,), None)
    record.status = 503
    line = JsonLines().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["level"], said["message"], said["status"]) == ("warning", "3 were\nlost", 503)
