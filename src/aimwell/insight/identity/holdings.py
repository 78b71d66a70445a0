"""What a customer holds: profile values, consents and memberships, and how those of two people become one's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, delete, select

from aimwell.insight.identity.evidence import rank
from aimwell.insight.identity.scratch import ask_customers, asked_customer, plain
from aimwell.insight.identity.traits import Value
from aimwell.store.ledger.schema.people import consent, membership, profile
from aimwell.store.ledger.writes import put

Record = dict[str, Any]
"""One row without its customer, as JSON can keep it."""

Records = dict[str, Record]
"""A customer's rows of one table, by attribute, by channel and purpose, or by segment."""


LOCALITY = {"timezone": "zone", "language": "language"}
"""Attributes that are kept on the customer too, with the name they have there."""


@dataclass(slots=True)
class Holdings:
    """The rows of one customer in the three tables whose rows are combined, not moved."""

    values: Records = field(default_factory=dict)
    consents: Records = field(default_factory=dict)
    memberships: Records = field(default_factory=dict)

    def parts(self) -> tuple[Records, Records, Records]:
        return self.values, self.consents, self.memberships

    @classmethod
    def from_json(cls, content: Mapping[str, Records]) -> Holdings:
        return cls(content["values"], content["consents"], content["memberships"])

    def to_json(self) -> dict[str, Records]:
        return {"values": self.values, "consents": self.consents, "memberships": self.memberships}


def combine_value(one: Record, other: Record) -> Record:
    """The value that was said last."""
    return max(one, other, key=lambda row: (stated_at(row), rank(Value(row["text"], row["number"]))))


def combine_consent(one: Record, other: Record) -> Record:
    """The stricter of two consents: a refusal wins, dated from the later word, so that only a newer one lifts it."""
    stricter = max(one, other, key=_strictness)
    return {**stricter, "since": max(one["since"], other["since"])}


def _strictness(row: Record) -> tuple[bool, int, str]:
    """Refusals by source alone, for their date may be that of a consent: so chains of merges end alike."""
    granted: bool = row["granted"]
    return not granted, row["since"] if granted else 0, row["source"]


def combine_membership(one: Record, other: Record) -> Record:
    """A member of the segment since the earlier of two instants."""
    return min(one, other, key=lambda row: int(row["since"]))


COMBINE: tuple[Callable[[Record, Record], Record], ...] = (combine_value, combine_consent, combine_membership)
"""In the order of `Holdings.parts`."""

_TABLES: tuple[Table, ...] = (profile, consent, membership)


def combine(kept: Holdings, gone: Holdings) -> Holdings:
    """What one customer holds who was two."""
    united = []
    for ours, theirs, choose in zip(kept.parts(), gone.parts(), COMBINE, strict=True):
        both = {key: choose(ours[key], row) if key in ours else row for key, row in theirs.items()}
        united.append({**ours, **both})
    return Holdings(*united)


def stated_at(row: Record) -> int:
    """When a value was last said."""
    since: int = row["since"]
    return since if row["stated_at"] is None else max(since, row["stated_at"])


def read_holdings(connection: Connection, customers: Iterable[str]) -> defaultdict[str, Holdings]:
    """What these customers hold, in one query per table; customers without rows are made up on asking."""
    ask_customers(connection, set(customers))
    found: defaultdict[str, Holdings] = defaultdict(Holdings)
    for place, table in enumerate(_TABLES):
        query = select(*(plain(column) for column in table.columns))
        query = query.join(asked_customer, asked_customer.c.customer_id == table.c.customer_id)
        for row in connection.execute(query):
            record = dict(row._mapping)
            found[record.pop("customer_id")].parts()[place][_key(table, record)] = record
    return found


def write_holdings(connection: Connection, holdings: Mapping[str, Holdings]) -> None:
    """Replace all that these customers hold, in two statements per table."""
    ask_customers(connection, holdings)
    for place, table in enumerate(_TABLES):
        connection.execute(delete(table).where(table.c.customer_id.in_(select(asked_customer.c.customer_id))))
        rows = [
            {"customer_id": customer_id, **record}
            for customer_id, held in sorted(holdings.items())
            for record in held.parts()[place].values()
        ]
        put(connection, table, rows)


def _key(table: Table, record: Record) -> str:
    return "\t".join(record[column.name] for column in table.primary_key.columns if column.name != "customer_id")
