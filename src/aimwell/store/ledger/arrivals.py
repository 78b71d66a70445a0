"""The rows of the inbox: written in the order of commit, read in that order, removed when they are old and read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from sqlalchemy import Connection, Dialect, Table, bindparam, delete, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite

from aimwell.core.keys import number_of
from aimwell.store.intake.messages import Kind, Message
from aimwell.store.intake.rejections import Rejected
from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.schema.inbox import message, refused_message

SIMULATION = "simulation"
"""The source of messages that a rehearsal made up: no write key has this name, no warehouse of real data keeps them."""

ROWS_AT_ONCE = 256
"""Rows of one INSERT; what is left over goes in powers of two, so that few statements are ever compiled."""

_LAST = select(func.max(message.c.seq))
_COMMIT_ORDER = number_of("inbox", "order of commit")
_Name = Literal["message", "refused_message"]
_TABLES: dict[_Name, Table] = {"message": message, "refused_message": refused_message}
_COLUMNS = {name: [column.name for column in table.columns if column.name != "seq"] for name, table in _TABLES.items()}


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message of the inbox, as `Message` has it, with its number, its write key and whether that is trusted."""

    seq: int
    message_id: str
    source: str
    trusted: bool
    kind: Kind
    name: str | None
    user_id: str | None
    anonymous_id: str | None
    previous_id: str | None
    group_id: str | None
    occurred_at: datetime
    stated_at: datetime | None
    received_at: datetime
    properties: str
    traits: str
    context: str
    integrations: str


@dataclass(frozen=True, slots=True)
class Pruned:
    """Rows that were removed because they were old and read."""

    messages: int
    refused: int


def read_after(connection: Connection, seq: int, limit: int) -> list[StoredMessage]:
    """The messages that come after a number, in the order of their commit, at most `limit`.

    No message with a smaller number is ever committed later, so the last one's `seq` is the reader's next cursor.
    """
    query = select(message).where(message.c.seq > seq).order_by(message.c.seq).limit(limit)
    return [StoredMessage(**row._mapping) for row in connection.execute(query)]


def last_seq(connection: Connection) -> int:
    """The number of the newest message; 0 if there is none."""
    return connection.execute(_LAST).scalar() or 0


def oldest_after(connection: Connection, seq: int) -> datetime | None:
    """When the first message after a number arrived; None if there is none."""
    query = select(message.c.received_at).where(message.c.seq > seq).order_by(message.c.seq).limit(1)
    arrived: datetime | None = connection.execute(query).scalar()
    return arrived


def keep_messages(connection: Connection, rows: Sequence[tuple[Message, str, bool]]) -> list[bool]:
    """Insert messages with the name and trust of their write key; for each, in order, whether it is new.

    Of messages with equal ids the first counts.
    """
    if not rows:
        return []
    _keep_order(connection)
    before = last_seq(connection)
    kept = _insert(connection, "message", _message_values(rows))
    if kept == len(rows):
        return [True] * kept
    new = set(connection.scalars(select(message.c.message_id).where(message.c.seq > before)))
    return [_take(new, whole.message_id) for whole, _, _ in rows]


def keep_refused(connection: Connection, rows: Sequence[tuple[Rejected, str, datetime]]) -> None:
    """Insert what was refused, with the name of its write key and when it came."""
    values: list[object] = []
    for refused, source, at in rows:
        values += (source, micros(at), refused.reason, refused.detail, refused.content)
    _insert(connection, "refused_message", values)


def prune_chunk(connection: Connection, before: datetime, *, read_up_to: int, limit: int) -> Pruned:
    """Remove at most `limit` messages and as many refused ones that came before an instant; messages only if read."""
    old = select(message.c.seq).where(message.c.received_at < before, message.c.seq <= read_up_to)
    gone = connection.execute(
        delete(message).where(message.c.seq.in_(old.order_by(message.c.received_at).limit(limit)))
    )
    stale = select(refused_message.c.seq).where(refused_message.c.received_at < before)
    stale = stale.order_by(refused_message.c.received_at).limit(limit)
    refused = connection.execute(delete(refused_message).where(refused_message.c.seq.in_(stale)))
    return Pruned(gone.rowcount, refused.rowcount)


def _keep_order(connection: Connection) -> None:
    """One writer at a time: PostgreSQL would let several commit in another order than they took their numbers."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_COMMIT_ORDER)))


def _message_values(rows: Sequence[tuple[Message, str, bool]]) -> list[object]:
    """The values of all rows one after the other, in the order of the columns."""
    values: list[object] = []
    arrived, arrived_micros = None, 0
    for whole, source, trusted in rows:
        if whole.received_at is not arrived:  # a request's messages share the instant
            arrived = whole.received_at
            arrived_micros = micros(arrived)
        values += (
            whole.message_id,
            source,
            trusted,
            whole.kind,
            whole.name,
            whole.user_id,
            whole.anonymous_id,
            whole.previous_id,
            whole.group_id,
            arrived_micros if whole.occurred_at is arrived else micros(whole.occurred_at),
            None if whole.stated_at is None else micros(whole.stated_at),
            arrived_micros,
            whole.properties,
            whole.traits,
            whole.context,
            whole.integrations,
        )
    return values


def _take(new: set[str], message_id: str) -> bool:
    if message_id not in new:
        return False
    new.remove(message_id)
    return True


def _insert(connection: Connection, name: _Name, values: list[object]) -> int:
    """Insert rows given as their values one after the other; returns how many were inserted."""
    width = len(_COLUMNS[name])
    left, start, inserted = len(values) // width, 0, 0
    while left:
        size = ROWS_AT_ONCE if left >= ROWS_AT_ONCE else 1 << (left.bit_length() - 1)
        chunk = tuple(values[start : start + size * width])
        inserted += connection.exec_driver_sql(_statement(connection.dialect.name, name, size), chunk).rowcount
        left, start = left - size, start + size * width
    return inserted


@lru_cache(maxsize=64)
def _statement(backend: str, name: _Name, rows: int) -> str:
    """An INSERT of so many rows as text for the driver, with its parameters in the order of rows and columns.

    One step of the engine for many rows, which returns none: row by row, the interpreter's lock would change hands
    with the requests' thread each time. The text of one row is compiled and its row repeated (compiling 256 rows takes
    0.2 s). Of messages with one id the first stays.
    """
    table = _TABLES[name]
    row: dict[str, object] = {column: bindparam(f"p_{column}") for column in _COLUMNS[name]}
    if backend == "postgresql":
        spelling: Callable[..., Dialect] = make_url("postgresql+psycopg://").get_dialect()
        dialect = spelling(paramstyle="format")
        insertion: postgresql.Insert | sqlite.Insert = postgresql.insert(table)
    else:
        dialect, insertion = sqlite.dialect(), sqlite.insert(table)
    if table is message:
        insertion = insertion.on_conflict_do_nothing(index_elements=[message.c.message_id])
    one = str(insertion.values(row).compile(dialect=dialect))
    before, _, after = one.partition(" VALUES (")
    places, _, after = after.partition(")")
    return f"{before} VALUES {', '.join([f'({places})'] * rows)}{after}"
