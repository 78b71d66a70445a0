"""Split: send people different ways at random, always the same way for the same enrolment and visit."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import ClassVar

from pydantic import Field
from sqlalchemy import BigInteger, case, literal

from aimwell.core.comparisons import Number, Word
from aimwell.core.text import Text
from aimwell.strategy.journeys.draws import PRIME, draw
from aimwell.strategy.journeys.moving import moving
from aimwell.strategy.journeys.node import Leaving, NodeKind, NodeSettings, Scene
from aimwell.strategy.journeys.predicates import plain


class SplitSettings(NodeSettings):
    """The ports with their weights."""

    weights: Mapping[Word, Number] = Field(min_length=2, description="port: weight, such as {a: 50, b: 50}")
    experiment: Word | None = Field(default=None, description="name under which the ways are compared")
    seed: str = Field(default="", description="another text gives another division of the same people")


class Split(NodeKind[SplitSettings]):
    """The draw depends on the seed, the node, the enrolment and the visit, never on the clock."""

    name = "split"
    instant = True
    label = Text("分流", "Split")
    about = Text("按比例随机分流", "send people different ways at random")
    settings = SplitSettings
    example: ClassVar[Mapping[str, object]] = {"weights": {"a": 50, "b": 50}}

    def ports(self, settings: SplitSettings) -> tuple[str, ...]:
        return tuple(settings.weights)

    def leave(self, settings: SplitSettings, scene: Scene) -> Leaving:
        number = draw(plain(moving.c.id), moving.c.visit, settings.seed or scene.place.journey, scene.place.node)
        ways = [(number < literal(bound, BigInteger), literal(port)) for port, bound in bounds(settings.weights)]
        return Leaving(case(*ways[:-1], else_=ways[-1][1]), plain(moving.c.at))


def bounds(weights: Mapping[str, float]) -> list[tuple[str, int]]:
    """Up to which draw each port reaches (exclusive), in the order of writing; ports of weight 0 get nobody."""
    total = sum(weights.values())
    return [
        (port, round(reached / total * PRIME))
        for port, reached in zip(weights, accumulate(weights.values()), strict=True)
    ]


SPLIT = Split()
