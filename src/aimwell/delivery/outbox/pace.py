"""How fast a channel sends: a throttle that queues what is too much, and a pause while its provider is down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, case, func, null, select, update

from aimwell.delivery.outbox.chunk import due
from aimwell.delivery.outbox.policy import Policy
from aimwell.store.ledger.columns import instant, length, micros
from aimwell.store.ledger.schema.outbox import pace
from aimwell.store.ledger.writes import insert_new, put

PROBE = 100
"""So many messages try a provider that was down; the others wait for what comes of them."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Where a channel stands, in microseconds: `free_at` is how far its messages have used up the throttle."""

    channel: str
    free_at: int
    queued_until: int
    failures: int
    held_until: int | None


def apply_pace(connection: Connection, policy: Policy, channels: Iterable[str], now: datetime) -> None:
    """What goes beyond a channel's throttle queues behind it; while a provider is down only a few messages try it."""
    limited = sorted(set(channels) & set(policy.throttle))
    rows = [{"channel": name, "free_at": 0, "queued_until": 0, "failures": 0} for name in limited]
    insert_new(connection, pace, rows)
    query = select(pace).where((pace.c.failures > 0) | pace.c.channel.in_(limited)).order_by(pace.c.channel)
    for row in connection.execute(query.with_for_update()):
        held = micros(row.held_until) if row.held_until else None
        state = Pace(row.channel, micros(row.free_at), micros(row.queued_until), row.failures, held)
        _limit(connection, policy, state, now)


def _limit(connection: Connection, policy: Policy, state: Pace, now: datetime) -> None:
    at = micros(now)
    throttle = policy.throttle.get(state.channel)
    interval = throttle.interval if throttle else 0
    used = max(state.free_at, at - interval * (throttle.burst if throttle else 0))
    room = _room(state, interval, used, at)
    waiting = _rank(connection, state.channel)
    if not waiting:
        return
    taken = min(room, waiting)
    free_at = used + taken * interval
    queued = max(state.queued_until, free_at, state.held_until or 0, at)
    added = _queue(
        connection, state, room, interval, free_at=max(free_at, at), queued=queued, retry=_next_try(policy, state, at)
    )
    if throttle:
        connection.execute(
            update(pace)
            .values(free_at=free_at, queued_until=queued + added * interval)
            .where(pace.c.channel == state.channel)
        )


def _room(state: Pace, interval: int, used: int, at: int) -> int:
    """How many messages may leave now."""
    if state.held_until is not None and state.held_until > at:
        return 0
    room = (at - used) // interval if interval else 1 << 60
    return min(room, PROBE) if state.failures else room


def _next_try(policy: Policy, state: Pace, at: int) -> int | None:
    """While the provider is down: when the others are looked at again."""
    if not state.failures:
        return None
    return max(state.held_until or 0, at + length(hold_of(policy, 1)))


def _rank(connection: Connection, channel: str) -> int:
    """How many messages of this channel would leave now."""
    query = select(func.count()).select_from(due).where(due.c.reason.is_(None), due.c.channel == channel)
    return connection.scalar(query) or 0


def _queue(
    connection: Connection, state: Pace, room: int, interval: int, *, free_at: int, queued: int, retry: int | None
) -> int:
    """Give those beyond the room a later time; returns how many joined the end of the queue.

    Who has queued before goes first and comes back soon; who is new joins the end.
    """
    before = case((due.c.waited_for == "throttle", 0), else_=1)
    place = func.row_number().over(order_by=(before, due.c.priority.desc(), due.c.due_at, due.c.key))
    mine = select(due.c.key, before.label("new"), place.label("place")).where(
        due.c.reason.is_(None), due.c.channel == state.channel
    )
    ranked = mine.subquery("ranked")
    over = (
        select(
            ranked.c.key,
            ranked.c.new,
            func.row_number().over(partition_by=ranked.c.new, order_by=ranked.c.place).label("rank"),
        )
        .where(ranked.c.place > room)
        .subquery("over_room")
    )
    start = case((over.c.new == 1, queued), else_=free_at)
    next_at = func.cast(start + over.c.rank * interval, BigInteger) if retry is None else retry
    reason = "throttle" if retry is None else "provider_down"
    connection.execute(update(due).values(reason=reason, next_at=next_at).where(due.c.key == over.c.key))
    if retry is not None or not interval:
        return 0
    query = (
        select(func.count())
        .select_from(due)
        .where(
            due.c.reason == "throttle",
            due.c.channel == state.channel,
            (due.c.waited_for != "throttle") | due.c.waited_for.is_(None),
        )
    )
    return connection.scalar(query) or 0


def hold_of(policy: Policy, failures: int) -> timedelta:
    """How long a provider is left alone after so many failed batches one after another."""
    pause: timedelta = min(timedelta(seconds=5) * 2 ** min(failures - 1, 30), policy.hold)
    return pause


def note_batch(
    connection: Connection, policy: Policy, channel: str, now: datetime, *, failed: bool, rest: float | None
) -> datetime | None:
    """Write down that a whole batch failed, or that the provider answers again; returns until when it is left alone.

    rest: seconds for which the provider asked to be left alone.
    """
    row = connection.execute(select(pace).where(pace.c.channel == channel).with_for_update()).one_or_none()
    if not failed and rest is None:
        if row is not None and row.failures:
            connection.execute(update(pace).values(failures=0, held_until=null()).where(pace.c.channel == channel))
        return None
    failures = (row.failures if row else 0) + 1
    asked = timedelta(seconds=min(max(rest or 0.0, 0.0), 86_400.0))
    until = now + max(hold_of(policy, failures), asked)
    used, queued = (row.free_at, row.queued_until) if row else (instant(0), instant(0))
    put(
        connection,
        pace,
        [{"channel": channel, "free_at": used, "queued_until": queued, "failures": failures, "held_until": until}],
    )
    return until
