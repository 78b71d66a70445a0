"""A ledger for the tests of identity: emptied, given messages, read back whole."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select

from aimwell.insight.identity.absorbing import Absorbed, absorb
from aimwell.insight.identity.evidence import IdentityMessage, IdentitySettings
from aimwell.insight.identity.graph import IDS
from aimwell.insight.identity.resolution import Node
from aimwell.insight.identity.scratch import plain
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema import EVENTS, STATE
from aimwell.store.ledger.schema.inbox import message
from aimwell.store.ledger.schema.people import identifier

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SETTINGS = IdentitySettings(zone="Asia/Shanghai", limit=2)


def empty(ledger: Ledger) -> None:
    """Remove all rows."""
    with ledger.writing() as connection:
        for table in STATE.sorted_tables:
            connection.execute(delete(table))
    with ledger.writing_events() as connection:
        for table in EVENTS.sorted_tables:
            connection.execute(delete(table))


def post(ledger: Ledger, messages: Iterable[IdentityMessage]) -> None:
    """Put messages into the inbox, in this order; of those with one id, copies get ids of their own."""
    with ledger.writing_events() as connection:
        number = connection.scalar(select(func.max(message.c.seq))) or 0
        for each in messages:
            number += 1
            row = each._asdict() | {"seq": number, "source": "test", "received_at": NOW}
            known = select(func.count()).where(message.c.message_id == each.message_id)
            if connection.scalar(known):
                row["message_id"] = f"{each.message_id}, again as {number}"
            connection.execute(insert(message), [row])


def absorb_all(ledger: Ledger, settings: IdentitySettings = SETTINGS, limit: int = 1_000) -> list[Absorbed]:
    """Absorb until nothing is left."""
    done = []
    while (absorbed := absorb(ledger, settings, now=NOW, limit=limit)).messages:
        done.append(absorbed)
    return done


def tell(ledger: Ledger, *messages: IdentityMessage, settings: IdentitySettings = SETTINGS) -> list[Absorbed]:
    """Post and absorb."""
    post(ledger, messages)
    return absorb_all(ledger, settings)


def customers(ledger: Ledger) -> dict[Node, str]:
    """The customer of each user id and anonymous id."""
    with ledger.reading() as connection:
        query = select(identifier.c.kind, identifier.c.value, identifier.c.customer_id)
        rows = connection.execute(query.where(identifier.c.kind.in_(IDS)))
        return {Node(kind, value): customer_id for kind, value, customer_id in rows}


def dump(ledger: Ledger, *names: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of some tables of the state, sorted."""
    with ledger.reading() as connection:
        return {
            name: sorted(
                (dict(row._mapping) for row in connection.execute(select(*map(plain, STATE.tables[name].columns)))),
                key=repr,
            )
            for name in names
        }
