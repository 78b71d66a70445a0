"""Several workers divide the customers among themselves, so that two never count one customer's contacts at once.

On SQLite one writer works at a time and no division is needed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, update

from aimwell.core.keys import SHARDS
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import lease
from aimwell.store.ledger.writes import insert_new, put

_SHARD, _WORKER = "outbox:shard:", "outbox:worker:"


def take_shards(ledger: Ledger, worker: str, now: datetime, lasting: timedelta) -> None:
    """Renew this worker's shards, take free ones up to its fair share, and give away what is more than that.

    Costs a handful of statements; nothing on SQLite. A worker that ends without a word is replaced when its lease ends.
    """
    if ledger.backend == "sqlite":
        return
    with ledger.writing() as connection:
        put(connection, lease, [{"name": _WORKER + worker, "holder": worker, "until": now + lasting}])
        if not connection.scalar(select(func.count()).where(lease.c.name.startswith(_SHARD))):
            free = [{"name": f"{_SHARD}{shard:02}", "holder": "", "until": now} for shard in range(SHARDS)]
            insert_new(connection, lease, free)
        workers = connection.scalar(select(func.count()).where(lease.c.name.startswith(_WORKER), lease.c.until > now))
        share = -(-SHARDS // max(workers or 1, 1))
        mine = held_shards(connection, worker, now)
        _hold(connection, worker, mine[:share], now + lasting)
        _hold(connection, "", mine[share:], now)
        if len(mine) < share:
            _hold(connection, worker, _free(connection, worker, now, share - len(mine)), now + lasting)


def held_shards(connection: Connection, worker: str, now: datetime) -> list[int]:
    """The shards of a worker, locked until the transaction ends so that nobody takes them over meanwhile."""
    query = select(lease.c.name).where(lease.c.name.startswith(_SHARD), lease.c.holder == worker, lease.c.until > now)
    return [_number(name) for name in connection.scalars(query.order_by(lease.c.name).with_for_update())]


def let_go(ledger: Ledger, worker: str, now: datetime) -> None:
    """Give everything back at the end of a worker's life."""
    with ledger.writing() as connection:
        connection.execute(update(lease).values(holder="", until=now).where(lease.c.holder == worker))


def _free(connection: Connection, worker: str, now: datetime, count: int) -> list[int]:
    query = (
        select(lease.c.name)
        .where(lease.c.name.startswith(_SHARD), (lease.c.until <= now) | (lease.c.holder == ""))
        .order_by(lease.c.name)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    return [_number(name) for name in connection.scalars(query)]


def _hold(connection: Connection, holder: str, shards: list[int], until: datetime) -> None:
    if shards:
        names = [f"{_SHARD}{shard:02}" for shard in shards]
        connection.execute(update(lease).values(holder=holder, until=until).where(lease.c.name.in_(names)))


def _number(name: str) -> int:
    return int(name.removeprefix(_SHARD))
