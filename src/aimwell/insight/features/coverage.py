"""Which features the data can carry, and what the others lack, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aimwell.core.text import Text
from aimwell.insight.features.basis import missing
from aimwell.insight.features.build import Features
from aimwell.insight.features.family import TAG_FAMILIES, Column, Family, TagFamily


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one family can say of the customers of a workspace.

    columns: those that the data carry.   without: columns that lack something, each with what it lacks.
    lacking: what the whole family lacks, as `table.column`; empty if it is there.
    """

    family: Family
    columns: tuple[Column, ...]
    without: Mapping[str, tuple[str, ...]]
    lacking: tuple[str, ...]

    @property
    def said(self) -> Text:
        """Whether the family is there, as a phrase."""
        if self.lacking:
            return _lacks(self.lacking)
        if self.without:
            lacking = tuple(dict.fromkeys(need for needs in self.without.values() for need in needs))
            count = len(self.columns)
            return Text(
                f"{count} 个标签可用；其余缺 {'、'.join(lacking)}", f"{count} tags; the rest need {', '.join(lacking)}"
            )
        return Text(f"{len(self.columns)} 个标签可用", f"{len(self.columns)} tags")


def coverage(features: Features) -> list[Coverage]:
    """What each family of the library can say, in the order of the library."""
    return [_covered(family, features) for family in features.library.families.values()]


def uncovered(features: Features) -> dict[TagFamily, Text]:
    """The tag families of which the data carry no tag at all, with what would bring them."""
    found = coverage(features)
    there = {each.family.tag_family for each in found if each.columns}
    gone: dict[TagFamily, Text] = {}
    for name in TAG_FAMILIES:
        needs = sorted({tuple(sorted(each.lacking)) for each in found if each.family.tag_family == name})
        if name not in there and needs:
            gone[name] = _lacks(min(needs, key=len))
    return gone


def _covered(family: Family, features: Features) -> Coverage:
    lacking = [*family.missing(features.history), *(each for each in family.given if each not in features.given)]
    if lacking:
        return Coverage(family, (), {}, tuple(lacking))
    columns = features.available(family)
    without = {
        column.name: tuple(missing(column.needs, features.history))
        for column in family.columns
        if column not in columns
    }
    return Coverage(family, columns, without, ())


def _lacks(needs: tuple[str, ...]) -> Text:
    return Text(f"不可用：缺 {'、'.join(needs)}", f"not available: needs {', '.join(needs)}")
