"""The claim pass: each due message is claimed for sending, waits for a stated reason, or is not sent for one.

Set-based: a chunk of due messages goes through all rules in a constant number of statements and one transaction.
The rules and their order are told in docs/delivery.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    Text,
    case,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    type_coerce,
    update,
)

from aimwell.delivery.outbox.chunk import LATER, due, fill_chunk
from aimwell.delivery.outbox.limits import apply_budgets, apply_caps, apply_quiet_hours, hold_back_seconds, microseconds
from aimwell.delivery.outbox.outlet import Outlets
from aimwell.delivery.outbox.pace import apply_pace
from aimwell.delivery.outbox.policy import Policy
from aimwell.delivery.outbox.shards import held_shards, take_shards
from aimwell.store.ledger.happenings import Happening, listened, record
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import intent

CHUNK = 3_000
"""Messages in one transaction: others who want to write wait at most as long as this many take."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a worker claims and sends: the ledger, the channels, the policy, and the workspace's timezone."""

    ledger: Ledger
    outlets: Outlets
    policy: Policy
    home: ZoneInfo
    worker: str


@dataclass(frozen=True, slots=True)
class Pass:
    """What became of the due messages: how many claimed, and how many not, by state and reason."""

    claimed: int = 0
    others: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def looked_at(self) -> int:
        return self.claimed + sum(self.others.values())


def claim(desk: Desk, now: datetime, *, chunk: int = CHUNK, enough: int | None = None) -> Pass:
    """Look at every message that is due and claim those that may leave now; stop when `enough` are claimed.

    Each chunk is a transaction of its own and hands the ledger over to whoever else wants to write. A claimed message
    has its place under the caps reserved. Nothing due costs two short statements.
    """
    counts: Counter[tuple[str, str]] = Counter()
    while _something_due(desk, now):
        if not counts:
            take_shards(desk.ledger, desk.worker, now, desk.policy.lease)
        with desk.ledger.writing() as connection:
            seen = claim_chunk(connection, desk, now, chunk)
        counts.update(seen)
        if not seen or (enough is not None and counts["claimed", ""] >= enough):
            break
    claimed = counts.pop(("claimed", ""), 0)
    return Pass(claimed, dict(counts))


def _something_due(desk: Desk, now: datetime) -> bool:
    """Looking costs no writer's turn."""
    with desk.ledger.reading() as connection:
        # Ordered, so that PostgreSQL takes the index whatever it believes of how many are due.
        first = select(intent.c.key).where(intent.c.due_at <= now).order_by(intent.c.due_at).limit(1)
        found = connection.scalar(first)
        return found is not None or connection.scalar(_resumed(1)) is not None


def claim_chunk(connection: Connection, desk: Desk, now: datetime, size: int) -> Counter[tuple[str, str]]:
    """One chunk through all rules, in the caller's transaction; returns how many got which state and reason."""
    _wake_resumed(connection, now, size)
    fill_chunk(connection, _due_keys(connection, desk, now, size), desk.outlets, desk.policy, now)
    apply_quiet_hours(connection, desk.policy, desk.home, now)
    hold_back_seconds(connection, desk.policy)
    apply_caps(connection, desk.policy, now)
    apply_budgets(connection)
    apply_pace(connection, desk.policy, desk.outlets, now)
    settle(connection, desk, now)
    seen = tally(connection)
    charge(connection)
    tell_not_sent(connection, now)
    return seen


def _due_keys(connection: Connection, desk: Desk, now: datetime, size: int) -> Select[tuple[str]]:
    query = (
        select(intent.c.key)
        .where(intent.c.due_at <= now, intent.c.state.in_(("waiting", "unknown")))
        .order_by(intent.c.due_at)
        .limit(size)
    )
    if desk.ledger.backend == "postgresql":
        held = held_shards(connection, desk.worker, now)
        query = query.where(intent.c.shard.in_(held)).with_for_update(skip_locked=True)
    return query


def _resumed(size: int) -> Select[tuple[str]]:
    """Messages that waited for a paused journey which is paused no longer."""
    running = select(journey.c.name).where(journey.c.state != "paused")
    return (
        select(intent.c.key)
        .where(literal_column("reason = 'paused'"), intent.c.journey.in_(running))  # as the index has it
        .limit(size)
    )


def _wake_resumed(connection: Connection, now: datetime, size: int) -> None:
    keys = list(connection.scalars(_resumed(size)))
    for begin in range(0, len(keys), 500):
        some = keys[begin : begin + 500]
        connection.execute(update(intent).values(due_at=now, reason=null()).where(intent.c.key.in_(some)))


def new_state() -> Any:  # noqa: ANN401 - an expression of text
    """The state that a verdict leads to. What the provider may already have stays in doubt, whatever the rules say."""
    passed = literal("claimed", Text)
    waits = or_(due.c.next_at.is_not(None), due.c.reason == "paused")
    doubtful = due.c.was == "unknown"
    return case(
        (due.c.reason.is_(None), passed),
        (doubtful, literal("unknown", Text)),
        (waits, literal("waiting", Text)),
        else_=literal("not_sent", Text),
    )


def settle(connection: Connection, desk: Desk, now: datetime) -> None:
    """Write the verdicts of the chunk into the outbox."""
    at, passed, doubtful = microseconds(now), due.c.reason.is_(None), due.c.was == "unknown"
    lease = microseconds(now + desk.policy.lease)
    kept = type_coerce(intent.c.contacted_at, BigInteger)
    paused, later = due.c.reason == "paused", microseconds(now + desk.policy.hold)
    connection.execute(
        update(intent)
        .values(
            state=new_state(),
            reason=case((passed, null()), (doubtful, literal("doubt", Text)), else_=due.c.reason),
            detail=case((doubtful, func.coalesce(due.c.reason, intent.c.detail)), else_=due.c.detail),
            due_at=case((passed, null()), (doubtful & paused, later), else_=type_coerce(due.c.next_at, BigInteger)),
            cost=due.c.cost,
            claimed_by=case((passed, literal(desk.worker, Text)), else_=null()),
            lease_until=case((passed, lease), else_=null()),
            contacted_at=case((passed, at), (doubtful, kept), else_=null()),
            changed_at=at,
        )
        .where(intent.c.key == due.c.key, func.coalesce(due.c.reason, "") != LATER)
    )


def tally(connection: Connection) -> Counter[tuple[str, str]]:
    """How many messages of the chunk got which state and reason."""
    state, reason = new_state(), func.coalesce(due.c.reason, "")
    query = select(state, reason, func.count()).where(reason != LATER).group_by(state, reason)
    return Counter({(state, reason): count for state, reason, count in connection.execute(query)})


def charge(connection: Connection, *, back: bool = False) -> None:
    """Add what the claimed messages of the chunk cost to what their journeys spent; one in doubt has been paid for.

    back: give back instead what those cost that were claimed before and may not leave after all.
    """
    fallen = due.c.reason.is_not(None) if back else due.c.reason.is_(None)
    query = (
        select(due.c.journey, func.sum(due.c.cost))
        .where(fallen, due.c.was != "unknown", due.c.cost > 0)
        .group_by(due.c.journey)
        .order_by(due.c.journey)
    )
    for name, cost in connection.execute(query).all():
        spend(connection, name, -int(cost) if back else int(cost))


def spend(connection: Connection, name: str, cost: int) -> None:
    """Add millionths of the currency to what a journey spent."""
    connection.execute(update(journey).values(spent=journey.c.spent + cost).where(journey.c.name == name))


def tell_not_sent(connection: Connection, now: datetime) -> None:
    """Let journeys that wait for it know that a message of the chunk will not be sent."""
    signals = {signal for signal in listened(connection) if signal.startswith("not_sent:")}
    if not signals:
        return
    query = select(due.c.key, due.c.customer_id, due.c.journey, due.c.node).where(
        new_state() == "not_sent", func.coalesce(due.c.reason, "") != LATER
    )
    heard = (
        Happening(row.customer_id, signal, now, row.key)
        for row in connection.execute(query)
        if (signal := f"not_sent:{row.journey}:{row.node}") in signals
    )
    record(connection, list(heard))
