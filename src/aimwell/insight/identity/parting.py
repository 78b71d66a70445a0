"""One customer becomes two again: what a merge took is given back, and what was refused since holds for both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, exists, insert, select, update

from aimwell.core.keys import shard_of
from aimwell.insight.identity.holdings import (
    COMBINE,
    LOCALITY,
    Holdings,
    Record,
    combine_consent,
    read_holdings,
    write_holdings,
)
from aimwell.insight.identity.merging import moving_tables, own_key
from aimwell.insight.identity.resolution import Node
from aimwell.insight.identity.scratch import ask_customers, asked_customer
from aimwell.store.ledger.schema.people import customer
from aimwell.store.ledger.schema.people import merge as merge_log

PARTED = json.dumps({"parted": True})
"""What the log gives as the reason where `gone` has left `kept` again: no merge, and nothing to be undone."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge as the log has it."""

    id: int
    kept: str
    gone: str
    undone: bool
    before: Mapping[str, Any]

    def nodes(self, side: str) -> list[Node]:
        return [Node(kind, value) for kind, value in self.before[side]]


@dataclass(frozen=True, slots=True)
class Parting:
    """Some ids leave a customer for another, perhaps with what earlier merges took from them."""

    left: str
    joined: str
    merges: Sequence[Merged] = ()


def read_merges(connection: Connection, gone: Sequence[str]) -> list[Merged]:
    """The merges in force by which these customers went, the latest first."""
    ask_customers(connection, gone)
    query = select(merge_log).join(asked_customer, asked_customer.c.customer_id == merge_log.c.gone)
    rows = connection.execute(query.where(merge_log.c.undone_at.is_(None)).order_by(merge_log.c.id.desc()))
    return [Merged(row.id, row.kept, row.gone, False, json.loads(row.before)) for row in rows]


def read_merge(connection: Connection, merge_id: int) -> Merged | None:
    """One merge of the log."""
    row = connection.execute(select(merge_log).where(merge_log.c.id == merge_id)).one_or_none()
    if row is None:
        return None
    return Merged(row.id, row.kept, row.gone, row.undone_at is not None, json.loads(row.before))


def part_customers(connection: Connection, partings: Sequence[Parting], at: datetime) -> None:
    """Give back, for each parting, what its merges took: rows, values, consents; both customers must exist.

    Each parting is an entry of the log, so that whoever follows merges by their number learns of it.
    """
    for parting in partings:
        holdings = read_holdings(connection, [parting.left, parting.joined])
        left, joined = holdings[parting.left], holdings[parting.joined]
        explained: set[str] = set()
        for merged in parting.merges:
            gone = Holdings.from_json(merged.before["held"])
            kept = Holdings.from_json(merged.before["kept_held"])
            explained |= _refused(kept)
            left = _take_back(left, kept, gone)
            joined = _give(joined, gone)
            _return_rows(connection, parting, merged)
            _return_customer(connection, parting.joined, merged.before["customer"], joined)
            if parting.left == merged.kept:
                _return_customer(connection, parting.left, merged.before["kept_customer"], left)
        for key in _refused(left) - explained:
            row, mine = left.consents[key], joined.consents.get(key)
            joined.consents[key] = combine_consent(mine, row) if mine else row
        write_holdings(connection, {parting.left: left, parting.joined: joined})
    undone = [merged.id for parting in partings for merged in parting.merges]
    connection.execute(update(merge_log).where(merge_log.c.id.in_(undone)).values(undone_at=at))
    entry = {"at": at, "because": PARTED, "before": "{}", "undone_at": at}
    entries = [{"kept": each.left, "gone": each.joined, **entry} for each in partings]
    if entries:
        connection.execute(insert(merge_log), entries)


def _refused(held: Holdings) -> set[str]:
    """Where this customer refuses; what the one who stays did not bring along himself was said for both."""
    return {key for key, row in held.consents.items() if not row["granted"]}


def _take_back(now: Holdings, kept: Holdings, gone: Holdings) -> Holdings:
    """What stays: a row that the merge gave, and that nobody has changed since, is as before; others remain."""
    parts = []
    for current, ours, theirs, choose in zip(now.parts(), kept.parts(), gone.parts(), COMBINE, strict=True):
        rows = dict(current)
        for key, row in theirs.items():
            given = choose(ours[key], row) if key in ours else row
            if rows.get(key) == given:
                rows.pop(key)
                if key in ours:
                    rows[key] = ours[key]
        parts.append(rows)
    return Holdings(*parts)


def _give(joined: Holdings, gone: Holdings) -> Holdings:
    """What he had before, beside what he has by now."""
    parts = []
    for ours, theirs, choose in zip(joined.parts(), gone.parts(), COMBINE, strict=True):
        given = {key: choose(ours[key], row) if key in ours else row for key, row in theirs.items()}
        parts.append({**ours, **given})
    return Holdings(*parts)


def _return_rows(connection: Connection, parting: Parting, merged: Merged) -> None:
    """Rows that the merge moved and that are still there go back under their old key; none is made or removed."""
    tables: Mapping[str, Table] = {table.name: table for table in moving_tables()}
    for name, keys in cast(Mapping[str, list[list[Any]]], merged.before["rows"]).items():
        table = tables[name]
        columns = own_key(table)
        statement = update(table).where(
            table.c.customer_id == parting.left,
            *(column == bindparam(f"key_{column.name}", type_=column.type) for column in columns),
        )
        if "customer_id" in table.primary_key.columns:
            there = table.alias("there")
            mine = exists().where(
                there.c.customer_id == parting.joined, *(there.c[column.name] == column for column in columns)
            )
            statement = statement.where(~mine)
        values: dict[str, object] = {"customer_id": parting.joined}
        if "shard" in table.columns:
            values["shard"] = shard_of(parting.joined)
        bound = [{f"key_{column.name}": part for column, part in zip(columns, key, strict=True)} for key in keys]
        connection.execute(statement.values(values), bound)


def _return_customer(connection: Connection, customer_id: str, row: Record, held: Holdings) -> None:
    """The customer's own columns as they were; what was said since about timezone and language holds."""
    if not row:
        return
    said = {column: held.values.get(name, {}).get("text") for name, column in LOCALITY.items()}
    returned = {name: said.get(name) or row[name] for name in ("zone", "language", "created_at")}
    connection.execute(update(customer).where(customer.c.customer_id == customer_id).values(returned))
