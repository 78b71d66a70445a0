"""What people write to get a segment: which kind it is, and the rule that says who belongs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from aimwell.core.definitions import Definition, Label
from aimwell.core.rules import Rule
from aimwell.core.text import Text

SegmentKind = Literal["demographic", "geographic", "behavioural", "psychographic", "value"]

SEGMENT_KINDS: Mapping[SegmentKind, Text] = {
    "demographic": Text("人口属性", "Demographic"),
    "geographic": Text("地理", "Geographic"),
    "behavioural": Text("行为", "Behavioural"),
    "psychographic": Text("心理", "Psychographic"),
    "value": Text("价值", "Value"),
}


class Segment(Definition):
    """A set of customers at an instant, by a rule; a cut of a score is a rule too (`score: churn` with `top: 10%`)."""

    folder: ClassVar[str] = "segments"

    kind: SegmentKind = Field(description="what sets these customers apart")
    rule: Rule = Field(description="who belongs")
    description: Label | None = Field(default=None, description="what it is for, and from what anything is inferred")
    owner: str = Field(default="", description="who answers for it")
