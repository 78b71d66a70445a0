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
    Insert,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    delete,
    exists,
    insert,
    literal,
    or_,
    select,
    update,
)

from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.schema.enrolments import enrolment, happening, knock
from aimwell.store.ledger.schema.journeys import journey, listening
from aimwell.store.ledger.scratch import have, lay_out
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

_woken = Table(
    "woken_by_nodes",
    MetaData(),
    Column("customer_id", Text),
    Column("signal", Text),
    prefixes=["TEMPORARY"],
)

_NAMES = ("customer_id", "signal", "at", "ref")


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
    """Keep what happened, wake whoever waits for it, let knock whom it lets in; returns how many were new.

    All in the caller's transaction. A repetition (same customer, signal, instant and ref) changes nothing. The number
    of statements is the same for one and for a thousand.
    """
    if not happenings:
        return 0
    lay_out(connection, _fresh)
    rows = [
        {"customer_id": each.customer_id, "signal": each.signal, "at": each.at, "ref": each.ref}
        for each in dict.fromkeys(happenings)
    ]
    connection.execute(insert(_fresh), rows)
    return _keep(connection)


def record_from(connection: Connection, found: Select[tuple[str, str, int, str]]) -> int:
    """As `record`, for the rows of a query (customer, signal, instant, ref), without taking them out of the database.

    Signals that nobody listens for are left out. Whoever moves enrolments in the same transaction calls `wake_again`
    when they are written back, for the waking is part of what is written over.
    """
    lay_out(connection, _fresh)
    rows = found.subquery()
    heard = exists().where(listening.c.signal == rows.c[1])
    connection.execute(insert(_fresh).from_select(list(_NAMES), select(*rows.c).where(heard).distinct()))
    new = _keep(connection)
    if new:
        have(connection, _woken)
        connection.execute(
            insert(_woken).from_select(["customer_id", "signal"], select(_fresh.c.customer_id, _fresh.c.signal))
        )
    return new


def wake_again(connection: Connection) -> int:
    """Wake once more whoever waits for what `record_from` kept in this transaction; returns how many."""
    have(connection, _woken)
    if connection.scalar(select(exists().select_from(_woken))) is not True:
        return 0
    woken = _wake(connection, _woken)
    connection.execute(delete(_woken))
    return woken


def _keep(connection: Connection) -> int:
    """Keep the fresh happenings that are new, with all that follows from them."""
    known = exists().where(*(happening.c[name] == _fresh.c[name] for name in _NAMES))
    connection.execute(delete(_fresh).where(known))
    # In one order, so that two who tell the same at once wait for each other and never both ways.
    fresh = select(*(_fresh.c[name] for name in _NAMES)).order_by(*(_fresh.c[name] for name in _NAMES))
    new = insert_new_from(connection, happening, _NAMES, fresh)
    if new:
        connection.execute(_knocking())
        _wake(connection, _fresh)
    return new


def _knocking() -> Insert:
    """One knock for each new happening and each journey whose current version lets people in by it."""
    entering = (
        select(journey.c.name, _fresh.c.customer_id, _fresh.c.signal + literal(":") + _fresh.c.ref, _fresh.c.at)
        .join(listening, and_(listening.c.signal == _fresh.c.signal, listening.c.node == ">"))
        .join(journey, journey.c.version_id == listening.c.version_id)
        .order_by(_fresh.c.at, _fresh.c.customer_id, _fresh.c.signal, _fresh.c.ref, journey.c.name)
    )
    return insert(knock).from_select(["journey", "customer_id", "cause", "at"], entering)


def _wake(connection: Connection, fresh: Table) -> int:
    """Look at once at the active enrolments of these customers whose version, or whose node, listens for the signal."""
    heard = exists().where(
        listening.c.signal == fresh.c.signal,
        listening.c.version_id == enrolment.c.version_id,
        or_(listening.c.node == "*", listening.c.node == enrolment.c.node),
        fresh.c.customer_id == enrolment.c.customer_id,
    )
    asleep = and_(
        enrolment.c.customer_id.in_(select(fresh.c.customer_id)),
        enrolment.c.state == "active",
        or_(enrolment.c.due_at.is_(None), enrolment.c.due_at > enrolment.c.at),
        heard,
    )
    if connection.dialect.name == "postgresql":
        # Locked in one order first: two who wake the same people would each hold some and wait for the other's.
        ordered = select(enrolment.c.id).where(asleep).order_by(enrolment.c.id).with_for_update(of=enrolment)
        asleep = enrolment.c.id.in_(select(ordered.subquery("asleep").c.id))
    woken = update(enrolment).values(due_at=enrolment.c.at).where(asleep)
    return connection.execute(woken, execution_options={"preserve_rowcount": True}).rowcount
