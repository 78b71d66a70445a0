"""Consent and suppression: what customers allow, and the addresses that nothing may be sent to any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    delete,
    exists,
    insert,
    select,
    type_coerce,
)

from aimwell.store.ledger.columns import Instant, micros
from aimwell.store.ledger.schema.people import consent, consent_log, suppression
from aimwell.store.ledger.scratch import lay_out
from aimwell.store.ledger.writes import insert_new, put

ALL_CHANNELS = "*"
PURPOSES = ("marketing", "service")

_stated = Table(
    "stated_consent",
    MetaData(),
    Column("customer_id", Text),
    Column("channel", Text),
    Column("purpose", Text),
    Column("granted", Boolean),
    Column("at", Instant),
    Column("source", Text),
    prefixes=["TEMPORARY"],
)
_NAMES = ("customer_id", "channel", "purpose", "granted", "at", "source")
_KEY = ("customer_id", "channel", "purpose")


@dataclass(frozen=True, slots=True)
class ConsentStatement:
    """Somebody's word on one channel (`*` for all) and purpose; `at` in microseconds, `source` who or what said so."""

    customer_id: str
    channel: str
    purpose: str
    granted: bool
    at: int
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.customer_id, self.channel, self.purpose

    @property
    def weight(self) -> tuple[int, bool, str]:
        """The heavier of two statements holds: the later one, at the same instant the refusal, then by source."""
        return self.at, not self.granted, self.source


def set_consent(
    connection: Connection,
    customer_id: str,
    channel: str,
    purpose: str,
    *,
    granted: bool,
    at: datetime,
    source: str,
) -> bool:
    """Take a customer's word on a channel and purpose; returns whether it holds now.

    A newer word holds against an older one, a refusal against a consent of the same instant. Each is written to the
    log, also one that no longer holds; the very same word twice only once.
    channel: a channel's name, or `*` for all.   purpose: marketing or service.   source: message id, member, page.
    """
    statement = ConsentStatement(customer_id, channel, purpose, granted, micros(at), source)
    return set_consents(connection, [statement]) == 1


def set_consents(connection: Connection, statements: Sequence[ConsentStatement]) -> int:
    """Take many words at once, in any order; returns how many of them changed what holds.

    The number of statements to the database is the same for one and for a thousand.
    """
    if not statements:
        return 0
    lay_out(connection, _stated)
    connection.execute(insert(_stated), [{name: getattr(each, name) for name in _NAMES} for each in statements])
    _log(connection)
    holding = {row.key: row for row in _read_holding(connection)}
    changed: dict[tuple[str, str, str], ConsentStatement] = {}
    for each in statements:
        before = changed.get(each.key) or holding.get(each.key)
        if before is None or each.weight > before.weight:
            changed[each.key] = each
    put(connection, consent, [_row(each) for each in changed.values()])
    return len(changed)


def suppress(connection: Connection, kind: str, value: str, *, reason: str, at: datetime, source: str) -> bool:
    """Never send to this address again; returns whether it was not suppressed before. The first reason stays.

    kind, value: as in `identifier`, normalised as there.   reason: bounced, complained, by hand, …
    """
    row = {"kind": kind, "value": value, "reason": reason, "since": at, "source": source}
    return insert_new(connection, suppression, [row]) == 1


@dataclass(frozen=True, slots=True)
class Suppressed:
    """An address that nothing is sent to, why, since when, and who said so."""

    kind: str
    value: str
    reason: str
    since: datetime
    source: str


def suppressed(connection: Connection, *, kind: str | None = None, most: int = 1_000) -> list[Suppressed]:
    """The addresses that are suppressed, the latest first."""
    columns = (suppression.c[name] for name in ("kind", "value", "reason", "since", "source"))
    query = select(*columns).order_by(suppression.c.since.desc(), suppression.c.kind, suppression.c.value).limit(most)
    if kind is not None:
        query = query.where(suppression.c.kind == kind)
    return [Suppressed(*row) for row in connection.execute(query)]


def release(connection: Connection, kind: str, value: str) -> bool:
    """Allow an address again that was suppressed; returns whether it was."""
    gone = delete(suppression).where(suppression.c.kind == kind, suppression.c.value == value)
    return connection.execute(gone).rowcount == 1


def _log(connection: Connection) -> None:
    """Write down what is not in the log yet, in the order of time."""
    known = exists().where(and_(*(consent_log.c[name] == _stated.c[name] for name in _NAMES)))
    new = select(*(_stated.c[name] for name in _NAMES)).where(~known).distinct()
    connection.execute(insert(consent_log).from_select(list(_NAMES), new.order_by(_stated.c["at"])))


def _read_holding(connection: Connection) -> list[ConsentStatement]:
    """What holds now for the customers, channels and purposes in question."""
    asked = exists().where(and_(*(consent.c[name] == _stated.c[name] for name in _KEY)))
    query: Select[Any] = select(
        *(consent.c[name] for name in (*_KEY, "granted")),
        type_coerce(consent.c.since, BigInteger).label("at"),
        consent.c.source,
    )
    of_those = consent.c.customer_id.in_(select(_stated.c.customer_id))
    return [ConsentStatement(*row) for row in connection.execute(query.where(of_those, asked))]


def _row(each: ConsentStatement) -> dict[str, object]:
    key = {name: getattr(each, name) for name in _KEY}
    return {**key, "granted": each.granted, "since": each.at, "source": each.source}
