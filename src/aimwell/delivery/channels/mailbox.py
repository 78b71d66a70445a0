"""The local mailbox: messages stay in the workspace, where they can be read; where a new workspace sends."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.delivery.channel import CUSTOMER_ID, ChannelKind, ChannelSettings, Parcel, Receipt, Report, flaw
from aimwell.delivery.keepsake import Keepsake, add_reports, known_keys, sent_at, told
from aimwell.store.ledger.columns import instant, micros

_FILE = "mailbox.db"
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS letter (
      number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, customer_id TEXT NOT NULL,
      address TEXT NOT NULL, parts TEXT NOT NULL, simulated INTEGER NOT NULL,
      sent_at INTEGER NOT NULL, opened_at INTEGER
    )""",
    "CREATE INDEX IF NOT EXISTS letter_customer ON letter (customer_id, number)",
)
_COLUMNS = "number, key, customer_id, address, parts, simulated, sent_at, opened_at"


class MailboxSettings(ChannelSettings):
    """The mailbox needs nothing."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in the mailbox; numbers count up from 1 in the order of arrival."""

    number: int
    key: str
    customer_id: str
    address: str
    parts: Mapping[str, str]
    simulated: bool
    sent_at: datetime
    opened_at: datetime | None


class Mailbox:
    """The open mailbox: puts letters in, each key once."""

    def __init__(self, place: Path) -> None:
        self._file = Keepsake(place / _FILE, _SCHEMA)

    def send(self, parcels: Sequence[Parcel]) -> Sequence[Receipt]:
        """Put letters in, a batch in one transaction; what is there already stays as it is."""
        refused = {parcel.key: flawed for parcel in parcels if (flawed := flaw(parcel, "text"))}
        good = [parcel for parcel in parcels if parcel.key not in refused]
        try:
            with self._file.writing() as connection:
                for parcel in good:
                    _put(connection, parcel)
        except sqlite3.Error as error:
            return [refused.get(parcel.key) or Receipt(parcel.key, "failed", detail=str(error)) for parcel in parcels]
        return [refused.get(parcel.key) or Receipt(parcel.key, "accepted", parcel.key) for parcel in parcels]

    def look_up(self, keys: Sequence[str]) -> Sequence[Receipt]:
        """Whether the letters are in the mailbox."""
        return told(keys, known_keys(self._file.reading, "letter", keys))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class MailboxKind(ChannelKind[MailboxSettings]):
    """Messages that stay in the workspace."""

    name = "mailbox"
    label = Text("本地邮箱", "Local mailbox")
    meaning = Text("消息只留在工作区里，可在界面中阅读", "Messages stay in the workspace, where they can be read")
    address = CUSTOMER_ID
    parts = ("text", "subject", "title", "html", "link", "preheader", "sender_name", "unsubscribe")
    signals = frozenset(["delivered", "opened", "clicked"])
    idempotent = True
    tells = True
    settings = MailboxSettings
    batch = 1_000
    silent = Text("真实客户并没有收到，也没有读", "that a customer read it: whoever opens it works here")

    def open(self, settings: MailboxSettings, place: Path) -> Mailbox:
        return Mailbox(place)

    def collect(self, settings: MailboxSettings, place: Path, since: int) -> tuple[Sequence[Report], int]:
        file = Keepsake(place / _FILE, _SCHEMA)
        try:
            return file.reports(since)
        finally:
            file.close()


MAILBOX = MailboxKind()


def letters(
    place: Path, *, customer_id: str | None = None, before: int | None = None, limit: int = 50
) -> Sequence[Letter]:
    """What is in the mailbox, the newest first; nothing is marked as read.

    place: the channel's folder.   customer_id: of this customer only.   before: numbers below it, for the next page.
    """
    file = Keepsake(place / _FILE, _SCHEMA)
    try:
        rows = file.reading.execute(
            f"SELECT {_COLUMNS} FROM letter WHERE (? IS NULL OR customer_id = ?) AND (? IS NULL OR number < ?) "  # noqa: S608
            "ORDER BY number DESC LIMIT ?",
            (customer_id, customer_id, before, before, limit),
        ).fetchall()
    finally:
        file.close()
    return [_letter(row) for row in rows]


def read(place: Path, key: str, now: datetime) -> Letter:
    """Open a letter: the first reading is reported as opened. Raises BadQuestion if there is none of that key."""
    return _marked(place, key, "opened", now, detail="")


def follow(place: Path, key: str, link: str, now: datetime) -> Letter:
    """Follow a link of a letter: reported as clicked, once for each link. Raises BadQuestion if there is no letter."""
    return _marked(place, key, "clicked", now, detail=link)


def _put(connection: sqlite3.Connection, parcel: Parcel) -> None:
    at = sent_at(parcel)
    put = connection.execute(
        "INSERT OR IGNORE INTO letter (key, customer_id, address, parts, simulated, sent_at) VALUES (?, ?, ?, ?, ?, ?)",
        (parcel.key, parcel.customer_id, parcel.address, json.dumps(dict(parcel.parts)), parcel.simulated, micros(at)),
    )
    if put.rowcount:
        add_reports(connection, [Report("delivered", at, "delivered", parcel.key, parcel.key)])


def _marked(place: Path, key: str, kind: Literal["opened", "clicked"], now: datetime, *, detail: str) -> Letter:
    file = Keepsake(place / _FILE, _SCHEMA)
    try:
        with file.writing() as connection:
            row = connection.execute(f"SELECT {_COLUMNS} FROM letter WHERE key = ?", (key,)).fetchone()  # noqa: S608
            if row is None:
                raise BadQuestion(f"There is no letter {key!r} in the mailbox", expected="the key of a sent message")
            ref = f"{kind} {detail}".strip()
            if not connection.execute("SELECT 1 FROM report WHERE key = ? AND ref = ?", (key, ref)).fetchone():
                add_reports(connection, [Report(kind, now, ref, key, key, detail=detail)])
            connection.execute(
                "UPDATE letter SET opened_at = ? WHERE key = ? AND opened_at IS NULL", (micros(now), key)
            )
        return _letter(row)
    finally:
        file.close()


def _letter(row: tuple[int, str, str, str, str, int, int, int | None]) -> Letter:
    number, key, customer_id, address, parts, simulated, sent, opened = row
    return Letter(
        number, key, customer_id, address, json.loads(parts), bool(simulated), instant(sent),
        instant(opened) if opened is not None else None,
    )  # fmt: skip
