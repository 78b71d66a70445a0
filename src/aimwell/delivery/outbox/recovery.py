"""What was left in the middle: leases that ran out, messages in doubt, and dead ones that a person brings back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, and_, literal, null, select, text, update

from aimwell.core.errors import BadQuestion
from aimwell.delivery.channel import Receipt
from aimwell.delivery.outbox.answers import Answer, close_attempts
from aimwell.delivery.outbox.claim import Desk
from aimwell.delivery.outbox.outlet import Outlet
from aimwell.delivery.outbox.release import release
from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.schema.outbox import attempt, intent

Verdict = Literal["accepted", "refused", "retry"]
_OPEN = text("intent.state IN ('unknown', 'dead')")  # spelt as the partial index has it
_DOUBTFUL = ("unknown", "claimed")
_PROVABLE = ("unknown", "claimed", "waiting", "dead")
_LOST = "the sender ended while the call ran"


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many messages of ended senders wait again, and how many are in doubt."""

    waiting: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A message that a person may decide about: in doubt, or dead after its last attempt."""

    key: str
    state: str
    channel: str
    customer_id: str
    journey: str
    attempts: int
    detail: str | None
    since: datetime


def recover(desk: Desk, now: datetime) -> Recovered:
    """Take up what senders left whose lease ran out: not tried yet, it waits again; in the middle of a call, in doubt.

    An idempotent channel tries a message in doubt again with the same key; any other never does by itself.
    """
    with desk.ledger.reading() as connection:
        if connection.scalar(select(intent.c.key).where(intent.c.lease_until <= now).limit(1)) is None:
            return Recovered(0, 0)
    with desk.ledger.writing() as connection:
        unknown = _doubt(connection, desk, now)
        waiting = release(connection, intent.c.lease_until <= now, now, due_at=now, reason=None)
    return Recovered(waiting, unknown)


def _doubt(connection: Connection, desk: Desk, now: datetime) -> int:
    """Messages whose call was running: their attempts are closed as unknown."""
    running = select(attempt.c.key).where(attempt.c.key == intent.c.key, attempt.c.ended_at.is_(None)).exists()
    lost = (
        select(intent.c.key)
        .where(intent.c.lease_until <= now, intent.c.state == "claimed", running)
        .order_by(intent.c.key.concat(""))  # not the key itself: SQLite would read all messages in its order
        .with_for_update()
    )
    keys = list(connection.scalars(lost))
    repeatable = [outlet.name for outlet in desk.outlets.values() if outlet.idempotent]
    for begin in range(0, len(keys), 500):
        some = keys[begin : begin + 500]
        connection.execute(
            update(attempt)
            .values(result="unknown", ended_at=now, detail=_LOST)
            .where(attempt.c.key.in_(some), attempt.c.ended_at.is_(None))
        )
        move = update(intent).values(
            state="unknown",
            reason="doubt",
            detail=_LOST,
            claimed_by=null(),
            lease_until=null(),
            changed_at=literal(now, Instant),
        )
        connection.execute(move.where(intent.c.key.in_(some)).values(due_at=null()))
        again = update(intent).values(due_at=now).where(intent.c.key.in_(some), intent.c.channel.in_(repeatable))
        connection.execute(again)
    return len(keys)


def reconcile(desk: Desk, now: datetime, *, most: int = 1_000) -> int:
    """Ask the providers that can tell about messages in doubt, and settle those that they know; returns how many.

    What a provider surely has not got waits to be sent again; of what it knows nothing, nothing is concluded.
    """
    settled = 0
    for outlet in desk.outlets.values():
        if outlet.tells:
            settled += _ask(desk, outlet, now, most)
    return settled


def _ask(desk: Desk, outlet: Outlet, now: datetime, most: int) -> int:
    query = (
        select(intent.c.key)
        .where(_OPEN, intent.c.state == "unknown", intent.c.channel == outlet.name)
        .order_by(intent.c.changed_at, intent.c.key)
        .limit(most)
    )
    with desk.ledger.reading() as connection:
        keys = list(connection.scalars(query))
    known = [receipt for receipt in outlet.channel.look_up(keys) if receipt.result != "unknown"] if keys else []
    if known:
        with desk.ledger.writing() as connection:
            settle_doubts(connection, desk, outlet, known, now)
    return len(known)


def settle_doubts(
    connection: Connection, desk: Desk, outlet: Outlet, receipts: Sequence[Receipt], now: datetime
) -> None:
    """Settle messages by what the provider knows of them; what is settled already stays as it is.

    A message that was tried and of which the provider says that it has it is accepted, whatever we believed.
    """
    states = _tried(connection, [receipt.key for receipt in receipts])
    answers = [
        Answer(0, receipt)
        for receipt in receipts
        if states.get(receipt.key) in (_PROVABLE if receipt.result == "accepted" else _DOUBTFUL)
    ]
    close_attempts(connection, desk, outlet, answers, now)
    surely = [each.receipt.key for each in answers if each.receipt.result in {"failed", "refused"}]
    connection.execute(
        update(attempt).values(result="failed").where(attempt.c.key.in_(surely), attempt.c.result == "unknown")
    )


def _tried(connection: Connection, keys: Sequence[str]) -> dict[str, str]:
    """The states of those that were tried at least once, locked."""
    query = select(intent.c.key, intent.c.state).where(intent.c.key.in_(keys), intent.c.attempts > 0)
    return dict(connection.execute(query.order_by(intent.c.key).with_for_update()).all())


def unsettled(
    connection: Connection,
    state: Literal["unknown", "dead"],
    *,
    channel: str | None = None,
    most: int | None = 1_000,
) -> Sequence[Unsettled]:
    """The messages in doubt, or the dead ones, the oldest first; of all channels, or of one."""
    query = (
        select(
            intent.c.key,
            intent.c.state,
            intent.c.channel,
            intent.c.customer_id,
            intent.c.journey,
            intent.c.attempts,
            intent.c.detail,
            intent.c.changed_at,
        )
        .where(_OPEN, intent.c.state == state, *([intent.c.channel == channel] if channel is not None else []))
        .order_by(intent.c.changed_at, intent.c.key)
        .limit(most)
    )
    return [Unsettled(*row) for row in connection.execute(query)]


def resolve_unknown(desk: Desk, key: str, verdict: Verdict, who: str, now: datetime) -> None:
    """A person decides about a message in doubt: it was accepted, it was refused, or it is to be sent (again).

    Raises BadQuestion when the message is not in doubt.
    """
    with desk.ledger.writing() as connection:
        name = _name_of(connection, key, "unknown")
        result: Literal["accepted", "refused", "failed"] = "failed" if verdict == "retry" else verdict
        receipt = Receipt(key, result, detail=f"decided by {who}")
        outlet = desk.outlets.get(name)
        if outlet is None:
            raise BadQuestion(f"The channel {name} of message {key} is not set up", remedy="Set it up, then decide.")
        settle_doubts(connection, desk, outlet, [receipt], now)


def revive(connection: Connection, key: str, who: str, now: datetime) -> None:
    """A person has a dead message tried again, from now and with all its attempts before it.

    Raises BadQuestion when the message is not dead.
    """
    _name_of(connection, key, "dead")
    connection.execute(
        update(intent)
        .values(state="waiting", reason="retry", detail=f"revived by {who}", due_at=now, changed_at=now)
        .where(and_(intent.c.key == key, intent.c.state == "dead"))
    )


def _name_of(connection: Connection, key: str, state: str) -> str:
    row = connection.execute(select(intent.c.channel, intent.c.state).where(intent.c.key == key)).one_or_none()
    if row is None or row.state != state:
        raise BadQuestion(
            f"Nothing can be decided about message {key}",
            expected=f"a message in state {state}",
            seen="no such message" if row is None else f"state {row.state}",
        )
    return str(row.channel)
