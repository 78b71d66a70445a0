"""The simulated provider: rates as set, equal seeds equal fates, and the truth kept through the sender's death."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.delivery.channels.parcels import NOW, parcel

from aimwell.core.errors import BadDefinition
from aimwell.delivery.catalogue import configured
from aimwell.delivery.channel import Receipt, Report
from aimwell.delivery.channels.simulated import SIMULATED, SimulatedSettings, add, counts

MANY = 2_000


def sent(place: Path, count: int = MANY, **settings: Any) -> list[Receipt]:
    channel = SIMULATED.open(SimulatedSettings(**settings), place)
    receipts = channel.send([parcel(f"{n}:a:1:0", "token") for n in range(count)])
    channel.close()
    return list(receipts)


def test_calls_end_as_often_in_each_way_as_set(tmp_path: Path) -> None:
    receipts = sent(tmp_path, refusing=0.1, failing=0.2, timing_out=0.05, losing=0.05)
    shares = {result: count / MANY for result, count in Counter(one.result for one in receipts).items()}
    assert shares == pytest.approx({"accepted": 0.6, "refused": 0.1, "failed": 0.2, "unknown": 0.1}, abs=0.03)
    truth = counts(tmp_path)
    assert truth.calls == MANY
    assert truth.delivered / MANY == pytest.approx(0.65, abs=0.03)
    assert all(one.bad_address for one in receipts if one.result == "refused")


def test_equal_seeds_give_equal_fates_and_others_do_not(tmp_path: Path) -> None:
    first, again, other = (sent(tmp_path / str(n), 200, failing=0.5, seed=seed) for n, seed in enumerate([1, 1, 2]))
    assert first == again != other


def test_a_failed_call_may_succeed_when_tried_again(tmp_path: Path) -> None:
    channel = SIMULATED.open(SimulatedSettings(failing=0.5), tmp_path)
    waiting = [parcel(f"{n}:a:1:0", "token") for n in range(100)]
    for _ in range(30):
        failed = {one.key for one in channel.send(waiting) if one.result == "failed"}
        waiting = [one for one in waiting if one.key in failed]
    channel.close()
    assert waiting == []
    assert counts(tmp_path).delivered == 100


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_repetition_delivers_twice_only_without_keys(tmp_path: Path, *, idempotent: bool) -> None:
    for _ in range(2):
        sent(tmp_path, 50, idempotent=idempotent)
    truth = counts(tmp_path)
    assert (truth.calls, truth.keys, truth.repeated) == (100, 50, 0 if idempotent else 50)
    assert truth.delivered == (50 if idempotent else 100)


def test_what_timed_out_was_delivered_and_can_be_looked_up(tmp_path: Path) -> None:
    channel = SIMULATED.open(SimulatedSettings(timing_out=0.5, losing=0.5), tmp_path)
    receipts = channel.send([parcel(f"{n}:a:1:0", "token") for n in range(100)])
    assert {one.result for one in receipts} == {"unknown"}
    told = Counter(one.result for one in channel.look_up([one.key for one in receipts]))
    channel.close()
    assert told["accepted"] == counts(tmp_path).delivered
    assert told["accepted"] + told["failed"] == 100
    silent = SIMULATED.open(SimulatedSettings(tells=False), tmp_path)
    assert list(silent.look_up(["0:a:1:0"])) == []
    silent.close()


def collected(place: Path) -> list[Report]:
    found: list[Report] = []
    mark = 0
    while (some := SIMULATED.collect(SimulatedSettings(), place, mark))[0]:
        found += some[0]
        mark = some[1]
    return found


def test_callbacks_come_once_in_order_unless_set_otherwise(tmp_path: Path) -> None:
    sent(tmp_path, 100)
    reports = collected(tmp_path)
    assert [one.kind for one in reports] == ["accepted", "delivered"] * 100
    assert len({one.ref for one in reports}) == 200


def test_callbacks_are_doubled_and_reordered_but_never_lost(tmp_path: Path) -> None:
    sent(tmp_path, 400, duplicated=0.5, reordered=0.3, bouncing=0.25)
    reports = collected(tmp_path)
    assert len({one.ref for one in reports}) == 800
    assert len(reports) / 800 == pytest.approx(1.5, abs=0.1)
    places = {one.ref: place for place, one in reversed(list(enumerate(reports)))}
    swapped = [
        one.provider_ref
        for place, one in enumerate(reports)
        if one.kind != "accepted" and places[f"{one.provider_ref}-accepted"] > place
    ]
    assert swapped
    bounced = {one.provider_ref for one in reports if one.kind == "bounced"}
    assert len(bounced) / 400 == pytest.approx(0.25, abs=0.07)


def test_everything_that_is_kept_or_told_says_that_it_is_simulated(tmp_path: Path) -> None:
    receipts = sent(tmp_path, 20, failing=0.3, timing_out=0.2, refusing=0.2)
    add(tmp_path, [Report("opened", NOW, "o1", "1:a:1:0")])
    assert all("simulated" in f"{one.detail}{one.provider_ref}" for one in receipts)
    assert all(one.detail == "simulated" for one in collected(tmp_path))
    assert any(one.kind == "opened" for one in collected(tmp_path))
    with sqlite3.connect(tmp_path / "simulated.db") as connection:
        assert connection.execute("SELECT DISTINCT label, plays FROM delivery").fetchall() == [("simulated", "push")]
    connection.close()


def test_what_it_plays_decides_address_and_signals() -> None:
    push = configured({"push": {"kind": "simulated"}})["push"].abilities
    wechat = configured({"wechat": {"kind": "simulated", "plays": "wechat", "idempotent": False}})["wechat"].abilities
    assert (push.address, wechat.address) == ("push_token", "wechat")
    assert "replied" in wechat.signals
    assert "replied" not in push.signals
    assert (push.idempotent, wechat.idempotent) == (True, False)
    with pytest.raises(BadDefinition, match="at most 1 together"):
        configured({"push": {"kind": "simulated", "failing": 0.7, "losing": 0.7}})


SENDER = """
import sys
from pathlib import Path
from aimwell.delivery.channel import Parcel
from aimwell.delivery.channels.simulated import SIMULATED, SimulatedSettings
channel = SIMULATED.open(SimulatedSettings(together=5, latency_ms=1), Path(sys.argv[1]))
for start in range(0, 100_000, 50):
    receipts = channel.send([Parcel(f"{n}:a:1:0", "c", "t", {"text": "x"}) for n in range(start, start + 50)])
    print(sum(one.result == "accepted" for one in receipts), flush=True)
"""


def test_what_was_delivered_stays_known_when_the_sender_is_killed(tmp_path: Path) -> None:
    sender = subprocess.Popen([sys.executable, "-c", SENDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert sender.stdout is not None
    answered = sum(int(sender.stdout.readline()) for _ in range(3))
    time.sleep(0.02)
    sender.send_signal(signal.SIGKILL)
    answered += sum(int(line) for line in sender.stdout if line.strip())
    sender.wait()
    sender.stdout.close()
    truth = counts(tmp_path)
    assert truth.delivered == truth.keys >= answered
    assert truth.repeated == 0
    sent(tmp_path, answered + 200)
    assert counts(tmp_path).repeated == 0
