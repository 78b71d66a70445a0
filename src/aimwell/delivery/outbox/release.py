"""Letting go of claimed messages that were not tried: they wait again, and their place under the caps is free."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, null, select, update

from aimwell.delivery.outbox.claim import spend
from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.schema.outbox import attempt, intent


def release_channel(connection: Connection, worker: str, channel: str, now: datetime, *, until: datetime) -> int:
    """Let everything that a worker has claimed for a channel wait until its provider may answer again."""
    mine = and_(intent.c.claimed_by == worker, intent.c.channel == channel)
    return release(connection, mine, now, due_at=until, reason="provider_down")


def release(
    connection: Connection, which: ColumnElement[bool], now: datetime, *, due_at: datetime, reason: str | None
) -> int:
    """Let these claimed messages wait again; one that an earlier attempt may have brought out is in doubt again.

    None of them may have an attempt that still runs.
    """
    claimed = and_(intent.c.lease_until.is_not(None), intent.c.state == "claimed", which)
    doubtful = select(attempt.c.key).where(attempt.c.key == intent.c.key, attempt.c.result == "unknown").exists()
    costs = (
        select(intent.c.journey, func.sum(intent.c.cost))
        .where(claimed, ~doubtful, intent.c.cost > 0)
        .group_by(intent.c.journey)
        .order_by(intent.c.journey)
    )
    for name, cost in connection.execute(costs).all():
        spend(connection, name, -int(cost))
    done = connection.execute(
        update(intent)
        .values(
            state=case((doubtful, "unknown"), else_="waiting"),
            reason=case((doubtful, "doubt"), else_=reason),
            detail=null(),
            due_at=literal(due_at, Instant),
            claimed_by=null(),
            lease_until=null(),
            contacted_at=case((doubtful, intent.c.contacted_at), else_=null()),
            changed_at=literal(now, Instant),
        )
        .where(claimed)
    )
    return _count(done)


def _count(done: Any) -> int:  # noqa: ANN401 - a cursor's result
    return int(done.rowcount)
