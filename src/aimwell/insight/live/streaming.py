"""Brings arrived events into the warehouse in micro-batches; the place reached is written with them.

Messages become rows of `event` under the customer whom they belong to now, and customers who are new become rows of
`customer`. When two customers turn out to be one, the rows of the one that is gone are given to the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlalchemy import BigInteger, Row, select, type_coerce
from sqlglot import exp

from aimwell.insight.identity.absorbing import read_place as identity_place
from aimwell.insight.identity.lookup import resolve_messages
from aimwell.insight.identity.parting import PARTED
from aimwell.insight.live.renaming import UNDER, Change, alone, ensure_under, rename, told_of_them
from aimwell.insight.live.stating import stated_rows
from aimwell.store.intake.messages import event_name
from aimwell.store.ledger.arrivals import SIMULATION
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.inbox import message
from aimwell.store.ledger.schema.people import customer, merge
from aimwell.store.warehouse.warehouse import Warehouse

PLACE, _WIDER = "live_place", "live_wider"
CHUNK = 20_000
_INSTANT = pa.timestamp("us")
_EVENT = pa.schema(
    {
        "event_id": pa.string(),
        "customer_id": pa.string(),
        "name": pa.string(),
        "occurred_at": _INSTANT,
        "channel": pa.string(),
        "session_id": pa.string(),
        "properties": pa.string(),
        "received_at": _INSTANT,
        UNDER: pa.string(),
    }
)
_CUSTOMER = pa.schema(
    {
        "customer_id": pa.string(),
        "created_at": _INSTANT,
        "language": pa.string(),
        "timezone": pa.string(),
        "known_at": _INSTANT,
        UNDER: pa.string(),
    }
)


@dataclass(frozen=True, slots=True)
class Streamed:
    """What one micro-batch brought: messages read, customers touched (sorted), customers given another id."""

    messages: int
    touched: tuple[str, ...]
    renamed: int = 0


def stream(warehouse: Warehouse, ledger: Ledger, *, simulated: bool = False, limit: int = CHUNK) -> Streamed:
    """Append the next messages that identity has absorbed; call again while `messages` > 0.

    simulated: whether the warehouse is itself simulated. If not, what a rehearsal made up is read and left out.
    Rows and place are one transaction of the warehouse: a crash repeats reading, never a row.
    """
    places = read_places(warehouse)
    with ledger.reading() as connection:
        known = identity_place(connection)
        merges = connection.execute(
            select(merge.c.id, merge.c.kept, merge.c.gone, merge.c.because)
            .where(merge.c.id > places["merge"])
            .order_by(merge.c.id)
        ).all()
    with ledger.reading_events() as connection:
        rows = connection.execute(_next(places["message"], known, limit)).all()
    if not rows and not merges:
        return Streamed(0, ())
    real = rows if simulated else [row for row in rows if row.source != SIMULATION]
    changes = [Change(row.kept, row.gone, row.because == PARTED) for row in merges]
    back = {each.gone for each in changes if each.parted}
    with ledger.reading() as connection, warehouse.engine.transaction():
        owners = resolve_messages(connection, _senders(real))
        people = _people(connection, {owner for owner in owners if owner} | back)
        events = _events(real, owners)
        renamed = rename(warehouse, connection, changes)
        _append(warehouse, "customer", _new_people(warehouse, people))
        _append(warehouse, "customer", _stated(real, owners), restated=True)
        _append(warehouse, "event", events)
        places["message"] = max(places["message"], rows[-1].seq if rows else 0)
        places["merge"] = merges[-1].id if merges else places["merge"]
        _keep_places(warehouse, places)
    touched = {owner for owner in owners if owner} | {each for row in merges for each in (row.kept, row.gone)}
    return Streamed(len(rows), tuple(sorted(touched)), renamed)


def make_room(warehouse: Warehouse) -> None:
    """Have the tables that arrivals fill, empty at first, so that rules may speak of events before the first one."""
    standing = set(warehouse.engine.tables())
    lacking = {"customer": _CUSTOMER, "event": _EVENT}
    for name, schema in lacking.items():
        if name not in standing:
            warehouse.engine.write(name, schema.empty_table())
    if not lacking.keys() <= standing:
        warehouse.refresh()


def read_places(warehouse: Warehouse) -> dict[str, int]:
    """How far messages and merges have been taken into the warehouse."""
    places = {"message": 0, "merge": 0}
    if PLACE in warehouse.engine.tables():
        for row in warehouse.engine.to_arrow(exp.select("consumer", "place").from_(PLACE)).to_pylist():
            places[row["consumer"]] = row["place"]
    return places


def _keep_places(warehouse: Warehouse, places: dict[str, int]) -> None:
    rows = pa.table({"consumer": list(places), "place": pa.array(places.values(), pa.int64())})
    warehouse.engine.write(PLACE, rows)


def _next(place: int, known: int, limit: int) -> Any:  # noqa: ANN401 (a Select of many types)
    names = (
        "seq",
        "message_id",
        "source",
        "kind",
        "name",
        "user_id",
        "anonymous_id",
        "properties",
        "traits",
        "context",
    )
    instants = [type_coerce(message.c[name], BigInteger).label(name) for name in ("occurred_at", "received_at")]
    query = select(*(message.c[name] for name in names), *instants)
    return query.where(message.c.seq > place, message.c.seq <= known).order_by(message.c.seq).limit(limit)


@dataclass(frozen=True, slots=True)
class _Sender:
    user_id: str | None
    anonymous_id: str | None


def _senders(rows: Sequence[Row[Any]]) -> list[_Sender]:
    return [_Sender(row.user_id, row.anonymous_id) for row in rows]


def _events(rows: Sequence[Row[Any]], owners: Sequence[str | None]) -> pa.Table:
    """Track, page and screen calls as events; the other calls say who somebody is, not what they did."""
    chosen = [
        (row, owner)
        for row, owner in zip(rows, owners, strict=True)
        if owner is not None and row.kind in {"track", "page", "screen"}
    ]
    columns = {
        "event_id": [row.message_id for row, _ in chosen],
        "customer_id": [owner for _, owner in chosen],
        "name": [event_name(row.kind, row.name) for row, _ in chosen],
        "occurred_at": pa.array([row.occurred_at for row, _ in chosen], pa.int64()).cast(_INSTANT),
        "channel": [_channel(row.context) for row, _ in chosen],
        "session_id": pa.nulls(len(chosen), pa.string()),
        "properties": [_properties(row) for row, _ in chosen],
        "received_at": pa.array([row.received_at for row, _ in chosen], pa.int64()).cast(_INSTANT),
        UNDER: [None if (name := _sender(row)) == owner else name for row, owner in chosen],
    }
    return pa.table(columns, schema=_EVENT)


def _sender(row: Row[Any]) -> str:
    return alone(row.user_id, row.anonymous_id)


def _channel(context: str) -> str | None:
    """What the library says of itself: web, mobile or server."""
    channel = json.loads(context).get("channel") if '"channel"' in context else None
    return channel if isinstance(channel, str) else None


def _properties(row: Row[Any]) -> str:
    if row.kind == "track" or row.name is None or '"name"' in row.properties:
        return str(row.properties)
    return json.dumps({**json.loads(row.properties), "name": row.name}, ensure_ascii=False)


def _people(connection: Any, customers: Iterable[str]) -> list[dict[str, object]]:  # noqa: ANN401
    wanted = sorted(customers)
    found: list[dict[str, object]] = []
    for start in range(0, len(wanted), 500):
        columns = (customer.c.customer_id, customer.c.zone, customer.c.language)
        created = type_coerce(customer.c.created_at, BigInteger).label("created_at")
        query = select(*columns, created).where(customer.c.customer_id.in_(wanted[start : start + 500]))
        found += [dict(row) for row in connection.execute(query).mappings()]
    return found


def _new_people(warehouse: Warehouse, people: Sequence[dict[str, object]]) -> pa.Table:
    """Those of whom the warehouse does not know yet."""
    ids = [str(each["customer_id"]) for each in people]
    known: set[str] = set()
    if ids and "customer" in warehouse.engine.tables():
        query = exp.select("customer_id").distinct().from_("customer").where(exp.column("customer_id").isin(*ids))
        if {UNDER, "created_at"} <= warehouse.engine.columns("customer").keys():
            query = query.where(told_of_them())  # what somebody said is no row of who they are
        known = set(warehouse.engine.to_arrow(query).column("customer_id").to_pylist())
    new = [each for each in people if each["customer_id"] not in known]
    since = pa.array([each["created_at"] for each in new], pa.int64()).cast(_INSTANT)
    columns = {
        "customer_id": [each["customer_id"] for each in new],
        "created_at": since,
        "language": [each["language"] for each in new],
        "timezone": [each["zone"] for each in new],
        "known_at": since,
        UNDER: [each["customer_id"] for each in new],
    }
    return pa.table(columns, schema=_CUSTOMER)


def _stated(rows: Sequence[Row[Any]], owners: Sequence[str | None]) -> pa.Table:
    """What identify calls say of customers."""
    said = [
        (row, owner) for row, owner in zip(rows, owners, strict=True) if owner is not None and row.kind == "identify"
    ]
    return stated_rows((owner, _sender(row), row.received_at, row.traits) for row, owner in said)


def _append(warehouse: Warehouse, name: str, rows: pa.Table, *, restated: bool = False) -> None:
    """Append rows to a canonical table, whichever columns it has; what it lacks is left away.

    restated: the rows are further versions of what is there; columns that the table lacks are added for them.
    """
    if rows.num_rows == 0:
        return
    if restated:
        _widen(warehouse, name, rows)
    if not warehouse.engine.columns(name):
        warehouse.engine.append(name, rows)
        warehouse.refresh()
        return
    if rows.column(UNDER).null_count < rows.num_rows:
        ensure_under(warehouse, name)
    shaped = warehouse.shaped(name, rows)
    warehouse.engine.append(name, shaped)
    own = [column for column in shaped.column_names if column.startswith("_")]
    warehouse.note_append(name, shaped.drop_columns(own), restated=restated)


def _widen(warehouse: Warehouse, name: str, rows: pa.Table) -> None:
    """Add the columns that a table lacks, empty."""
    present = warehouse.engine.columns(name)
    lacking = [field for field in rows.schema if field.name not in present]
    if not present or not lacking:
        return
    empty = pa.table({field.name: pa.array([], field.type) for field in lacking})
    warehouse.engine.write(_WIDER, empty)
    wider = exp.select(exp.Column(this=exp.Star(), table=exp.to_identifier(name))).from_(name)
    wider = wider.select(*(exp.column(field.name, table=_WIDER) for field in lacking))
    warehouse.engine.create_table_as(name, wider.join(_WIDER, on=exp.false(), join_type="left"))
    warehouse.engine.drop(_WIDER)
    warehouse.refresh()
