"""What applying the files would change: a value that can be looked at before anything is done."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, func, select

from aimwell.core.errors import BadInput
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.journeys import journey, journey_version
from aimwell.store.ledger.schema.people import membership
from aimwell.strategy.journeys.applying import apply_version, digest_of, written
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.lock import Base
from aimwell.strategy.journeys.version import compile_version

Status = Literal["added", "changed", "same", "removed", "stopped"]


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One place in which two versions differ; None where it is not there. How nodes are drawn is no difference."""

    place: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class JourneyPlan:
    """What applying would do to one journey: nothing to one that is the same, was stopped, or has no file (removed).

    current: the version in the ledger.   base: the one on which the file was based.   changes: from the ledger to the
    file.   theirs, ours: where the ledger has moved on, what it changed since the base, and what the file did.
    waiting: active enrolments of the current version by node; they stay on it.   lets_in: members whom `existing` lets
    in at once.   messages: per person at most; None if a loop may send again and again.   cost: of all those messages,
    in millionths of the currency; None likewise.
    """

    name: str
    status: Status
    current: Base | None = None
    base: Base | None = None
    changes: tuple[Change, ...] = ()
    moved_on: bool = False
    theirs: tuple[Change, ...] = ()
    ours: tuple[Change, ...] = ()
    waiting: Mapping[str, int] = field(default_factory=dict)
    lets_in: int = 0
    messages: int | None = 0
    cost: int | None = 0

    @property
    def people(self) -> int:
        """How many are on their way in the current version."""
        return sum(self.waiting.values())


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying the files of a workspace would do, journey by journey."""

    journeys: tuple[JourneyPlan, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to apply."""
        return not any(each.status in {"added", "changed"} for each in self.journeys)

    @property
    def moved_on(self) -> tuple[JourneyPlan, ...]:
        """The journeys whose version in the ledger is not the one on which their file was based."""
        return tuple(each for each in self.journeys if each.moved_on)


def plan_journeys(
    connection: Connection,
    definitions: Mapping[str, Journey],
    lock: Mapping[str, Base],
    *,
    contents: Mapping[str, object],
    costs: Mapping[str, int],
) -> Plan:
    """Compare the files with the ledger; nothing is written.

    contents: by name, as plain values.   costs: of a message by channel, in millionths of the currency.
    """
    applied = {
        row.name: row
        for row in connection.execute(
            select(journey.c.name, journey.c.version_id, journey.c.state, journey_version.c.number)
            .add_columns(journey_version.c.digest, journey_version.c.content)
            .join(journey_version, journey_version.c.id == journey.c.version_id)
        )
    }
    plans = []
    for name, definition in sorted(definitions.items()):
        content = written(definition, contents)
        row = applied.get(name)
        lets_in = _lets_in(connection, definition)
        messages, cost = worst_case(definition, costs)
        size = {"lets_in": lets_in, "messages": messages, "cost": None if cost is None else cost * lets_in}
        if row is None:
            plans.append(JourneyPlan(name, "added", changes=differences("{}", content), **size))  # type: ignore[arg-type]
            continue
        current, base = Base(row.number, row.digest), lock.get(name)
        if row.state == "stopped":
            plans.append(JourneyPlan(name, "stopped", current, base))
            continue
        same = row.digest == digest_of(content)
        moved_on = not same and (base is None or base.digest != row.digest)
        old = _content(connection, name, base) if moved_on else None
        plans.append(
            JourneyPlan(
                name,
                "same" if same else "changed",
                current,
                base,
                changes=() if same else differences(row.content, content),
                moved_on=moved_on,
                theirs=differences(old, row.content) if old else (),
                ours=differences(old, content) if old else (),
                waiting=_waiting(connection, row.version_id),
                **size,  # type: ignore[arg-type]
            )
        )
    for name, row in sorted(applied.items()):
        if name not in definitions and row.state != "stopped":
            waiting = _waiting(connection, row.version_id)
            plans.append(JourneyPlan(name, "removed", Base(row.number, row.digest), lock.get(name), waiting=waiting))
    return Plan(tuple(sorted(plans, key=lambda each: each.name)))


class MovedOn(BadInput):
    """The ledger has another version than the one on which a file was based: somebody applied in between."""


def apply_plan(
    connection: Connection,
    plan: Plan,
    definitions: Mapping[str, Journey],
    now: datetime,
    by: str,
    *,
    contents: Mapping[str, object],
    over: Collection[str] = (),
) -> dict[str, Base]:
    """Do what a plan says, in the caller's transaction; returns the version of each journey that runs by a file.

    The plan is made in the same transaction, or compared with one that was. over: journeys whose version in the ledger
    is replaced although the file was not based on it. Raises MovedOn for others of which that is so.
    """
    refused = [each for each in plan.moved_on if each.name not in over]
    if refused:
        raise MovedOn(
            f"The ledger has moved on since these files were written: {', '.join(each.name for each in refused)}",
            expected=", ".join(f"{each.name} version {each.base.number if each.base else 'none'}" for each in refused),
            seen=", ".join(f"version {each.current.number}" for each in refused if each.current),
            remedy="Look at `aimwell plan`, take over what the ledger changed, and apply with --over NAME.",
        )
    applied: dict[str, Base] = {}
    for each in plan.journeys:
        if each.status in {"added", "changed", "same"}:
            version = apply_version(connection, definitions[each.name], now, by, contents=contents)
            applied[each.name] = Base(version.number, digest_of(written(definitions[each.name], contents)))
    return applied


def differences(before: str, after: str) -> tuple[Change, ...]:
    """Where two versions differ, by place: `nodes.greet.send.channel`; how nodes are drawn is left out.

    >>> differences('{"journey": {"within": "7d"}}', '{"journey": {"within": "9d"}}')
    (Change(place='within', before='7d', after='9d'),)
    """
    old, new = _flat(json.loads(before)), _flat(json.loads(after))
    places = sorted(place for place in old.keys() | new.keys() if old.get(place) != new.get(place))
    return tuple(Change(place, old.get(place), new.get(place)) for place in places)


def worst_case(definition: Journey, costs: Mapping[str, int]) -> tuple[int | None, int | None]:
    """How many messages one person gets at most, and what they cost; None, None if a loop leads back to a sender."""
    version = compile_version(definition)
    most: dict[str, tuple[int, int]] = {}
    for name in reversed(version.order):
        node = definition.nodes[name]
        sends = node.implementation.most_messages(node.settings)
        if sends and version.places[name].looped:
            return None, None
        ahead = [most[target] for target in node.to.values() if target in most]
        price = sum(costs.get(channel, 0) for channel in sends)
        most[name] = (
            len(sends) + max((messages for messages, _ in ahead), default=0),
            price + max((cost for _, cost in ahead), default=0),
        )
    return most[definition.start]


def _flat(value: object, place: str = "") -> dict[str, str]:
    if place == "journey.layout":
        return {}
    if isinstance(value, dict) and value:
        return {at: leaf for key in value for at, leaf in _flat(value[key], f"{place}.{key}".lstrip(".")).items()}
    if isinstance(value, list) and value:
        return {at: leaf for i, each in enumerate(value) for at, leaf in _flat(each, f"{place}.{i}").items()}
    if not place or (place in {"journey", "contents"} and value == {}):
        return {}
    return {place.removeprefix("journey."): value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}


def _content(connection: Connection, name: str, base: Base | None) -> str | None:
    """What the version on which a file was based says; None if the ledger does not have it."""
    if base is None:
        return None
    return connection.scalar(
        select(journey_version.c.content).where(
            journey_version.c.journey == name,
            journey_version.c.number == base.number,
            journey_version.c.digest == base.digest,
        )
    )


def _waiting(connection: Connection, version_id: int) -> dict[str, int]:
    rows = connection.execute(
        select(enrolment.c.node, func.count())
        .where(enrolment.c.version_id == version_id, enrolment.c.state == "active")
        .group_by(enrolment.c.node)
        .order_by(enrolment.c.node)
    )
    return {str(node): count for node, count in rows}


def _lets_in(connection: Connection, definition: Journey) -> int:
    """How many members of `existing` segments have not been in this journey."""
    segments = [rule.segment for rule in definition.entry if rule.existing]
    if not segments:
        return 0
    been = select(enrolment.c.customer_id).where(enrolment.c.journey == definition.name)
    members = select(func.count(membership.c.customer_id.distinct())).where(
        membership.c.segment.in_(segments), membership.c.customer_id.not_in(been)
    )
    return connection.scalar(members) or 0
