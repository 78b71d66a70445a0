"""A simulated provider that plays push, WeChat, SMS or e-mail: nobody gets anything, and everything it keeps says so.

It behaves as providers do, at rates that are set and with draws fixed by a seed: accepts, refuses, fails, accepts and
answers too late, repeats its callbacks and mixes their order. What it has "delivered" stands in its own file, written
before the answer, so that it knows the truth also when the sender dies in between.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from aimwell.core.keys import number_of, share_of
from aimwell.core.text import Text
from aimwell.delivery.channel import (
    Abilities,
    ChannelKind,
    ChannelSettings,
    Parcel,
    Receipt,
    Report,
    Signal,
    flaw,
)
from aimwell.delivery.keepsake import Keepsake, add_reports, known_keys, sent_at, told
from aimwell.store.ledger.columns import micros

LABEL = "simulated"
_FILE = "simulated.db"
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS delivery (
      number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, ref TEXT NOT NULL, plays TEXT NOT NULL,
      customer_id TEXT NOT NULL, address TEXT NOT NULL, parts TEXT NOT NULL, at INTEGER NOT NULL,
      label TEXT NOT NULL DEFAULT 'simulated'
    )""",
    "CREATE INDEX IF NOT EXISTS delivery_key ON delivery (key)",
    "CREATE TABLE IF NOT EXISTS call (key TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS late (
      number INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, ref TEXT NOT NULL, key TEXT NOT NULL,
      provider_ref TEXT, detail TEXT NOT NULL
    )""",
)
_RELEASE = (
    "INSERT INTO report (kind, at, ref, key, provider_ref, detail) "
    "SELECT kind, at, ref, key, provider_ref, detail FROM late ORDER BY number"
)
_SIGNALS: Mapping[str, frozenset[Signal]] = {
    "push": frozenset(["delivered", "opened", "clicked"]),
    "wechat": frozenset(["delivered", "opened", "clicked", "replied", "unsubscribed"]),
    "sms": frozenset(["delivered", "clicked", "unsubscribed"]),
    "email": frozenset(["delivered", "opened", "clicked", "unsubscribed"]),
}
_ADDRESSES = {"push": "push_token", "wechat": "wechat", "sms": "phone", "email": "email"}
_LONGEST: Mapping[str, Mapping[str, int]] = {
    "push": {"title": 65, "text": 240},  # more is cut on the screens of most phones
    "sms": {"text": 670},  # ten joined messages of 67 characters each
    "wechat": {"text": 680},  # 2,048 bytes, of which a Chinese character takes three
}
_DELAY = timedelta(seconds=2)

Fate = Literal["accepted", "refused", "failed", "timed out", "lost"]


class SimulatedSettings(ChannelSettings):
    """What the provider plays and how badly it behaves; all rates are shares of calls, drawn from the seed."""

    plays: Literal["push", "wechat", "sms", "email"] = Field(default="push", description="what it stands for")
    seed: int = Field(default=0, description="the same seed and the same calls give the same answers")
    idempotent: bool = Field(default=True, description="whether it delivers a key once however often it gets it")
    tells: bool = Field(default=True, description="whether it can be asked what became of a key")
    refusing: float = Field(default=0.0, ge=0, le=1, description="share of calls refused for good (dead address)")
    failing: float = Field(default=0.0, ge=0, le=1, description="share of calls that fail and may be repeated (5xx)")
    timing_out: float = Field(default=0.0, ge=0, le=1, description="share accepted without an answer in time")
    losing: float = Field(default=0.0, ge=0, le=1, description="share neither accepted nor answered")
    callbacks: bool = Field(default=True, description="whether it reports acceptance and delivery later")
    bouncing: float = Field(default=0.0, ge=0, le=1, description="share of deliveries reported as bounced")
    duplicated: float = Field(default=0.0, ge=0, le=1, description="share of reports that come twice")
    reordered: float = Field(default=0.0, ge=0, le=1, description="share of reports that come late, after others")
    latency_ms: float = Field(default=0.0, ge=0, description="how long each call takes after it is written down")
    together: int = Field(
        default=50, ge=1, le=500, description="messages that are written down in one go, then answered"
    )

    @model_validator(mode="after")
    def _shares(self) -> SimulatedSettings:
        if self.refusing + self.failing + self.timing_out + self.losing > 1:
            raise ValueError(
                "refusing, failing, timing_out and losing are shares of the same calls: at most 1 together"
            )
        return self


@dataclass(frozen=True, slots=True)
class Counts:
    """What the provider really did: calls, messages delivered, different keys among them, keys more than once."""

    calls: int
    delivered: int
    keys: int
    repeated: int


class Simulated:
    """The open provider."""

    def __init__(self, settings: SimulatedSettings, place: Path) -> None:
        self._settings = settings
        # A message is safe once written, also when the sender is killed; only a power cut could undo it.
        self._file = Keepsake(place / _FILE, _SCHEMA, synchronous="OFF")

    def send(self, parcels: Sequence[Parcel]) -> Sequence[Receipt]:
        """Take a batch as a provider would: first it acts, then it answers, if it answers."""
        receipts: list[Receipt] = []
        rest = iter(parcels)
        while some := list(islice(rest, self._settings.together)):
            try:
                with self._file.writing() as connection:
                    answered = self._take(connection, some)
            except sqlite3.Error as error:
                answered = [Receipt(parcel.key, "failed", detail=f"{LABEL}: {error}") for parcel in some]
            receipts += answered
            if self._settings.latency_ms:
                time.sleep(self._settings.latency_ms / 1_000)
        return receipts

    def look_up(self, keys: Sequence[str]) -> Sequence[Receipt]:
        """What became of these keys, if it is set to tell."""
        return told(keys, known_keys(self._file.reading, "delivery", keys)) if self._settings.tells else ()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _take(self, connection: sqlite3.Connection, parcels: Sequence[Parcel]) -> list[Receipt]:
        connection.execute(_RELEASE)
        connection.execute("DELETE FROM late")
        keys = [parcel.key for parcel in parcels]
        page = _Page(known_keys(connection, "delivery", keys), _calls(connection, keys))
        receipts = [flaw(parcel, "text") or self._answer(page, parcel) for parcel in parcels]
        page.write(connection)
        return receipts

    def _answer(self, page: _Page, parcel: Parcel) -> Receipt:
        count = page.called(parcel.key)
        fate = self._fate(parcel.key, count)
        ref = f"{LABEL}-{number_of(str(self._settings.seed), parcel.key):x}"
        if fate in {"accepted", "timed out"} and not (self._settings.idempotent and parcel.key in page.known):
            self._deliver(page, parcel, ref)
            page.known.add(parcel.key)
        match fate:
            case "accepted":
                return Receipt(parcel.key, "accepted", ref, LABEL)
            case "refused":
                return Receipt(parcel.key, "refused", detail=f"{LABEL}: no such device", bad_address=True)
            case "failed":
                return Receipt(parcel.key, "failed", detail=f"{LABEL}: 503 busy", retry_after=1.0)
            case _:
                return Receipt(parcel.key, "unknown", detail=f"{LABEL}: no answer in time")

    def _fate(self, key: str, count: int) -> Fate:
        chosen = self._settings
        draw = share_of(str(chosen.seed), "fate", key, str(count))
        shares: tuple[tuple[Fate, float], ...] = (
            ("refused", chosen.refusing),
            ("failed", chosen.failing),
            ("timed out", chosen.timing_out),
            ("lost", chosen.losing),
        )
        for fate, share in shares:
            if draw < share:
                return fate
            draw -= share
        return "accepted"

    def _deliver(self, page: _Page, parcel: Parcel, ref: str) -> None:
        at = sent_at(parcel)
        parts = json.dumps(dict(parcel.parts), ensure_ascii=False)
        who = (parcel.customer_id, parcel.address)
        page.deliveries.append((parcel.key, ref, self._settings.plays, *who, parts, micros(at), LABEL))
        if self._settings.callbacks:
            bounced = self._happens(self._settings.bouncing, "bounce", parcel.key)
            self._report(page, Report("accepted", at, f"{ref}-accepted", parcel.key, ref, detail=LABEL))
            kind: Signal = "bounced" if bounced else "delivered"
            self._report(page, Report(kind, at + _DELAY, f"{ref}-{kind}", parcel.key, ref, detail=LABEL))

    def _report(self, page: _Page, report: Report) -> None:
        copies = 2 if self._happens(self._settings.duplicated, "twice", report.ref) else 1
        for copy in range(copies):
            late = self._happens(self._settings.reordered, "late", report.ref, str(copy))
            (page.late if late else page.reports).append(report)

    def _happens(self, rate: float, *what: str) -> bool:
        """Whether it happens, at this rate; the words and the seed decide."""
        return rate > 0 and share_of(str(self._settings.seed), *what) < rate


class _Page:
    """What happens to the messages of one go, until it is written down all at once."""

    def __init__(self, known: set[str], calls: dict[str, int]) -> None:
        self.known, self._calls = known, calls
        self._new: dict[str, int] = {}
        self.deliveries: list[tuple[str, str, str, str, str, str, int, str]] = []
        self.reports: list[Report] = []
        self.late: list[Report] = []

    def called(self, key: str) -> int:
        """Count a call; which one it is for this key, from 1."""
        self._new[key] = self._new.get(key, self._calls.get(key, 0)) + 1
        return self._new[key]

    def write(self, connection: sqlite3.Connection) -> None:
        """Write everything down, in the transaction at hand."""
        connection.executemany("INSERT OR REPLACE INTO call (key, count) VALUES (?, ?)", list(self._new.items()))
        connection.executemany(
            "INSERT INTO delivery (key, ref, plays, customer_id, address, parts, at, label) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            self.deliveries,
        )
        add_reports(connection, self.reports)
        connection.executemany(
            "INSERT INTO late (kind, at, ref, key, provider_ref, detail) VALUES (?, ?, ?, ?, ?, ?)",
            [(one.kind, micros(one.at), one.ref, one.key, one.provider_ref, one.detail) for one in self.late],
        )


def _calls(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, int]:
    """How often each of these keys was called before."""
    marks = ", ".join("?" * len(keys))
    return dict(connection.execute(f"SELECT key, count FROM call WHERE key IN ({marks})", keys).fetchall())  # noqa: S608


class SimulatedKind(ChannelKind[SimulatedSettings]):
    """A provider that exists only here."""

    name = "simulated"
    label = Text("模拟渠道", "Simulated channel")
    meaning = Text(
        "扮演推送、微信、短信或邮件的模拟服务商，没有人真的收到",
        "A simulated provider that plays push, WeChat, SMS or e-mail; nobody gets anything",
    )
    address = "push_token"
    parts = ("text", "title", "link")
    signals = _SIGNALS["push"] | _SIGNALS["wechat"]
    idempotent = True
    tells = True
    settings = SimulatedSettings
    batch = 500
    silent = Text("真实客户的任何反应：一切都是模拟", "anything about real customers: all of it is simulated")

    def open(self, settings: SimulatedSettings, place: Path) -> Simulated:
        return Simulated(settings, place)

    def abilities(self, settings: SimulatedSettings) -> Abilities:
        plays = settings.plays
        return Abilities(
            _ADDRESSES[plays], _SIGNALS[plays], settings.idempotent, settings.tells, _LONGEST.get(plays, {})
        )

    def collect(self, settings: SimulatedSettings, place: Path, since: int) -> tuple[Sequence[Report], int]:
        file = Keepsake(place / _FILE, _SCHEMA, synchronous="OFF")
        try:
            reports, mark = file.reports(since)
            if not reports:
                with file.writing() as connection:
                    connection.execute(_RELEASE)
                    connection.execute("DELETE FROM late")
                reports, mark = file.reports(since)
            return reports, mark
        finally:
            file.close()


SIMULATED = SimulatedKind()


def counts(place: Path) -> Counts:
    """What the provider really did, for whoever checks that nobody was lost or written to twice."""
    file = Keepsake(place / _FILE, _SCHEMA, synchronous="OFF")
    try:
        (calls,) = file.reading.execute("SELECT coalesce(sum(count), 0) FROM call").fetchone()
        delivered, keys = file.reading.execute("SELECT count(*), count(DISTINCT key) FROM delivery").fetchone()
        (repeated,) = file.reading.execute(
            "SELECT count(*) FROM (SELECT key FROM delivery GROUP BY key HAVING count(*) > 1)"
        ).fetchone()
    finally:
        file.close()
    return Counts(calls, delivered, keys, repeated)


def add(place: Path, reports: Sequence[Report]) -> None:
    """Let the provider report what simulated customers did (opened, clicked, replied); marked as simulated."""
    file = Keepsake(place / _FILE, _SCHEMA, synchronous="OFF")
    try:
        with file.writing() as connection:
            add_reports(
                connection,
                [Report(one.kind, one.at, one.ref, one.key, one.provider_ref, detail=LABEL) for one in reports],
            )
    finally:
        file.close()
