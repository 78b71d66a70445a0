"""Two customers become one: their rows move, the stricter consent holds, and all that was before is written down."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    SmallInteger,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from aimwell.core.keys import shard_of
from aimwell.insight.identity.holdings import LOCALITY, Holdings, Record, combine, read_holdings, write_holdings
from aimwell.insight.identity.resolution import ANONYMOUS, USER, Node
from aimwell.insight.identity.scratch import ask_customers, asked_customer, fill, plain
from aimwell.store.ledger.schema import STATE
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import consent, customer, identifier, membership, profile
from aimwell.store.ledger.schema.people import merge as merge_log
from aimwell.store.ledger.writes import insert_new_from

MESSAGES = "messages"
"""Source of identifiers that follow from links."""

_COMBINED = {profile, consent, membership, customer}

_pairing = Table(
    "merge_pairing",
    MetaData(),
    Column("gone", Text, primary_key=True),
    Column("kept", Text),
    Column("shard", SmallInteger),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True, slots=True)
class Union:
    """One customer to be taken into another, because of what, and the ids of both before."""

    kept: str
    gone: str
    because: Mapping[str, object]
    members: Sequence[Node] = ()
    kept_members: Sequence[Node] = ()


@dataclass(slots=True)
class _Before:
    """What was there before a merge; the record from which it is undone."""

    customer: Record
    kept_customer: Record
    held: Holdings
    kept_held: Holdings
    rows: dict[str, list[list[Any]]] = field(default_factory=dict)
    exited: list[int] = field(default_factory=list)


def moving_tables() -> list[Table]:
    """The tables whose rows belong to a customer and go with him as they are; enrolments last, for others ask them."""
    theirs = [table for table in STATE.sorted_tables if "customer_id" in table.columns and table not in _COMBINED]
    return sorted(theirs, key=lambda table: table is enrolment)


def own_key(table: Table) -> list[Column[Any]]:
    """What tells a row from the customer's other rows of the table."""
    return [column for column in table.primary_key.columns if column.name != "customer_id"]


def merge(connection: Connection, kept: str, gone: str, *, because: Mapping[str, object], at: datetime) -> None:
    """Take one customer into another, in the caller's transaction; `undo` gives everything back but sent messages.

    Both must exist. To join two people for good use `join`, which keeps a link too: identities are worked out again
    from links whenever a message touches them.
    """
    merge_customers(connection, [Union(kept, gone, because)], at)


def merge_customers(connection: Connection, unions: Sequence[Union], at: datetime) -> None:
    """Carry out several merges at once; nobody is kept by one and gone by another of them.

    Rows keep their keys and change their customer, so sends of both count towards caps. Of active enrolments in one
    journey the furthest goes on (most moves, then entered first, then the smaller id), the others exit as merged.
    The number of statements is the same for one and for a thousand.
    """
    if not unions:
        return
    fill(connection, _pairing, [{"gone": u.gone, "kept": u.kept, "shard": shard_of(u.kept)} for u in unions])
    befores = _combine_holdings(connection, unions)
    _combine_customers(connection, unions, befores)
    for table in moving_tables():
        _move(connection, table, befores)
    _exit_doubles(connection, unions, befores, at)
    connection.execute(insert(merge_log), [_entry(union, befores[union.gone], at) for union in unions])


def _combine_holdings(connection: Connection, unions: Sequence[Union]) -> dict[str, _Before]:
    everybody = {each for union in unions for each in (union.kept, union.gone)}
    holdings = read_holdings(connection, everybody)
    rows = _read_customers(connection, everybody)
    befores = {}
    for union in unions:
        kept, gone = holdings[union.kept], holdings[union.gone]
        befores[union.gone] = _Before(rows.get(union.gone, {}), rows.get(union.kept, {}), gone, kept)
        holdings[union.kept] = combine(kept, gone)
        holdings[union.gone] = Holdings()
    write_holdings(connection, holdings)
    return befores


def _read_customers(connection: Connection, customers: set[str]) -> dict[str, Record]:
    ask_customers(connection, customers)
    query = select(*(plain(column) for column in customer.columns))
    query = query.join(asked_customer, asked_customer.c.customer_id == customer.c.customer_id)
    return {row.customer_id: dict(row._mapping) for row in connection.execute(query)}


def _combine_customers(connection: Connection, unions: Sequence[Union], befores: Mapping[str, _Before]) -> None:
    """The one who is kept exists since the earlier of both, with the timezone and language said last."""
    kept = {union.kept for union in unions}
    rows = _read_customers(connection, kept)
    holdings = read_holdings(connection, kept)
    for union in unions:
        gone, row = befores[union.gone].customer, rows[union.kept]
        if gone:
            row["created_at"] = min(row["created_at"], gone["created_at"])
            row["language"] = row["language"] or gone["language"]
    for customer_id, row in rows.items():
        for name, column in LOCALITY.items():
            row[column] = holdings[customer_id].values.get(name, {}).get("text") or row[column]
    statement = update(customer).where(customer.c.customer_id == bindparam("kept"))
    places: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("created_at", "zone", "language")}
    connection.execute(
        statement.values(places),
        [
            {"kept": customer_id, **{f"new_{name}": row[name] for name in places}}
            for customer_id, row in sorted(rows.items())
        ],
    )
    connection.execute(delete(customer).where(customer.c.customer_id.in_(select(_pairing.c.gone))))


def _move(connection: Connection, table: Table, befores: Mapping[str, _Before]) -> None:
    """Give rows to the one who is kept; a row that he has already is only taken away."""
    gone = table.c.customer_id.in_(select(_pairing.c.gone))
    if table is intent:  # found by its enrolment: not every message stands in an index by customer
        gone = table.c.enrolment_id.in_(
            select(enrolment.c.id).where(enrolment.c.customer_id.in_(select(_pairing.c.gone)))
        )
    noted = select(table.c.customer_id, *(plain(key) for key in own_key(table))).where(gone)
    if table is identifier:  # addresses that follow from links are made anew; ids go where links lead them
        connection.execute(delete(table).where(gone, table.c.source == MESSAGES))
        noted = noted.where(table.c.kind.not_in((ANONYMOUS, USER)))
    for customer_id, *key in connection.execute(noted):
        befores[customer_id].rows.setdefault(table.name, []).append(key)
    kept = select(_pairing.c.kept).where(_pairing.c.gone == table.c.customer_id).scalar_subquery()
    changed: dict[str, Any] = {"customer_id": kept}
    if "shard" in table.columns:
        changed["shard"] = select(_pairing.c.shard).where(_pairing.c.gone == table.c.customer_id).scalar_subquery()
    if "customer_id" not in table.primary_key.columns:
        connection.execute(update(table).where(gone).values(changed))
        return
    moved = [changed.get(column.name, column) for column in table.columns]
    insert_new_from(connection, table, table.columns.keys(), select(*moved).where(gone))
    connection.execute(delete(table).where(gone))


def _exit_doubles(
    connection: Connection, unions: Sequence[Union], befores: Mapping[str, _Before], at: datetime
) -> None:
    """Of several active enrolments in one journey the furthest survives; all survivors are looked at once."""
    of_kept = enrolment.c.customer_id.in_(select(_pairing.c.kept))
    order = (enrolment.c.moves.desc(), enrolment.c.entered_at, enrolment.c.id)
    query = select(enrolment.c.id, enrolment.c.journey, enrolment.c.customer_id)
    taken: set[tuple[str, str]] = set()
    exits: defaultdict[str, list[int]] = defaultdict(list)
    for number, journey, customer_id in connection.execute(
        query.where(of_kept, enrolment.c.state == "active").order_by(*order)
    ):
        if (journey, customer_id) in taken:
            exits[customer_id].append(number)
        taken.add((journey, customer_id))
    for union in unions:
        befores[union.gone].exited = exits[union.kept]
    numbers = sorted(number for listed in exits.values() for number in listed)
    _exit(connection, numbers, at)
    early = or_(enrolment.c.due_at.is_(None), enrolment.c.due_at > enrolment.c.at)
    connection.execute(
        update(enrolment).where(of_kept, enrolment.c.state == "active", early).values(due_at=enrolment.c.at)
    )


def _exit(connection: Connection, numbers: Sequence[int], at: datetime) -> None:
    """End these enrolments; what they still meant to say is not said."""
    for start in range(0, len(numbers), 500):
        part = numbers[start : start + 500]
        connection.execute(
            update(enrolment)
            .where(enrolment.c.id.in_(part))
            .values(state="exited", reason="merged", ended_at=at, due_at=None, timer_at=None)
        )
        connection.execute(
            update(intent)
            .where(intent.c.enrolment_id.in_(part), intent.c.state == "waiting")
            .values(state="not_sent", reason="merged", due_at=None, changed_at=at)
        )


def _entry(union: Union, before: _Before, at: datetime) -> dict[str, object]:
    content = {
        "customer": before.customer,
        "kept_customer": before.kept_customer,
        "members": union.members,
        "kept_members": union.kept_members,
        "held": before.held.to_json(),
        "kept_held": before.kept_held.to_json(),
        "rows": {name: sorted(keys) for name, keys in before.rows.items()},
        "exited": before.exited,
    }
    return {
        "at": at,
        "kept": union.kept,
        "gone": union.gone,
        "because": json.dumps(union.because, ensure_ascii=False),
        "before": json.dumps(content, ensure_ascii=False, sort_keys=True),
    }
