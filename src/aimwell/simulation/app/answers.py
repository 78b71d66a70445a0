"""What people make of messages: which are delivered, opened, followed and acted upon, when; and what machines do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

import numpy as np

from aimwell.core.keys import number_of
from aimwell.delivery.channel import Report, Signal
from aimwell.simulation.app.addresses import person_of
from aimwell.simulation.app.calendars import DAY_SECONDS, instant_of, millis_of
from aimwell.simulation.app.days import Life
from aimwell.simulation.app.draws import uniform
from aimwell.simulation.app.habits import (
    ANSWERS,
    CHANNELS,
    CLICKED,
    FATIGUE,
    FATIGUE_DAYS,
    MACHINE,
    REPLIED,
    UNDELIVERED,
    UNSUBSCRIBED,
)
from aimwell.simulation.app.messages import LABEL, Message, act, product
from aimwell.simulation.app.people import STRATA
from aimwell.simulation.chance import Floats, Integers

Role = Literal["push", "sms", "wechat", "email"]
_ROLES: tuple[Role, ...] = get_args(Role)
_MINUTE, _DAY = 60_000, DAY_SECONDS * 1_000
_BASKET_DAYS = 7
_TAGS = {"opened": 1, "clicked": 2, "replied": 3, "unsubscribed": 4, "machine": 5}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that a channel has taken: the key, where it went, by which channel, what it said and when.

    address: the identifier it went to, or the person's user id.   channel: what the channel is to people (push, sms,
    wechat, email).   content: name of the content; its first word (benefit, basket, win_back, …) says what it is about.
    """

    key: str
    address: str
    channel: Role
    content: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of messages: reports of the channels, by the name of the channel, and events of the app.

    Both in the order of time. `at` of an event is when it happens, as its message says too.
    """

    reports: Sequence[tuple[str, Report]] = ()
    events: Sequence[tuple[datetime, Message]] = ()

    def until(self, now: datetime) -> Answers:
        """What has happened by then, that instant included."""
        return Answers(
            tuple(each for each in self.reports if each[1].at <= now), tuple(e for e in self.events if e[0] <= now)
        )

    def after(self, now: datetime) -> Answers:
        """What is still to happen."""
        return Answers(
            tuple(each for each in self.reports if each[1].at > now), tuple(e for e in self.events if e[0] > now)
        )

    def __add__(self, other: Answers) -> Answers:
        return Answers(
            tuple(sorted([*self.reports, *other.reports], key=lambda each: (each[1].at, each[1].ref))),
            tuple(sorted([*self.events, *other.events], key=lambda each: (each[0], str(each[1]["messageId"])))),
        )


@dataclass(slots=True)
class _Told:
    """What a message was answered with, once and for all: how tired the person was when it came."""

    before: dict[str, int] = field(default_factory=dict)
    contacts: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def fatigue(self, key: str, who: int, at: int) -> int:
        """How many other messages the person had in the seven days before, as known when the key was first told."""
        if key not in self.before:
            since = at - FATIGUE_DAYS * _DAY
            theirs = [each for each in self.contacts[who] if each >= since]
            self.before[key] = sum(each <= at for each in theirs)
            self.contacts[who] = [*theirs, at]
        return self.before[key]


@dataclass(frozen=True, slots=True)
class Answering:
    """Answers messages as their readers would; the same key gets the same answer however often it is asked for.

    People tire: what counts is how many messages they had before, in the order in which they are told here.
    """

    life: Life
    told: _Told = field(default_factory=_Told)

    def answer(self, deliveries: Iterable[Delivery]) -> Answers:
        """Everything that comes of these messages, also what lies in the future; nobody's addresses answer nothing."""
        known = [
            (one, who)
            for one in sorted(deliveries, key=lambda each: (each.at, each.key))
            if (who := person_of(one.address)) is not None and who < len(self.life.people)
        ]
        return self._answers(known) if known else Answers()

    def chances(self, who: Integers, channel: Integers, fatigue: Integers) -> Floats:
        """How likely each answers a message on a channel (place in CHANNELS), after so many others in a week."""
        return np.asarray(ANSWERS[self.life.people.habit[who], channel] * FATIGUE**fatigue)

    def _answers(self, known: Sequence[tuple[Delivery, int]]) -> Answers:
        draws = _Draws(self, known)
        reports: list[tuple[str, Report]] = []
        events: list[tuple[datetime, Message]] = []
        for place, (one, who) in enumerate(known):
            if draws.lost[place]:
                continue
            for kind, at, machine in draws.signals(place, one.channel):
                reports.append((one.channel, _report(one, kind, at, machine=machine)))
            if draws.opens[place]:
                events += self._acts(one, who, draws.opened_at[place])
        return Answers() + Answers(reports, events)

    def _acts(self, one: Delivery, who: int, opened: int) -> Iterable[tuple[datetime, Message]]:
        """What a person does who has opened a message."""
        yield self._event(who, "app_opened", opened + 2_000, {"place": one.channel, "touch": one.key}, ident=one.key)
        about = _about(one.content)
        if about == "benefit" and self.life.people.stratum[who] == STRATA.index("persuadable"):
            later = int(uniform(self.life.seed, "loan/later", who)[0] * 2 * _DAY) + 30 * _MINUTE
            amount = int(self.life.people.loan[who])
            yield self._event(who, "loan_calculator_used", opened + 10 * _MINUTE, {})
            yield self._event(who, "loan_taken", opened + later, {"amount": amount, "currency": "CNY"})
        if about == "basket" and (item := self.basket(who, opened)) is not None:
            bought = product(item, english=bool(self.life.people.english[who]))
            yield self._event(
                who, "order_completed", opened + 5 * _MINUTE, {**bought, "amount": bought["price"]}, ident=one.key
            )
        if about == "birthday":
            yield self._event(who, "birthday_gift_taken", opened + 2 * _MINUTE, {}, ident=one.key)
        if about == "welcome":
            yield self._event(
                who, "product_viewed", opened + _MINUTE, {**product(who % 7, english=False)}, ident=one.key
            )
        if about == "nurture" and self.life.people.interested[who]:
            yield self._event(who, "wealth_viewed", opened + _MINUTE, {}, ident=one.key)
        if about == "win_back" and self.life.people.recoverable[who]:
            amount = max(int(self.life.people.deposit[who]), 1_000)
            yield self._event(
                who, "deposit_made", opened + 60 * _MINUTE, {"amount": amount, "currency": "CNY"}, ident=one.key
            )

    def basket(self, who: int, at: int) -> int | None:
        """The product of the last week's basket that waits for a reminder; None if none does."""
        local, _ = self.life.calendar.local(self.life.people.zone[[who]], np.asarray([at]))
        days = local[0] - np.arange(_BASKET_DAYS)
        baskets = self.life.baskets(np.full(len(days), who), days)
        waiting = np.flatnonzero(baskets.meant("persuadable"))
        return int(baskets.item[waiting[0]]) if len(waiting) else None

    def _event(
        self, who: int, name: str, at: int, properties: Mapping[str, object], *, ident: str = "once"
    ) -> tuple[datetime, Message]:
        return instant_of(at), act(self.life.seed, who, name, at, properties, ident=ident)


class _Draws:
    """The draws for some messages, as arrays: each depends on the message's key and on nothing else."""

    def __init__(self, answering: Answering, known: Sequence[tuple[Delivery, int]]) -> None:
        life, told = answering.life, answering.told
        self._seed = life.seed
        self.keys = np.asarray([number_of(one.key) for one, _ in known], dtype=np.uint64)
        self.who = np.asarray([who for _, who in known], dtype=np.int64)
        self.at = np.asarray([millis_of(one.at) for one, _ in known], dtype=np.int64)
        channel = np.asarray([CHANNELS.index(one.channel) for one, _ in known])
        moments = zip(known, self.at.tolist(), strict=True)
        fatigue = np.asarray([told.fatigue(one.key, who, at) for (one, who), at in moments])
        reached = life.people.has[self.who, channel]
        self.lost = (~reached | (self._draw("lost") < self._rates(UNDELIVERED)[channel])).tolist()
        self.opens = (self._draw("answer") < answering.chances(self.who, channel, fatigue)).tolist()
        self.clicks = (self._draw("click") < self._rates(CLICKED)[channel]).tolist()
        self.replies = (self._draw("reply") < REPLIED).tolist()
        self.leaves = (self._draw("leave") < UNSUBSCRIBED * (1 + fatigue)).tolist()
        self.machines = (self._draw("machine") < self._rates(MACHINE)[channel]).tolist()
        self.opened_at: list[int] = self._when(life).tolist()
        self.sent_at: list[int] = self.at.tolist()

    def signals(self, place: int, channel: Role) -> Iterable[tuple[Signal, int, bool]]:
        """Kind, when, and whether a machine did it, in the order of their kinds; an SMS reports no opening."""
        sent, opened = self.sent_at[place], self.opened_at[place]
        yield "delivered", sent + 2_000, False
        if self.machines[place]:
            yield ("clicked" if channel == "sms" else "opened"), sent + 4_000, True
        if self.opens[place]:
            if channel != "sms":
                yield "opened", opened, False
            if self.clicks[place]:
                yield "clicked", opened + 1_000, False
            if channel == "wechat" and self.replies[place]:
                yield "replied", opened + _MINUTE, False
        if channel in {"wechat", "email"} and self.leaves[place]:
            yield "unsubscribed", max(opened, sent) + 2 * _MINUTE, False

    def _draw(self, part: str) -> Floats:
        return uniform(self._seed, f"answers/{part}", self.keys)

    @staticmethod
    def _rates(rates: Mapping[str, float]) -> Floats:
        return np.asarray([rates[channel] for channel in CHANNELS])

    def _when(self, life: Life) -> Integers:
        """Soon, if the phone is at hand at that hour; else at the next favourite hour."""
        people = life.people
        _, second = life.calendar.local(people.zone[self.who], self.at)
        favourite = (people.hours.hour[self.who] * 3_600).astype(np.int64)
        ahead = (favourite - second) % DAY_SECONDS
        near = np.minimum(ahead, DAY_SECONDS - ahead) < 3_600 * (1 + people.hours.spread[self.who])
        soon = 30_000 - 8 * _MINUTE * np.log(np.maximum(self._draw("soon"), 1e-6))
        return np.asarray(self.at + np.where(near, soon, ahead * 1_000 + soon).astype(np.int64))


def _about(content: str) -> str:
    """What a content is about: its name up to what tells channels, steps and languages apart."""
    for about in ("benefit", "basket", "win_back", "birthday", "welcome", "nurture"):
        if content == about or content.startswith(f"{about}_"):
            return about
    return ""


def _report(one: Delivery, kind: Signal, at: int, *, machine: bool) -> Report:
    ref = f"{LABEL}-{one.key}-{kind}{'-machine' if machine else ''}"
    return Report(kind, instant_of(at), ref, one.key, machine=machine, detail=LABEL)
