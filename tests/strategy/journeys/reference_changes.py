"""What is done to the plain reference from outside: calls, schedules, new versions, moves between them, merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.strategy.journeys.reference import MOVED, Reference
from tests.strategy.journeys.reference_clocks import slots
from tests.strategy.journeys.reference_conditions import Passed, Stay, as_number
from tests.strategy.journeys.reference_versions import Applied

from aimwell.strategy.journeys.definition import Journey


@dataclass
class Bell:
    """Calls those whom a schedule or a start lets in."""

    home: str
    looked: dict[tuple[str, int], datetime] = field(default_factory=dict)
    started: set[tuple[str, int, str]] = field(default_factory=set)

    def ring(self, world: Reference, now: datetime) -> None:
        """Everyone knocks who is in the segment now, for each instant that has come since the last look."""
        for name, versions in world.versions.items():
            running = world.states.get(name, "running") == "running"
            for number, rule in enumerate(versions[-1].journey.entry):
                if rule.schedule is not None:
                    since = max(self.looked.get((name, number), versions[-1].at), versions[-1].at)
                    if running:
                        self._call(world, name, rule.schedule, since, now)
                    self.looked[name, number] = now
                start = (name, len(versions), str(rule.segment))
                if rule.existing and running and start not in self.started:
                    self.started.add(start)
                    for who in _members(world, str(rule.segment)):
                        world.knocks.append((versions[-1].at, f"existing:{rule.segment}", name, who))

    def _call(self, world: Reference, name: str, schedule: Any, since: datetime, now: datetime) -> None:
        for who in _members(world, schedule.segment):
            zone: str | None = self.home
            if schedule.zone == "customer":
                zone = world.known.zones.get(who)
            for at in slots(schedule, zone, since, now) if zone else ():
                world.knocks.append((at, f"schedule:{at.isoformat()}", name, who))


def _members(world: Reference, segment: str) -> list[str]:
    return [who for who, each in world.known.members if each == segment]


def call(world: Reference, name: str, customers: Sequence[str], at: datetime, request: str) -> bool:
    """Put customers in by a call; whether the journey lets anybody in so."""
    if not any(rule.api for rule in world.current(name).entry):
        return False
    world.knocks += [(at, f"api:{request}", name, who) for who in customers]
    return True


def apply(world: Reference, journey: Journey, now: datetime) -> None:
    """A new version: whoever is on the way stays on the old one."""
    world.versions[journey.name].append(Applied(journey, now))


def move(world: Reference, name: str, numbers: tuple[int, int], nodes: Mapping[str, str], now: datetime) -> int:
    """Move those on the way to another version, by a map of nodes or to the same node of the same kind."""
    old, new = (world.versions[name][number - 1].journey for number in numbers)
    moved = 0
    for stay in world.stays:
        if (stay.journey, stay.version, stay.state) != (name, numbers[0], "active"):
            continue
        target = nodes.get(stay.node)
        if target is None and stay.node in new.nodes and new.nodes[stay.node].kind == old.nodes[stay.node].kind:
            target = stay.node
        if target is not None:
            stay.passages.append(Passed(stay.node, stay.visit, stay.at, now, MOVED))
            stay.version, stay.node, stay.at = numbers[1], target, now
            stay.visit, stay.step, stay.timer_at = 0, 1, None
            moved += 1
    return moved


def fail(world: Reference, key: str, at: datetime) -> bool:
    """It becomes certain that a message is not sent, unless that is certain already."""
    message = world.wanted[key]
    if message.state == "waiting":
        message.state, message.reason, message.changed_at = "not_sent", "no_consent", at
        return True
    return False


def say_consent(world: Reference, customer: str, channel: str, granted: bool, at: datetime) -> None:
    """The later word holds; at one instant the refusal."""
    known = world.known.consents.get((customer, channel))
    if known is None or (known[1], not known[0]) < (at, not granted):
        world.known.consents[customer, channel] = granted, at


def merge(world: Reference, kept: str, gone: str, at: datetime) -> None:
    """Two customers turn out to be one: all that is known of both is known of the one who is kept."""
    known, renamed = world.known, {gone: kept}
    del known.zones[gone]
    known.happened = {(renamed.get(who, who), what, when, ref) for who, what, when, ref in known.happened}
    for (who, segment), since in list(known.members.items()):
        if who == gone:
            del known.members[who, segment]
            known.members[kept, segment] = min(since, known.members.get((kept, segment), since))
    _unite_values(world, kept, gone)
    for (who, channel), (granted, when) in list(known.consents.items()):
        if who == gone:
            del known.consents[who, channel]
            mine, since = known.consents.get((kept, channel), (granted, when))
            known.consents[kept, channel] = (mine and granted, max(since, when))
    world.knocks = [(when, cause, name, renamed.get(who, who)) for when, cause, name, who in world.knocks]
    for (name, who, cause), refusal in list(world.refused.items()):
        if who == gone:
            del world.refused[name, who, cause]
            world.refused.setdefault((name, kept, cause), refusal)
    for stay in world.stays:
        stay.customer = renamed.get(stay.customer, stay.customer)
    for message in world.wanted.values():
        message.customer = renamed.get(message.customer, message.customer)
    for name in world.versions:
        _keep_the_furthest(world, [each for each in world.stays if (each.journey, each.customer) == (name, kept)], at)


def _unite_values(world: Reference, kept: str, gone: str) -> None:
    """Of each value what was said last; at one instant the larger, and anything rather than nothing."""
    known = world.known
    for who, name in [key for key in known.values if key[0] == gone]:
        theirs, ours = (who, name), (kept, name)
        value, stated = known.values.pop(theirs), known.stated.pop(theirs)
        weight = (stated, value[0] is not None, _rank(value[0]))
        if ours in known.values:
            mine = known.values[ours][0]
            if (known.stated[ours], mine is not None, _rank(mine)) >= weight:
                continue
        known.values[ours], known.stated[ours] = value, stated


def _rank(value: object) -> tuple[str, float]:
    if isinstance(value, str):
        return value, float("-inf")
    return "", float("-inf") if value is None else as_number(value)


def _keep_the_furthest(world: Reference, stays: Sequence[Stay], at: datetime) -> None:
    active = sorted(
        (each for each in stays if each.state == "active"),
        key=lambda each: (-len(each.passages), each.entered_at, each.id),
    )
    for stay in active[1:]:
        stay.state, stay.reason, stay.ended_at, stay.timer_at = "exited", "merged", at, None
        for message in world.wanted.values():
            if message.key.startswith(f"{stay.id}:") and message.state == "waiting":
                message.state, message.reason, message.changed_at = "not_sent", "merged", at
