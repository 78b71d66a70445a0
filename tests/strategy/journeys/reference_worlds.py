"""Random journeys: every kind of node, wait, condition and entry, in graphs that are valid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

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
GRID = timedelta(minutes=30)
EVENTS = ("bought", "opened_app", "joined")
SEGMENTS = ("vip", "lapsing")
TIMES = ("00:00", "01:30", "02:00", "02:30", "03:15", "09:00", "22:00")
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
ORDERED = frozenset({"tag", "score", "chain"})
"""Of two enrolments of one customer that set the same value in one tick, either may go first."""
_RE_ENTRIES = ("never", "after_end", "always", {"after": "1d"}, {"allowed": "always", "after": "5h"})


def named(*names: str) -> st.SearchStrategy[str]:
    return st.sampled_from(names)


durations = named("30m", "1h", "90m", "5h", "12h", "1d", "2d")
weekdays = st.sampled_from(((), (), ("mon", "fri"), ("sun",), ("sat", "sun")))
values: st.SearchStrategy[dict[str, object]] = st.one_of(
    st.fixed_dictionaries(
        {"attribute": st.just("tier")}, optional={"is": named("gold", "Gold"), "known": st.just(True)}
    ),
    st.fixed_dictionaries(
        {"tag": st.just("tier")}, optional={"contains": named("old", "Old", "%"), "not_in": st.just(["gold", 3])}
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
        st.builds(lambda name: {"event": {"name": name}}, named(*EVENTS)),
        st.builds(lambda name: {"event": {"name": name}}, named(*EVENTS)),
        st.builds(lambda name: {"segment": name}, named(*SEGMENTS)),
        st.builds(lambda name: {"not_segment": name}, named(*SEGMENTS)),
        st.builds(lambda name, node: {"event": {"name": name}, "since": node}, named(*EVENTS), named(*nodes)),
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
        kinds.append(named(*tasks).map(lambda node: {"task": {"node": node, "stage": "open"}}))
    if senders:
        answer = st.builds(
            lambda kind, node: {kind: node}, named("opened", "clicked", "answered", "delivered"), named(*senders)
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


def waits(leaf: st.SearchStrategy[dict[str, object]]) -> st.SearchStrategy[dict[str, Any]]:
    """Every way to wait."""
    at = st.fixed_dictionaries({"time": named(*TIMES), "weekdays": weekdays})
    hours = st.fixed_dictionaries({"since": named(*TIMES), "until": named(*TIMES), "weekdays": weekdays})
    day = st.fixed_dictionaries({"attribute": named("due"), "days": st.integers(-2, 2), "time": named(*TIMES)})
    yearly = st.builds(lambda on, days: {**on, "days": days, "yearly": True}, day, st.sampled_from((-180, -1, 0, 1, 2)))
    return st.one_of(
        st.builds(lambda length: {"for": length}, durations),
        st.builds(lambda until: {"until": until}, at),
        st.builds(lambda between: {"hours": between}, hours),
        st.builds(lambda on: {"date": on}, st.one_of(day, yearly)),
        st.builds(lambda event, most: {"event": event, "at_most": most}, leaf, durations),
        st.builds(lambda some, most: {"any": some, "at_most": most}, st.lists(leaf, min_size=1, max_size=3), durations),
    )


def _ports_of_wait(settings: Mapping[str, Any]) -> list[str]:
    if "at_most" in settings:
        return ["happened", "timeout"]
    if "date" not in settings:
        return ["next"]
    return ["next", "unknown"] if settings["date"].get("yearly") else ["next", "passed", "unknown"]


@st.composite
def node_of(
    draw: st.DrawFn, kind: str, label: str, leaf: st.SearchStrategy[dict[str, object]]
) -> tuple[dict[str, Any], list[str]]:
    """The settings of a node, and its ports: the first must lead somewhere."""
    if kind == "send":
        sent = {"channel": draw(named("push", "sms")), "content": draw(named("hello", "again"))}
        return sent | draw(st.sampled_from([{}, {"expires_after": "1d"}])), ["next"]
    if kind in {"task", "lead"}:
        return {"title": "call", "owner": "sales"}, ["next"]
    if kind == "webhook":
        return {"content": "hello"}, ["next"]
    if kind == "enter":
        return {"journey": draw(named("two", "nowhere"))}, ["next"]
    if kind == "tag":
        said: list[dict[str, object]] = [{}, {"value": "sms"}, {"clear": True}]
        return {"name": label} | draw(st.sampled_from(said)), ["next"]
    if kind == "score":
        bounds = draw(st.sampled_from([{}, {"at_most": 3}, {"at_least": 0}]))
        return {"name": f"{label}_points", "add": draw(st.sampled_from([2, -1.5])), **bounds}, ["next"]
    if kind == "chain":
        tries = [{"channel": "push", "content": "hello"}, {"channel": "sms", "content": "again", "within": "5h"}]
        third = draw(st.sampled_from([[], [{"channel": "wechat", "content": "hello"}], [{**tries[0], "content": "b"}]]))
        some = [{}, {"remember": label}, {"prefer": label}, {"prefer": label, "remember": label}]
        words: dict[str, object] = {"channels": [*tries, *third], "within": draw(durations)}
        return words | draw(st.sampled_from(some)), ["answered", "unanswered"]
    if kind == "wait":
        settings = draw(waits(leaf))
        return settings, _ports_of_wait(settings)
    if kind == "split":
        weights: dict[str, float] = draw(st.sampled_from([{"a": 1.0, "b": 1.0}, {"a": 0, "b": 1, "c": 2.5}]))
        return {"weights": weights, "seed": draw(named("", "x"))}, list(weights)
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


schedules = st.builds(
    lambda some, days: {"schedule": some | days},
    st.fixed_dictionaries(
        {"time": named(*TIMES), "segment": named(*SEGMENTS)}, optional={"zone": named("customer", "workspace")}
    ),
    st.sampled_from(({}, {}, {"weekdays": ["mon", "sat", "sun"]}, {"day_of_month": 31}, {"day_of_month": 29})),
)
ways_in: st.SearchStrategy[dict[str, object]] = st.one_of(
    st.just({"event": "bought"}),
    st.just({"segment": "lapsing"}),
    st.just({"segment": "vip", "existing": True}),
    st.just({"api": True}),
    schedules,
    schedules,
)


@st.composite
def journeys(draw: st.DrawFn, name: str, strange: frozenset[str] = frozenset()) -> Journey:
    """A valid journey without these kinds: what has no loop without a wait, and no node that nobody reaches."""
    kinds = draw(st.lists(named(*(kind for kind in _KINDS if kind not in strange)), min_size=2, max_size=6))
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
        targets = {port: draw(named(*ahead[:3])) for port in ports if port not in optional or draw(st.booleans())}
        if settings.get("for") in {"5h", "12h", "1d", "2d"} and draw(st.booleans()):
            targets["next"] = draw(named(*names[: i + 1]))
        nodes[names[i]] = {kind: settings, "to": targets}
    here = _reached("n0", nodes)
    rule = leaves(label, names, [each for each in senders if each in here], [each for each in tasks if each in here])
    # Rules that hold from the beginning would end most stories there.
    late = st.builds(lambda event: {"event": {"name": event}}, named("bought", "opened_app"))
    rules = st.one_of(late, late, late, rule)
    more = draw(st.lists(ways_in, max_size=2))
    written = {
        "objective": "activation",
        "entry": [{"event": "joined"}, *more],
        "re_entry": draw(st.sampled_from(_RE_ENTRIES[:2] if ORDERED & set(kinds) else _RE_ENTRIES)),
        "hold_out": draw(st.sampled_from(("0%", "0%", "0%", "30%"))),
        "goal": draw(st.dictionaries(named("won", "sold"), rules, min_size=1, max_size=2)),
        "within": draw(named("12h", "3d", "30d")),
        "exits": draw(st.dictionaries(named("gone", "closed", "angry"), rules, max_size=2)),
        "start": "n0",
        "nodes": {each: node for each, node in nodes.items() if each in here},
    }
    return Journey.model_validate({"name": name, **written})


@st.composite
def successors(draw: st.DrawFn, first: Journey) -> Journey:
    """Another version of a journey, which lets people be in it twice if the first does."""
    twice = first.re_entry.policy == "always"
    found = draw(journeys(first.name, ORDERED if twice else frozenset()))
    return found.model_copy(update={"re_entry": first.re_entry, "layout": {"n0": (1.0, 1.0)}})
