"""Random worlds: valid journeys, customers in many timezones, and what happens to them in which order it is learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from tests.strategy.journeys.reference_conditions import Value

from aimwell.strategy.journeys.definition import Journey

ZONES = (
    "UTC",
    "Asia/Shanghai",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "Pacific/Chatham",
    "America/Santiago",  # midnight is skipped
)
# Each is the day before clocks change somewhere above, but the last.
BEGINNINGS = ((2026, 3, 7), (2026, 3, 28), (2026, 4, 4), (2026, 9, 5), (2026, 10, 24), (2026, 10, 31), (2026, 6, 1))
GRID = timedelta(minutes=30)
EVENTS = ("bought", "opened_app", "joined")
SEGMENTS = ("vip", "lapsing")
TIMES = ("00:00", "01:30", "02:00", "02:30", "03:15", "09:00", "22:00")
CUSTOMERS = ("ann", "bo", "cy", "di", "ed", "flo")
HELD_OUT = "dot"
STRANGER = "who"
_KINDS = (
    *["wait"] * 6,
    "send",
    "send",
    "branch",
    "branch",
    "split",
    "chain",
    "chain",
    "tag",
    "task",
    "lead",
    "webhook",
)
_RE_ENTRIES = ("never", "after_end", "always", {"after": "1d"}, {"allowed": "always", "after": "5h"})


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


Step = Happens | Joins | Changes | Answers | Ticks | Pauses


@dataclass(frozen=True)
class Story:
    """A world from its beginning: who lives where, the journeys, and what is learned in which order."""

    begin: datetime
    zones: Mapping[str, str]
    journeys: Sequence[Journey]
    steps: Sequence[Step]


def _named(*names: str) -> st.SearchStrategy[str]:
    return st.sampled_from(names)


durations = _named("30m", "1h", "90m", "5h", "12h", "1d", "2d")
weekdays = st.sampled_from(((), (), ("mon", "fri"), ("sun",), ("sat", "sun")))
values: st.SearchStrategy[dict[str, object]] = st.one_of(
    st.fixed_dictionaries(
        {"attribute": st.just("tier")}, optional={"is": _named("gold", "Gold"), "known": st.just(True)}
    ),
    st.fixed_dictionaries(
        {"tag": st.just("tier")}, optional={"contains": _named("old", "Old", "%"), "not_in": st.just(["gold", 3])}
    ),
    st.fixed_dictionaries(
        {"score": st.just("points")},
        optional={"at_least": st.just(3), "below": st.just(7), "is_not": st.sampled_from([3, "gold"])},
    ),
    st.fixed_dictionaries({"score": st.just("points"), "in": st.just([3, "gold"])}),
    st.fixed_dictionaries({"attribute": st.just("points"), "between": st.just([2, 5])}),
    st.fixed_dictionaries({"attribute": st.just("due"), "known": st.booleans()}),
    st.fixed_dictionaries({"attribute": st.just("flag"), "is": st.booleans()}),
).filter(lambda written: len(written) > 1)


def leaves(
    label: str, nodes: Sequence[str], senders: Sequence[str], tasks: Sequence[str]
) -> st.SearchStrategy[dict[str, object]]:
    """Simple conditions that a journey with these nodes may use."""
    kinds: list[st.SearchStrategy[Any]] = [
        st.builds(lambda name: {"event": {"name": name}}, _named(*EVENTS)),
        st.builds(lambda name: {"event": {"name": name}}, _named(*EVENTS)),
        st.builds(lambda name: {"segment": name}, _named(*SEGMENTS)),
        st.builds(lambda name: {"not_segment": name}, _named(*SEGMENTS)),
        st.builds(lambda name, node: {"event": {"name": name}, "since": node}, _named(*EVENTS), _named(*nodes)),
        values,
    ]
    tags: list[dict[str, object]] = [
        {"is": True},
        {"is": "push"},
        {"known": False},
        {"is_not": "sms"},
        {"not_in": ["sms"]},
    ]
    kinds.append(st.sampled_from(tags).map(lambda written: {"tag": label, **written}))
    kinds.append(st.sampled_from([{"at_least": 3}, {"below": 0}]).map(lambda b: {"score": f"{label}_points", **b}))
    if tasks:
        kinds.append(_named(*tasks).map(lambda node: {"task": {"node": node, "stage": "open"}}))
    if senders:
        answer = st.builds(
            lambda kind, node: {kind: node}, _named("opened", "clicked", "answered", "delivered"), _named(*senders)
        )
        kinds += [answer, answer]
    return st.one_of(kinds)


def trees(leaf: st.SearchStrategy[dict[str, object]]) -> st.SearchStrategy[dict[str, object]]:
    """Conditions of conditions."""
    return st.recursive(
        leaf,
        lambda part: st.one_of(
            st.builds(lambda parts: {"all": parts}, st.lists(part, min_size=1, max_size=2)),
            st.builds(lambda parts: {"any": parts}, st.lists(part, min_size=1, max_size=2)),
            st.builds(lambda one: {"not": one}, part),
        ),
        max_leaves=3,
    )


def waits(leaf: st.SearchStrategy[dict[str, object]]) -> st.SearchStrategy[dict[str, object]]:
    """Every way to wait."""
    at = st.fixed_dictionaries({"time": _named(*TIMES), "weekdays": weekdays})
    hours = st.fixed_dictionaries({"since": _named(*TIMES), "until": _named(*TIMES), "weekdays": weekdays})
    day = st.fixed_dictionaries({"attribute": _named("due"), "days": st.integers(-2, 2), "time": _named(*TIMES)})
    return st.one_of(
        st.builds(lambda length: {"for": length}, durations),
        st.builds(lambda until: {"until": until}, at),
        st.builds(lambda between: {"hours": between}, hours),
        st.builds(lambda on: {"date": on}, day),
        st.builds(lambda event, most: {"event": event, "at_most": most}, leaf, durations),
        st.builds(lambda some, most: {"any": some, "at_most": most}, st.lists(leaf, min_size=1, max_size=3), durations),
    )


@st.composite
def node_of(
    draw: st.DrawFn, kind: str, label: str, leaf: st.SearchStrategy[dict[str, object]]
) -> tuple[dict[str, Any], list[str]]:
    """The settings of a node, and its ports: the first must lead somewhere."""
    if kind == "send":
        sent = {"channel": draw(_named("push", "sms")), "content": draw(_named("hello", "again"))}
        return sent | draw(st.sampled_from([{}, {"expires_after": "1d"}])), ["next"]
    if kind in {"task", "lead"}:
        return {"title": "call", "owner": "sales"}, ["next"]
    if kind == "webhook":
        return {"content": "hello"}, ["next"]
    if kind == "enter":
        return {"journey": draw(_named("two", "nowhere"))}, ["next"]
    if kind == "tag":
        said: list[dict[str, object]] = [{}, {"value": "sms"}, {"clear": True}]
        return {"name": label} | draw(st.sampled_from(said)), ["next"]
    if kind == "score":
        bounds = draw(st.sampled_from([{}, {"at_most": 3}, {"at_least": 0}]))
        return {"name": f"{label}_points", "add": draw(st.sampled_from([2, -1.5])), **bounds}, ["next"]
    if kind == "chain":
        tries = [{"channel": "push", "content": "hello"}, {"channel": "sms", "content": "again", "within": "5h"}]
        remember = draw(st.sampled_from([{}, {"remember": label}]))
        return {"channels": tries, "within": draw(durations), **remember}, ["answered", "unanswered"]
    if kind == "wait":
        settings = draw(waits(leaf))
        if "at_most" in settings:
            return settings, ["happened", "timeout"]
        return settings, ["next", "passed", "unknown"] if "date" in settings else ["next"]
    if kind == "split":
        weights: dict[str, float] = draw(st.sampled_from([{"a": 1.0, "b": 1.0}, {"a": 0, "b": 1, "c": 2.5}]))
        return {"weights": weights, "seed": draw(_named("", "x"))}, list(weights)
    if draw(st.booleans()):
        return {"if": draw(trees(leaf))}, ["yes", "no"]
    ports = ["p0", "p1"][: draw(st.integers(1, 2))]
    return {"cases": [{"port": port, "if": draw(trees(leaf))} for port in ports]}, [*ports, "otherwise"]


def _reached(start: str, nodes: Mapping[str, Mapping[str, Any]]) -> set[str]:
    found, ahead = set(), [start]
    while ahead:
        if (name := ahead.pop()) not in found:
            found.add(name)
            ahead += nodes[name].get("to", {}).values()
    return found


@st.composite
def journeys(draw: st.DrawFn, name: str) -> Journey:
    """A valid journey: what has no loop without a wait, and no node that nobody reaches."""
    kinds = draw(st.lists(_named(*_KINDS), min_size=2, max_size=6))
    names = [f"n{i}" for i in range(len(kinds))]
    if name != "two" and draw(st.integers(0, 3)) == 0:
        kinds[-1] = "enter"
    label = f"label_{name}"
    senders = [each for each, kind in zip(names, kinds, strict=True) if kind in {"send", "chain"}]
    tasks = [each for each, kind in zip(names, kinds, strict=True) if kind in {"task", "lead"}]
    leaf = leaves(label, names, senders, tasks)
    nodes: dict[str, dict[str, Any]] = {"over": {"end": {}}}
    for i, kind in enumerate(kinds):
        settings, ports = draw(node_of(kind, label, leaf))
        ahead = [*names[i + 1 :], "over"]
        optional = {"passed", "unknown"} & set(ports)
        targets = {port: draw(_named(*ahead[:3])) for port in ports if port not in optional or draw(st.booleans())}
        if settings.get("for") in {"5h", "12h", "1d", "2d"} and draw(st.booleans()):
            targets["next"] = draw(_named(*names[: i + 1]))
        nodes[names[i]] = {kind: settings, "to": targets}
    here = _reached("n0", nodes)
    rule = leaves(label, names, [each for each in senders if each in here], [each for each in tasks if each in here])
    # Rules that hold from the beginning would end most stories there.
    late = st.builds(lambda event: {"event": {"name": event}}, _named("bought", "opened_app"))
    rules = st.one_of(late, late, late, rule)
    joined, bought = {"event": "joined"}, {"event": "bought"}
    written = {
        "objective": "activation",
        "entry": draw(st.sampled_from((joined, [joined, bought], [joined, {"segment": "lapsing"}]))),
        "re_entry": draw(st.sampled_from(_RE_ENTRIES[:2] if {"tag", "score", "chain"} & set(kinds) else _RE_ENTRIES)),
        "hold_out": draw(st.sampled_from(("0%", "0%", "0%", "30%"))),
        "goal": draw(st.dictionaries(_named("won", "sold"), rules, min_size=1, max_size=2)),
        "within": draw(_named("12h", "3d", "30d")),
        "exits": draw(st.dictionaries(_named("gone", "closed", "angry"), rules, max_size=2)),
        "start": "n0",
        "nodes": {each: node for each, node in nodes.items() if each in here},
    }
    return Journey.model_validate({"name": name, **written})


def _instant(begin: datetime, last: int) -> st.SearchStrategy[datetime]:
    return st.integers(0, last).map(lambda number: begin + number * GRID)


_LEARNED = (*["tick"] * 3, *["event"] * 6, *["answer"] * 4, *["segment"] * 2, *["value"] * 2, "pause")


@st.composite
def steps(draw: st.DrawFn, begin: datetime, names: Sequence[str]) -> list[Step]:
    """What is learned, in the order in which it is learned; a tick learns nothing of what comes after it."""
    now = begin
    told: list[Step] = [Happens(each, "joined", begin, "first") for each in CUSTOMERS]
    customers = _named(*CUSTOMERS, *CUSTOMERS, HELD_OUT, STRANGER)
    days = st.integers(-3, 6).map(lambda number: begin.date() + timedelta(days=number))
    known: st.SearchStrategy[tuple[str, Value | None]] = st.one_of(
        st.tuples(st.just("tier"), st.sampled_from([None, "gold", "Gold", "o%d"])),
        st.tuples(st.just("points"), st.sampled_from([None, 1, 3, 5.5, 9])),
        st.tuples(st.just("due"), st.one_of(st.none(), days, st.just(date(1990, 2, 28)))),
        st.tuples(st.just("flag"), st.sampled_from([None, True, False])),
    )
    for name, value in (("tier", "gold"), ("points", 3), ("due", begin.date() + timedelta(days=2))):
        told += [Changes(each, name, value, begin) for each in draw(st.sets(_named(*CUSTOMERS)))]
    for i in range(draw(st.integers(8, 36))):
        # Mostly just before now, so that order matters; sometimes a little ahead of it, by a clock that goes wrong.
        since = max(0, (now - begin) // GRID - draw(st.sampled_from((2, 12, 200))))
        at = begin + draw(st.integers(since, (now - begin) // GRID + draw(st.sampled_from((0, 0, 1))))) * GRID
        match draw(_named(*_LEARNED)):
            case "event":
                told.append(Happens(draw(customers), draw(_named(*EVENTS)), at, f"m{i}"))
            case "segment":
                told.append(Joins(draw(_named(*CUSTOMERS)), draw(_named(*SEGMENTS)), at, draw(st.booleans())))
            case "value":
                told.append(Changes(draw(_named(*CUSTOMERS)), *draw(known), at))
            case "answer":
                kind = draw(_named("opened", "clicked", "replied", "delivered"))
                told.append(Answers(draw(st.integers(0, 12)), kind, at, draw(st.integers(0, 3)) == 0, f"r{i}"))
            case "tick":
                now += draw(st.sampled_from((0, 1, 1, 3, 20, 100))) * GRID
                told.append(Ticks(now))
            case "pause":
                told.append(Pauses(draw(_named(*names)), draw(_named("paused", "running", "running"))))
    return [*told, Ticks(now), *(Pauses(name, "running") for name in names), Ticks(now + timedelta(days=3))]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A whole world."""
    year, month, day = draw(st.sampled_from(BEGINNINGS))
    begin = datetime(year, month, day, tzinfo=UTC)
    zones = {customer: draw(_named(*ZONES)) for customer in (*CUSTOMERS, HELD_OUT)}
    names = ("one", "two")[: draw(st.integers(1, 2))]
    found = [draw(journeys(name)) for name in names]
    return Story(begin, zones, found, draw(steps(begin, names)))


def as_row(customer: str, name: str, value: Value, since: datetime) -> dict[str, object]:
    """A value of the profile as the ledger keeps it."""
    number: float | None = None
    if isinstance(value, date):
        number = float((value - date(1970, 1, 1)).days)
    elif not isinstance(value, str):
        number = float(value)
    text = value if isinstance(value, str) else None
    return {"customer_id": customer, "name": name, "text": text, "number": number, "since": since}
