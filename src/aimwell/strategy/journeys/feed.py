"""Tells journeys what arrived: events that some version listens for become happenings, each once.

One consumer of the inbox, behind identity: it reads no message whose sender is not known yet. Its place is written in
the transaction that keeps what it found, so that a crash repeats reading, never acting.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from aimwell.insight.identity.absorbing import read_place as identity_place
from aimwell.insight.identity.lookup import resolve_messages
from aimwell.store.intake.messages import Kind, event_name
from aimwell.store.ledger.happenings import Happening, record
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import cursor
from aimwell.store.ledger.schema.inbox import message
from aimwell.store.ledger.schema.journeys import listening
from aimwell.store.ledger.writes import insert_new
from aimwell.strategy.journeys.conditions import EventWanted, Happened, leaves
from aimwell.strategy.journeys.version import Version, conditions_in, load_version

CONSUMER = "journeys"
CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Fed:
    """What one chunk of messages told journeys."""

    messages: int
    happenings: int


@dataclass(frozen=True, slots=True)
class _Message:
    """What journeys need of a message."""

    seq: int
    message_id: str
    kind: Kind
    name: str | None
    user_id: str | None
    anonymous_id: str | None
    occurred_at: datetime
    properties: str

    @property
    def event(self) -> str:
        return event_name(self.kind, self.name)


def feed(ledger: Ledger, *, limit: int = CHUNK) -> Fed:
    """Tell journeys the next messages that identity has absorbed; call again while `messages` > 0."""
    with ledger.reading() as connection:
        place, known = read_place(connection), identity_place(connection)
        wanted = wanted_events(connection)
    with ledger.reading_events() as connection:
        columns = [message.c[name] for name in _Message.__dataclass_fields__]
        query = select(*columns).where(message.c.seq > place, message.c.seq <= known).order_by(message.c.seq)
        rows = [_Message(*row) for row in connection.execute(query.limit(limit))]
    if not rows:
        return Fed(0, 0)
    chosen = [(row, signals) for row in rows if (signals := _signals(row, wanted))]
    with ledger.writing() as connection:
        insert_new(connection, cursor, [{"consumer": CONSUMER, "position": 0}])
        mine = update(cursor).where(cursor.c.consumer == CONSUMER, cursor.c.position == place)
        if connection.execute(mine.values(position=rows[-1].seq)).rowcount != 1:
            return Fed(0, 0)  # somebody else has read them meanwhile
        return Fed(len(rows), record(connection, _happenings(connection, chosen)))


def wanted_events(connection: Connection) -> Mapping[str, Sequence[EventWanted]]:
    """The events that versions listen for, by name."""
    versions = connection.scalars(
        select(listening.c.version_id).where(listening.c.signal.startswith("event:")).distinct()
    ).all()
    found: dict[str, dict[str, EventWanted]] = defaultdict(dict)
    for version in (load_version(connection, each) for each in versions):
        for event in events_in(version):
            found[event.name][event.signal] = event
    return {name: tuple(events.values()) for name, events in found.items()}


def events_in(version: Version) -> list[EventWanted]:
    """Every event of which a version speaks: entries, goal, exit rules, nodes."""
    definition = version.definition
    conditions = [*definition.goal.values(), *definition.exits.values()]
    for node in definition.nodes.values():
        conditions += conditions_in(node.settings)
    happened = [leaf.event for each in conditions for leaf in leaves(each) if isinstance(leaf, Happened)]
    return [rule.event for rule in definition.entry if rule.event] + happened


def _signals(row: _Message, wanted: Mapping[str, Sequence[EventWanted]]) -> list[str]:
    events = wanted.get(row.event, ())
    if not any(event.where for event in events):
        return [event.signal for event in events]
    properties = json.loads(row.properties)
    if row.kind != "track" and row.name is not None:
        properties.setdefault("name", row.name)
    return [event.signal for event in events if event.matches(row.event, properties)]


def _happenings(connection: Connection, chosen: Sequence[tuple[_Message, Sequence[str]]]) -> list[Happening]:
    customers = resolve_messages(connection, [row for row, _ in chosen])
    return [
        Happening(customer, signal, row.occurred_at, row.message_id)
        for (row, signals), customer in zip(chosen, customers, strict=True)
        if customer is not None
        for signal in signals
    ]


def read_place(connection: Connection) -> int:
    """The number of the last message that journeys were told; 0 before the first."""
    return connection.scalar(select(cursor.c.position).where(cursor.c.consumer == CONSUMER)) or 0
