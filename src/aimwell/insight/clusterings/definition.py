"""What people write to get a clustering: who is grouped, by which features, how, and the words for what stands out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from aimwell.core.definitions import Definition, Label
from aimwell.core.errors import BadQuestion
from aimwell.core.rules import Rule
from aimwell.insight.segments.definition import SegmentKind
from aimwell.science.cluster.consensus import consensus_of
from aimwell.science.cluster.method import method

GROUP_ID = re.compile(r"^g[1-9]\d*$")
MOST_GROUPS = 20


class ClusteringFeature(BaseModel):
    """A feature to group by, and what groups are called that stand out in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feature: str = Field(min_length=1, description="name of a tag, or a pattern such as `basket_*`")
    high: Label | None = Field(default=None, description="what groups far above the others are called")
    low: Label | None = Field(default=None, description="the same for groups far below the others")

    @property
    def is_pattern(self) -> bool:
        return any(letter in self.feature for letter in "*?[")


def _written(value: object) -> object:
    """A bare name means the feature without words of its own."""
    if isinstance(value, list | tuple):
        return [{"feature": each} if isinstance(each, str) else each for each in value]
    return value


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Clustering(Definition):
    """Groups of alike customers, found by themselves; each group can be spoken of in rules as `segment: name.g1`."""

    folder: ClassVar[str] = "clusterings"

    kind: SegmentKind = Field(default="behavioural", description="what sets the groups apart")
    features: Annotated[tuple[ClusteringFeature, ...], BeforeValidator(_written)] = Field(
        min_length=1, description="features to group by, usually 3 to 12"
    )
    method: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        default=("consensus",),
        min_length=1,
        description="kmeans, hierarchical, gaussian_mixture, dbscan, hdbscan, consensus; several: their consensus",
    )
    groups: int | Literal["auto"] = Field(default="auto", description="how many, or auto")
    between: tuple[int, int] = Field(default=(3, 8), description="with groups: auto, the fewest and the most")
    population: Rule | None = Field(default=None, description="who is grouped; by default everybody")
    people: Label = Field(default=Label(zh="客户", en="customers"), description="what the grouped are called")
    value: str | None = Field(default=None, description="a tag shown as the worth of each group, such as spend_84d")
    beside: tuple[str, ...] = Field(default=("kmeans",), description="methods whose groups are held beside these")
    names: Mapping[str, Label] = Field(default_factory=dict, description="own names of groups, by their id: g1, g2, …")
    sample: int = Field(default=20_000, ge=100, description="customers looked at to find the groups")
    repetitions: int = Field(default=8, ge=2, le=200, description="how often the groups are looked for again")
    seed: int = Field(default=0, ge=0)
    description: Label | None = Field(default=None, description="what it is for")
    owner: str = Field(default="", description="who answers for it")

    @field_validator("features")
    @classmethod
    def _once(cls, features: tuple[ClusteringFeature, ...]) -> tuple[ClusteringFeature, ...]:
        names = [each.feature for each in features]
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if twice:
            raise ValueError(f"{', '.join(twice)} is given twice")
        return features

    @field_validator("method")
    @classmethod
    def _known_methods(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        return _checked(methods, joined=len(methods) > 1)

    @field_validator("beside")
    @classmethod
    def _known_others(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        return _checked(methods, joined=False)

    @field_validator("groups")
    @classmethod
    def _some_groups(cls, groups: int | Literal["auto"]) -> int | Literal["auto"]:
        if groups != "auto" and not 2 <= groups <= MOST_GROUPS:
            raise ValueError(f"expected auto or 2 to {MOST_GROUPS} groups, saw {groups}")
        return groups

    @field_validator("between")
    @classmethod
    def _some_range(cls, between: tuple[int, int]) -> tuple[int, int]:
        low, high = between
        if not 2 <= low <= high <= MOST_GROUPS:
            raise ValueError(f"expected the fewest and the most groups, from 2 to {MOST_GROUPS}, saw {low} and {high}")
        return between

    @model_validator(mode="after")
    def _named_groups(self) -> Clustering:
        odd = [name for name in self.names if not GROUP_ID.match(name)]
        if odd:
            raise ValueError(f"names are given by the id of a group (g1, g2, …), saw {', '.join(odd)}")
        return self


def _checked(methods: tuple[str, ...], *, joined: bool) -> tuple[str, ...]:
    try:
        if joined:
            consensus_of(methods)
        for name in methods:
            method(name)
    except BadQuestion as bad:
        raise ValueError(f"{bad.what}; expected {bad.expected}; saw {bad.seen}") from bad
    return methods
