"""The set-based product behind the verbs that a story is told with; what it says of the story afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, delete, insert, select, update
from tests.strategy.journeys.reference_stories import (
    HELD_OUT,
    HOME,
    Answers,
    Applies,
    Calls,
    Changes,
    Consents,
    Fails,
    Happens,
    Joins,
    Merges,
    Moves,
    Pauses,
    Step,
    Story,
    Ticks,
    as_row,
)
from tests.strategy.journeys.reference_worlds import SEGMENTS

from aimwell.core.errors import BadQuestion
from aimwell.core.keys import shard_of
from aimwell.insight.identity.merging import merge
from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.consents import ConsentStatement, set_consents
from aimwell.store.ledger.happenings import Happening, listened, record
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import cursor, enrolment, passage, refusal, task
from aimwell.store.ledger.schema.journeys import journey, journey_version
from aimwell.store.ledger.schema.outbox import intent, outcome
from aimwell.store.ledger.schema.people import consent, customer, membership, profile
from aimwell.store.ledger.writes import put
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.conditions import EventWanted
from aimwell.strategy.journeys.entry import let_in, put_in
from aimwell.strategy.journeys.migrating import migrate, plan_migration
from aimwell.strategy.journeys.schedule import call_scheduled
from aimwell.strategy.journeys.tick import Ticked, Ticker

Picture = dict[str, list[tuple[Any, ...]]]


def signal_of(name: str) -> str:
    return EventWanted(name=name).signal


@dataclass
class Lent:
    """In place of a ledger: its one connection, for whoever would open another."""

    connection: Connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        yield self.connection


@dataclass
class Product:
    """The product in one transaction; a tick here is the worker's: who knocks is let in, then everyone moves."""

    ledger: Ledger
    connection: Connection
    chunk: int

    def begin(self, story: Story) -> None:
        rows = [
            {
                "customer_id": who,
                "shard": shard_of(who),
                "zone": zone,
                "held_out": who == HELD_OUT,
                "created_at": story.begin,
            }
            for who, zone in story.zones.items()
        ]
        self.connection.execute(insert(customer), rows)
        known = [{"consumer": f"segment:{segment}", "position": 0} for segment in SEGMENTS]
        self.connection.execute(insert(cursor), known)
        for each in story.journeys:
            apply_version(self.connection, each, story.begin, "test")

    def tick(self, now: datetime) -> None:
        call_scheduled(self.connection, now, ZoneInfo(HOME))
        while let_in(self.connection, now, self.chunk).knocks:
            pass
        ticker = Ticker(self.ledger, chunk=self.chunk)
        while ticker.move_chunk(self.connection, micros(now), Ticked()) == self.chunk:
            pass

    def tell(self, step: Step) -> None:
        """Take one step as the worker does: the table first, then the happening, if anybody listens for it."""
        match step:
            case Happens():
                self._record(step.customer, signal_of(step.name), step.at, step.ref)
            case Joins():
                self._join(step)
            case Changes():
                where = (profile.c.customer_id == step.customer, profile.c.name == step.name)
                self.connection.execute(delete(profile).where(*where))
                if step.value is not None:
                    self.connection.execute(insert(profile), [as_row(step.customer, step.name, step.value, step.at)])
                self._record(step.customer, f"changed:{step.name}", step.at, str(step))
            case Answers():
                self._answer(step)
            case Pauses():
                self.connection.execute(update(journey).values(state=step.state).where(journey.c.name == step.journey))
            case Ticks():
                self.tick(step.at)
            case _:
                self._change(step)

    def _change(self, step: Step) -> None:
        match step:
            case Calls():
                with suppress(BadQuestion):  # where the journey lets nobody in by a call
                    put_in(self.connection, step.journey, step.customers, step.at, step.request)
            case Fails():
                self._fail(step)
            case Consents():
                at = micros(step.at)
                word = ConsentStatement(step.customer, step.channel, "marketing", step.granted, at, "test")
                set_consents(self.connection, [word])
            case Merges():
                merge(self.connection, step.kept, step.gone, because={"test": True}, at=step.at)
            case Applies():
                apply_version(self.connection, step.journey, step.at, "test")
            case Moves():
                shown = plan_migration(self.connection, step.journey, *step.numbers, step.nodes)
                lent = cast(Ledger, Lent(self.connection))
                assert migrate(lent, shown, step.at, chunk=self.chunk) == shown.moving

    def _fail(self, step: Fails) -> None:
        found = self._message(step.place)
        if found is not None and found.state == "waiting":
            said = {"state": "not_sent", "reason": "no_consent", "due_at": None, "changed_at": step.at}
            self.connection.execute(update(intent).values(said).where(intent.c.key == found.key))
            self._record(found.customer_id, f"not_sent:{found.journey}:{found.node}", step.at, found.key)

    def _message(self, place: int) -> Row[Any] | None:
        query = select(intent).order_by(intent.c.key).limit(1).offset(place)
        return self.connection.execute(query).one_or_none()

    def _join(self, step: Joins) -> None:
        key = {"customer_id": step.customer, "segment": step.segment}
        if step.member:
            put(self.connection, membership, [key | {"since": step.at}])
        else:
            where = (membership.c[name] == value for name, value in key.items())
            self.connection.execute(delete(membership).where(*where))
        way = "enter" if step.member else "leave"
        self._record(step.customer, f"{way}:{step.segment}", step.at, step.at.isoformat())

    def _answer(self, step: Answers) -> None:
        found = self._message(step.place)
        if found is None:
            return
        row = {
            "key": found.key,
            "kind": step.kind,
            "ref": step.ref,
            "enrolment_id": found.enrolment_id,
            "node": found.node,
            "customer_id": found.customer_id,
            "at": step.at,
            "machine": step.machine,
            "recorded_at": step.at,
        }
        self.connection.execute(insert(outcome), [row])
        if not step.machine:
            self._record(found.customer_id, f"outcome:{found.journey}:{found.node}:{step.kind}", step.at, step.ref)

    def _record(self, who: str, signal: str, at: datetime, ref: str) -> None:
        if signal in listened(self.connection):
            record(self.connection, [Happening(who, signal, at, ref)])

    def picture(self) -> Picture:
        """Everything that the story has led to."""
        e, p, i, r, t, v, c = (each.c for each in (enrolment, passage, intent, refusal, task, profile, consent))
        numbers = self.connection.execute(select(journey_version.c.id, journey_version.c.number))
        versions = {row.id: row.number for row in numbers}
        who = (e.id, e.journey, e.version_id, e.customer_id, e.cause, e.number)
        where = (*who, e.entered_at, e.state, e.reason, e.ended_at)
        asked: dict[str, tuple[Any, ...]] = {
            "enrolments": (*where, e.node, e.visit, e.step, e.moves, e.at, e.timer_at, e.goal_at),
            "passages": (p.enrolment_id, p.move, p.node, p.visit, p.arrived_at, p.left_at, p.port),
            "intents": (i.key, i.customer_id, i.channel, i.content, i.planned_at, i.expires_at, i.state, i.reason),
            "consents": (c.customer_id, c.channel, c.granted, c.since),
            "values": (v.customer_id, v.name, v.text, v.number, v.since),
            "tasks": (t.enrolment_id, t.node, t.customer_id, t.at, t.stage),
            "refusals": (r.journey, r.customer_id, r.cause, r.at, r.reason),
        }
        found = {name: [tuple(row) for row in self.connection.execute(select(*asked[name]))] for name in asked}
        found["enrolments"] = [(*row[:2], versions[row[2]], *row[3:]) for row in found["enrolments"]]
        # A number is kept as text too, in some spelling; what was taken back holds nothing.
        values = [(*row[:2], row[2] if row[3] is None else None, *row[3:]) for row in found["values"]]
        found["values"] = [row for row in values if row[2:4] != (None, None)]
        return {name: sorted(rows, key=str) for name, rows in found.items()}


class Undone(Exception):
    """Ends a transaction without leaving anything."""


def in_a_world(ledger: Ledger, act: Callable[[Connection], None]) -> None:
    """Do something in one transaction that leaves nothing behind."""
    try:
        with ledger.writing() as connection:
            act(connection)
            raise Undone
    except Undone:
        pass
