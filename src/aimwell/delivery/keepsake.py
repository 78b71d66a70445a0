"""The file of a channel that keeps its messages itself: one SQLite file in its folder, safe against sudden death.

Used by channels that have no provider outside: the local mailbox, messages on the site, simulated providers. Each has
its own tables beside `report`, the list of what was reported later, in the order in which it became known.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from aimwell.delivery.channel import Parcel, Receipt, Report
from aimwell.store.ledger.columns import instant, micros

MOST_REPORTS = 10_000
_REPORT = """
CREATE TABLE IF NOT EXISTS report (
  mark INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, at INTEGER NOT NULL, ref TEXT NOT NULL, key TEXT NOT NULL,
  provider_ref TEXT, detail TEXT NOT NULL
)"""


class Keepsake:
    """An open file of a channel; every `writing` block is one transaction, on disk when it ends."""

    def __init__(
        self, file: Path, schema: Sequence[str], *, synchronous: Literal["FULL", "NORMAL", "OFF"] = "FULL"
    ) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(file, isolation_level=None, timeout=30, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {synchronous}")
        for statement in (_REPORT, *schema):
            self._connection.execute(statement)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other writer shares; undone if the block raises."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @property
    def reading(self) -> sqlite3.Connection:
        """For statements that only read."""
        return self._connection

    def reports(self, since: int) -> tuple[list[Report], int]:
        """What was reported after a mark, at most 10,000, and the mark of the last of them."""
        rows = self._connection.execute(
            "SELECT mark, kind, at, ref, key, provider_ref, detail FROM report WHERE mark > ? ORDER BY mark LIMIT ?",
            (since, MOST_REPORTS),
        ).fetchall()
        found = [
            Report(kind, instant(at), ref, key, provider, detail=detail)
            for _, kind, at, ref, key, provider, detail in rows
        ]
        return found, rows[-1][0] if rows else since

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        self._connection.close()


def add_reports(connection: sqlite3.Connection, reports: Sequence[Report]) -> None:
    """Write reports down in this order, in the transaction at hand."""
    connection.executemany(
        "INSERT INTO report (kind, at, ref, key, provider_ref, detail) VALUES (?, ?, ?, ?, ?, ?)",
        [(one.kind, micros(one.at), one.ref, one.key or "", one.provider_ref, one.detail) for one in reports],
    )


def known_keys(
    connection: sqlite3.Connection, table: Literal["letter", "message", "delivery"], keys: Sequence[str]
) -> set[str]:
    """Which of these keys the table has."""
    found: set[str] = set()
    for start in range(0, len(keys), 500):
        some = keys[start : start + 500]
        marks = ", ".join("?" * len(some))
        found.update(row[0] for row in connection.execute(f"SELECT key FROM {table} WHERE key IN ({marks})", some))  # noqa: S608
    return found


def sent_at(parcel: Parcel) -> datetime:
    """The instant at which a parcel counts as sent: the sender's, or now."""
    return parcel.at or datetime.now(UTC)


def told(keys: Sequence[str], known: set[str]) -> list[Receipt]:
    """What is known of keys where the file has all that was ever taken: those it lacks were not taken."""
    return [
        Receipt(key, "accepted", key) if key in known else Receipt(key, "failed", detail="was never taken")
        for key in keys
    ]
