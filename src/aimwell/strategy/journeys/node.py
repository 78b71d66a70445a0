"""What a kind of node is: its settings, its ports, what it does on arrival, and when and by which port it is left.

A kind is one file in `strategy/journeys/nodes`. It never sees one customer: each verb says in statements or in
expressions what holds for everyone of the chunk who is at the node. Questions, in this order:

- `arrive`: what is done once when people come (`scene.rows` with `visit` just counted): write intents, tags, tasks;
- `timer`: until when they wait at most, in microseconds; NULL: for an event alone;
- `look`: when what they wait for came true, kept as `moving.seen_at` for `leave`;
- `leave`: the port by which each leaves and the instant at which that is due; NULL port: not yet. The port `~`
  means that the node goes on to its next step, by `proceed`.

No verb reads a clock: `scene.now` bounds what is known, and every instant that is written comes from the rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Connection, Text, and_, cast, func, literal, null, select, type_coerce

from aimwell.core.comparisons import Part
from aimwell.core.text import Text as Words
from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.schema.enrolments import passage
from aimwell.strategy.journeys.moving import moving

Micros = ColumnElement[int]
S = TypeVar("S", bound="NodeSettings")

MOVED = "moved"
"""The port of a passage by which people were moved to another version; the node was not left by itself."""


class NodeSettings(Part):
    """What is written under the kind's name; each kind has its own fields."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """By which port each row leaves (NULL: not yet), and when that is due in microseconds."""

    port: ColumnElement[str]
    at: Micros


@dataclass(frozen=True, slots=True)
class Place:
    """A node in its journey: what a kind may know of it before anybody comes."""

    journey: str
    node: str
    looped: bool = False
    targets: Mapping[str, str] = field(default_factory=dict)
    senders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of the nodes of this journey that send: the channels by which each may."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A node of one version with the people of a chunk who are there."""

    connection: Connection
    place: Place
    version_id: int
    now: int
    costs: Mapping[str, int] = field(default_factory=dict)
    """What a message costs by channel, in millionths of the currency."""

    @property
    def rows(self) -> ColumnElement[bool]:
        """Those who are at this node and still moving."""
        return and_(
            moving.c.version_id == self.version_id,
            moving.c.node == self.place.node,
            moving.c.state == "active",
            moving.c.settled.is_(False),
        )

    @property
    def arriving(self) -> ColumnElement[bool]:
        """Those for whom the node has not acted yet."""
        return and_(self.rows, moving.c.visit == 0)

    @property
    def visit(self) -> ColumnElement[int]:
        """How often each is at this node, this time included; counted only where the journey leads back to it."""
        return counted_visit(self.place)

    @property
    def key(self) -> ColumnElement[str]:
        """`enrolment:node:visit:step`, as text, for those arriving (step 1)."""
        return key_of(self.place, self.visit, literal(1))


def key_of(place: Place, visit: ColumnElement[int], step: ColumnElement[int]) -> ColumnElement[str]:
    """The key of what a node does: nothing else in the world carries it, and a replay gives it again."""
    return cast(moving.c.id, Text) + literal(f":{place.node}:") + cast(visit, Text) + literal(":") + cast(step, Text)


def counted_visit(place: Place) -> ColumnElement[int]:
    """1, or where people may come again: one more than the times they have left the node."""
    if not place.looped:
        return literal(1)
    left = select(func.count()).where(
        passage.c.enrolment_id == moving.c.id, passage.c.node == place.node, passage.c.port != MOVED
    )
    # Correlated by name: it also stands within look-ups of other tables, and would count everybody's there.
    return left.correlate(moving).scalar_subquery() + literal(1)


class NodeKind(ABC, Generic[S]):
    """One kind of node: an instance at module level is found by itself.

    `name`, `label`, `about`, `settings` and `example` are set; `ports` and `leave` are written, the rest if needed.
    """

    name: ClassVar[str]
    label: ClassVar[Words]
    about: ClassVar[Words]
    settings: type[S]
    example: ClassVar[Mapping[str, object]]
    """Settings as they may be written; the contract tests of nodes run them, and documents show them."""
    instant: ClassVar[bool] = False
    """Whether everyone leaves in the moment of coming (`timer` is not asked then)."""
    steps: ClassVar[bool] = False
    """Whether the node has several steps (`proceed`)."""

    @abstractmethod
    def ports(self, settings: S) -> tuple[str, ...]:
        """The ports that must lead somewhere; empty for a node that ends the journey."""

    def optional_ports(self, settings: S) -> tuple[str, ...]:
        """Ports that may lead somewhere; without an edge people take the first required port instead."""
        return ()

    def problems(self, settings: S, place: Place) -> Iterator[str]:
        """What is wrong with the settings in this journey, in words with the remedy."""
        yield from ()

    def signals(self, settings: S, place: Place) -> frozenset[str]:
        """What wakes people who wait here."""
        return frozenset()

    def minutes(self, settings: S) -> frozenset[int]:
        """Times of day (minutes since midnight) that the node looks up in customers' timezones."""
        return frozenset()

    def prepare(self, settings: S, connection: Connection) -> None:
        """Fill the tables in which the node looks things up; asked when a version is applied."""

    def waits(self, settings: S) -> bool:
        """Whether everyone stays here for some time that is certainly longer than nothing (so that a loop may pass)."""
        return False

    def channels(self, settings: S) -> tuple[str, ...]:
        """The channels by which the node may send."""
        return ()

    def most_messages(self, settings: S) -> tuple[str, ...]:
        """The channels of all messages that one visit sends at most, one entry for each message."""
        return self.channels(settings)

    def answers(self, settings: S) -> frozenset[str]:
        """Of a node that waits for answers to its own messages: the outcomes, of which each channel must tell one."""
        return frozenset()

    def segments(self, settings: S) -> frozenset[str]:
        """Segments that the node asks for."""
        return frozenset()

    def contents(self, settings: S) -> frozenset[str]:
        """Contents that the node sends."""
        return frozenset()

    def messages(self, settings: S) -> tuple[tuple[str, str], ...]:
        """Which content goes out by which channel: (content, channel) of each message that it may send."""
        return ()

    def journeys(self, settings: S) -> frozenset[str]:
        """Other journeys that the node leads into."""
        return frozenset()

    def arrive(self, settings: S, scene: Scene) -> None:
        """What is done once when people come (`scene.arriving`)."""

    def timer(self, settings: S, scene: Scene) -> Micros:
        """Until when people wait at most."""
        return type_coerce(null(), BigInteger)

    def look(self, settings: S, scene: Scene) -> Micros | None:
        """When what people wait for came true, `timer_at` known; None for a kind that waits for nothing but time."""
        return None

    @abstractmethod
    def leave(self, settings: S, scene: Scene) -> Leaving:
        """By which port and when people leave."""

    def proceed(self, settings: S, scene: Scene) -> None:
        """The next step of a node with several (rows whose port is `~`): act, set `step` and `timer_at`."""


def at_once(port: str) -> Leaving:
    """Everyone leaves in the moment of coming."""
    return Leaving(literal(port), type_coerce(moving.c.at, BigInteger))


def instant_of(micros: Micros) -> ColumnElement[object]:
    """Microseconds as an instant again, to be written."""
    return type_coerce(micros, Instant)
