"""Derived families: computed from other features, such as the tags that a workspace writes without code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sqlglot import exp

from aimwell.insight.features.basis import digest
from aimwell.insight.features.family import Family

if TYPE_CHECKING:
    from aimwell.insight.features.build import Features


@dataclass(frozen=True, slots=True)
class Authored:
    """An authored query, with the physical table behind every relation that it names beside the canonical tables."""

    query: exp.Select
    relations: Mapping[str, str]


Author = Callable[["Features"], Authored]


@dataclass(frozen=True, eq=False)
class DerivedFamily(Family):
    """A family whose query reads the tables of other families.

    above: the families that it is computed from, built before it.   author: gives the query for the features of one
    cut; it may ask them for the tables of `above`, and sees nothing else.   mark: what else the values depend on.
    """

    above: tuple[Family, ...] = ()
    author: Author | None = None
    mark: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """What the family computes: changes when its own text or any family above it does."""
        return digest(
            [
                self.sql.sql(dialect="duckdb"),
                self.mark,
                *sorted(f"{each.name} {each.fingerprint}" for each in self.above),
            ]
        )


def with_above(families: Iterable[Family]) -> list[Family]:
    """The families and all that they are computed from, each after those above it, each once."""
    found: dict[str, Family] = {}
    for family in families:
        if isinstance(family, DerivedFamily):
            found |= {each.name: each for each in with_above(family.above) if each.name not in found}
        found.setdefault(family.name, family)
    return list(found.values())
