"""How long from an event's commit until the message that it leads to is in the outbox, with many customers around.

Usage: .venv/bin/python bench/event_to_outbox.py [customers, default 1,000,000] [rounds, default 40]

A workspace with the customers and five events of each; a segment "looked twice in 30 days and did not buy", a journey
that everyone who enters it comes into, and a send as its first node. In each round a few customers look for the second
time while others do something else; the worker steps as it does in `aimwell work`. Measured: from the commit of the
round's messages until its intents are there.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from sqlalchemy import func, select
from sqlglot import parse_one

from aimwell.content.definition import Content
from aimwell.core.definitions import parse_definitions
from aimwell.insight.live.activating import activate_customers
from aimwell.store.intake.messages import Message, parse_message
from aimwell.store.ledger.arrivals import keep_messages
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.workspace import open_workspace
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.definition import Journey
from aimwell.worker.live import Live
from aimwell.worker.opening import open_live

SETTINGS = 'name = "Bench"\ncurrency = "CNY"\ntimezone = "Asia/Shanghai"\nlanguage = "en"\n[channels.mailbox]\n'
SEGMENT = """
name: browsers
kind: behavioural
rule: {all: [{events: {name: looked, within: 30d, count: {at_least: 2}}}, {not: {events: {name: bought, within: 30d}}}]}
"""
CONTENT = "{channel: mailbox, parts: {en: {subject: Hello, text: Hello}}}"
JOURNEY = """
objective: revenue
entry: {segment: browsers}
hold_out: 1%
goal: {bought: {event: bought}}
within: 10d
start: hello
nodes:
  hello: {send: {channel: mailbox, content: hello, purpose: service}, to: done}
  done: {end: {}}
"""
LOOKING, OTHERS = 5, 200


def main(folder: Path, customers: int, rounds: int) -> None:
    """Fill, let the worker take everything in, then measure round after round."""
    (folder / "aimwell.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / "segments").mkdir()
    (folder / "segments" / "browsers.yaml").write_text(SEGMENT, encoding="utf-8")
    workspace = open_workspace(folder)
    with open_live(workspace, worker="bench") as live:
        fill(live, customers)
        (journey,) = parse_definitions(JOURNEY, "j.yaml", Journey, name="hello")
        (content,) = parse_definitions(CONTENT, "hello.yaml", Content, name="hello")
        with live.ledger.writing() as connection:
            apply_version(
                connection, journey, live.clock(), "bench", contents={"hello": content.model_dump(mode="json")}
            )
        started = time.perf_counter()
        live.step()
        built = time.perf_counter() - started
        print(f"{customers:,} customers; the first step, with the segment's full build: {built:.1f} s")
        taken = sorted(measure(live, number, customers) for number in range(rounds))
    print(f"event to outbox: median {taken[len(taken) // 2]:.2f} s, 95 % within {taken[int(len(taken) * 0.95)]:.2f} s")


def fill(live: Live, customers: int) -> None:
    """Customers and five events of each, the last `looked` of everyone within the 30 days."""
    assert live.refresher is not None
    engine = live.refresher.warehouse.engine
    now = live.clock().replace(tzinfo=None)
    ids = pa.array([f"c{number}" for number in range(customers)])
    engine.write(
        "customer", pa.table({"customer_id": ids, "created_at": pa.array([now - timedelta(days=400)] * customers)})
    )
    days = np.random.default_rng(1).integers(1, 300, size=(4, customers))
    for place, name in enumerate(("looked", "opened", "paid", "logged_in", "logged_in")):
        ago = days[place] if 0 < place < 4 else np.full(customers, 3 + place)
        at = pa.array((np.datetime64(now, "us") - ago.astype("timedelta64[D]")).astype("datetime64[us]"))
        rows = {
            "event_id": pa.array([f"{place}-{number}" for number in range(customers)]),
            "customer_id": ids,
            "name": pa.array([name] * customers),
            "occurred_at": at,
            "channel": pa.nulls(customers, pa.string()),
            "session_id": pa.nulls(customers, pa.string()),
            "properties": pa.array(["{}"] * customers),
            "received_at": at,
        }
        engine.append("event", pa.table(rows))
    live.refresher.warehouse.refresh()
    activate_customers(live.refresher.warehouse, live.ledger, zone="Asia/Shanghai", hold_out=0.0)
    print(f"filled: {engine.to_arrow(parse_one('SELECT count(*) AS n FROM event')).to_pylist()[0]['n']:,} events")


def measure(live: Live, number: int, customers: int) -> float:
    """Seconds from the commit of a round's messages until its intents are there."""
    now = datetime.now(UTC)
    who = np.random.default_rng(number).choice(customers, LOOKING + OTHERS, replace=False)
    calls = [
        {
            "type": "track",
            "userId": f"c{each}",
            "event": "looked" if place < LOOKING else "scrolled",
            "messageId": f"{number}-{place}",
        }
        for place, each in enumerate(who)
    ]
    messages = [parse_message(call, received_at=now) for call in calls]
    before = planned(live)
    with live.ledger.writing_events() as connection:
        keep_messages(connection, [(each, "bench", True) for each in messages if isinstance(each, Message)])
    started = time.perf_counter()
    while planned(live) == before and time.perf_counter() - started < 60:
        live.step()
    return time.perf_counter() - started


def planned(live: Live) -> int:
    """How many messages have been asked for."""
    with live.ledger.reading() as connection:
        return connection.scalar(select(func.count()).select_from(intent)) or 0


if __name__ == "__main__":
    sizes = [int(each) for each in sys.argv[1:]] + [1_000_000, 40][len(sys.argv) - 1 :]
    with tempfile.TemporaryDirectory() as place:
        main(Path(place), *sizes)
