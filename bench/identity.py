"""How many messages a second identity absorbs, on SQLite, in a ledger of many known customers.

    python bench/identity.py --customers 200000 --messages 100000

Builds the customers by absorbing one identify each (user id, device, three traits, locality; measured too), then times
kinds of traffic apart: tracks of known customers (all on the first day that they are seen, then again), tracks of new
visitors, identifies that say nothing new, identifies that change a trait, and sign-ins that merge a visitor into a
known customer. Messages are made and put into the inbox before the clock starts. The peer is the same work in chunks
of 100 messages, one transaction each, which is what absorbing on arrival would cost.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select

from aimwell.insight.identity.absorbing import CHUNK, absorb
from aimwell.insight.identity.evidence import IdentitySettings
from aimwell.store.ledger.columns import DAY, SECOND, micros
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.inbox import message

BEGIN = micros(datetime(2026, 3, 1, tzinfo=UTC))
NOW = datetime(2026, 6, 1, tzinfo=UTC)
CONTEXT = json.dumps(
    {
        "ip": "203.0.113.7",
        "library": {"name": "analytics.js", "version": "next-1.70.0"},
        "locale": "zh-CN",
        "page": {"path": "/deposits", "title": "存款", "url": "https://bank.example/deposits"},
        "timezone": "Asia/Shanghai",
        "userAgent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)",
    }
)
Row = dict[str, Any]
Maker = Callable[[int, random.Random], Row]


def row(kind: str, at: int, user: str | None, device: str | None, traits: object = None) -> Row:
    """One message without its id, as the browser library sends it."""
    return {
        "kind": kind,
        "name": "Product Viewed" if kind == "track" else None,
        "user_id": user,
        "anonymous_id": device,
        "occurred_at": at,
        "traits": json.dumps(traits or {}),
        "properties": json.dumps({"product_id": "p-77", "price": 12.5}),
        "context": CONTEXT,
    }


def person(number: int, **changed: object) -> Row:
    """The identify of a customer, by number."""
    traits = {"email": f"c{number}@example.cn", "plan": "gold", "age": 20 + number % 60} | changed
    return row("identify", BEGIN + number, f"c{number}", f"d{number}", traits)


def makers(customers: int, messages: int) -> dict[str, Maker]:
    """Each kind of traffic by name: a message from its number and a source of chance."""

    def anybody(chance: random.Random) -> int:
        return chance.randrange(customers)

    def track(number: int, _: random.Random) -> Row:
        who = number % min(customers, messages + messages // 20)
        return row("track", BEGIN + DAY + number * SECOND // 1_000, f"c{who}", f"d{who}")

    return {
        "track of known customers, first of the day": track,
        "track of known customers, later that day": track,
        "identify that says nothing new": lambda number, chance: person(anybody(chance)),
        "identify that changes a trait": lambda number, chance: (
            person(anybody(chance), plan=f"plan {number}") | {"occurred_at": BEGIN + 2 * DAY + number}
        ),
        "page of new visitors": lambda number, _: row("page", BEGIN + 3 * DAY + number, None, f"v{number}"),
        "sign-in that merges a visitor": lambda number, _: row(
            "identify", BEGIN + 4 * DAY + number, f"c{number % customers}", f"v{number}"
        ),
    }


def post(ledger: Ledger, rows: Iterator[Row]) -> int:
    """Put messages into the inbox; returns how many."""
    with ledger.writing_events() as connection:
        number = connection.scalar(select(func.max(message.c.seq))) or 0
        listed = [
            each | {"message_id": f"m{number + place}", "source": "bench", "received_at": each["occurred_at"]}
            for place, each in enumerate(rows)
        ]
        connection.execute(insert(message), listed)
    return len(listed)


def drain(ledger: Ledger, limit: int) -> float:
    """Messages per second of processor time until the inbox is read: waiting for others on a shared machine is none."""
    settings = IdentitySettings(zone="Asia/Shanghai", hold_out=0.1)
    began, count = time.process_time(), 0
    while read := absorb(ledger, settings, now=NOW, limit=limit).messages:
        count += read
    return count / (time.process_time() - began)


def measure(ledger: Ledger, customers: int, messages: int) -> None:
    """Time each kind of traffic and print its line."""
    chance = random.Random(7)
    for start in range(0, customers, 50_000):
        post(ledger, (person(number) for number in range(start, min(customers, start + 50_000))))
    print(f"{'identify of new customers':45}{drain(ledger, CHUNK):10,.0f} messages/s", flush=True)
    for name, make in makers(customers, messages).items():
        post(ledger, (make(number, chance) for number in range(messages)))
        whole = drain(ledger, CHUNK)
        few = messages // 20
        post(ledger, (make(messages + number, chance) for number in range(few)))
        small = drain(ledger, 100)
        print(
            f"{name:45}{whole:10,.0f} messages/s, in chunks of 100 {small:8,.0f}: ratio {whole / small:.1f}", flush=True
        )


def main() -> None:
    """Read the sizes and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--messages", type=int, default=100_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(Path(folder))
        measure(ledger, chosen.customers, chosen.messages)
        ledger.close()


if __name__ == "__main__":
    main()
