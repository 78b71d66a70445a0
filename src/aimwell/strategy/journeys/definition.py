"""What people write to get a journey: who comes in, the nodes and where they lead, and the rules that always hold."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    SerializeAsAny,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from aimwell.core.comparisons import Duration, Number, Part, Word, several
from aimwell.core.definitions import Definition, Label
from aimwell.strategy.journeys.conditions import (
    Condition,
    EventNamed,
    Happened,
    Outcome,
    SegmentIs,
    SegmentIsNot,
    TaskIs,
    ValueIs,
)
from aimwell.strategy.journeys.kinds import node_kinds
from aimwell.strategy.journeys.node import NodeKind, NodeSettings
from aimwell.strategy.journeys.nodes.wait import TimeOfDay, Weekday

Objective = Literal["acquisition", "activation", "retention", "revenue", "referral"]


class Schedule(Part):
    """At a time of day on some days, everyone who is then in a segment."""

    time: TimeOfDay = Field(description='such as "09:00"')
    weekdays: tuple[Weekday, ...] = Field(default=(), description="by default every day")
    day_of_month: int | None = Field(default=None, ge=1, le=31, description="the last day of a month without this one")
    segment: Word = Field(description="who comes in")
    zone: Literal["workspace", "customer"] = Field(default="workspace", description="whose clocks count")


class EntryRule(Part):
    """One way in."""

    segment: Word | None = Field(default=None, description="whoever enters this segment")
    existing: bool = Field(default=False, description="with segment: those too who are in it when the journey starts")
    event: EventNamed | None = Field(default=None, description="whoever this happens to")
    schedule: Schedule | None = None
    api: Literal[True] | None = Field(default=None, description="whoever is put in by a call")

    @model_validator(mode="after")
    def _one_way(self) -> EntryRule:
        if sum(way is not None for way in (self.segment, self.event, self.schedule, self.api)) != 1:
            raise ValueError("an entry is exactly one of segment, event, schedule, api")
        if self.existing and self.segment is None:
            raise ValueError("existing belongs to segment")
        return self


class ReEntry(Part):
    """Whether the same customer may come in again."""

    allowed: Literal["never", "after_end", "always"] | None = Field(
        default=None, description="never; after_end: not while in it (the default with after); always: even while in it"
    )
    after: Duration | None = Field(default=None, description="so long after the last entry at the earliest")

    @property
    def policy(self) -> Literal["never", "after_end", "always"]:
        return self.allowed or ("after_end" if self.after else "never")


class Node(BaseModel):
    """One node: a key that names its kind, with the settings of that kind, and `to`, where each port leads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    settings: SerializeAsAny[NodeSettings]
    to: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _by_kind(cls, value: object) -> object:
        if not isinstance(value, Mapping) or {"kind", "settings"} <= set(value):
            return value
        known = node_kinds()
        found = [key for key in value if key in known]
        strange = [str(key) for key in value if key not in known and key != "to"]
        if strange:
            close = difflib.get_close_matches(strange[0], [*known, "to"], 1)
            hint = f"did you mean {close[0]!r}?" if close else f"kinds of node: {', '.join(known)}"
            raise ValueError(f"unknown key {strange[0]!r} ({hint})")
        if len(found) != 1:
            raise ValueError(f"a node has exactly one kind ({', '.join(known)}), and to")
        kind: NodeKind[Any] = known[found[0]]
        settings = kind.settings.model_validate(value[kind.name] if value[kind.name] is not None else {})
        return {"kind": kind.name, "settings": settings, "to": _edges(kind, settings, value.get("to"))}

    @model_serializer
    def _as_written(self) -> dict[str, object]:
        return {
            self.kind: self.settings.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            **({"to": dict(self.to)} if self.to else {}),
        }

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """As it is written: one of the kinds that exist with its settings, and where each port leads."""
        to = {
            "description": "where each port leads; for a node with one port, just the name of the next node",
            "anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}],
        }
        ways = []
        for name, kind in node_kinds().items():
            settings = handler(kind.settings.__pydantic_core_schema__)
            if not handler.resolve_ref_schema(settings).get("properties"):
                settings = {"anyOf": [settings, {"type": "null"}]}
            ways.append(
                {
                    "title": kind.label.en,
                    "description": kind.about.en,
                    "type": "object",
                    "properties": {name: settings, "to": to},
                    "required": [name],
                    "additionalProperties": False,
                }
            )
        return {"title": cls.__name__, "description": cls.__doc__, "oneOf": ways}

    @property
    def implementation(self) -> NodeKind[Any]:
        return node_kinds()[self.kind]


def _edges(kind: NodeKind[Any], settings: NodeSettings, written: object) -> Mapping[str, str]:
    """`to: NODE` for a node with one port, `to: {port: NODE, …}` for any."""
    ports = kind.ports(settings)
    if written is None:
        return {}
    if isinstance(written, str):
        if len(ports) != 1:
            raise ValueError(f"to: say for each port where it leads: {', '.join(ports) or 'this node has none'}")
        return {ports[0]: written}
    if not isinstance(written, Mapping):
        raise ValueError("to: expected the name of a node, or port: node")
    # YAML 1.1 reads the ports yes and no as true and false.
    return {{True: "yes", False: "no"}.get(port, str(port)): str(node) for port, node in written.items()}


def _simple(condition: object) -> object:
    if not isinstance(condition, SegmentIs | SegmentIsNot | ValueIs | Happened | Outcome | TaskIs):
        raise ValueError("goal and exit rules are simple conditions; write several under names of their own")
    return condition


def _share(value: object) -> str:
    text = "0%" if value == 0 and not isinstance(value, bool) else value
    try:
        share = float(text[:-1]) if isinstance(text, str) and text.endswith("%") else -1.0
    except ValueError:
        share = -1.0
    if not 0 <= share < 100 or not isinstance(text, str):
        raise ValueError("expected a share of those who come in, such as 10%; 0% for none")
    return text


def _some_goal(value: object) -> object:
    if value == {}:
        raise ValueError("without a goal nothing can be measured: name at least one, such as bought: {event: order}")
    return value


Share = Annotated[str, PlainValidator(_share, json_schema_input_type=str | int)]
Rules = Annotated[
    tuple[EntryRule, ...],
    BeforeValidator(
        lambda value: several([value] if isinstance(value, dict) else value),
        json_schema_input_type=EntryRule | list[EntryRule],
    ),
]


class Journey(Definition):
    """A journey as it is written; shown by `aimwell plan`, made a version by `aimwell apply`."""

    folder: ClassVar[str] = "journeys"

    description: Label | None = Field(default=None, description="what it is for")
    objective: Objective = Field(description="the part of the relation that it serves (AARRR)")
    entry: Rules = Field(description="one way in, or several")
    re_entry: Annotated[
        ReEntry,
        BeforeValidator(
            lambda value: {"allowed": value} if isinstance(value, str) else value,
            json_schema_input_type=Literal["never", "after_end", "always"] | ReEntry,
        ),
    ] = Field(default=ReEntry(), description="never, after_end, always, or with after: so long after the last entry")
    hold_out: Share = Field(default="10%", description="share of those who come in that gets nothing, to measure by")
    goal: Annotated[Mapping[Word, Condition], BeforeValidator(_some_goal)] = Field(
        description="what it is for: reached, the journey ends as finished; by name"
    )
    within: Duration = Field(description="so long after entry the goal counts, here and in the hold-out")
    exits: Mapping[Word, Condition] = Field(
        default_factory=dict, description="whoever meets one of these leaves at once; by name"
    )
    budget: Number | None = Field(default=None, gt=0, description="money for messages; used up, it sends no more")
    start: Word = Field(description="the first node")
    nodes: Mapping[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")], Node] = Field(min_length=1)
    layout: Mapping[str, tuple[float, float]] = Field(default_factory=dict, description="where the nodes are drawn")

    @model_validator(mode="after")
    def _simple_rules(self) -> Journey:
        for condition in [*self.goal.values(), *self.exits.values()]:
            _simple(condition)
        return self

    @property
    def held_out_share(self) -> float:
        """The hold-out as a share in [0, 1]."""
        return float(self.hold_out[:-1]) / 100
