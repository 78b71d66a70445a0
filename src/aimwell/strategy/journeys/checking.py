"""Whether a journey can run: everything wrong with it at once, each with its place and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aimwell.core.definitions import Located, read_yaml
from aimwell.core.problems import Problem
from aimwell.strategy.journeys.cautions import Found, Place, cautions
from aimwell.strategy.journeys.conditions import (
    Condition,
    Happened,
    Leaf,
    Outcome,
    SegmentIs,
    SegmentIsNot,
    TaskIs,
    leaves,
)
from aimwell.strategy.journeys.definition import Journey, Node
from aimwell.strategy.journeys.nodes.split import SplitSettings
from aimwell.strategy.journeys.version import compile_version, conditions_in, reached


@dataclass(frozen=True, slots=True)
class Known:
    """The names that a journey may speak of; None: not known here, and so not checked.

    contents: by name the channel that each is written for.   channel_signals: by channel what it can report.
    unfit: by content and channel what keeps the one from going out by the other.
    """

    segments: Collection[str] | None = None
    contents: Mapping[str, str] | None = None
    channel_signals: Mapping[str, frozenset[str]] | None = None
    journeys: Collection[str] | None = None
    unfit: Mapping[tuple[str, str], Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Where:
    """The file in which a definition stands, and the line of each place in it."""

    file: str
    located: Located = field(default_factory=lambda: Located(None))
    prefix: Place = ()

    def line(self, place: Place) -> int | None:
        return self.located.line((*self.prefix, *place))


def check_journey(definition: Journey, known: Known, where: Where | None = None) -> list[Problem]:
    """Every problem of one journey, in the order of lines; empty if it can run."""
    return _told(definition, where, _problems(definition, known))


def warn_journey(definition: Journey, where: Where | None = None, known: Known | None = None) -> list[Problem]:
    """What is allowed but seldom wanted: `plan` shows it, and `apply` lets it pass."""
    return _told(definition, where, cautions(definition, (known or Known()).contents or {}))


def check_journeys(definitions: Mapping[str, Journey], known: Known, places: Mapping[str, Where]) -> list[Problem]:
    """Every problem of all journeys of a workspace, those between journeys too."""
    found = [
        problem
        for name, definition in definitions.items()
        for problem in check_journey(definition, known, places.get(name))
    ]
    for name, definition in definitions.items():
        found += _told(definition, places.get(name), _circles(definition, definitions))
    return sorted(found, key=lambda each: (each.file, each.line or 0, each.path))


def journey_places(folder: Path) -> dict[str, Where]:
    """For each journey of a workspace the file in which it stands; files are taken to be readable."""
    found: dict[str, Where] = {}
    for file in sorted((folder / Journey.folder).rglob("*.y*ml")):
        shown = str(file.relative_to(folder))
        located = read_yaml(file.read_text(encoding="utf-8-sig"), shown)
        several = isinstance(located.value, list)
        for index, entry in enumerate(located.value if isinstance(located.value, list) else [located.value]):
            name = entry.get("name", file.stem) if isinstance(entry, dict) else file.stem
            found[str(name)] = Where(shown, located, (index,) if several else ())
    return found


def _told(definition: Journey, where: Where | None, found: Iterator[Found]) -> list[Problem]:
    there = where or Where(f"{Journey.folder}/{definition.name}")
    problems = {
        Problem(there.file, there.line(place), ".".join(map(str, place)), message, remedy)
        for place, message, remedy in found
    }
    return sorted(problems, key=lambda each: (each.line or 0, each.path, each.message))


def _problems(definition: Journey, known: Known) -> Iterator[Found]:
    yield from _edges(definition)
    yield from _graph(definition)
    for place, condition in _conditions(definition):
        for leaf in leaves(condition):
            yield from _leaf(definition, known, place, leaf)
    yield from _entries(definition, known)
    for name, node in definition.nodes.items():
        yield from _node(definition, known, name, node)


def _edges(definition: Journey) -> Iterator[Found]:
    if definition.start not in definition.nodes:
        yield ("start",), f"there is no node {definition.start!r}", _meant(definition.start, definition.nodes)
    for name, node in definition.nodes.items():
        kind = node.implementation
        ports, more = kind.ports(node.settings), kind.optional_ports(node.settings)
        for port, target in node.to.items():
            place = ("nodes", name, "to", port)
            if port not in (*ports, *more):
                yield place, f"a {node.kind} has no port {port!r} here", _meant(port, (*ports, *more))
            if target not in definition.nodes:
                yield place, f"there is no node {target!r}", _meant(target, definition.nodes)
        for port in ports:
            if port not in node.to:
                yield ("nodes", name), f"the port {port!r} leads nowhere", f"write to: {{{port}: NODE}}"


def _graph(definition: Journey) -> Iterator[Found]:
    edges = {name: tuple(to for to in node.to.values() if to in definition.nodes) for name, node in _nodes(definition)}
    if definition.start in edges:
        seen = reached(edges, (definition.start,))
        for name in edges:
            if name not in seen:
                yield ("nodes", name), "nobody can come to this node", "lead to it, or take it out"
    ends = {name for name, node in _nodes(definition) if not node.implementation.ports(node.settings)}
    for name in edges:
        if not ends & reached(edges, (name,)):
            yield ("nodes", name), "from here no end is reached", "lead to a node of kind end"
    passing = {
        name: () if node.implementation.waits(node.settings) else edges[name] for name, node in _nodes(definition)
    }
    circles = sorted(name for name in passing if name in reached(passing, passing[name]))
    if circles:
        yield (
            ("nodes", circles[0]),
            f"a loop without a wait that is certainly longer than nothing: {', '.join(circles)}",
            "put a wait with for: into it, such as {wait: {for: 1d}}",
        )


def _nodes(definition: Journey) -> Iterator[tuple[str, Node]]:
    yield from definition.nodes.items()


def _conditions(definition: Journey) -> Iterator[tuple[Place, Condition]]:
    """Every condition with its place."""
    for part in ("goal", "exits"):
        for name, condition in getattr(definition, part).items():
            yield (part, name), condition
    for name, node in definition.nodes.items():
        for condition in conditions_in(node.settings):
            yield ("nodes", name, node.kind), condition


def _leaf(definition: Journey, known: Known, place: Place, leaf: Leaf) -> Iterator[Found]:
    match leaf:
        case SegmentIs():
            yield from _unknown(place, "segment", leaf.segment, known.segments)
        case SegmentIsNot():
            yield from _unknown(place, "segment", leaf.not_segment, known.segments)
        case Happened():
            if leaf.since is not None:
                yield from _unknown(place, "node", leaf.since, definition.nodes)
        case TaskIs():
            name = leaf.task.node
            yield from _unknown(place, "node", name, definition.nodes)
            if name in definition.nodes and definition.nodes[name].kind not in {"lead", "task"}:
                makers = [each for each, node in _nodes(definition) if node.kind in {"lead", "task"}]
                yield place, f"the node {name!r} makes no lead or task", _meant(name, makers)
        case Outcome():
            yield from _outcome(definition, known, place, leaf)


def _outcome(definition: Journey, known: Known, place: Place, leaf: Outcome) -> Iterator[Found]:
    yield from _unknown(place, "node", leaf.node, definition.nodes)
    if leaf.node not in definition.nodes:
        return
    channels = compile_version(definition).places[leaf.node].senders.get(leaf.node, ())
    if not channels:
        senders = [name for name, node in _nodes(definition) if node.implementation.channels(node.settings)]
        yield place, f"the node {leaf.node!r} sends nothing", _meant(leaf.node, senders)
    signals = known.channel_signals
    told = [name for name in channels if signals is not None and name in signals]
    if signals is None or not told or len(told) < len(channels):
        return
    if not any(signals[name] & set(leaf.kinds) for name in told):
        yield place, *_untold(leaf.kind, told, signals)


def _untold(wanted: str, channels: Collection[str], signals: Mapping[str, frozenset[str]]) -> tuple[str, str]:
    can = sorted(set().union(*(signals[name] for name in channels)))
    remedy = f"it can report {', '.join(can)}" if can else "ask for an event instead"
    return f"the channel {', '.join(channels)} never reports {wanted!r}", remedy


def _entries(definition: Journey, known: Known) -> Iterator[Found]:
    for index, rule in enumerate(definition.entry):
        for name in (rule.segment, rule.schedule.segment if rule.schedule else None):
            if name is not None:
                yield from _unknown(("entry", index), "segment", name, known.segments)


def _node(definition: Journey, known: Known, name: str, node: Node) -> Iterator[Found]:
    kind, settings = node.implementation, node.settings
    place: Place = ("nodes", name, node.kind)
    for message in kind.problems(settings, compile_version(definition).places[name]):
        yield place, message, ""
    for segment in sorted(kind.segments(settings)):
        yield from _unknown(place, "segment", segment, known.segments)
    for journey in sorted(kind.journeys(settings)):
        yield from _unknown(place, "journey", journey, known.journeys)
    for content in sorted(kind.contents(settings)):
        yield from _unknown(place, "content", content, known.contents)
    signals = known.channel_signals
    for channel in kind.channels(settings):
        yield from _unknown(place, "channel", channel, signals)
        answers = kind.answers(settings)
        if answers and signals is not None and channel in signals and not signals[channel] & answers:
            yield place, *_untold(", ".join(sorted(answers)), [channel], signals)
    for pair in kind.messages(settings):
        for wrong in known.unfit.get(pair, ()):
            yield place, f"the content {pair[0]!r} cannot go out by {pair[1]}: {wrong}", "name one written for it"
    if isinstance(settings, SplitSettings):
        if any(weight < 0 for weight in settings.weights.values()):
            yield (*place, "weights"), "a weight is negative", "write 0 or more for each port"
        elif not sum(settings.weights.values()):
            yield (*place, "weights"), "all weights are 0", "write such as {a: 50, b: 50}"


def _circles(definition: Journey, others: Mapping[str, Journey]) -> Iterator[Found]:
    """Journeys that lead into each other without a wait, and let the same customer in again and again."""
    leads = {name: tuple(_enters_at_once(each)) for name, each in others.items()}
    for name in leads.get(definition.name, ()):
        circle = reached(leads, (name,))
        if definition.name in circle and all(
            others[each].re_entry.policy != "never" and others[each].re_entry.after is None
            for each in circle
            if each in others and definition.name in reached(leads, leads[each])
        ):
            yield (
                ("nodes",),
                f"this journey and {name!r} lead into each other without a wait, and let people in again at once",
                "put a wait with for: before the node, or write re_entry: {after: 30d}",
            )


def _enters_at_once(definition: Journey) -> Iterator[str]:
    passing = {
        name: () if node.implementation.waits(node.settings) else tuple(node.to.values())
        for name, node in _nodes(definition)
    }
    for name in reached(passing, (definition.start,)) & set(definition.nodes):
        node = definition.nodes[name]
        yield from sorted(node.implementation.journeys(node.settings))


def _unknown(place: Place, what: str, name: str, known: Collection[str] | None) -> Iterator[Found]:
    if known is not None and name not in known:
        yield place, f"there is no {what} {name!r}", _meant(name, known)


def _meant(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there are {', '.join(sorted(known))}" if known else "there are none"


def segments_spoken(definition: Journey) -> frozenset[str]:
    """Every segment that a journey names."""
    found = {rule.segment for rule in definition.entry} | {
        rule.schedule.segment for rule in definition.entry if rule.schedule
    }
    for _, condition in _conditions(definition):
        for leaf in leaves(condition):
            found |= {getattr(leaf, "segment", None), getattr(leaf, "not_segment", None)}
    for node in definition.nodes.values():
        found |= node.implementation.segments(node.settings)
    return frozenset(name for name in found if name is not None)
