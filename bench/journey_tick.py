"""People moved through a send node by the set-based tick, beside one transaction per person in the same run.

Usage: .venv/bin/python bench/journey_tick.py [people, default 1,000,000] [postgres]

The journey: a send, then a wait of two days for an answer, goal and exit rule by events, a tenth held out. Measured:
entry, the tick that takes everyone through the send into the wait and how long an unsubscription waits beside it, the
tick two days later that takes everyone out, an idle tick, the peak of memory, and the same first tick in chunks of one
for the first 2,000 people, as a ratio.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from sqlalchemy import insert, select, update

from aimwell.core.definitions import parse_definitions
from aimwell.core.keys import shard_of
from aimwell.store.ledger.happenings import Happening, record
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.people import customer
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.entry import let_in
from aimwell.strategy.journeys.tick import Ticker
from outbox_throughput import unsubscribe_meanwhile

JOURNEY = """
objective: activation
entry: {event: signed_up}
hold_out: 10%
goal: {loan: {event: loan_taken}}
within: 30d
exits: {closed: {event: account_closed}}
start: hello
nodes:
  hello: {send: {channel: push, content: hello}, to: answer}
  answer: {wait: {event: {opened: hello}, at_most: 2d}, to: {happened: done, timeout: done}}
  done: {end: {}}
"""
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
SINGLE = 2_000


def main(people: int, place: str | Path) -> None:
    """Measure and print."""
    ledger = open_ledger(place)
    (journey,) = parse_definitions(JOURNEY, "j.yaml", Journey, name="hello")
    with ledger.writing() as connection:
        apply_version(connection, journey, START, "bench")
    for first in range(0, people, 50_000):
        _fill(ledger, first, min(first + 50_000, people))
    entering = time.perf_counter()
    while _enter(ledger):
        pass
    entered = time.perf_counter() - entering
    single = _single(ledger)
    waits: list[float] = []
    done = threading.Event()
    beside = threading.Thread(target=unsubscribe_meanwhile, args=(ledger, done, waits, "c"))
    beside.start()
    through = _timed(ledger, START + timedelta(hours=1))
    done.set()
    beside.join()
    last = _timed(ledger, START + timedelta(days=2, hours=1))
    idle = min(_timed(ledger, START + timedelta(days=3)) for _ in range(20))
    moved = people * 0.9
    print(f"{ledger.backend}, {people:,} people, nine tenths of them moved")
    print(f"entry            {entered:8.1f} s   {people / entered:10,.0f} people/s")
    ratio = moved / through * single
    print(f"through the send {through:8.1f} s   {moved / through:10,.0f} people/s   {ratio:5.0f} x one by one")
    middle, longest = statistics.median(waits) * 1000, max(waits) * 1000
    print(f"an unsubscription beside it waits {middle:.0f} ms (median), {longest:.0f} ms at most, of {len(waits)}")
    print(f"out of the wait  {last:8.1f} s   {moved / last:10,.0f} people/s")
    print(f"one at a time    {single * 1000:8.2f} ms each   {1 / single:8,.0f} people/s")
    print(f"idle tick        {idle * 1000:8.2f} ms")
    print(f"peak memory      {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB")
    ledger.close()


def _fill(ledger: Ledger, first: int, last: int) -> None:
    rows = [
        {
            "customer_id": f"c{number}",
            "shard": shard_of(f"c{number}"),
            "zone": "Asia/Shanghai",
            "held_out": False,
            "created_at": START,
        }
        for number in range(first, last)
    ]
    with ledger.writing() as connection:
        connection.execute(insert(customer), rows)
        record(
            connection,
            [Happening(str(row["customer_id"]), "event:signed_up", START, str(row["shard"])) for row in rows],
        )


def _enter(ledger: Ledger) -> int:
    with ledger.writing() as connection:
        return let_in(connection, START).knocks


def _single(ledger: Ledger) -> float:
    """Seconds per person in transactions of one."""
    with _others_asleep(ledger):
        started = time.perf_counter()
        Ticker(ledger, chunk=1).tick(START + timedelta(hours=1))
        return (time.perf_counter() - started) / SINGLE


@contextmanager
def _others_asleep(ledger: Ledger) -> Iterator[None]:
    """Only the first people are due meanwhile."""
    with ledger.writing() as connection:
        chosen = select(enrolment.c.id).where(enrolment.c.due_at.is_not(None)).order_by(enrolment.c.id).limit(SINGLE)
        connection.execute(
            update(enrolment)
            .where(enrolment.c.due_at.is_not(None), enrolment.c.id.not_in(chosen))
            .values(due_at=START + timedelta(days=900))
        )
    yield
    with ledger.writing() as connection:
        asleep = enrolment.c.due_at == START + timedelta(days=900)
        connection.execute(update(enrolment).where(asleep).values(due_at=enrolment.c.at))


def _timed(ledger: Ledger, now: datetime) -> float:
    started = time.perf_counter()
    Ticker(ledger).tick(now)
    return time.perf_counter() - started


if __name__ == "__main__":
    count = int(next((each for each in sys.argv[1:] if each.isdigit()), "1000000"))
    with tempfile.TemporaryDirectory() as folder:
        if "postgres" in sys.argv:
            sys.path.insert(0, str(Path(__file__).parent.parent))
            from tests.postgres import serve_postgres

            with serve_postgres() as server, server.database() as url:
                main(count, url)
        else:
            main(count, Path(folder) / "ledger")
