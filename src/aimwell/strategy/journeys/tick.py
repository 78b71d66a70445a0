"""The tick: everyone who is due moves on, in chunks, each chunk in one transaction of set-based statements.

A chunk of due enrolments is copied into the temporary table `moving`, taken from node to node there as far as its time
has come, and written back once. For each node and chunk the number of statements is constant, whoever is in it. What is
written carries the instants of the moves, never the clock of the tick, and keys that a replay gives again: a tick that
dies leaves nothing behind, and the next one does the same.

Within one enrolment things happen in the order of their instants; at one instant the goal comes first, then exit rules,
then events that a node waits for, then timers. docs/journeys.md gives the reasons and examples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    case,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    type_coerce,
    update,
)

from aimwell.store.ledger.clocks import keep_clocks
from aimwell.store.ledger.columns import instant, length, micros
from aimwell.store.ledger.extremes import earliest, latest
from aimwell.store.ledger.happenings import wake_again
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import enrolment, passage
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.people import customer
from aimwell.store.ledger.scratch import lay_out
from aimwell.strategy.journeys.conditions import (
    Happened,
)
from aimwell.strategy.journeys.definition import Node
from aimwell.strategy.journeys.moving import AGAIN, moving
from aimwell.strategy.journeys.node import Micros, Scene, instant_of
from aimwell.strategy.journeys.predicates import as_leaf, became, goal_reached, plain
from aimwell.strategy.journeys.version import Version, load_version

CHUNK = 4_000
"""People in one transaction: others who want to write wait at most as long as this many take. Larger ones save nothing
(measured: 20,000 as quick as 4,000)."""
ROUNDS = 10_000
"""A chunk that takes more rounds than this goes in circles; validation refuses loops that could."""

_COPIED = (
    "journey",
    "version_id",
    "customer_id",
    "shard",
    "entered_at",
    "state",
    "visit",
    "step",
    "moves",
    "at",
    "timer_at",
)
_NEXT = ("timer_at", "leave_at", "goal_at", "exit_at")
_BACK = ("state", "reason", "ended_at", "node", "visit", "step", "moves", "at")


@dataclass(slots=True)
class Ticked:
    """What a tick did."""

    looked_at: int = 0
    moved: int = 0
    ended: int = 0
    chunks: int = 0


@dataclass(frozen=True, slots=True)
class Ticker:
    """Moves enrolments; hold one per worker.

    costs: what a message costs by channel, in millionths of the currency.   chunk: people per transaction.
    """

    ledger: Ledger
    costs: Mapping[str, int] = field(default_factory=dict)
    chunk: int = CHUNK

    def tick(self, now: datetime) -> Ticked:
        """Move everyone who is due at `now` as far as their time has come; other writers get in between chunks."""
        done = Ticked()
        while self._someone_due(now):
            with self.ledger.writing() as connection:
                seen = self.move_chunk(connection, micros(now), done)
            if seen < self.chunk:
                break
        return done

    def _someone_due(self, now: datetime) -> bool:
        """Looking costs no writer's turn."""
        with self.ledger.reading() as connection:
            # Ordered, so that PostgreSQL takes the index whatever it believes of how many are due.
            first = select(enrolment.c.id).where(plain(enrolment.c.due_at) <= micros(now)).order_by(enrolment.c.due_at)
            return connection.scalar(first.limit(1)) is not None

    def move_chunk(self, connection: Connection, now: int, done: Ticked) -> int:
        """Move one chunk in the caller's transaction; returns how many were due."""
        seen = _take(connection, now, self.chunk, locks=self.ledger.backend == "postgresql")
        if seen == 0:
            return 0
        found = connection.scalars(select(moving.c.version_id).distinct().order_by(moving.c.version_id))
        versions = [load_version(connection, each) for each in found]
        _see_zones(connection, [version.id for version in versions if version.minutes])
        # Clocks of zones that are new, and of days to come: who finds none would wait without end.
        keep_clocks(connection, {minute for version in versions for minute in version.minutes}, instant(now))
        for version in versions:
            _Passage(connection, version, now, self.costs, done).go()
        done.ended += connection.scalar(select(func.count()).where(moving.c.state != "active")) or 0
        _write_back(connection)
        wake_again(connection)
        done.looked_at += seen
        done.chunks += 1
        return seen


def _take(connection: Connection, now: int, size: int, *, locks: bool) -> int:
    """Copy the next due enrolments of running journeys into `moving`; on PostgreSQL, those no other worker holds."""
    lay_out(connection, moving)
    due = (
        select(
            enrolment.c.id,
            enrolment.c.node,
            *(enrolment.c[name] for name in _COPIED),
            type_coerce(literal(0), moving.c.settled.type),
        )
        .join(journey, and_(journey.c.name == enrolment.c.journey, journey.c.state == "running"))
        .where(plain(enrolment.c.due_at) <= now)
        .order_by(enrolment.c.due_at, enrolment.c.id)
        .limit(size)
    )
    if locks:
        due = due.with_for_update(of=enrolment, skip_locked=True)
    names = ["id", "node", *_COPIED, "settled"]
    return connection.execute(
        insert(moving).from_select(names, due), execution_options={"preserve_rowcount": True}
    ).rowcount


def _see_zones(connection: Connection, version_ids: Sequence[int]) -> None:
    """Look up the timezones of those whose journey asks for local times."""
    if not version_ids:
        return
    theirs = select(customer.c.zone).where(customer.c.customer_id == moving.c.customer_id).scalar_subquery()
    connection.execute(update(moving).values(zone=theirs).where(moving.c.version_id.in_(version_ids)))


def _write_back(connection: Connection) -> None:
    active = moving.c.state == "active"
    values = {
        **{name: moving.c[name] for name in _BACK},
        "timer_at": case((active, moving.c.timer_at)),
        "due_at": case((active, instant_of(earliest(*(plain(moving.c[name]) for name in _NEXT))))),
        "goal_at": case((moving.c.reason == "goal", moving.c.ended_at)),
    }
    connection.execute(update(enrolment).values(values).where(enrolment.c.id == moving.c.id))


@dataclass(frozen=True, slots=True)
class _Passage:
    """The people of one version in a chunk, taken through its nodes."""

    connection: Connection
    version: Version
    now: int
    costs: Mapping[str, int]
    done: Ticked

    def go(self) -> None:
        """Move everyone until nobody can move further."""
        self._see_rules(moving.c.version_id == self.version.id)
        for _ in range(ROUNDS):
            here = self._occupied()
            if not here:
                return
            for name in self.version.order:
                if name in here:
                    self._pass(name)
                    here |= set(self.version.definition.nodes[name].to.values())
        raise RuntimeError(f"The journey {self.version.journey} goes in circles")

    def _occupied(self) -> set[str]:
        theirs = and_(moving.c.version_id == self.version.id, moving.c.state == "active", moving.c.settled.is_(False))
        return set(self.connection.scalars(select(moving.c.node).where(theirs).distinct()))

    def _see_rules(self, rows: ColumnElement[bool]) -> None:
        """When the goal and the exit rules of each came true, as far as is known."""
        definition = self.version.definition
        limit = plain(moving.c.entered_at) + literal(length(definition.within), BigInteger)
        goal = goal_reached(definition.goal.values(), limit)
        values: dict[str, ColumnElement[Any]] = {"goal_at": instant_of(goal)}
        if definition.exits:
            values["exit_at"] = instant_of(earliest(*(became(as_leaf(rule)) for rule in definition.exits.values())))
        self.connection.execute(update(moving).values(values).where(rows))
        if definition.exits:
            names = [
                (became(as_leaf(rule)) == plain(moving.c.exit_at), literal(name))
                for name, rule in definition.exits.items()
            ]
            self._update(and_(rows, moving.c.exit_at.is_not(None)), exit_rule=case(*names))

    def _pass(self, name: str) -> None:
        """Everyone who is at a node: end who must, act, and let go on whose time has come."""
        node = self.version.definition.nodes[name]
        scene = Scene(self.connection, self.version.places[name], self.version.id, self.now, self.costs)
        if self._rules_change:
            self._see_rules(scene.rows)
        self._end(scene.arriving, plain(moving.c.at))
        node.implementation.arrive(node.settings, scene)
        if not node.implementation.instant:
            self._stay(node, scene)
            self._move_on(node, scene, moving.c.visit, moving.c.leave_at, moving.c.port)
            return
        targets = leads_to(node)
        if len(set(targets.values())) <= 1 and len(node.implementation.ports(node.settings)) <= 1:
            self._move_on(node, scene, scene.visit, moving.c.at, literal(next(iter(targets), "end")))
            return
        self._update(scene.arriving, visit=scene.visit)
        self._update(scene.rows, port=node.implementation.leave(node.settings, scene).port)
        self._move_on(node, scene, moving.c.visit, moving.c.at, moving.c.port)

    def _stay(self, node: Node, scene: Scene) -> None:
        """Where people wait: who may leave by now, who ends first, who goes on to the node's next step."""
        kind, settings = node.implementation, node.settings
        timer = kind.timer(settings, scene)
        self._update(scene.arriving, visit=scene.visit, step=literal(1), timer_at=instant_of(timer))
        seen = kind.look(settings, scene)
        if seen is not None:
            self._update(scene.rows, seen_at=instant_of(seen))
        leaving = kind.leave(settings, scene)
        self._update(scene.rows, port=leaving.port, leave_at=instant_of(leaving.at))
        stays = or_(moving.c.port.is_(None), moving.c.leave_at.is_(None), plain(moving.c.leave_at) > self.now)
        self._end(scene.rows, case((stays, literal(self.now, BigInteger)), else_=plain(moving.c.leave_at)))
        # What is dated a little ahead (clocks differ) is looked at again when its instant has come.
        ahead = case((plain(moving.c.leave_at) > self.now, moving.c.leave_at))
        self._update(and_(scene.rows, stays), port=null(), leave_at=ahead, settled=literal(True))
        if kind.steps:
            kind.proceed(settings, scene)
            self._update(and_(scene.rows, moving.c.port == AGAIN), port=null(), leave_at=null())

    def _end(self, rows: ColumnElement[bool], until: Micros) -> None:
        """End those whose goal or exit rule came true up to `until` (included); at one instant the goal goes first."""
        at = plain(moving.c.at)
        goal, leave = latest(plain(moving.c.goal_at), at), latest(plain(moving.c.exit_at), at)
        first = earliest(goal, leave)
        by_goal = and_(goal.is_not(None), or_(leave.is_(None), goal <= leave))
        self._update(
            and_(rows, first <= until, first <= self.now),
            state=case((by_goal, literal("finished")), else_=literal("exited")),
            reason=case((by_goal, literal("goal")), else_=moving.c.exit_rule),
            ended_at=instant_of(first),
        )

    def _move_on(
        self, node: Node, scene: Scene, visit: ColumnElement[int], at: ColumnElement[Any], port: ColumnElement[str]
    ) -> None:
        """Write down the passage of those who leave by a port at an instant, and put them where it leads."""
        leaving = and_(scene.rows, port.is_not(None)) if port is moving.c.port else scene.rows
        columns = [moving.c.id, moving.c.moves + 1, moving.c.node, visit, moving.c.at, at, port]
        self.done.moved += self.connection.execute(
            insert(passage).from_select(
                ["enrolment_id", "move", "node", "visit", "arrived_at", "left_at", "port"],
                select(*columns).where(leaving),
            ),
            execution_options={"preserve_rowcount": True},
        ).rowcount
        after = {"moves": moving.c.moves + 1, "at": at, "timer_at": null(), "leave_at": null(), "port": null()}
        targets = leads_to(node)
        if not targets:
            self._update(leaving, state=literal("finished"), ended_at=at, visit=visit, **after)
            return
        default = next(iter(targets.values()))
        others = [(port == name, literal(to)) for name, to in targets.items() if to != default]
        target = case(*others, else_=literal(default)) if others else literal(default)
        self._update(leaving, node=target, visit=literal(0), step=literal(1), **after)

    @property
    def _rules_change(self) -> bool:
        """Whether rules ask for what nodes of this very tick may change: values, answers, where people came."""
        rules = [*self.version.definition.goal.values(), *self.version.definition.exits.values()]
        return not all(isinstance(rule, Happened) and rule.since is None for rule in rules)

    def _update(self, rows: ColumnElement[bool], **values: ColumnElement[Any]) -> None:
        self.connection.execute(update(moving).values(values).where(rows))


def leads_to(node: Node) -> Mapping[str, str]:
    """Where each port leads, the first required one first; a port without an edge leads where the first does."""
    kind = node.implementation
    ports = [*kind.ports(node.settings), *kind.optional_ports(node.settings)]
    return {port: node.to.get(port, node.to[ports[0]]) for port in ports if ports[0] in node.to}
