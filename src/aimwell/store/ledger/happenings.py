"""What journeys listen for: recording a happening wakes the enrolments that wait for it, in the same transaction.

A signal is a text: `event:NAME#FILTER` for events, `enter:SEGMENT` and `leave:SEGMENT`, `changed:ATTRIBUTE`,
`outcome:JOURNEY:NODE:KIND` for what came of a message, `not_sent:JOURNEY:NODE`, `task:JOURNEY:NODE:STAGE`.
Whoever learns of one of these records it here; the tick reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    Table,
    Text,
    Update,
    and_,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.schema import CreateTable

from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.schema.enrolments import enrolment, happening
from aimwell.store.ledger.schema.journeys import listening
from aimwell.store.ledger.writes import insert_new_from

_fresh = Table(
    "fresh_happening",
    MetaData(),
    Column("customer_id", Text),
    Column("signal", Text),
    Column("at", Instant),
    Column("ref", Text),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to a customer and that a journey may listen for; `ref` tells repetitions apart."""

    customer_id: str
    signal: str
    at: datetime
    ref: str


def listened(connection: Connection) -> frozenset[str]:
    """The signals that any applied version listens for; nothing else needs to be recorded."""
    return frozenset(connection.scalars(select(listening.c.signal).distinct()))


def record(connection: Connection, happenings: Sequence[Happening]) -> int:
    """Keep what happened and wake whoever waits for it, in the caller's transaction; returns how many were new.

    A repetition (same customer, signal, instant and ref) changes nothing. The number of statements is the same for one
    and for a thousand.
    """
    if not happenings:
        return 0
    connection.execute(CreateTable(_fresh, if_not_exists=True))
    connection.execute(delete(_fresh))
    connection.execute(
        insert(_fresh),
        [
            {"customer_id": each.customer_id, "signal": each.signal, "at": each.at, "ref": each.ref}
            for each in happenings
        ],
    )
    names = ["customer_id", "signal", "at", "ref"]
    new = insert_new_from(connection, happening, names, select(*(_fresh.c[name] for name in names)).distinct())
    connection.execute(_wake())
    return new


def _wake() -> Update:
    """Look at once at the active enrolments of these customers whose version, or whose node, listens for the signal."""
    heard = exists().where(
        listening.c.signal == _fresh.c.signal,
        listening.c.version_id == enrolment.c.version_id,
        or_(listening.c.node == "*", listening.c.node == enrolment.c.node),
        _fresh.c.customer_id == enrolment.c.customer_id,
    )
    return (
        update(enrolment)
        .values(due_at=enrolment.c.at)
        .where(
            and_(
                enrolment.c.customer_id.in_(select(_fresh.c.customer_id)),
                enrolment.c.state == "active",
                or_(enrolment.c.due_at.is_(None), enrolment.c.due_at > enrolment.c.at),
                heard,
            )
        )
    )
