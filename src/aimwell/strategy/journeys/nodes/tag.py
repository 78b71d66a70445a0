"""Tag: set a value of the customer's profile, or take it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator
from sqlalchemy import ColumnElement, Float, Text, literal, null, type_coerce

from aimwell.core.comparisons import Scalar, ScalarValue, Word
from aimwell.core.text import Text as Words
from aimwell.strategy.journeys.moving import moving
from aimwell.strategy.journeys.node import Leaving, NodeKind, NodeSettings, Scene, at_once
from aimwell.strategy.journeys.predicates import plain
from aimwell.strategy.journeys.values import set_values, typed


class TagSettings(NodeSettings):
    """Which value is set, and to what."""

    name: Word = Field(description="name of the tag, such as lapsing")
    value: ScalarValue | None = Field(default=None, description="what it is set to; by default yes")
    clear: bool = Field(default=False, description="take the tag back instead")

    @field_validator("value")
    @classmethod
    def _can_be_kept(cls, value: Scalar | None) -> Scalar | None:
        typed(value)
        return value

    @model_validator(mode="after")
    def _set_or_cleared(self) -> TagSettings:
        if self.clear and self.value is not None:
            raise ValueError("give either a value or clear: true")
        return self


class Tag(NodeKind[TagSettings]):
    """The value holds from the instant at which each came here; whoever waits for a change of it is woken."""

    name = "tag"
    instant = True
    label = Words("打标签", "Tag")
    about = Words("给客户打上或取下一个标签", "set a tag of the customer, or take it back")
    settings = TagSettings
    example: ClassVar[Mapping[str, object]] = {"name": "lapsing"}

    def ports(self, settings: TagSettings) -> tuple[str, ...]:
        return ("next",)

    def arrive(self, settings: TagSettings, scene: Scene) -> None:
        value = typed(None if settings.clear else True if settings.value is None else settings.value)
        set_values(
            scene,
            scene.arriving,
            settings.name,
            text=_given(value.text, Text()),
            number=_given(value.number, Float()),
            at=plain(moving.c.at),
            ref=scene.key,
        )

    def leave(self, settings: TagSettings, scene: Scene) -> Leaving:
        return at_once("next")


def _given(value: str | float | None, kind: Any) -> ColumnElement[Any]:  # noqa: ANN401 (a column's type)
    return type_coerce(null(), kind) if value is None else literal(value, kind)


TAG = Tag()
