"""The set-based product and the plain reference, told the same story; what each says of it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from tests.strategy.journeys.reference import Reference
from tests.strategy.journeys.reference_conditions import Known, Told
from tests.strategy.journeys.reference_worlds import (
    HELD_OUT,
    Answers,
    Changes,
    Happens,
    Joins,
    Pauses,
    Step,
    Story,
    Ticks,
    as_row,
)

from aimwell.core.keys import shard_of
from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.happenings import Happening, listened, record
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import enrolment, passage, refusal, task
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import intent, outcome
from aimwell.store.ledger.schema.people import customer, membership, profile
from aimwell.store.ledger.writes import put
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.conditions import EventWanted
from aimwell.strategy.journeys.entry import let_in
from aimwell.strategy.journeys.tick import Ticked, Ticker

Picture = dict[str, list[tuple[Any, ...]]]


def signal_of(name: str) -> str:
    return EventWanted(name=name).signal


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
        for each in story.journeys:
            apply_version(self.connection, each, story.begin, "test")

    def tick(self, now: datetime) -> None:
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
        found = self.connection.execute(
            select(intent.c.key, intent.c.enrolment_id, intent.c.node, intent.c.customer_id, intent.c.journey)
            .order_by(intent.c.key)
            .limit(1)
            .offset(step.place)
        ).one_or_none()
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
        e, p, i, r, t = enrolment.c, passage.c, intent.c, refusal.c, task.c
        where = (e.id, e.journey, e.customer_id, e.cause, e.number, e.entered_at, e.state, e.reason, e.ended_at)
        asked: dict[str, tuple[Any, ...]] = {
            "enrolments": (*where, e.node, e.visit, e.step, e.moves, e.at, e.timer_at, e.goal_at),
            "passages": (p.enrolment_id, p.move, p.node, p.visit, p.arrived_at, p.left_at, p.port),
            "intents": (i.key, i.customer_id, i.channel, i.content, i.planned_at, i.expires_at),
            "tasks": (t.enrolment_id, t.node, t.customer_id, t.at, t.stage),
            "refusals": (r.journey, r.customer_id, r.cause, r.at, r.reason),
        }
        return {
            name: sorted((tuple(row) for row in self.connection.execute(select(*columns))), key=str)
            for name, columns in asked.items()
        }


@dataclass
class Plain:
    """The reference behind the same verbs."""

    world: Reference

    @classmethod
    def begin(cls, story: Story) -> Plain:
        journeys = {each.name: each for each in story.journeys}
        return cls(Reference(journeys, Known(story.zones), story.begin, frozenset({HELD_OUT})))

    def tell(self, step: Step) -> None:
        known = self.world.known
        match step:
            case Happens():
                self.world.happen(step.customer, signal_of(step.name), step.at, step.ref)
            case Joins():
                if step.member:
                    known.members[step.customer, step.segment] = step.at
                else:
                    known.members.pop((step.customer, step.segment), None)
                way = "enter" if step.member else "leave"
                self.world.happen(step.customer, f"{way}:{step.segment}", step.at, step.at.isoformat())
            case Changes():
                if step.value is None:
                    known.values.pop((step.customer, step.name), None)
                else:
                    known.values[step.customer, step.name] = (step.value, step.at)
            case Answers():
                keys = sorted(self.world.wanted)
                if step.place < len(keys):
                    known.told.add(Told(keys[step.place], step.kind, step.at, step.machine))
            case Pauses():
                self.world.states[step.journey] = step.state
            case Ticks():
                self.world.tick(step.at)

    def picture(self) -> Picture:
        stays = self.world.stays
        found: Picture = {
            "enrolments": [
                (
                    *(s.id, s.journey, s.customer, s.cause, s.number, s.entered_at, s.state, s.reason, s.ended_at),
                    *(s.node, s.visit, s.step, len(s.passages), s.at, s.timer_at),
                    s.ended_at if s.reason == "goal" else None,
                )
                for s in stays
            ],
            "passages": [
                (s.id, move, p.node, p.visit, p.arrived_at, p.left_at, p.port)
                for s in stays
                for move, p in enumerate(s.passages, 1)
            ],
            "intents": [
                (w.key, w.customer, w.channel, w.content, w.planned_at, w.expires_at)
                for w in self.world.wanted.values()
            ],
            "tasks": [(s.id, node, s.customer, at, "open") for s in stays for at, node in s.tasks],
            "refusals": list(
                {
                    (r.journey, r.customer, r.cause): (r.journey, r.customer, r.cause, r.at, r.reason)
                    for r in reversed(self.world.refused)
                }.values()
            ),
        }
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
