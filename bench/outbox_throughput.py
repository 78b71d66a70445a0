"""Due messages through the claim pass, per second, on both databases, beside one transaction per person.

    python bench/outbox_throughput.py --people 1000000 --database sqlite

Every message is judged by journey, hold-out, address, suppression, consent, quiet hours of ten timezones and a cap.
Beside the pass a second thread takes unsubscriptions and measures how long each waits; afterwards the idle pass and
`why` are timed. The peer is the same code with chunks of one message, on a sample of the same ledger.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
from sqlalchemy import text
from tests.postgres import serve_postgres

from aimwell.core.time import zone
from aimwell.delivery.channel import Parcel, Receipt
from aimwell.delivery.outbox.claim import CHUNK, Desk, claim, claim_chunk
from aimwell.delivery.outbox.outlet import Outlet
from aimwell.delivery.outbox.policy import Cap, Policy
from aimwell.delivery.outbox.shards import take_shards
from aimwell.delivery.outbox.why import why
from aimwell.store.ledger.consents import set_consent
from aimwell.store.ledger.ledger import Ledger, open_ledger
from outbox_rows import NOON, fill


class Nowhere:
    """A provider that is never called here."""

    def send(self, parcels: Sequence[Parcel]) -> Sequence[Receipt]:
        return [Receipt(each.key, "accepted") for each in parcels]

    def look_up(self, keys: Sequence[str]) -> Sequence[Receipt]:
        return []

    def close(self) -> None:
        pass


def desk_at(ledger: Ledger, worker: str) -> Desk:
    """A worker's desk: one channel, quiet hours, one cap."""
    policy = Policy(caps=(Cap(at_most=2, within=timedelta(days=7)),))
    outlet = Outlet("email", Nowhere(), "email", 500, idempotent=False)
    return Desk(ledger, {"email": outlet}, policy, zone("Asia/Shanghai"), worker)


def one_by_one(desk: Desk, sample: int) -> float:
    """Messages per second when each has a transaction of its own."""
    take_shards(desk.ledger, desk.worker, NOON, desk.policy.lease)
    begun = time.perf_counter()
    for _ in range(sample):
        with desk.ledger.writing() as connection:
            claim_chunk(connection, desk, NOON, 1)
    return sample / (time.perf_counter() - begun)


def unsubscribe_meanwhile(ledger: Ledger, done: threading.Event, waits: list[float], prefix: str = "p") -> None:
    """Twenty times a second somebody withdraws consent; how long each waits is noted."""
    number = 0
    while not done.wait(0.05):
        begun = time.perf_counter()
        with ledger.writing() as connection:
            set_consent(connection, f"{prefix}{number}", "email", "marketing", granted=False, at=NOON, source="link")
        waits.append(time.perf_counter() - begun)
        number += 1


def run_pass(ledger: Ledger, workers: int, chunk: int) -> tuple[float, int, list[float]]:
    """The whole pass with so many workers: seconds, messages looked at, and the waits beside it."""
    waits: list[float] = []
    done, counts = threading.Event(), [0] * workers
    beside = threading.Thread(target=unsubscribe_meanwhile, args=(ledger, done, waits))

    def work(number: int) -> None:
        counts[number] = claim(desk_at(ledger, f"w{number}"), NOON, chunk=chunk).looked_at

    for number in range(workers):  # so that each knows of the others before it begins
        take_shards(ledger, f"w{number}", NOON, timedelta(minutes=10))
    threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
    beside.start()
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begun
    done.set()
    beside.join()
    return took, sum(counts), waits


def timed(repeat: int, ledger: Ledger) -> tuple[float, float]:
    """Median seconds of a pass with nothing due, and the longest of twenty answers to "why"."""
    idle, asked = [], []
    desk = desk_at(ledger, "w0")
    for number in range(repeat):
        begun = time.perf_counter()
        claim(desk, NOON)
        idle.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        with ledger.reading() as connection:
            assert why(connection, f"p{number * 7}", "launch").sentences
        asked.append(time.perf_counter() - begun)
    return statistics.median(idle), max(asked)


def main() -> None:
    """Read the sizes and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--chunk", type=int, default=CHUNK)
    parser.add_argument("--sample", type=int, default=1_000, help="messages in the one-by-one mode")
    chosen = parser.parse_args()
    if chosen.database in {"sqlite", "both"}:
        with tempfile.TemporaryDirectory() as folder:
            measure("sqlite", Path(folder), chosen)
    if chosen.database in {"postgresql", "both"}:
        with serve_postgres() as server, server.database() as url:
            measure("postgresql", url, chosen)


def measure(backend: str, place: Path | str, chosen: argparse.Namespace) -> None:
    """One database: one by one, then the set-based pass, then what an idle minute costs."""
    ledger = open_ledger(place)
    fill(ledger, chosen.people)
    if backend == "postgresql":
        with ledger.writing() as connection:
            connection.execute(text("ANALYZE"))
    single = one_by_one(desk_at(ledger, "w0"), chosen.sample)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took, seen, waits = run_pass(ledger, chosen.workers, chosen.chunk)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    idle, asked = timed(20, ledger)
    ledger.close()
    rate = seen / took
    print(
        f"{backend}, {chosen.workers} worker(s): {seen:,} messages in {took:.1f} s = {rate:,.0f}/s; one by one"
        f" {single:,.0f}/s, ratio {rate / single:.0f}; unsubscribe median {statistics.median(waits) * 1000:.0f} ms,"
        f" max {max(waits) * 1000:.0f} ms of {len(waits)}; idle pass {idle * 1000:.1f} ms; why at most"
        f" {asked * 1000:.1f} ms; memory grew by {grown:.0f} MB"
    )


if __name__ == "__main__":
    main()
