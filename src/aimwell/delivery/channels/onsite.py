"""Messages on the site or in the app: kept for a customer until a page asks for them, or until their time is over."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field

from aimwell.core.text import Text
from aimwell.delivery.channel import CUSTOMER_ID, ChannelKind, ChannelSettings, Parcel, Receipt, Report, flaw
from aimwell.delivery.keepsake import Keepsake, add_reports, known_keys, sent_at, told
from aimwell.store.ledger.columns import instant, micros

_FILE = "onsite.db"
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS message (
      number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, customer_id TEXT NOT NULL,
      parts TEXT NOT NULL, simulated INTEGER NOT NULL, sent_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
      fetched_at INTEGER, seen_at INTEGER, clicked_at INTEGER
    )""",
    "CREATE INDEX IF NOT EXISTS message_customer ON message (customer_id, expires_at)",
)


class OnsiteSettings(ChannelSettings):
    """How long a message waits for its customer, and how many of them a page shows."""

    lifetime_hours: int = Field(default=72, ge=1, le=24 * 366, description="a message is not shown after so many hours")
    at_once: int = Field(
        default=3, ge=1, le=50, description="how many messages one poll gives at most, the newest first"
    )


@dataclass(frozen=True, slots=True)
class Message:
    """A message that a page may show."""

    key: str
    parts: Mapping[str, str]
    simulated: bool
    sent_at: datetime
    expires_at: datetime
    seen: bool


class Onsite:
    """The open store of messages: puts them in, each key once."""

    def __init__(self, settings: OnsiteSettings, place: Path) -> None:
        self._lifetime = timedelta(hours=settings.lifetime_hours)
        self._file = Keepsake(place / _FILE, _SCHEMA)

    def send(self, parcels: Sequence[Parcel]) -> Sequence[Receipt]:
        """Put messages where their customers will find them, a batch in one transaction."""
        refused = {parcel.key: flawed for parcel in parcels if (flawed := flaw(parcel, "text"))}
        rows = [self._row(parcel) for parcel in parcels if parcel.key not in refused]
        try:
            with self._file.writing() as connection:
                connection.executemany(
                    "INSERT OR IGNORE INTO message (key, customer_id, parts, simulated, sent_at, expires_at) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    rows,
                )
        except sqlite3.Error as error:
            return [refused.get(parcel.key) or Receipt(parcel.key, "failed", detail=str(error)) for parcel in parcels]
        return [refused.get(parcel.key) or Receipt(parcel.key, "accepted", parcel.key) for parcel in parcels]

    def look_up(self, keys: Sequence[str]) -> Sequence[Receipt]:
        """Whether the messages are there."""
        return told(keys, known_keys(self._file.reading, "message", keys))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _row(self, parcel: Parcel) -> tuple[str, str, str, bool, int, int]:
        at = sent_at(parcel)
        parts = json.dumps(dict(parcel.parts))
        return parcel.key, parcel.address, parts, parcel.simulated, micros(at), micros(at + self._lifetime)


class OnsiteKind(ChannelKind[OnsiteSettings]):
    """Messages that a page of the site or app asks for."""

    name = "onsite"
    label = Text("站内信", "On-site message")
    meaning = Text(
        "网页或 App 轮询取走的消息，过期不再显示",
        "Messages that a page or app polls; not shown once their time is over",
    )
    address = CUSTOMER_ID
    parts = ("text", "title", "link", "html")
    signals = frozenset(["delivered", "opened", "clicked"])
    idempotent = True
    tells = True
    settings = OnsiteSettings
    batch = 1_000
    silent = Text("没有再来的客户是否会看", "anything of a customer who does not come back")

    def open(self, settings: OnsiteSettings, place: Path) -> Onsite:
        return Onsite(settings, place)

    def collect(self, settings: OnsiteSettings, place: Path, since: int) -> tuple[Sequence[Report], int]:
        file = Keepsake(place / _FILE, _SCHEMA)
        try:
            return file.reports(since)
        finally:
            file.close()


ONSITE = OnsiteKind()


def poll(place: Path, customer_id: str, now: datetime, *, settings: OnsiteSettings | None = None) -> Sequence[Message]:
    """The messages that a page should show a customer now, newest first; the first fetch is reported as delivered.

    Those clicked and those whose time is over are not among them.
    """
    limit = (settings or OnsiteSettings()).at_once
    file = Keepsake(place / _FILE, _SCHEMA)
    try:
        with file.writing() as connection:
            rows = connection.execute(
                "SELECT key, parts, simulated, sent_at, expires_at, fetched_at, seen_at FROM message "
                "WHERE customer_id = ? AND expires_at > ? AND sent_at <= ? AND clicked_at IS NULL "
                "ORDER BY number DESC LIMIT ?",
                (customer_id, micros(now), micros(now), limit),
            ).fetchall()
            new = [row[0] for row in rows if row[5] is None]
            connection.executemany(
                "UPDATE message SET fetched_at = ? WHERE key = ?", [(micros(now), key) for key in new]
            )
            add_reports(connection, [Report("delivered", now, "delivered", key, key) for key in new])
    finally:
        file.close()
    return [
        Message(key, json.loads(parts), bool(simulated), instant(sent), instant(expires), seen is not None)
        for key, parts, simulated, sent, expires, _, seen in rows
    ]


def report(place: Path, customer_id: str, key: str, what: Literal["seen", "clicked"], now: datetime) -> bool:
    """What the page says became of a message; counted once. False if the customer has no such message."""
    file = Keepsake(place / _FILE, _SCHEMA)
    try:
        with file.writing() as connection:
            row = connection.execute(
                "SELECT seen_at, clicked_at FROM message WHERE key = ? AND customer_id = ?", (key, customer_id)
            ).fetchone()
            if row is None:
                return False
            seen, clicked = row
            if seen is None:
                connection.execute("UPDATE message SET seen_at = ? WHERE key = ?", (micros(now), key))
                add_reports(connection, [Report("opened", now, "opened", key, key)])
            if what == "clicked" and clicked is None:
                connection.execute("UPDATE message SET clicked_at = ? WHERE key = ?", (micros(now), key))
                add_reports(connection, [Report("clicked", now, "clicked", key, key)])
        return True
    finally:
        file.close()
