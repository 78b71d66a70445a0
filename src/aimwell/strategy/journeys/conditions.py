"""The small closed set of conditions that journeys evaluate themselves; everything richer is a segment.

    segment: vip                              is a member now (`not_segment` for those who are not)
    attribute: city / tag: … / score: …       a value of the profile, compared as in segments
    event: {name: loan_taken, where: {…}}     has happened since entry (`since: NODE` for since arriving there)
    opened: push_1                            the message of that node was opened through its own link; also
    clicked / answered / delivered / …        (`answered` is opened, clicked, replied, joined or shared)
    task: {node: call, stage: rejected}       the lead or task that the node made has come to this stage

A condition tells whether it holds at an instant, and since when. Events count by when they occurred; values,
memberships and answers are as the ledger knows them when the tick looks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field, GetJsonSchemaHandler, model_serializer, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from aimwell.core.comparisons import Comparison, Part, Scalar, Word, comparisons, equality, matches

ANSWERS = ("opened", "clicked", "replied", "joined", "shared")
OUTCOMES = ("delivered", *ANSWERS, "bounced", "complained", "unsubscribed")


Wanted = Annotated[Comparison, BeforeValidator(equality, json_schema_input_type=str | int | float | bool | Comparison)]


class EventWanted(Part):
    """An event by its name, and perhaps by its properties."""

    name: Word = Field(description="name of the event; page and screen for views")
    where: Mapping[str, Wanted] = Field(
        default_factory=dict, description="conditions on properties, such as {plan: gold} or {price: {above: 5}}"
    )

    @property
    def signal(self) -> str:
        """The name under which the ledger records it."""
        if not self.where:
            return f"event:{self.name}"
        written = json.dumps(self.model_dump(mode="json", by_alias=True, exclude_none=True)["where"], sort_keys=True)
        return f"event:{self.name}#{blake2b(written.encode(), digest_size=6).hexdigest()}"

    def matches(self, name: str, properties: Mapping[str, object]) -> bool:
        """Whether an event with these properties is meant; a property of another type than asked for is unknown."""
        if name != self.name:
            return False
        return all(_meets(comparison, properties.get(key)) for key, comparison in self.where.items())


def _meets(comparison: Comparison, value: object) -> bool:
    known: Scalar | None = value if isinstance(value, bool | int | float | str) else None
    try:
        return matches(comparison, known)
    except TypeError:  # a text where a number is asked for
        return False


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


EventNamed = Annotated[EventWanted, BeforeValidator(_named, json_schema_input_type=str | EventWanted)]


class SegmentIs(Part):
    """Is a member of the segment now."""

    segment: Word = Field(description="name of a segment that the customer is in")


class SegmentIsNot(Part):
    """Is not a member of the segment now."""

    not_segment: Word = Field(description="name of a segment that the customer is not in")


class ValueIs(Comparison):
    """A value of the profile: an attribute, a tag or a score."""

    attribute: Word | None = Field(default=None, description="name of an attribute")
    tag: Word | None = Field(default=None, description="name of a tag")
    score: Word | None = Field(default=None, description="name of a score")

    @model_validator(mode="after")
    def _one_name(self) -> ValueIs:
        if sum(each is not None for each in (self.attribute, self.tag, self.score)) != 1:
            raise ValueError("name one of attribute, tag or score")
        return self

    @property
    def value(self) -> str:
        """The name of the profile value."""
        return str(self.attribute or self.tag or self.score)

    @property
    def comparison(self) -> Comparison:
        return Comparison.model_construct(**dict(comparisons(self)))


class Happened(Part):
    """An event has happened since entry, or since the customer came to a node."""

    event: EventNamed = Field(description="the event: its name, or its name and what its properties are")
    since: Word | None = Field(default=None, description="a node: since the customer last came there")


class Outcome(Part):
    """What came of the message that a node sent in this enrolment."""

    kind: Literal[
        "delivered", "opened", "clicked", "replied", "joined", "shared", "bounced", "unsubscribed", "answered"
    ]
    node: Word

    @model_serializer
    def _as_written(self) -> dict[str, str]:
        return {self.kind: self.node}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """As it is written: `opened: NODE`."""
        node = {"type": "string", "description": "name of a node that sends"}
        return {
            "title": cls.__name__,
            "description": cls.__doc__,
            "type": "object",
            "properties": dict.fromkeys(_OUTCOME_KEYS, node),
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }

    @property
    def kinds(self) -> tuple[str, ...]:
        return ANSWERS if self.kind == "answered" else (self.kind,)


class TaskStage(Part):
    """A lead or task has come to a stage."""

    node: Word = Field(description="name of a node of kind lead or task")
    stage: Literal["open", "taken", "done", "rejected"] = Field(description="the stage that it has come to")


class TaskIs(Part):
    """The lead or task that a node made has come to a stage."""

    task: TaskStage = Field(description="which node made it, and the stage")


class AllOf(Part):
    """All of these hold."""

    all: tuple[Condition, ...] = Field(min_length=1, description="conditions that hold together")


class AnyOf(Part):
    """At least one of these holds."""

    any: tuple[Condition, ...] = Field(min_length=1, description="conditions of which one is enough")


class Not(Part):
    """This does not hold; what is not known does not hold either way, so `not` of it does."""

    not_: Condition = Field(alias="not", description="the condition that does not hold")


Leaf: TypeAlias = SegmentIs | SegmentIsNot | ValueIs | Happened | Outcome | TaskIs
KINDS: Mapping[str, type[BaseModel]] = {
    "segment": SegmentIs,
    "not_segment": SegmentIsNot,
    "attribute": ValueIs,
    "tag": ValueIs,
    "score": ValueIs,
    "event": Happened,
    "task": TaskIs,
    "all": AllOf,
    "any": AnyOf,
    "not": Not,
}
_OUTCOME_KEYS = ("delivered", *ANSWERS, "bounced", "unsubscribed", "answered")


def _read(value: object) -> object:
    """Choose the kind of condition by its key; refuses what is none, or more than one, in words."""
    if isinstance(value, BaseModel):
        return value
    known = ", ".join([*KINDS, *_OUTCOME_KEYS])
    if not isinstance(value, Mapping):
        raise ValueError(f"expected a condition (one of {known}), saw {value!r}")
    found = [key for key in value if key in KINDS or key in _OUTCOME_KEYS]
    if len(found) != 1:
        raise ValueError(
            f"a condition has exactly one of these keys: {known}; saw {', '.join(map(str, value)) or 'none'}"
        )
    key = found[0]
    if key in _OUTCOME_KEYS:
        if set(value) - {key}:
            raise ValueError(f"{key} stands alone, with the name of a node that sends")
        return Outcome.model_validate({"kind": key, "node": value[key]})
    return KINDS[key].model_validate(value)


Condition: TypeAlias = Annotated[
    SegmentIs | SegmentIsNot | ValueIs | Happened | Outcome | TaskIs | AllOf | AnyOf | Not, BeforeValidator(_read)
]
for _model in (AllOf, AnyOf, Not):
    _model.model_rebuild()


@dataclass(frozen=True, slots=True)
class Named:
    """A condition with the name under which an exit by it is recorded."""

    name: str
    condition: Condition


def leaves(condition: Condition) -> list[Leaf]:
    """The simple conditions in a tree."""
    if isinstance(condition, AllOf):
        return [leaf for part in condition.all for leaf in leaves(part)]
    if isinstance(condition, AnyOf):
        return [leaf for part in condition.any for leaf in leaves(part)]
    if isinstance(condition, Not):
        return leaves(condition.not_)
    return [condition]


def signals_of(condition: Condition, journey: str) -> frozenset[str]:
    """What must be recorded so that a change of the condition is noticed at once."""
    return frozenset(signal for leaf in leaves(condition) for signal in _signals(leaf, journey))


def _signals(leaf: Leaf, journey: str) -> tuple[str, ...]:
    match leaf:
        case SegmentIs():
            return (f"enter:{leaf.segment}", f"leave:{leaf.segment}")
        case SegmentIsNot():
            return (f"enter:{leaf.not_segment}", f"leave:{leaf.not_segment}")
        case ValueIs():
            return (f"changed:{leaf.value}",)
        case Happened():
            return (leaf.event.signal,)
        case Outcome():
            return tuple(f"outcome:{journey}:{leaf.node}:{kind}" for kind in leaf.kinds)
        case TaskIs():
            return (f"task:{journey}:{leaf.task.node}:{leaf.task.stage}",)
