"""Places customers into the groups of a clustering that was fitted before, without fitting again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.clusterings.members import record_groups
from aimwell.insight.clusterings.people import People, read_people
from aimwell.insight.clusterings.shelf import Kept, take
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.workshop import Workshop
from aimwell.insight.segments.membership import SegmentResult
from aimwell.science.arrays import IntArray


@dataclass(frozen=True)
class Assigned(Result):
    """Which group each customer belongs to, by a version of a clustering.

    segments: by customer, `name.g1`; None for those outside of its population, unknown, or unlike every group.
    names: of the groups, by segment.
    """

    clustering: str
    version: str
    as_of: str
    segments: dict[str, str | None]
    names: dict[str, Text]


def assign(clustering: str, workshop: Workshop, as_of: datetime, customers: Sequence[str] | None = None) -> Assigned:
    """The group of some customers (by default of everybody in the population) as of an instant; nothing is recorded.

    Raises BadQuestion if the clustering has not been fitted yet.
    """
    kept = take(workshop.folder, clustering)
    found: dict[str, str | None] = dict.fromkeys(customers or ())
    if customers is None or customers:
        try:
            people, labels = _placed(kept, workshop, as_of, customers)
        except NotEnoughData:
            if customers is None:
                raise
        else:
            found |= {
                customer: kept.segment(label) if label >= 0 else None
                for customer, label in zip(people.ids, labels.tolist(), strict=True)
            }
    names = {kept.segment(label): _name(kept, label) for label in range(len(kept.groups))}
    return Assigned(clustering, kept.version, as_of.isoformat(), found, names)


def refresh(clustering: str, workshop: Workshop, as_of: datetime) -> list[SegmentResult]:
    """Place everybody of the population anew as of an instant by the version in use, and record who entered and left.

    Raises BadQuestion if the clustering has not been fitted yet, or if a later state is recorded already.
    """
    kept = take(workshop.folder, clustering)
    people, labels = _placed(kept, workshop, as_of, None)
    return record_groups(workshop, kept, people, labels)


def _placed(
    kept: Kept, workshop: Workshop, as_of: datetime, customers: Sequence[str] | None
) -> tuple[People, IntArray]:
    columns = [workshop.library.column(name) for name in kept.preparation.names]
    people = read_people(kept.definition, workshop, as_of, columns, among=customers)
    return people, kept.labels(people.of(kept.preparation.names))


def _name(kept: Kept, label: int) -> Text:
    group = kept.groups[label]
    own = kept.definition.names.get(group.place.id)
    return own.text if own else group.name
