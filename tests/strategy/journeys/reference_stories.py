"""Random stories: customers in many timezones, and what happens to them in which order it is learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st
from tests.strategy.journeys.reference_conditions import Value
from tests.strategy.journeys.reference_worlds import EVENTS, SEGMENTS, ZONES, journeys, named, successors

from aimwell.strategy.journeys.definition import Journey

# Each is the day before clocks change somewhere, but the last two.
BEGINNINGS = (
    *((2026, 3, 7), (2026, 3, 28), (2026, 4, 4), (2026, 9, 5), (2026, 10, 24), (2026, 10, 31)),
    *((2026, 2, 27), (2028, 2, 27)),
)
GRID = timedelta(minutes=30)
CUSTOMERS = ("ann", "bo", "cy", "di", "ed", "flo", "gus", "hal", "ivy", "jo")
HELD_OUT = "dot"
STRANGER = "who"
HOME = "Asia/Shanghai"
LONG_AGO = (date(1990, 2, 28), date(2000, 2, 29), date(1984, 8, 27), date(1850, 1, 1))


@dataclass(frozen=True)
class Happens:
    customer: str
    name: str
    at: datetime
    ref: str


@dataclass(frozen=True)
class Joins:
    """Enters a segment, or leaves it."""

    customer: str
    segment: str
    at: datetime
    member: bool


@dataclass(frozen=True)
class Changes:
    """A value of the profile becomes another, or unknown."""

    customer: str
    name: str
    value: Value | None
    at: datetime


@dataclass(frozen=True)
class Answers:
    """Something comes of the message at this place among those planned so far."""

    place: int
    kind: str
    at: datetime
    machine: bool
    ref: str


@dataclass(frozen=True)
class Ticks:
    at: datetime


@dataclass(frozen=True)
class Pauses:
    journey: str
    state: str


@dataclass(frozen=True)
class Calls:
    """Customers are put into a journey by a call."""

    journey: str
    customers: tuple[str, ...]
    at: datetime
    request: str


@dataclass(frozen=True)
class Fails:
    """It becomes certain that the message at this place among those planned so far is not sent."""

    place: int
    at: datetime


@dataclass(frozen=True)
class Consents:
    """A customer's word on messages of a channel."""

    customer: str
    channel: str
    granted: bool
    at: datetime


@dataclass(frozen=True)
class Merges:
    """Two customers turn out to be one."""

    kept: str
    gone: str
    at: datetime


@dataclass(frozen=True)
class Applies:
    """A new version of a journey."""

    journey: Journey
    at: datetime


@dataclass(frozen=True)
class Moves:
    """Those on the way are moved from one version to another."""

    journey: str
    numbers: tuple[int, int]
    nodes: Mapping[str, str]
    at: datetime


Step = Happens | Joins | Changes | Answers | Ticks | Pauses | Calls | Fails | Consents | Merges | Applies | Moves


@dataclass(frozen=True)
class Story:
    """A world from its beginning: who lives where, the journeys, and what is learned in which order."""

    begin: datetime
    zones: Mapping[str, str]
    journeys: Sequence[Journey]
    steps: Sequence[Step]


_LEARNED = (
    *(["tick"] * 3 + ["event"] * 10 + ["answer"] * 6 + ["segment"] * 3 + ["value"] * 3 + ["version"] * 2),
    *("pause", "call", "call", "failure", "consent", "merge"),
)


@dataclass
class _Teller:
    """Makes up what is learned, one step after another; a tick learns nothing of what comes after it."""

    draw: st.DrawFn
    begin: datetime
    versions: dict[str, list[Journey]]
    now: datetime
    number: int = 0
    told: list[Step] = field(default_factory=list)
    living: list[str] = field(default_factory=lambda: [*CUSTOMERS, HELD_OUT])

    def learn(self) -> None:
        """One thing more."""
        self.number += 1
        getattr(self, self.draw(named(*_LEARNED)))()

    def one(self, *names: str) -> str:
        return self.draw(named(*names))

    def at(self) -> datetime:
        """Mostly just before now, so that order matters; sometimes a little ahead of it, by a clock that goes wrong."""
        passed = (self.now - self.begin) // GRID
        since = max(0, passed - self.draw(st.sampled_from((2, 12, 200))))
        return self.begin + self.draw(st.integers(since, passed + self.draw(st.sampled_from((0, 0, 1))))) * GRID

    def event(self) -> None:
        who = self.one(*CUSTOMERS, *CUSTOMERS, HELD_OUT, STRANGER)
        self.told.append(Happens(who, self.one(*EVENTS), self.at(), f"m{self.number}"))

    def segment(self) -> None:
        member = self.draw(st.booleans())
        self.told.append(Joins(self.one(*CUSTOMERS, HELD_OUT), self.one(*SEGMENTS), self.at(), member))

    def value(self) -> None:
        day = self.begin.date()
        known: Mapping[str, Sequence[Value | None]] = {
            "tier": (None, "gold", "Gold", "o%d"),
            "points": (None, 1, 3, 5.5, 9),
            "due": (None, *(day + timedelta(days=number) for number in range(-3, 7)), *LONG_AGO),
            "flag": (None, True, False),
            "label_one": (None, "push", "sms", "wechat", "fax"),
            "label_two": (None, "sms", "wechat"),
        }
        name = self.one(*known)
        value = self.draw(st.sampled_from(known[name]))
        self.told.append(Changes(self.one(*CUSTOMERS), name, value, self.at()))

    def answer(self) -> None:
        kind, machine = self.one("opened", "clicked", "replied", "delivered"), self.draw(st.integers(0, 3)) == 0
        self.told.append(Answers(self.draw(st.integers(0, 25)), kind, self.at(), machine, f"r{self.number}"))

    def failure(self) -> None:
        self.told.append(Fails(self.draw(st.integers(0, 25)), self.at()))

    def consent(self) -> None:
        word = self.draw(st.booleans())
        self.told.append(Consents(self.one(*CUSTOMERS), self.one("sms", "push"), word, self.at()))

    def call(self) -> None:
        who = self.draw(st.lists(named(*CUSTOMERS, HELD_OUT, STRANGER), min_size=1, max_size=3, unique=True))
        request = self.one("r", f"r{self.number}")
        self.told.append(Calls(self.one(*self.versions), tuple(who), self.at(), request))

    def merge(self) -> None:
        kept = self.draw(st.integers(0, len(self.living) - 1))
        gone = self.draw(st.integers(0, len(self.living) - 1))
        if kept != gone:
            self.told.append(Merges(self.living[kept], self.living[gone], self.now))
            del self.living[gone]

    def version(self) -> None:
        name = self.one(*self.versions)
        known = self.versions[name]
        if len(known) == 1:
            known.append(self.draw(successors(known[0])))
            self.told.append(Applies(known[1], self.now))
            return
        numbers = self.draw(st.sampled_from(((1, 2), (1, 2), (2, 1))))
        old, new = (known[number - 1].nodes for number in numbers)
        nodes = self.draw(st.dictionaries(named(*old), named(*new), max_size=4))
        self.told.append(Moves(name, numbers, nodes, self.now))

    def tick(self) -> None:
        self.now += self.draw(st.sampled_from((0, 1, 1, 3, 20, 100))) * GRID
        self.told.append(Ticks(self.now))

    def pause(self) -> None:
        self.told.append(Pauses(self.one(*self.versions), self.one("paused", "running", "running")))


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A whole world."""
    year, month, day = draw(st.sampled_from(BEGINNINGS))
    begin = datetime(year, month, day, tzinfo=UTC)
    zones = {customer: draw(named(*ZONES)) for customer in (*CUSTOMERS, HELD_OUT)}
    names = ("one", "two")[: draw(st.integers(1, 2))]
    found = [draw(journeys(name)) for name in names]
    teller = _Teller(draw, begin, {each.name: [each] for each in found}, begin)
    told = teller.told
    for name, value in (("tier", "gold"), ("points", 3), ("due", begin.date() + timedelta(days=2))):
        told += [Changes(each, name, value, begin) for each in draw(st.sets(named(*CUSTOMERS)))]
    for segment in SEGMENTS:
        told += [Joins(each, segment, begin, True) for each in draw(st.sets(named(*CUSTOMERS, HELD_OUT), max_size=4))]
    told += [Happens(each, "joined", begin, "first") for each in CUSTOMERS]
    for _ in range(draw(st.integers(12, 64))):
        teller.learn()
    told += [Ticks(teller.now), *(Pauses(name, "running") for name in names)]
    return Story(begin, zones, found, [*told, Ticks(teller.now + timedelta(days=3))])


def as_row(customer: str, name: str, value: Value, since: datetime) -> dict[str, object]:
    """A value of the profile as the ledger keeps it."""
    number: float | None = None
    if isinstance(value, date):
        number = float((value - date(1970, 1, 1)).days)
    elif not isinstance(value, str):
        number = float(value)
    text = value if isinstance(value, str) else None
    return {"customer_id": customer, "name": name, "text": text, "number": number, "since": since}
