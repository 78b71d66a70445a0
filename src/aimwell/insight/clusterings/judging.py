"""Holds groups beside those of other methods and beside RFM cells, over the time that follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.core.time import add_days
from aimwell.insight.clusterings.definition import Clustering
from aimwell.insight.clusterings.grouping import Grouping, find_groups
from aimwell.insight.clusterings.people import People, read_people
from aimwell.insight.clusterings.result import Beside, Worth
from aimwell.insight.clusterings.worth import (
    HORIZONS,
    NO_PURCHASES,
    NOT_YET,
    anything_bought,
    judge_worth,
    known_horizons,
)
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import IntArray
from aimwell.science.cluster.method import method
from aimwell.science.cluster.stability import adjusted_rand

Groupings = Mapping[str, tuple[Text, IntArray]]


@dataclass(frozen=True, eq=False)
class Ways:
    """Several ways to group the same people: the one in question first."""

    groupings: Groupings

    def beside(self) -> tuple[Beside, ...]:
        """How far the others agree with the first, and how large their groups are."""
        (_, (_, own)), *others = self.groupings.items()
        return tuple(
            Beside(name, label, adjusted_rand(own, labels), tuple(np.bincount(labels[labels >= 0]).tolist()))
            for name, (label, labels) in others
        )


def ways_of(definition: Clustering, grouping: Grouping, people: People, names: Sequence[str]) -> Ways:
    """The groups, and as many groups by each method that the definition wants beside them."""
    values = people.of(names)
    found: dict[str, tuple[Text, IntArray]] = {grouping.method.name: (grouping.method.label, grouping.labels(values))}
    prepared = grouping.preparation.apply(values)
    for name in definition.beside:
        if name not in found:
            other = method(name)
            fitted = other.fit(grouping.points, k=grouping.fitted.k, seed=definition.seed)
            found[name] = (other.label, fitted.assign(prepared))
    return Ways(found)


def worth_of(
    definition: Clustering, workshop: Workshop, people: People, ways: Ways, columns: Sequence[Column], k: int
) -> tuple[Worth | None, tuple[Text, ...]]:
    """What the groups explain of later spend and mix, and notes.

    Judged on what followed the fit as far as that is known; where nothing is known yet, groups are found again 84 days
    earlier, as many, and judged on what followed then.
    """
    history = workshop.history(people.as_of)
    if not history.has("purchase", "amount"):
        return None, (NO_PURCHASES,)
    horizons = known_horizons(history)
    if horizons:
        return judge_worth(history, people.ids, ways.groupings, horizons, again=False, seed=definition.seed)
    past = add_days(people.as_of, -max(HORIZONS), history.zone)
    if not anything_bought(history.at(past)):
        return None, (NOT_YET,)
    try:
        return _judged_again(definition, workshop, past, columns, k)
    except NotEnoughData:
        return None, (NOT_YET,)


def _judged_again(
    definition: Clustering, workshop: Workshop, past: datetime, columns: Sequence[Column], k: int
) -> tuple[Worth | None, tuple[Text, ...]]:
    names = [column.name for column in columns]
    people = read_people(definition, workshop, past, columns)
    grouping = find_groups(definition, people.of(names), names, k=k, judged=False)
    ways = ways_of(definition, grouping, people, names)
    history = workshop.history(past)
    horizons = known_horizons(history)
    return judge_worth(history, people.ids, ways.groupings, horizons, again=True, seed=definition.seed)
