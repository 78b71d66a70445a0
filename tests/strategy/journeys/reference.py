"""Journeys in plain Python, one customer at a time, as docs/journeys.md tells them: what the set-based tick must equal.

No SQL, no table, no chunk. It shares with the product the definitions and two pure functions: `number_of`, which makes
ids, and `drawn`, which makes the draws of a split.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

from tests.strategy.journeys.reference_clocks import next_time, shown, within_hours
from tests.strategy.journeys.reference_conditions import Known, Passed, Stay, holds, true_since

from aimwell.core.keys import number_of, share_of
from aimwell.strategy.journeys.conditions import Condition
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.draws import PRIME, drawn


@dataclass(frozen=True)
class Wanted:
    """A message that a node wants sent."""

    key: str
    customer: str
    channel: str
    content: str
    planned_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class Refused:
    journey: str
    customer: str
    cause: str
    at: datetime
    reason: str


@dataclass
class Reference:
    """A whole world: what is known, who is where, what was asked for."""

    journeys: Mapping[str, Journey]
    known: Known
    held_out: frozenset[str] = frozenset()
    states: dict[str, str] = field(default_factory=dict)
    stays: list[Stay] = field(default_factory=list)
    wanted: dict[str, Wanted] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    knocks: list[tuple[datetime, str, str, str]] = field(default_factory=list)

    def happen(self, customer: str, signal: str, at: datetime, ref: str) -> None:
        """Something comes to be known; whoever it lets in knocks."""
        self.known.happened.add((customer, signal, at))
        for name, journey in self.journeys.items():
            ways = {rule.event.signal if rule.event else f"enter:{rule.segment}" for rule in journey.entry}
            if signal in ways:
                self.knocks.append((at, f"{signal}:{ref}", name, customer))

    def tick(self, now: datetime) -> None:
        """Answer who knocks, then let everyone go as far as their time has come."""
        for at, cause, name, customer in sorted(self.knocks):
            if at <= now:
                self._answer(name, customer, cause, at)
        self.knocks = [each for each in self.knocks if each[0] > now]
        for stay in self.stays:
            if self.states.get(stay.journey, "running") == "running":
                journey = self.journeys[stay.journey]
                while stay.state == "active" and _Walk(self, journey, stay, now).step():
                    pass

    def _answer(self, name: str, customer: str, cause: str, at: datetime) -> None:
        past = [stay for stay in self.stays if (stay.journey, stay.customer) == (name, customer)]
        if any(stay.cause == cause for stay in past):
            return
        journey = self.journeys[name]
        if reason := self._refusal(journey, customer, at, past):
            self.refused.append(Refused(name, customer, cause, at, reason))
            return
        number = len(past) + 1
        key = number_of("enrolment", name, customer, cause, str(number))
        stay = Stay(key, name, customer, cause, number, entered_at=at, node=journey.start, at=at)
        if share_of("hold-out", name, customer) < journey.held_out_share:
            stay.state, stay.reason, stay.ended_at = "exited", "held_out", at
        self.stays.append(stay)

    def _refusal(self, journey: Journey, customer: str, at: datetime, past: Sequence[Stay]) -> str | None:
        state = self.states.get(journey.name, "running")
        if customer not in self.known.zones:
            return "unknown_customer"
        if state != "running":
            return state
        if customer in self.held_out:
            return "hold_out"
        rule = journey.re_entry
        if past and rule.policy == "never":
            return "entered_before"
        if rule.policy != "always" and any(stay.state == "active" for stay in past):
            return "already_in"
        if rule.after and past and at - max(stay.entered_at for stay in past) < rule.after:
            return "too_soon"
        return None


@dataclass
class _Walk:
    """One customer at one node, looked at once."""

    world: Reference
    journey: Journey
    stay: Stay
    now: datetime

    def step(self) -> bool:
        """Go on to the next node if the time has come; whether that happened."""
        stay, node = self.stay, self.journey.nodes[self.stay.node]
        if stay.visit == 0:
            if self._end(stay.at):
                return False
            stay.visit = 1 + sum(each.node == stay.node for each in stay.passages)
            if act := _ARRIVE.get(node.kind):
                act(self, node.settings)
        leaving = _LEAVE[node.kind](self, node.settings)
        if leaving is None or leaving[1] > self.now:
            self._end(self.now)
            return False
        port, at = leaving
        if self._end(at):
            return False
        stay.passages.append(Passed(stay.node, stay.visit, stay.at, at, port))
        stay.at, stay.timer_at = at, None
        if not node.to:
            stay.state, stay.ended_at = "finished", at
            return False
        ports = node.implementation.ports(node.settings)
        stay.node, stay.visit, stay.step = node.to.get(port, node.to[ports[0]]), 0, 1
        return True

    def _end(self, until: datetime) -> bool:
        """End here if the goal or an exit rule came true by then."""
        stay, known = self.stay, self.world.known
        last = stay.entered_at + self.journey.within
        goals = [true_since(rule, stay, known) for rule in self.journey.goal.values()]  # type: ignore[arg-type]
        reached = [(max(at, stay.at), 0, at, "goal") for at in goals if at is not None and at <= last]
        exits = [(name, true_since(rule, stay, known)) for name, rule in sorted(self.journey.exits.items())]  # type: ignore[arg-type]
        reached += [(max(at, stay.at), 1, at, name) for name, at in exits if at is not None]
        # At one instant the goal goes first; of exit rules the one that came true first, then the first by name.
        at, order, _, reason = min(reached, key=lambda each: each[:3], default=(until, 2, until, ""))
        if order == 2 or at > min(until, self.now):
            return False
        stay.state, stay.reason, stay.ended_at = ("exited" if order else "finished"), reason, at
        stay.timer_at = None
        return True

    @property
    def zone(self) -> str:
        return self.world.known.zones[self.stay.customer]


def _send(walk: _Walk, settings: Any) -> None:
    stay = walk.stay
    key = f"{stay.id}:{stay.node}:{stay.visit}:1"
    expires = stay.at + settings.expires_after if settings.expires_after else None
    walk.world.wanted[key] = Wanted(key, stay.customer, settings.channel, settings.content, stay.at, expires)


def _begin_wait(walk: _Walk, settings: Any) -> None:
    walk.stay.timer_at = _timer(walk, settings)


def _timer(walk: _Walk, settings: Any) -> datetime:
    at = walk.stay.at
    length: timedelta | None = settings.for_ or settings.at_most
    if length is not None:
        return at + length
    if settings.until:
        return next_time(walk.zone, settings.until.time, at, settings.until.weekdays)
    if settings.hours:
        hours = settings.hours
        return within_hours(walk.zone, hours.since, hours.until, at, hours.weekdays)
    found = _date_at(walk, settings.date)
    return at if found is None else max(found, at)


def _date_at(walk: _Walk, wanted: Any) -> datetime | None:
    value, _ = walk.world.known.values.get((walk.stay.customer, wanted.attribute), (None, None))
    if not isinstance(value, date):
        return None
    return shown(walk.zone, value + timedelta(days=wanted.days), wanted.time)


def _leave_wait(walk: _Walk, settings: Any) -> tuple[str, datetime] | None:
    stay = walk.stay
    timer = stay.timer_at
    assert timer is not None
    if settings.awaited:
        found = [true_since(each, stay, walk.world.known, since=stay.at) for each in settings.awaited]
        seen = [max(at, stay.at) for at in found if at is not None and at <= timer]
        return ("happened", min(seen)) if seen else ("timeout", timer)
    if settings.date and timer == stay.at:
        found_at = _date_at(walk, settings.date)
        return ("unknown" if found_at is None else "passed" if found_at < stay.at else "next"), timer
    return "next", timer


def _leave_branch(walk: _Walk, settings: Any) -> tuple[str, datetime]:
    ways: list[tuple[Condition, str]] = [(each.if_, each.port) for each in settings.cases]
    other = "otherwise"
    if settings.if_ is not None:
        ways, other = [(settings.if_, "yes")], "no"
    stay = walk.stay
    return next((port for if_, port in ways if holds(if_, stay, walk.world.known, stay.at)), other), stay.at


def _leave_split(walk: _Walk, settings: Any) -> tuple[str, datetime]:
    stay = walk.stay
    number = drawn(stay.id, stay.visit, settings.seed or stay.journey, stay.node)
    ports, weights = zip(*sorted(settings.weights.items()), strict=True)
    reached = [round(upto / sum(weights) * PRIME) for upto in accumulate(weights)]
    return next(port for port, upto in zip(ports, reached, strict=True) if number < upto), stay.at


_ARRIVE: Mapping[str, Callable[[_Walk, Any], None]] = {"send": _send, "wait": _begin_wait}
_LEAVE: Mapping[str, Callable[[_Walk, Any], tuple[str, datetime] | None]] = {
    "send": lambda walk, settings: ("next", walk.stay.at),
    "end": lambda walk, settings: ("end", walk.stay.at),
    "wait": _leave_wait,
    "branch": _leave_branch,
    "split": _leave_split,
}
