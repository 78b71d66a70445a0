"""An applied version, ready to run: its nodes in the order in which people pass them, and what it listens for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pydantic import BaseModel
from sqlalchemy import Connection, select

from aimwell.core.errors import BadQuestion
from aimwell.store.ledger.schema.journeys import journey_version, listening
from aimwell.strategy.journeys.conditions import AllOf, AnyOf, Condition, Leaf, Not, signals_of
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.node import Place


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable version of a journey."""

    id: int
    number: int
    definition: Journey
    places: Mapping[str, Place]
    order: tuple[str, ...]

    @property
    def journey(self) -> str:
        return self.definition.name

    @property
    def minutes(self) -> frozenset[int]:
        """The times of day that its nodes look up on customers' clocks."""
        nodes = self.definition.nodes.values()
        return frozenset(minute for node in nodes for minute in node.implementation.minutes(node.settings))


def load_version(connection: Connection, version_id: int) -> Version:
    """The version of that id; raises BadQuestion if there is none."""
    row = connection.execute(
        select(journey_version.c.number, journey_version.c.content).where(journey_version.c.id == version_id)
    ).one_or_none()
    if row is None:
        raise BadQuestion(f"There is no version {version_id} of any journey")
    return _compiled(version_id, row.number, row.content)


@lru_cache(maxsize=256)
def _compiled(version_id: int, number: int, content: str) -> Version:
    return compile_version(Journey.model_validate(json.loads(content)["journey"]), version_id, number)


def version_contents(connection: Connection, version_id: int) -> dict[str, object]:
    """The contents that a version sends, by name, as they were when it was applied."""
    content = connection.scalar(select(journey_version.c.content).where(journey_version.c.id == version_id))
    found: dict[str, object] = json.loads(content)["contents"] if content else {}
    return found


def used_segments(connection: Connection) -> frozenset[str]:
    """The segments that running journeys ask for, and those of versions on which somebody is still on the way."""
    signals = connection.scalars(
        select(listening.c.signal)
        .where(listening.c.signal.startswith("enter:"))
        .union(select(listening.c.signal).where(listening.c.signal.startswith("leave:")))
    )
    return frozenset(signal.split(":", 1)[1] for signal in signals)


def compile_version(definition: Journey, version_id: int = 0, number: int = 0) -> Version:
    """A definition with its graph worked out."""
    edges = {name: tuple(node.to.values()) for name, node in definition.nodes.items()}
    looped = {name for name in edges if name in reached(edges, edges[name])}
    senders = {
        name: node.implementation.channels(node.settings)
        for name, node in definition.nodes.items()
        if node.implementation.channels(node.settings)
    }
    places = {
        name: Place(definition.name, name, name in looped, node.to, senders) for name, node in definition.nodes.items()
    }
    return Version(version_id, number, definition, places, _order(definition.start, edges))


def reached(edges: Mapping[str, tuple[str, ...]], starts: tuple[str, ...]) -> frozenset[str]:
    """Every node that can be reached from these, themselves included."""
    found: set[str] = set()
    ahead = list(starts)
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += edges.get(name, ())
    return frozenset(found)


def _order(start: str, edges: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Nodes so that each comes after those that lead to it, as far as there are no loops."""
    finished: list[str] = []
    seen: set[str] = set()
    stack: list[tuple[str, int]] = [(start, 0)]
    seen.add(start)
    while stack:
        name, position = stack.pop()
        targets = edges.get(name, ())
        if position < len(targets):
            stack.append((name, position + 1))
            if targets[position] not in seen:
                seen.add(targets[position])
                stack.append((targets[position], 0))
        else:
            finished.append(name)
    rest = sorted(set(edges) - seen)
    return (*reversed(finished), *rest)


def used_values(connection: Connection) -> frozenset[str]:
    """The values of customers (attributes, tags, scores) that journeys ask for."""
    signals = connection.scalars(select(listening.c.signal).where(listening.c.signal.startswith("changed:")))
    return frozenset(signal.split(":", 1)[1] for signal in signals)


def listened_by(version: Version) -> Mapping[str, frozenset[str]]:
    """The signals of a version: by node, `*` for goal and exit rules, `>` for entry, `@` for what is only looked up."""
    definition = version.definition
    heard = {
        name: node.implementation.signals(node.settings, version.places[name])
        for name, node in definition.nodes.items()
    }
    rules = [*definition.goal.values(), *definition.exits.values()]
    heard["*"] = frozenset(signal for rule in rules for signal in signals_of(rule, definition.name))
    heard[">"] = frozenset(
        [f"enter:{rule.segment}" for rule in definition.entry if rule.segment]
        + [rule.event.signal for rule in definition.entry if rule.event]
    )
    # Nobody is woken by these; they say that the segment or the value must be known.
    heard["@"] = frozenset(f"enter:{rule.schedule.segment}" for rule in definition.entry if rule.schedule)
    heard["@"] |= frozenset(
        signal
        for node in definition.nodes.values()
        for condition in conditions_in(node.settings)
        for signal in signals_of(condition, definition.name)
        if signal.startswith("changed:")
    )
    # A value of the profile or an answer that a branch asks for is read when somebody comes; an event must be kept.
    for name, node in definition.nodes.items():
        heard[name] |= frozenset(
            signal
            for condition in conditions_in(node.settings)
            for signal in signals_of(condition, definition.name)
            if signal.startswith(("event:", "enter:"))
        )
    return heard


def conditions_in(settings: object) -> list[Condition]:
    """The conditions written in a node's settings."""
    if isinstance(settings, Leaf | AllOf | AnyOf | Not):
        return [settings]
    if isinstance(settings, BaseModel):
        return [found for name in type(settings).model_fields for found in conditions_in(getattr(settings, name))]
    if isinstance(settings, Mapping):
        return [found for part in settings.values() for found in conditions_in(part)]
    if isinstance(settings, list | tuple):
        return [found for part in settings for found in conditions_in(part)]
    return []
