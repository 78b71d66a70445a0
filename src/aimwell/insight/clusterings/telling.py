"""Tells groups: their names, figures, worth and levels as values that a page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aimwell.core.text import Text
from aimwell.insight.clusterings.definition import Clustering
from aimwell.insight.clusterings.figures import joined, rule_in_words, told
from aimwell.insight.clusterings.grouping import Grouping
from aimwell.insight.clusterings.matching import Place
from aimwell.insight.clusterings.naming import Named, Vocabulary, name_groups, nameless
from aimwell.insight.clusterings.people import Chosen, People
from aimwell.insight.clusterings.result import Group, Level, TraitShown
from aimwell.insight.clusterings.shelf import KeptGroup, segment_name
from aimwell.insight.clusterings.traits import Sketch, Trait, sketch_groups
from aimwell.insight.features.family import Column
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.cluster.naming import Portraits
from aimwell.science.metrics.interval import Estimate, mean_estimate

TOLD = 3
"""Traits in the description of a group."""

_UNKNOWN = Text("未知：客户太少", "Unknown: too few customers")
_AVERAGE = Text("各项特征都接近平均", "Close to the average in every feature")
_SHAKY = Text("这个群不稳定，换一批客户可能就没有了", "This group is unstable: another sample may not show it")


@dataclass(frozen=True)
class Told:
    """The groups by label, what is kept of them, and how well simple words fit."""

    groups: tuple[Group, ...]
    kept: tuple[KeptGroup, ...]
    fidelity: float


@dataclass(frozen=True, eq=False)
class Telling:
    """What is needed to tell groups.

    labels: of all people.   places: of the groups by label.   before: what was kept of the fit before, by its label.
    """

    definition: Clustering
    people: People
    chosen: Chosen
    grouping: Grouping
    labels: IntArray
    places: Sequence[Place]
    before: Sequence[KeptGroup]
    value: Column | None

    def tell(self) -> Told:
        """All groups in words and figures."""
        sketches, portraits = self._sketches()
        named = self._names(sketches)
        groups = tuple(self._group(label, named[label], sketches, portraits) for label in range(len(self.places)))
        kept = tuple(KeptGroup(place, each.name, each.traits) for place, each in zip(self.places, named, strict=True))
        return Told(groups, kept, portraits.fidelity if portraits else 1.0)

    @property
    def _columns(self) -> dict[str, Column]:
        """The columns that the groups were made of, in the order of the definition."""
        kept = set(self.grouping.preparation.kept)
        return {column.name: column for column in self.chosen.columns if column.name in kept}

    def _sketches(self) -> tuple[tuple[Sketch, ...], Portraits | None]:
        fitted = self.grouping.fitted
        if np.unique(fitted.labels).size < 2:
            return (), None
        names = tuple(self._columns)
        values = self.people.of(names)[self.grouping.looked_at]
        return sketch_groups(values, names, fitted.labels, self.grouping.again, self.definition.seed)

    def _names(self, sketches: Sequence[Sketch]) -> list[Named]:
        people = self.definition.people.text
        if not sketches or not len(self.grouping.again):
            return nameless(people, len(self.places))
        before = {
            label: self.before[place.before].traits
            for label, place in enumerate(self.places)
            if place.before is not None
        }
        return name_groups(sketches, Vocabulary(people, self._columns, self.chosen.words), before)

    def _group(self, label: int, named: Named, sketches: Sequence[Sketch], portraits: Portraits | None) -> Group:
        place = self.places[label]
        own = self.definition.names.get(place.id)
        inside = self.labels == label
        members = int(inside.sum())
        overlap, verdict, verdict_text = self._stability(label)
        traits = self._traits(sketches[label], named) if sketches else ()
        rule = portraits.groups[label].rule if portraits else None
        value, value_share = self._worth(inside)
        return Group(
            id=place.id,
            segment=segment_name(self.definition.name, place.id),
            colour=place.colour,
            name=own.text if own else named.name,
            given=own is not None,
            description=_description(traits, verdict),
            people=members,
            share=members / len(self.labels),
            overlap=overlap,
            verdict=verdict,
            verdict_text=verdict_text,
            value=value,
            value_share=value_share,
            traits=traits,
            levels=self._levels(inside),
            rule=rule_in_words(rule, self._columns) if rule else None,
            precision=rule.precision if rule else 0.0,
            recall=rule.recall if rule else 0.0,
        )

    def _traits(self, sketch: Sketch, named: Named) -> tuple[TraitShown, ...]:
        """Traits in the name first, then the others that are worth a word."""
        keys = set(named.traits)
        everything = (*sketch.traits, *sketch.others)
        first = [trait for trait in everything if trait.key in keys]
        rest = [trait for trait in sketch.traits if trait.key not in keys and trait.noticeable]
        columns: Mapping[str, Column] = self._columns
        return tuple(_shown(trait, columns[trait.feature], named=trait.key in keys) for trait in (*first, *rest))

    def _stability(self, label: int) -> tuple[float | None, str, Text]:
        found = self.grouping.stability
        if found is None:
            return None, "unknown", _UNKNOWN
        own = found.groups[label]
        return own.overlap, own.verdict.value, own.verdict.text

    def _worth(self, inside: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[Estimate | None, float | None]:
        """Mean worth of a member with its interval, and the group's share of all worth."""
        if self.value is None or not inside.any():
            return None, None
        worth = np.nan_to_num(self.people.of([self.value.name])[:, 0])
        members = worth[inside]
        total = float(worth.sum())
        share = float(members.sum()) / total if total > 0 else None
        mean = float(members.mean())
        return (mean_estimate(members) if members.size > 1 else Estimate(mean, mean, mean)), share

    def _levels(self, inside: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[Level, ...]:
        found = []
        prepared = self._prepared
        for place, name in enumerate(self.grouping.preparation.kept):
            known = self.people.of([name])[inside, 0]
            known = known[~np.isnan(known)]
            mean, median = (float(known.mean()), float(np.median(known))) if known.size else (np.nan, np.nan)
            found.append(Level(name, mean, median, float(prepared[inside, place].mean()) if inside.any() else 0.0))
        return tuple(found)

    @property
    def _prepared(self) -> FloatArray:
        return self.grouping.preparation.apply(self.people.of(self.grouping.preparation.names))


def _shown(trait: Trait, column: Column, *, named: bool) -> TraitShown:
    return TraitShown(trait, column.label, told(trait, column), named)


def _description(traits: Sequence[TraitShown], verdict: str) -> Text:
    parts = [shown.text for shown in traits[:TOLD]] or [_AVERAGE]
    if verdict == "unstable":
        parts.append(_SHAKY)
    return joined(parts)
