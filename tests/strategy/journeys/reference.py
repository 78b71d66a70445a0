"""Journeys in plain Python, one customer at a time, as docs/journeys.md tells them: what the set-based tick must equal.

No SQL, no table, no chunk. It shares with the product the definitions and two pure functions: `number_of`, which makes
ids, and `drawn`, which makes the draws of a split.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any

from tests.strategy.journeys.reference_clocks import next_return, next_time, shown, within_hours
from tests.strategy.journeys.reference_conditions import Known, Passed, Stay, Value, holds, true_since
from tests.strategy.journeys.reference_versions import Applied, leads_back

from aimwell.core.keys import number_of, share_of
from aimwell.strategy.journeys.conditions import Condition
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.draws import PRIME, drawn

MOVED = "moved"


@dataclass
class Wanted:
    """A message that a node wants sent, and what is certain of it."""

    key: str
    customer: str
    channel: str
    content: str
    planned_at: datetime
    expires_at: datetime | None
    state: str = "waiting"
    reason: str | None = None
    changed_at: datetime | None = None


@dataclass
class Reference:
    """A whole world: what is known, who is where, what was asked for."""

    versions: Mapping[str, list[Applied]]
    known: Known
    held_out: frozenset[str] = frozenset()
    states: dict[str, str] = field(default_factory=dict)
    stays: list[Stay] = field(default_factory=list)
    wanted: dict[str, Wanted] = field(default_factory=dict)
    refused: dict[tuple[str, str, str], tuple[datetime, str]] = field(default_factory=dict)
    knocks: list[tuple[datetime, str, str, str]] = field(default_factory=list)

    def current(self, name: str) -> Journey:
        """The version that those who come in now get."""
        return self.versions[name][-1].journey

    def happen(self, customer: str, signal: str, at: datetime, ref: str) -> None:
        """Something comes to be known, if any version asks for it, and once; whoever it lets in knocks."""
        if not any(signal in each.asked for versions in self.versions.values() for each in versions):
            return
        if (happening := (customer, signal, at, ref)) in self.known.happened:
            return
        self.known.happened.add(happening)
        for name in self.versions:
            for rule in self.current(name).entry:
                if signal == (rule.event.signal if rule.event else f"enter:{rule.segment}"):
                    self.knocks.append((at, f"{signal}:{ref}", name, customer))

    def tick(self, now: datetime) -> None:
        """Answer who knocks, then let everyone go as far as their time has come."""
        for at, cause, name, customer in sorted(self.knocks):
            if at <= now:
                self._answer(name, customer, cause, at)
        self.knocks = [each for each in self.knocks if each[0] > now]
        for stay in self.stays:
            if self.states.get(stay.journey, "running") == "running":
                journey = self.versions[stay.journey][stay.version - 1].journey
                while stay.state == "active" and _Walk(self, journey, stay, now).step():
                    pass

    def _answer(self, name: str, customer: str, cause: str, at: datetime) -> None:
        past = [stay for stay in self.stays if (stay.journey, stay.customer) == (name, customer)]
        if any(stay.cause == cause for stay in past):
            return
        if name not in self.versions:
            return
        journey = self.current(name)
        if reason := self._refusal(journey, customer, at, past):
            self.refused.setdefault((name, customer, cause), (at, reason))
            return
        number = len(past) + 1
        key = number_of("enrolment", name, customer, cause, str(number))
        version = len(self.versions[name])
        stay = Stay(key, name, version, customer, cause, number, entered_at=at, node=journey.start, at=at)
        if share_of("hold-out", name, customer) < journey.held_out_share:
            stay.state, stay.reason, stay.ended_at = "exited", "held_out", at
        self.stays.append(stay)

    def _refusal(self, journey: Journey, customer: str, at: datetime, past: Sequence[Stay]) -> str | None:
        state = self.states.get(journey.name, "running")
        if customer not in self.known.zones:
            return "unknown_customer"
        if at < self.versions[journey.name][0].at:
            return "before_start"
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
            stay.visit = 1
            if leads_back(self.journey, stay.node):
                stay.visit += sum((each.node, each.port != MOVED) == (stay.node, True) for each in stay.passages)
            if act := _ARRIVE.get(node.kind):
                act(self, node.settings)
        port, at = _LEAVE[node.kind](self, node.settings)
        if at > self.now:
            self._end(self.now)
            return False
        # Where nobody stays, the rules were seen on coming; what the node itself makes true acts at the next one.
        if node.kind in {"wait", "chain"} and self._end(at):
            return False
        if port == "~":
            _try_next(self, node.settings, at)
            return True
        if port == "answered" and (name := getattr(node.settings, "remember", None)):
            self.say(name, self.answered()[1], at)
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

    def say(self, name: str, value: Value | None, at: datetime) -> None:
        """Set a value of the profile as of an instant; a later word stays, and the same word again changes nothing."""
        known, key = self.world.known, (self.stay.customer, name)
        if known.stated.get(key, at) > at or (value is None and key not in known.values):
            return
        known.stated[key] = at
        if known.values.get(key, (None, at))[0] != value or key not in known.values:
            known.values[key] = (value, at)

    def ask(self, channel: str, content: str, at: datetime, expires_after: timedelta | None = None) -> None:
        """Want a message sent, once for each key."""
        key, expires = self.key, at + expires_after if expires_after else None
        self.world.wanted.setdefault(key, Wanted(key, self.stay.customer, channel, content, at, expires))

    def asked(self) -> list[Wanted]:
        """What was asked for in this visit."""
        visit = f"{self.stay.id}:{self.stay.node}:{self.stay.visit}:"
        return [each for key, each in self.world.wanted.items() if key.startswith(visit)]

    def answered(self) -> tuple[datetime, str]:
        """When the first answer to a message of this visit came, and by which channel."""
        stay, world = self.stay, self.world
        kinds = self.journey.nodes[stay.node].settings.kinds  # type: ignore[attr-defined]
        found = [
            (each.at, int(each.key.split(":")[3]), world.wanted[each.key].channel)
            for each in world.known.told
            if each.key.startswith(f"{stay.id}:{stay.node}:{stay.visit}:") and each.kind in kinds and not each.machine
        ]
        at, _, channel = min(found, default=(datetime.max.replace(tzinfo=UTC), 0, ""))
        return at, channel

    @property
    def key(self) -> str:
        return f"{self.stay.id}:{self.stay.node}:{self.stay.visit}:{self.stay.step}"

    @property
    def zone(self) -> str:
        return self.world.known.zones[self.stay.customer]


def _send(walk: _Walk, settings: Any) -> None:
    walk.ask(settings.channel, settings.content, walk.stay.at, settings.expires_after)


def _try_first(walk: _Walk, settings: Any) -> None:
    walk.stay.step = 1
    _try(walk, settings, walk.stay.at)


def _try_next(walk: _Walk, settings: Any, at: datetime) -> None:
    walk.stay.step = 1 + max(walk.stay.step, *(int(each.key.split(":")[3]) for each in walk.asked()))
    _try(walk, settings, at)


def _try(walk: _Walk, settings: Any, at: datetime) -> None:
    """Ask by the preferred channel or the next, unless this visit has a message of that number; wait for an answer."""
    stay = walk.stay
    if walk.key not in walk.world.wanted:
        tried = _untried(walk, settings)[0]
        walk.ask(tried.channel, tried.content, at)
    message = walk.world.wanted[walk.key]
    same = [each for each in settings.channels if (each.channel, each.content) == (message.channel, message.content)]
    tried = (same or settings.channels)[0]
    stay.step_at, stay.timer_at = max(message.planned_at, stay.at), at + (tried.within or settings.within)


def _untried(walk: _Walk, settings: Any) -> list[Any]:
    """What was not asked for in this visit, in the order in which it would be."""
    asked = {(each.channel, each.content) for each in walk.asked()}
    preferred, _ = walk.world.known.values.get((walk.stay.customer, settings.prefer), (None, None))
    left = [each for each in settings.channels if (each.channel, each.content) not in asked]
    return sorted(left, key=lambda each: each.channel != preferred)


def _leave_chain(walk: _Walk, settings: Any) -> tuple[str, datetime]:
    stay = walk.stay
    assert stay.timer_at is not None
    assert stay.step_at is not None
    message = walk.world.wanted[walk.key]
    over = stay.timer_at
    if message.state == "not_sent":
        assert message.changed_at is not None
        over = min(over, max(message.changed_at, stay.at))
    seen = max(walk.answered()[0], stay.step_at)
    if seen <= over:
        return "answered", seen
    return ("~" if _untried(walk, settings) else "unanswered"), over


def _tag(walk: _Walk, settings: Any) -> None:
    value = None if settings.clear else True if settings.value is None else settings.value
    walk.say(settings.name, value, walk.stay.at)


def _score(walk: _Walk, settings: Any) -> None:
    if walk.key in walk.stay.added:
        return
    walk.stay.added.add(walk.key)
    key, known = (walk.stay.customer, settings.name), walk.world.known
    before, _ = known.values.get(key, (settings.start, None))
    number = (before if isinstance(before, int | float) else settings.start) + settings.add
    if settings.at_most is not None:
        number = min(number, settings.at_most)
    if settings.at_least is not None:
        number = max(number, settings.at_least)
    walk.say(settings.name, float(number), max(walk.stay.at, known.stated.get(key, walk.stay.at)))


def _hand_over(walk: _Walk, _settings: Any) -> None:
    walk.stay.tasks.setdefault(walk.key, (walk.stay.at, walk.stay.node))


def _enter(walk: _Walk, settings: Any) -> None:
    walk.world.knocks.append((walk.stay.at, f"enter:{walk.key}", settings.journey, walk.stay.customer))


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
    if not wanted.yearly:
        return shown(walk.zone, value + timedelta(days=wanted.days), wanted.time)
    return next_return(walk.zone, value, wanted.days, wanted.time, walk.stay.at)


def _leave_wait(walk: _Walk, settings: Any) -> tuple[str, datetime]:
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


def _go_on(walk: _Walk, _settings: Any) -> tuple[str, datetime]:
    return "next", walk.stay.at


_ARRIVE: Mapping[str, Callable[[_Walk, Any], None]] = {
    "send": _send,
    "webhook": _send,
    "wait": _begin_wait,
    "chain": _try_first,
    "tag": _tag,
    "score": _score,
    "task": _hand_over,
    "lead": _hand_over,
    "enter": _enter,
}
_LEAVE: Mapping[str, Callable[[_Walk, Any], tuple[str, datetime]]] = {
    **dict.fromkeys(("send", "webhook", "tag", "score", "task", "lead", "enter"), _go_on),
    "end": lambda walk, settings: ("end", walk.stay.at),
    "wait": _leave_wait,
    "branch": _leave_branch,
    "split": _leave_split,
    "chain": _leave_chain,
}
