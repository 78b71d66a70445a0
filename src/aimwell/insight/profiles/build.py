"""Materialises profiles: table `profile`, one row per customer, beside `profile_column`, which says what tags are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from sqlglot import exp

from aimwell.core.errors import NotEnoughData
from aimwell.core.progress import Progress, part, silent
from aimwell.core.text import Text
from aimwell.core.time import to_store
from aimwell.insight.features.build import Features
from aimwell.insight.features.coverage import coverage
from aimwell.insight.features.family import Column, Family
from aimwell.insight.rules.compile import population
from aimwell.store.warehouse.cut import instant_literal

PROFILE, COLUMNS = "profile", "profile_column"
PEOPLE = "profile_people"


@dataclass(frozen=True, slots=True)
class ProfileResult:
    """What was built.

    customers: rows of `profile`.   columns: its tags.   meanings: different measures among them, the windows of one
    counted once.   unavailable: what families without data lack, by family.
    """

    as_of: datetime
    customers: int
    columns: tuple[Column, ...]
    unavailable: dict[str, Text]

    @property
    def meanings(self) -> int:
        return len({column.measure or column.name for column in self.columns})


def build(features: Features, names: Iterable[str] | None = None, *, progress: Progress = silent) -> ProfileResult:
    """The profiles of everyone as of the features' instant, replacing those before; on failure those before stay.

    names: tags to keep, by default all that the data can carry.   Customers without any fact have a row too.
    Raises NotEnoughData when there is no customer or no tag; BadQuestion for an unknown tag.
    """
    history, engine = features.history, features.history.engine
    columns = _chosen(features, names)
    families = {features.library.owner(column.name).name: None for column in columns}
    features.prepare([features.library.families[name] for name in families], part(progress, 0.0, 0.8))
    progress(PROFILE, 0.8)
    try:
        # Without a table of customers they are a union of several, which a query may hold in a CTE only.
        everybody = exp.select("customer_id").from_("everybody").with_("everybody", as_=population(history))
        history.create_table_as(PEOPLE, everybody)
        people = int(_count(PEOPLE, features))
        if not people:
            raise NotEnoughData("There is no customer to describe", remedy="Load customers or purchases first.")
        with engine.transaction():
            engine.create_table_as(PROFILE, _wide(features, columns))
            engine.write(COLUMNS, _catalog(columns, features))
    finally:
        engine.drop(PEOPLE)
    progress(PROFILE, 1.0)
    lacking = {each.family.name: each.said for each in coverage(features) if each.lacking}
    return ProfileResult(history.as_of, people, tuple(columns), lacking)


def _chosen(features: Features, names: Iterable[str] | None) -> list[Column]:
    wanted = None if names is None else [features.library.column(name).name for name in names]
    columns = features.columns(wanted)
    if not columns:
        raise NotEnoughData("The data carry none of the tags", remedy="Load purchases, events or customers first.")
    return columns


def _count(table: str, features: Features) -> int:
    counted = exp.select(exp.alias_(exp.Count(this=exp.Star()), "n")).from_(table)
    return int(features.history.engine.to_arrow(counted).column("n")[0].as_py())


def _wide(features: Features, columns: list[Column]) -> exp.Select:
    query = features.select(PEOPLE, [column.name for column in columns])
    customer, *tags = query.expressions
    as_of = exp.alias_(instant_literal(to_store(features.history.as_of)), "as_of")
    query.set("expressions", [customer, as_of, *tags])
    return query


def _catalog(columns: list[Column], features: Features) -> pa.Table:
    rows = [_described(place, column, features.library.owner(column.name)) for place, column in enumerate(columns)]
    return pa.Table.from_pylist(rows)


def _described(place: int, column: Column, family: Family) -> dict[str, object]:
    return {
        "place": place,
        "name": column.name,
        "family": family.name,
        "tag_family": family.tag_family,
        "label_zh": column.label.zh,
        "label_en": column.label.en,
        "unit_zh": column.unit.zh,
        "unit_en": column.unit.en,
        "kind": column.kind,
        "meaning_zh": column.meaning.zh,
        "meaning_en": column.meaning.en,
        "measure": column.measure or column.name,
        "inferred": column.inferred,
        "words": json.dumps({code: [word.zh, word.en] for code, word in column.words.items()}, ensure_ascii=False),
    }
