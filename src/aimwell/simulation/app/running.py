"""A virtual clock that lets the world and a workspace act on each other: events in, messages out, answers back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice

from aimwell.core.errors import BadQuestion
from aimwell.core.time import require_aware
from aimwell.delivery.channel import Report
from aimwell.simulation.app.answers import Answers, Delivery
from aimwell.simulation.app.messages import Message
from aimwell.simulation.app.sales import LeadGiven, Verdict
from aimwell.simulation.app.world import World

_TOGETHER = 20_000


def _no_leads(now: datetime) -> Sequence[LeadGiven]:
    return ()


def _no_verdicts(verdicts: Sequence[Verdict], now: datetime) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Hands:
    """What the loop asks of a workspace, each with the instant on the virtual clock.

    take_in: messages of the app have arrived (in the order of time).   tell: channels report, by the channel's role.
    move: absorb, feed, let in, tick, deliver: everything that is due.   sent: what channels have taken since the last
    time, each once.   leads: leads that are new since the last time.   decide: sales has spoken.
    """

    take_in: Callable[[Sequence[Message], datetime], None]
    tell: Callable[[Sequence[tuple[str, Report]], datetime], None]
    move: Callable[[datetime], None]
    sent: Callable[[datetime], Sequence[Delivery]]
    leads: Callable[[datetime], Sequence[LeadGiven]] = _no_leads
    decide: Callable[[Sequence[Verdict], datetime], None] = _no_verdicts


@dataclass(slots=True)
class Played:
    """What happened in a stretch of virtual time."""

    steps: int = 0
    messages: int = 0
    deliveries: int = 0
    reports: int = 0
    verdicts: int = 0


@dataclass(slots=True)
class Play:
    """A world and a workspace on one clock; what is still to come is kept until its time.

    since: where the clock begins; the workspace first hears of everybody who had signed up by then (`introduce`).
    caused: what messages have made people do so far, by the name of the event; nobody outside a simulation knows it.
    """

    world: World
    hands: Hands
    since: datetime
    now: datetime = field(init=False)
    caused: Counter[str] = field(default_factory=Counter)
    _coming: Answers = field(default_factory=Answers)
    _verdicts: list[Verdict] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = require_aware(self.since)

    def introduce(self) -> int:
        """Let the workspace know everybody who has signed up before the clock began; returns how many."""
        known, count = self.world.known(self.since), 0
        while some := list(islice(known, _TOGETHER)):
            self.hands.take_in(some, self.now)
            count += len(some)
        return count

    def until(self, end: datetime, step: timedelta) -> Played:
        """Let time pass in steps up to `end`; the last step may be shorter. Raises BadQuestion for a step of nothing.

        Within a step everything that people and providers did since the last one arrives first, in the order of time;
        then the workspace moves once. So a workspace answers what happened at most one step late.
        """
        if step <= timedelta(0):
            raise BadQuestion("Time passes in steps longer than nothing", seen=str(step))
        played = Played()
        while self.now < require_aware(end):
            self._step(min(self.now + step, end), played)
        return played

    def _step(self, now: datetime, played: Played) -> None:
        due, self._coming = self._coming.until(now), self._coming.after(now)
        spoken = [each for each in self._verdicts if each.at <= now]
        self._verdicts = [each for each in self._verdicts if each.at > now]
        messages = list(self._arriving(now, due, spoken))
        self.caused.update(str(message["event"]) for _, message in due.events)
        if messages:
            self.hands.take_in(messages, now)
        if due.reports:
            self.hands.tell(due.reports, now)
        if spoken:
            self.hands.decide(spoken, now)
        self.hands.move(now)
        deliveries = self.hands.sent(now)
        if deliveries:
            self._coming += self.world.foresee(deliveries)
        self._verdicts += self.world.judge(self.hands.leads(now))
        self.now = now
        played.steps += 1
        played.messages += len(messages)
        played.deliveries += len(deliveries)
        played.reports += len(due.reports)
        played.verdicts += len(spoken)

    def _arriving(self, now: datetime, due: Answers, spoken: Sequence[Verdict]) -> Iterator[Message]:
        """What people did by themselves, because of messages, and because sales spoke to them; in the order of time."""
        bought = [each.bought for each in sorted(spoken, key=lambda each: each.at) if each.bought is not None]
        led_to = [message for _, message in due.events]
        return merge(self.world.events(self.now, now), led_to, bought, key=_stamp)


def _stamp(message: Message) -> str:
    return str(message["timestamp"])
