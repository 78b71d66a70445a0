"""Reads the inbox and keeps up who is who: one consumer, whose place is written with what it did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, update

from aimwell.insight.identity.evidence import Evidence, IdentityMessage, IdentitySettings, gather
from aimwell.insight.identity.resolution import Node
from aimwell.insight.identity.scratch import plain
from aimwell.insight.identity.settling import settle
from aimwell.insight.identity.stating import state_consents, state_values
from aimwell.store.ledger.happenings import listened, record
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import cursor
from aimwell.store.ledger.schema.inbox import message
from aimwell.store.ledger.writes import insert_new

CONSUMER = "identity"
CHUNK = 10_000
"""Messages of one transaction: others wait for its half second at most."""


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What one chunk of messages changed.

    up_to: number of the last message read.   new_customers, merges, partings: counted.
    consents: words that changed what holds.   left_out: what was not kept, by reason.
    crowded: addresses met that too many people share to join anybody.
    """

    messages: int
    up_to: int
    new_customers: int = 0
    merges: int = 0
    partings: int = 0
    consents: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    crowded: tuple[Node, ...] = ()


def absorb(ledger: Ledger, settings: IdentitySettings, *, now: datetime, limit: int = CHUNK) -> Absorbed:
    """Take the next messages of the inbox into customers, profiles and consents; call again while `messages` > 0.

    All changes of a chunk and its place in the inbox are one transaction of the state: a crash repeats reading, never
    acting. The same messages again change nothing. Of several who absorb at once one goes on, the others do nothing.
    now: aware, for the log.   limit: messages at most.
    """
    with ledger.reading() as connection:
        place = read_place(connection)
    with ledger.reading_events() as connection:
        rows = connection.execute(_next(place, limit)).all()
    if not rows:
        return Absorbed(0, place)
    messages = [IdentityMessage._make(row) for row in rows]
    evidence = gather(messages, settings)
    with ledger.writing() as connection:
        if not _take_place(connection, place, messages[-1].seq):
            return Absorbed(0, place)
        return _take_in(connection, evidence, settings, messages, now)


def read_place(connection: Connection) -> int:
    """The number of the last message that was absorbed; 0 before the first."""
    found: int | None = connection.scalar(select(cursor.c.position).where(cursor.c.consumer == CONSUMER))
    return found or 0


def _next(place: int, limit: int) -> Select[Any]:
    columns = [plain(message.c[name]) for name in IdentityMessage._fields]
    return select(*columns).where(message.c.seq > place).order_by(message.c.seq).limit(limit)


def _take_place(connection: Connection, before: int, after: int) -> bool:
    """Move the cursor; false if somebody else has moved it meanwhile."""
    insert_new(connection, cursor, [{"consumer": CONSUMER, "position": 0}])
    mine = update(cursor).where(cursor.c.consumer == CONSUMER, cursor.c.position == before)
    return connection.execute(mine.values(position=after)).rowcount == 1


def _take_in(
    connection: Connection,
    evidence: Evidence,
    settings: IdentitySettings,
    messages: list[IdentityMessage],
    now: datetime,
) -> Absorbed:
    settled = settle(connection, evidence, settings, now)
    happenings = state_values(
        connection,
        evidence.values.values(),
        settled.customers,
        most=settings.most_traits,
        listened=listened(connection) if evidence.values else (),
        left_out=evidence.left_out,
    )
    consents = state_consents(connection, evidence.consents, settled.customers)
    record(connection, happenings)
    return Absorbed(
        messages=len(messages),
        up_to=messages[-1].seq,
        new_customers=len(settled.new_customers),
        merges=settled.merges,
        partings=settled.partings,
        consents=consents,
        left_out=evidence.left_out,
        crowded=tuple(sorted(settled.crowded)),
    )
