"""The library of features: every family that was found, and every column by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from aimwell.core.errors import BadQuestion
from aimwell.core.registry import discover
from aimwell.insight.features.family import Column, Family, Threshold
from aimwell.store.warehouse.macros import Setting

PACKAGE = "aimwell.insight.features.families"
GROUP = "aimwell.feature_families"


@dataclass(frozen=True, slots=True)
class Library:
    """Feature families by name, and which family each column belongs to."""

    families: Mapping[str, Family]
    owners: Mapping[str, Family]

    def column(self, name: str) -> Column:
        """The feature of that name; raises BadQuestion with similar names."""
        family = self.owner(name)
        return next(column for column in family.columns if column.name == name)

    def owner(self, name: str) -> Family:
        """The family that a feature belongs to; raises BadQuestion with similar names."""
        if name not in self.owners:
            close = difflib.get_close_matches(name, self.owners, 3)
            raise BadQuestion(
                f"There is no tag {name!r}",
                remedy=f"Did you mean {', '.join(close)}?" if close else "List them with `aimwell tags`.",
            )
        return self.owners[name]

    @property
    def thresholds(self) -> list[Threshold]:
        """Every setting that a family reads, sorted by name."""
        found = {each.name: each for family in self.families.values() for each in family.thresholds}
        return [found[name] for name in sorted(found)]

    def settings(self, chosen: Mapping[str, Setting]) -> dict[str, Setting]:
        """The workspace's own settings over the defaults that the families give."""
        return {each.name: each.default for each in self.thresholds} | dict(chosen)

    def with_families(self, *more: Family) -> Library:
        """This library with further families, such as the tags that a workspace defines."""
        return assemble([*self.families.values(), *more])


def assemble(families: list[Family]) -> Library:
    """A library of the given families; raises BadQuestion when two columns carry one name."""
    owners: dict[str, Family] = {}
    for family in families:
        for column in family.columns:
            if column.name in owners:
                raise BadQuestion(
                    f"Two feature families declare the column {column.name!r}",
                    seen=f"{owners[column.name].name} and {family.name}",
                    remedy="Rename one of the columns.",
                )
            owners[column.name] = family
    return Library({family.name: family for family in families}, owners)


@cache
def library() -> Library:
    """Every family found in the folder and by entry point."""
    found = discover(Family, PACKAGE, named=lambda family: family.name, group=GROUP)
    return assemble([extension.value for extension in found.values()])
