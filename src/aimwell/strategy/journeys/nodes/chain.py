"""Channel chain: try one channel after another until somebody answers; whoever prefers one is tried there first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    update,
)

from aimwell.core.comparisons import Duration, Part, Word
from aimwell.core.text import Text as Words
from aimwell.store.ledger.columns import length
from aimwell.store.ledger.extremes import earliest, latest
from aimwell.store.ledger.schema.outbox import intent, outcome
from aimwell.store.ledger.schema.people import profile
from aimwell.strategy.journeys.conditions import ANSWERS
from aimwell.strategy.journeys.intents import write_intents
from aimwell.strategy.journeys.moving import AGAIN, moving
from aimwell.strategy.journeys.node import Leaving, Micros, NodeKind, NodeSettings, Place, Scene, instant_of, key_of
from aimwell.strategy.journeys.predicates import plain
from aimwell.strategy.journeys.values import set_values

Answer = Literal["answered", "delivered", "opened", "clicked", "replied", "joined", "shared"]


class Try(Part):
    """One channel of the chain, with the content that it carries and how long an answer may take."""

    channel: Word = Field(description="name of a channel of the workspace")
    content: Word = Field(description="name of a content")
    within: Duration | None = Field(default=None, description="how long to wait for an answer; by default the chain's")


class ChainSettings(NodeSettings):
    """The channels in the order in which they are tried, and what counts as an answer."""

    channels: tuple[Try, ...] = Field(min_length=2, max_length=8, description="tried in this order")
    within: Duration | None = Field(default=None, description="how long to wait on each channel that says nothing else")
    answered_by: tuple[Answer, ...] = Field(
        default=("answered",), min_length=1, description="answered is opened, clicked, replied, joined or shared"
    )
    prefer: Word | None = Field(
        default=None, description="name of a tag that holds a channel's name: that channel is tried first"
    )
    remember: Word | None = Field(
        default=None, description="name of the tag into which the channel that was answered is written"
    )
    purpose: Literal["marketing", "service"] = Field(default="marketing", description="which consent it needs")
    priority: int = Field(
        default=0, ge=-100, le=100, description="the higher goes first where a cap leaves room for one"
    )

    @model_validator(mode="after")
    def _tells_them_apart(self) -> ChainSettings:
        pairs = [(each.channel, each.content) for each in self.channels]
        if len(set(pairs)) < len(pairs):
            raise ValueError("the same content by the same channel stands there twice")
        if self.within is None and any(each.within is None for each in self.channels):
            raise ValueError("within: how long to wait for an answer, such as 2d, for the chain or for each channel")
        return self

    @property
    def kinds(self) -> frozenset[str]:
        """The outcomes that count as an answer."""
        spread = [ANSWERS if each == "answered" else (each,) for each in self.answered_by]
        return frozenset(kind for kinds in spread for kind in kinds)

    def patience(self, index: int) -> int:
        """How long to wait for an answer to the message of that index, in microseconds."""
        return length(self.channels[index].within or self.within or timedelta(0))


class Chain(NodeKind[ChainSettings]):
    """The next channel is tried when time is up, or at once when the message was not sent.

    An answer to any message of this visit counts, also to one sent before the last. At one instant the answer comes
    before the end of the time.
    """

    name = "chain"
    steps = True
    label = Words("渠道链", "Channel chain")
    about = Words("依次尝试多个渠道，直到客户回应", "try one channel after another until the customer answers")
    settings = ChainSettings
    example: ClassVar[Mapping[str, object]] = {
        "channels": [{"channel": "push", "content": "hello"}, {"channel": "sms", "content": "short"}],
        "within": "2d",
    }

    def ports(self, settings: ChainSettings) -> tuple[str, ...]:
        return ("answered", "unanswered")

    def channels(self, settings: ChainSettings) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.channel for each in settings.channels))

    def most_messages(self, settings: ChainSettings) -> tuple[str, ...]:
        return tuple(each.channel for each in settings.channels)

    def contents(self, settings: ChainSettings) -> frozenset[str]:
        return frozenset(each.content for each in settings.channels)

    def messages(self, settings: ChainSettings) -> tuple[tuple[str, str], ...]:
        return tuple((each.content, each.channel) for each in settings.channels)

    def answers(self, settings: ChainSettings) -> frozenset[str]:
        return settings.kinds

    def signals(self, settings: ChainSettings, place: Place) -> frozenset[str]:
        answers = {f"outcome:{place.journey}:{place.node}:{kind}" for kind in settings.kinds}
        return frozenset(answers | {f"not_sent:{place.journey}:{place.node}"})

    def arrive(self, settings: ChainSettings, scene: Scene) -> None:
        self._send(settings, scene, scene.arriving, scene.visit, literal(1), plain(moving.c.at))

    def timer(self, settings: ChainSettings, scene: Scene) -> Micros:
        return plain(moving.c.at) + _patience_of(settings, scene.key)

    def look(self, settings: ChainSettings, scene: Scene) -> Micros:
        asked = select(plain(intent.c.planned_at)).where(
            intent.c.key == key_of(scene.place, moving.c.visit, moving.c.step)
        )
        # An answer that becomes known late counts from the last message on: what was asked for is not undone.
        begun = func.coalesce(asked.scalar_subquery(), plain(moving.c.at))
        # Nor does it count from before coming here: whoever is moved to another version comes anew.
        return latest(_first_answer(settings, scene.place), begun, plain(moving.c.at))

    def leave(self, settings: ChainSettings, scene: Scene) -> Leaving:
        answered = plain(moving.c.seen_at)
        over = earliest(plain(moving.c.timer_at), latest(_failed(scene.place), plain(moving.c.at)))
        due = over <= literal(scene.now, BigInteger)
        more = _next(settings, scene.place, moving.c.visit) >= 0
        happened = and_(answered.is_not(None), or_(over.is_(None), answered <= over))
        port = case(
            (happened, literal("answered")),
            (and_(due, more), literal(AGAIN)),
            (due, literal("unanswered")),
            else_=null(),
        )
        return Leaving(port, case((happened, answered), else_=over))

    def proceed(self, settings: ChainSettings, scene: Scene) -> None:
        again = and_(scene.rows, moving.c.port == AGAIN)
        choice = _next(settings, scene.place, moving.c.visit)
        lengths = [(choice == index, _whole(settings.patience(index))) for index in range(len(settings.channels))]
        scene.connection.execute(
            update(moving)
            .values(step=_last_step(scene.place) + 1, timer_at=instant_of(plain(moving.c.leave_at) + case(*lengths)))
            .where(again)
        )
        self._send(settings, scene, again, moving.c.visit, moving.c.step, plain(moving.c.leave_at))
        if settings.remember is not None:
            set_values(
                scene,
                and_(scene.rows, moving.c.port == "answered"),
                settings.remember,
                text=_answered_channel(settings, scene.place),
                number=type_coerce(null(), BigInteger),
                at=plain(moving.c.leave_at),
                ref=key_of(scene.place, moving.c.visit, moving.c.step),
            )

    def _send(
        self,
        settings: ChainSettings,
        scene: Scene,
        rows: ColumnElement[bool],
        visit: ColumnElement[int],
        step: ColumnElement[int],
        at: Micros,
    ) -> None:
        choice = _next(settings, scene.place, visit)
        write_intents(
            scene,
            rows,
            visit=visit,
            step=step,
            channel=_chosen(choice, [each.channel for each in settings.channels]),
            content=_chosen(choice, [each.content for each in settings.channels]),
            at=at,
            purpose=settings.purpose,
            priority=settings.priority,
            expires_after=None,
        )


def _whole(number: int) -> ColumnElement[int]:
    return literal(number, BigInteger)


def _chosen(choice: ColumnElement[int], names: Sequence[str]) -> ColumnElement[str]:
    """The name at an index that an expression gives."""
    if len(set(names)) == 1:
        return literal(names[0], Text)
    others = [(choice == index, literal(name, Text)) for index, name in enumerate(names[1:], 1)]
    return case(*others, else_=literal(names[0], Text))


def _next(settings: ChainSettings, place: Place, visit: ColumnElement[int]) -> ColumnElement[int]:
    """The index of the message that is sent next: the first untried one by the preferred channel, else the first.

    -1 where all were tried. Tried is what this enrolment has an intent for, at this node and in this visit.
    """
    tries = settings.channels
    tried = [
        exists().where(
            intent.c.enrolment_id == moving.c.id,
            intent.c.node == place.node,
            intent.c.visit == visit,
            intent.c.channel == each.channel,
            intent.c.content == each.content,
        )
        for each in tries
    ]
    in_order = [(~done, _whole(index)) for index, done in enumerate(tried)]
    if settings.prefer is None:
        return case(*in_order, else_=_whole(-1))
    preferred = (
        select(profile.c.text)
        .where(profile.c.customer_id == moving.c.customer_id, profile.c.name == settings.prefer)
        .scalar_subquery()
    )
    first = [
        (case((preferred == each.channel, ~done), else_=false()), _whole(index))
        for index, (each, done) in enumerate(zip(tries, tried, strict=True))
    ]
    return case(*first, *in_order, else_=_whole(-1))


def _last_step(place: Place) -> ColumnElement[int]:
    """The number of the last message of this visit: whoever was moved within the chain is at its first again."""
    asked = select(func.max(intent.c.step)).where(
        intent.c.enrolment_id == moving.c.id, intent.c.node == place.node, intent.c.visit == moving.c.visit
    )
    return func.coalesce(asked.scalar_subquery(), moving.c.step)


def _patience_of(settings: ChainSettings, key: ColumnElement[str]) -> ColumnElement[int]:
    """How long to wait for an answer to the message of that key; as to the first where it is none of ours."""
    lengths = [settings.patience(index) for index in range(len(settings.channels))]
    if len(set(lengths)) == 1:
        return _whole(lengths[0])
    ways = [
        (and_(intent.c.channel == each.channel, intent.c.content == each.content), _whole(patience))
        for each, patience in zip(settings.channels, lengths, strict=True)
    ]
    found = select(case(*ways)).where(intent.c.key == key).scalar_subquery()
    return func.coalesce(found, _whole(lengths[0]))


def _answers(settings: ChainSettings, place: Place) -> list[ColumnElement[bool]]:
    """Which outcomes are answers to messages of this visit."""
    message = intent.alias()
    return [
        outcome.c.enrolment_id == moving.c.id,
        outcome.c.node == place.node,
        outcome.c.kind.in_(sorted(settings.kinds)),
        outcome.c.machine.is_(false()),
        # Also where no loop leads back: people may have been moved here from a version in which one did.
        exists().where(message.c.key == outcome.c.key, message.c.visit == moving.c.visit),
    ]


def _first_answer(settings: ChainSettings, place: Place) -> Micros:
    return select(func.min(plain(outcome.c.at))).where(*_answers(settings, place)).scalar_subquery()


def _answered_channel(settings: ChainSettings, place: Place) -> ColumnElement[Any]:
    """The channel whose message was answered first; at one instant the one that was tried first."""
    return (
        select(intent.c.channel)
        .join(outcome, outcome.c.key == intent.c.key)
        .where(*_answers(settings, place))
        .order_by(outcome.c.at, intent.c.step)
        .limit(1)
        .scalar_subquery()
    )


def _failed(place: Place) -> Micros:
    """When it became certain that the message of this step is not sent; NULL while it may be."""
    return (
        select(plain(intent.c.changed_at))
        .where(
            intent.c.key == key_of(place, moving.c.visit, moving.c.step),
            intent.c.state.in_(["not_sent", "dead"]),
        )
        .scalar_subquery()
    )


CHAIN = Chain()
