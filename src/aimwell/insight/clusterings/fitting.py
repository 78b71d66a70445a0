"""Fits clusterings: from a definition and an instant to groups that have names, are judged, kept and recorded."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from aimwell.core.progress import Progress, silent
from aimwell.insight.clusterings.definition import Clustering
from aimwell.insight.clusterings.grouping import Grouping, find_groups, stands_apart
from aimwell.insight.clusterings.judging import ways_of, worth_of
from aimwell.insight.clusterings.matching import Place, match_groups, place_groups
from aimwell.insight.clusterings.members import record_groups
from aimwell.insight.clusterings.people import Chosen, People, chosen_columns, read_people, value_column
from aimwell.insight.clusterings.picture import draw_picture
from aimwell.insight.clusterings.result import (
    ChoiceShown,
    ClusteringResult,
    Continuity,
    FeatureShown,
    StabilityShown,
)
from aimwell.insight.clusterings.shelf import Kept, current, lay_down, put_up, take
from aimwell.insight.clusterings.telling import Telling, Told
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.models import version_name
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import IntArray
from aimwell.science.cluster.choice import Choice
from aimwell.science.cluster.stability import Stability


@dataclass(frozen=True, eq=False)
class Proposal:
    """A fit that nothing was done with yet.

    labels: group of each of the people [n], by the place of the group in `kept.groups`, -1 for none.
    """

    result: ClusteringResult
    kept: Kept
    people: People
    labels: IntArray


@dataclass(frozen=True, eq=False)
class _Ids:
    """Which group is which: places by label, the next free number, and what became of the groups before."""

    places: list[Place]
    next_number: int
    continuity: Continuity | None


@dataclass(frozen=True, eq=False)
class _Study:
    """People with their groups; what else is said of them follows from this."""

    definition: Clustering
    chosen: Chosen
    value: Column | None
    before: Kept | None
    people: People
    grouping: Grouping
    labels: IntArray
    ids: _Ids

    def told(self) -> Told:
        """The groups in words and figures."""
        kept = self.before.groups if self.before else ()
        return Telling(
            self.definition, self.people, self.chosen, self.grouping, self.labels, self.ids.places, kept, self.value
        ).tell()

    def kept(self, told: Told, version: str) -> Kept:
        """What later customers are placed by."""
        return Kept(
            self.definition,
            version,
            self.people.as_of,
            self.grouping.preparation,
            self.grouping.fitted.assignment,
            told.kept,
            self.ids.next_number,
        )


def fit(
    definition: Clustering, workshop: Workshop, as_of: datetime, *, progress: Progress = silent
) -> ClusteringResult:
    """Find the groups of a clustering as of an instant, keep them as a version, and record who belongs to which.

    Groups keep their id, colour and name where they continue a group of the fit before. If anything fails, the last
    good version stays in use.   Raises NotEnoughData when nothing tells customers apart, there are fewer of them than
    groups, or nobody is in the population; BadQuestion for an unknown feature, or when a later state is recorded.
    """
    proposal = propose(definition, workshop, as_of, progress=progress)
    publish(proposal, workshop)
    progress("done", 1.0)
    return proposal.result


def propose(definition: Clustering, workshop: Workshop, as_of: datetime, *, progress: Progress = silent) -> Proposal:
    """The same without keeping anything: groups to look at before they are put into use."""
    started = time.perf_counter()
    study = _study(definition, workshop, as_of, progress)
    progress("names", 0.7)
    told = study.told()
    kept = study.kept(told, _version(definition, workshop, as_of))
    progress("worth", 0.8)
    chosen = study.chosen
    ways = ways_of(definition, study.grouping, study.people, chosen.names)
    worth, notes = worth_of(definition, workshop, study.people, ways, chosen.columns, study.grouping.fitted.k)
    result = replace(
        _result(study, kept, told),
        worth=worth,
        beside=ways.beside(),
        notes=tuple(dict.fromkeys((*chosen.notes, *study.grouping.notes, *notes))),
        seconds=round(time.perf_counter() - started, 3),
    )
    return Proposal(result, kept, study.people, study.labels)


def publish(proposal: Proposal, workshop: Workshop) -> None:
    """Keep a proposal as the version in use, and record who belongs to which group; all of it or nothing."""
    fresh = lay_down(workshop.folder, proposal.kept, proposal.result)
    try:
        with workshop.warehouse.engine.transaction():
            record_groups(workshop, proposal.kept, proposal.people, proposal.labels)
            put_up(fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _study(definition: Clustering, workshop: Workshop, as_of: datetime, progress: Progress) -> _Study:
    progress("features", 0.0)
    features = workshop.features(as_of)
    chosen = chosen_columns(definition, features)
    value = value_column(definition, features)
    before = _before(workshop, definition.name)
    people = read_people(definition, workshop, as_of, _columns(workshop, chosen, value, before))
    progress("groups", 0.2)
    wish = len(before.groups) if before else None
    grouping = find_groups(definition, people.of(chosen.names), chosen.names, wish=wish)
    labels = grouping.labels(people.of(chosen.names))
    ids = _places(before, people, labels, grouping.fitted.k)
    return _Study(definition, chosen, value, before, people, grouping, labels, ids)


def _result(study: _Study, kept: Kept, told: Told) -> ClusteringResult:
    """What was found, before anything is held beside it."""
    definition, grouping = study.definition, study.grouping
    preparation, ids = grouping.preparation, [place.id for place in study.ids.places]
    return ClusteringResult(
        name=definition.name,
        label=definition.title,
        kind=definition.kind,
        version=kept.version,
        as_of=kept.as_of.isoformat(),
        method=definition.method,
        method_label=grouping.method.label,
        k=len(told.groups),
        people=len(study.people.ids),
        left_out=int((study.labels < 0).sum()),
        people_label=definition.people.text,
        value_label=study.value.label if study.value else None,
        features=tuple(_feature(column) for column in study.chosen.columns if column.name in preparation.kept),
        choice=_choice(grouping.choice, grouping.choice_method, grouping.fitted.k),
        stability=_stability(grouping.stability),
        groups=told.groups,
        picture=draw_picture(grouping.points, preparation.kept, grouping.fitted.labels, ids, seed=definition.seed),
        continuity=study.ids.continuity,
        fidelity=told.fidelity,
    )


def _before(workshop: Workshop, name: str) -> Kept | None:
    return take(workshop.folder, name) if current(workshop.folder, name) else None


def _columns(workshop: Workshop, chosen: Chosen, value: Column | None, before: Kept | None) -> list[Column]:
    """What must be read: features, worth, and the features of the fit before, as far as they still exist."""
    library = workshop.library
    past = before.preparation.names if before else ()
    wanted = [*chosen.columns, *([value] if value else [])]
    wanted += [library.column(name) for name in past if name in library.owners]
    return list({column.name: column for column in wanted}.values())


def _places(before: Kept | None, people: People, labels: IntArray, groups: int) -> _Ids:
    known = {column.name for column in people.columns}
    if before is None:
        places, next_number = place_groups([None] * groups, [], 1)
        return _Ids(places, next_number, None)
    if not known.issuperset(before.preparation.names):
        places, next_number = place_groups([None] * groups, before.places, before.next_number)
        return _Ids(places, next_number, None)
    past = before.labels(people.of(before.preparation.names))
    matched = match_groups(past, labels, len(before.groups), groups)
    places, next_number = place_groups(matched, before.places, before.next_number)
    return _Ids(places, next_number, _continuity(before, places, past, labels))


def _continuity(before: Kept, places: Sequence[Place], past: IntArray, labels: IntArray) -> Continuity:
    continued = {place.before for place in places}
    successor = np.full(len(before.groups) + 1, -2)
    successor[-1] = -1
    for label, place in enumerate(places):
        if place.before is not None:
            successor[place.before] = label
    return Continuity(
        version=before.version,
        moved=float((successor[past] != labels).mean()),
        gone=tuple(place.id for label, place in enumerate(before.places) if label not in continued),
        fresh=tuple(place.id for place in places if place.before is None),
    )


def _version(definition: Clustering, workshop: Workshop, as_of: datetime) -> str:
    marks = {
        "definition": definition.model_dump_json(),
        "data": workshop.version,
        "as_of": as_of.isoformat(),
        "features": _fingerprints(workshop, definition),
    }
    return version_name(as_of, marks, definition.seed)


def _fingerprints(workshop: Workshop, definition: Clustering) -> str:
    known: Iterable[str] = (each.feature for each in definition.features if each.feature in workshop.library.owners)
    return " ".join(workshop.library.owner(name).fingerprint for name in known)


def _feature(column: Column) -> FeatureShown:
    return FeatureShown(column.name, column.label, column.unit, column.kind, column.meaning)


def _choice(choice: Choice | None, by: str, k: int) -> ChoiceShown | None:
    if choice is None:
        return None
    return ChoiceShown(k, choice.low, choice.high, stands_apart(choice, k), by, choice.rows)


def _stability(found: Stability | None) -> StabilityShown | None:
    if found is None:
        return None
    return StabilityShown(
        found.agreement,
        found.low,
        found.high,
        found.same_number,
        found.verdict.value,
        found.verdict.text,
        found.repetitions,
    )
