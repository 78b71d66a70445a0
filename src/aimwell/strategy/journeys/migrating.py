"""Moving people who are on their way from one version of a journey to another: shown first, done when confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    func,
    insert,
    literal,
    select,
    type_coerce,
    update,
)

from aimwell.core.errors import BadQuestion
from aimwell.store.ledger.columns import Instant, micros
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import enrolment, passage
from aimwell.store.ledger.schema.journeys import journey_version
from aimwell.store.ledger.scratch import lay_out
from aimwell.strategy.journeys.node import MOVED
from aimwell.strategy.journeys.version import Version, load_version

_CHUNK = 20_000
_some = Table(
    "moved_by_hand",
    MetaData(),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True, slots=True)
class Step:
    """Where people wait in the old version, where they would go, and why not if they cannot."""

    node: str
    people: int
    target: str | None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Migration:
    """What moving people to another version would do; a value that is looked at before `migrate` does it."""

    journey: str
    from_number: int
    to_number: int
    from_version: int
    to_version: int
    steps: tuple[Step, ...]

    @property
    def moving(self) -> int:
        """How many would move."""
        return sum(step.people for step in self.steps if step.target is not None)

    @property
    def staying(self) -> int:
        """How many would stay on the old version."""
        return sum(step.people for step in self.steps if step.target is None)


def plan_migration(
    connection: Connection, name: str, from_number: int, to_number: int, node_map: Mapping[str, str]
) -> Migration:
    """Who waits where in one version and where each would go in the other; nothing is written.

    node_map: from nodes of the old version to nodes of the new one; a node that it leaves out goes to the node of the
    same name and kind. Raises BadQuestion for unknown versions and nodes.
    """
    old, new = _version(connection, name, from_number), _version(connection, name, to_number)
    if old.id == new.id:
        raise BadQuestion("The two versions are the same", seen=f"{from_number} twice")
    for side, version, wanted in (("old", old, node_map.keys()), ("new", new, node_map.values())):
        strange = sorted(set(wanted) - version.definition.nodes.keys())
        if strange:
            known = ", ".join(version.definition.nodes)
            raise BadQuestion(
                f"The {side} version {version.number} of {name!r} has no node {strange[0]!r}",
                expected=f"one of {known}",
            )
    waiting = connection.execute(
        select(enrolment.c.node, func.count())
        .where(enrolment.c.version_id == old.id, enrolment.c.state == "active")
        .group_by(enrolment.c.node)
        .order_by(enrolment.c.node)
    )
    steps = tuple(_step(str(node), people, old, new, node_map) for node, people in waiting)
    return Migration(name, old.number, new.number, old.id, new.id, steps)


def migrate(ledger: Ledger, migration: Migration, now: datetime, *, chunk: int = _CHUNK) -> int:
    """Move people as the migration says; returns how many moved. A call that was interrupted is finished by the next.

    Each comes to the new node at `now`, and the node acts: a wait begins anew, a message that was planned by the same
    node in the same visit is not planned again, for its key is there. Those who left meanwhile are not moved.
    """
    moved = 0
    for step in migration.steps:
        while step.target is not None:
            with ledger.writing() as connection:
                done = _move(connection, migration, step.node, step.target, micros(now), chunk)
            moved += done
            if done < chunk:
                break
    return moved


def _step(node: str, people: int, old: Version, new: Version, node_map: Mapping[str, str]) -> Step:
    if node in node_map:
        return Step(node, people, node_map[node])
    there = new.definition.nodes.get(node)
    if there is None:
        return Step(node, people, None, f"version {new.number} has no node {node!r}: map it to one that it has")
    kind = old.definition.nodes[node].kind
    if there.kind != kind:
        return Step(node, people, None, f"{node!r} was a {kind} and is a {there.kind} now: map it if that is meant")
    return Step(node, people, node)


def _move(connection: Connection, migration: Migration, node: str, target: str, now: int, chunk: int) -> int:
    lay_out(connection, _some)
    there = (
        select(enrolment.c.id)
        .where(
            enrolment.c.version_id == migration.from_version, enrolment.c.node == node, enrolment.c.state == "active"
        )
        .order_by(enrolment.c.id)
        .limit(chunk)
        .with_for_update()
    )
    found = connection.execute(
        insert(_some).from_select(["id"], there), execution_options={"preserve_rowcount": True}
    ).rowcount
    theirs = enrolment.c.id.in_(select(_some.c.id))
    instant = type_coerce(literal(now, BigInteger), Instant)
    left = select(
        enrolment.c.id,
        enrolment.c.moves + 1,
        enrolment.c.node,
        enrolment.c.visit,
        enrolment.c.at,
        instant,
        literal(MOVED),
    )
    connection.execute(
        insert(passage).from_select(
            ["enrolment_id", "move", "node", "visit", "arrived_at", "left_at", "port"], left.where(theirs)
        )
    )
    connection.execute(
        update(enrolment)
        .where(theirs)
        .values(
            version_id=migration.to_version,
            node=target,
            visit=0,
            step=1,
            moves=enrolment.c.moves + 1,
            at=now,
            timer_at=None,
            due_at=now,
        )
    )
    return found


def _version(connection: Connection, name: str, number: int) -> Version:
    found = connection.execute(
        select(journey_version.c.id, journey_version.c.number).where(journey_version.c.journey == name)
    ).all()
    for row in found:
        if row.number == number:
            return load_version(connection, row.id)
    known = ", ".join(str(number) for number in sorted(row.number for row in found))
    raise BadQuestion(f"The journey {name!r} has no version {number}", expected=f"one of {known or '(none)'}")
