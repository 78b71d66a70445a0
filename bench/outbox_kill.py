"""Senders killed at random instants: nobody gets a message twice, nobody is lost, every doubt is listed.

    python bench/outbox_kill.py --people 1000000 --kills 1000 --database sqlite

Each provider in turn: one that says nothing more, one that can be asked, one that honours keys. A life of the sender
is a process of its own, killed (SIGKILL) before or after a random statement, commit or record of the provider; the
provider's file outlives it. After every so many kills both balances are verified and the ledger is held beside the
provider's file; the run ends at the first difference.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.delivery.outbox.kills import Trial, fill, torment
from tests.postgres import serve_postgres

from aimwell.store.ledger.ledger import open_ledger

PROVIDERS = ("plain", "tells", "idempotent")


@contextmanager
def place_for(backend: str, folder: Path) -> Iterator[Path | str]:
    """A folder for SQLite, or the URL of a server that ends with the block."""
    if backend == "sqlite":
        yield folder / "ledger"
        return
    with serve_postgres() as server, server.database() as url:
        yield url


def run(backend: str, provider: str, chosen: argparse.Namespace) -> None:
    """One provider on one database, from a full outbox to the last message settled."""
    with tempfile.TemporaryDirectory() as name, place_for(backend, Path(name)) as place:
        behaves = {"idempotent": provider == "idempotent", "tells": provider == "tells"}
        trial = Trial(place, Path(name) / "provider", batch=chosen.batch, chunk=2_000, **behaves)
        ledger = open_ledger(place)
        fill(ledger, chosen.people)
        ledger.close()
        # A life passes two instants for each message and some fifty for each batch.
        span = max(2 * chosen.people // chosen.kills * 2, 200)
        begun = time.perf_counter()
        looks = range(0, chosen.kills + 1, max(chosen.kills // chosen.looks, 1))
        killed, seen = torment(trial, chosen.kills, span, chosen.seed, looks)
        print(
            f"{backend}, provider {provider}: {chosen.people:,} messages, {killed} kills, {seen.taken:,} taken,"
            f" {seen.duplicates} twice, {seen.unlisted} unlisted, {seen.invented} invented, states"
            f" {dict(sorted(seen.states.items()))}; both balances true at {len(looks)} looks;"
            f" {time.perf_counter() - begun:.0f} s",
            flush=True,
        )


def main() -> None:
    """Read the sizes and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--looks", type=int, default=20)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="sqlite")
    parser.add_argument("--provider", choices=[*PROVIDERS, "all"], default="all")
    chosen = parser.parse_args()
    for backend in ("sqlite", "postgresql") if chosen.database == "both" else (chosen.database,):
        for provider in PROVIDERS if chosen.provider == "all" else (chosen.provider,):
            run(backend, provider, chosen)


if __name__ == "__main__":
    main()
