"""Who is grouped, and their features as numbers: read once, sorted by customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.rules import AllOf, Manual, Rule
from aimwell.core.text import Text
from aimwell.insight.clusterings.definition import Clustering, ClusteringFeature
from aimwell.insight.features.build import Features
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.workshop import Workshop
from aimwell.insight.rules.compile import materialise, population
from aimwell.science.arrays import FloatArray

NUMERIC = frozenset({"number", "integer", "money", "share", "boolean"})
DEFAULT_VALUE = "spend_84d"

_ABSENT = Text("数据里没有“{label}”，未参与分群", "The data do not carry {label!r}: left out")


@dataclass(frozen=True, eq=False)
class People:
    """Customers and their features as of an instant.

    ids: sorted [n].   values: in their own units, NaN where unknown, yes as 1 [n, columns].
    """

    as_of: datetime
    ids: tuple[str, ...]
    columns: tuple[Column, ...]
    values: FloatArray

    def of(self, names: Sequence[str]) -> FloatArray:
        """Some of the columns, in the order given [n, names]."""
        places = {column.name: place for place, column in enumerate(self.columns)}
        return self.values[:, [places[name] for name in names]]

    def column(self, name: str) -> Column:
        """What a column means."""
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class Chosen:
    """The columns to group by in the order written, the words that go with them, and what could not be had."""

    columns: tuple[Column, ...]
    words: dict[str, ClusteringFeature]
    notes: tuple[Text, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def chosen_columns(definition: Clustering, features: Features) -> Chosen:
    """The features that a clustering asks for and the data can carry.

    Raises BadQuestion for an unknown name (with similar ones), for words and dates, and for a pattern that fits
    nothing; NotEnoughData when the data carry none of them.
    """
    carried = {column.name: column for column in features.columns()}
    found: dict[str, Column] = {}
    words: dict[str, ClusteringFeature] = {}
    notes: list[Text] = []
    for asked in definition.features:
        for column in _meant(asked, features):
            if column.name in found:
                continue
            if column.name not in carried:
                notes.append(Text(_ABSENT.zh.format(label=column.label.zh), _ABSENT.en.format(label=column.label.en)))
                continue
            found[column.name] = column
            words[column.name] = asked
    if not found:
        raise NotEnoughData(
            f"The data carry none of the features of the clustering {definition.name!r}",
            seen=", ".join(asked.feature for asked in definition.features),
            remedy="List what the data carry with `aimwell tags`.",
        )
    return Chosen(tuple(found.values()), words, tuple(notes))


def value_column(definition: Clustering, features: Features) -> Column | None:
    """The feature that is shown as the worth of a group; None if the data do not carry it."""
    name = definition.value or DEFAULT_VALUE
    if definition.value is None and name not in features.library.owners:
        return None
    column = features.library.column(name)
    if column.kind not in NUMERIC:
        raise _no_number(column)
    return next((each for each in features.columns([name])), None)


def read_people(
    definition: Clustering,
    workshop: Workshop,
    as_of: datetime,
    columns: Sequence[Column],
    *,
    among: Sequence[str] | None = None,
) -> People:
    """Everybody whom the clustering is about, with the given features as of the instant.

    among: ids of the customers to look at; by default all.   Raises NotEnoughData when nobody is left.
    """
    features = workshop.features(as_of)
    asked = _asked(definition.population, among)
    with workshop.passing(f"clustering_{definition.name}") as physical:
        if asked is None:
            features.history.create_table_as(physical, population(features.history))
        else:
            materialise(asked, workshop.rules(as_of), features.history, physical)
        rows = features.to_arrow(physical, [column.name for column in columns])
    if rows.num_rows == 0:
        raise NotEnoughData(
            f"Nobody belongs to the population of the clustering {definition.name!r}",
            expected="at least one customer",
            seen="none",
        )
    ids = tuple(rows.column("customer_id").to_pylist())
    values = np.column_stack([_numbers(rows.column(column.name)) for column in columns])
    return People(as_of, ids, tuple(columns), values)


def _asked(rule: Rule | None, among: Sequence[str] | None) -> Rule | None:
    if among is None:
        return rule
    listed = Manual(manual=tuple(among))
    return listed if rule is None else AllOf(all=(rule, listed))


def _meant(asked: ClusteringFeature, features: Features) -> list[Column]:
    library = features.library
    if not asked.is_pattern:
        column = library.column(asked.feature)
        if column.kind not in NUMERIC:
            raise _no_number(column)
        return [column]
    columns = [column for family in library.families.values() for column in family.columns]
    found = [column for column in columns if column.kind in NUMERIC and fnmatchcase(column.name, asked.feature)]
    if not found:
        raise BadQuestion(
            f"No tag that is a number fits the pattern {asked.feature!r}", remedy="List them with `aimwell tags`."
        )
    return found


def _no_number(column: Column) -> BadQuestion:
    return BadQuestion(
        f"The tag {column.name!r} cannot be measured",
        expected="a number, an amount, a share or yes/no",
        seen=column.kind,
        remedy="Choose a feature that is a number, or write it as one in a tag of your own.",
    )


def _numbers(column: pa.ChunkedArray) -> FloatArray:
    numbers = pc.cast(column, pa.float64())
    found: FloatArray = numbers.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    return found
