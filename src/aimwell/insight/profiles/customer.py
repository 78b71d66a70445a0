"""One customer's page: tags by family with their place among all, scores, segments, and what happened last."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.core.time import from_store
from aimwell.insight.features.family import TAG_FAMILIES, Kind, TagFamily
from aimwell.insight.profiles.build import COLUMNS, PROFILE
from aimwell.insight.profiles.timeline import Happening, happenings
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.warehouse import Warehouse

_Row = Mapping[str, Any]
Value = str | int | float | bool | Decimal | date | None
_RANKED: frozenset[Kind] = frozenset({"number", "integer", "money", "share"})


@dataclass(frozen=True, slots=True)
class TagValue:
    """One tag of a customer.

    value: None if unknown.   word: what marketers read for a value that is a code.
    percentile: place among the customers of whom it is known: the share who have less, and half of those who have as
    much; None for tags without an order.
    """

    name: str
    label: Text
    kind: Kind
    unit: Text
    meaning: Text
    value: Value
    word: Text | None = None
    percentile: float | None = None
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class TagGroup:
    """The tags of one of the eight families; none if the data carry none of it."""

    name: TagFamily
    label: Text
    tags: tuple[TagValue, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The customer's latest score of one prediction: a chance, or an amount; rank 1 is the best `of` so many."""

    prediction: str
    label: Text
    as_of: datetime
    value: float
    rank: int
    of: int
    amount: bool = False


@dataclass(frozen=True, slots=True)
class Belonging:
    """A segment that the customer is in."""

    segment: str
    label: Text
    since: datetime


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """All that is known of one customer as of the last built profiles; the newest happening comes first."""

    customer_id: str
    as_of: datetime
    groups: tuple[TagGroup, ...]
    scores: tuple[Answer, ...] = ()
    segments: tuple[Belonging, ...] = ()
    happenings: tuple[Happening, ...] = ()
    timezone: str = "UTC"

    def tag(self, name: str) -> TagValue:
        """One tag by name; raises BadQuestion if the profile has none of that name."""
        for group in self.groups:
            for tag in group.tags:
                if tag.name == name:
                    return tag
        raise BadQuestion(f"The profile of {self.customer_id!r} has no tag {name!r}")


def explain(
    warehouse: Warehouse,
    customer_id: str,
    *,
    labels: Mapping[str, Text] | None = None,
    amounts: Collection[str] = (),
    last: int = 12,
) -> CustomerPage:
    """The page of one customer, from the profiles, scores and memberships that were built last.

    labels: what predictions and segments are called, by name.   amounts: predictions whose scores are money, not
    chances.   last: how many happenings.
    Raises BadQuestion when no profiles were built, or there is no such customer.
    """
    engine = warehouse.engine
    columns = _catalog(engine)
    row = _row(engine, customer_id)
    as_of = from_store(row["as_of"])
    known = _percentiles(engine, customer_id, columns)
    tags = [(each["tag_family"], _tag(each, row, known)) for each in columns]
    groups = tuple(
        TagGroup(name, label, tuple(tag for family, tag in tags if family == name))
        for name, label in TAG_FAMILIES.items()
    )
    named = labels or {}
    return CustomerPage(
        customer_id,
        as_of,
        groups,
        _answers(engine, customer_id, named, amounts),
        _belongings(engine, customer_id, named),
        happenings(warehouse.history(as_of), customer_id, last),
        warehouse.zone.key,
    )


def _catalog(engine: Engine) -> list[_Row]:
    if not engine.columns(COLUMNS) or not engine.columns(PROFILE):
        raise BadQuestion("No profiles have been built yet", remedy="Run `aimwell profile` first.")
    found: list[_Row] = engine.to_arrow(exp.select("*").from_(COLUMNS).order_by("place")).to_pylist()
    return found


def _row(engine: Engine, customer_id: str) -> _Row:
    found = engine.to_arrow(exp.select("*").from_(PROFILE).where(_same("customer_id", customer_id))).to_pylist()
    if not found:
        raise BadQuestion(f"There is no customer {customer_id!r} in the profiles", remedy="Check the id.")
    row: _Row = found[0]
    return row


def _percentiles(engine: Engine, customer_id: str, columns: Sequence[_Row]) -> Mapping[str, float | None]:
    """The place among all of each ordered tag that the customer has, in one pass."""
    names = [each["name"] for each in columns if each["kind"] in _RANKED]
    if not names:
        return {}
    places = [exp.alias_(_place(name), name) for name in names]
    own = exp.select("*").from_(PROFILE).where(_same("customer_id", customer_id)).subquery("own")
    rows = engine.to_arrow(
        exp.select(*places).from_(exp.to_table(PROFILE).as_("everyone")).join(own, join_type="cross")
    )
    found: Mapping[str, float | None] = rows.to_pylist()[0]
    return found


def _place(name: str) -> exp.Expr:
    """The mean of 1 for those with less, a half for those with as much and 0 for the others; the unknown left out."""
    theirs, own = exp.column(name, table="everyone", quoted=True), exp.column(name, table="own", quoted=True)
    worth = [
        exp.If(this=exp.LT(this=theirs, expression=own), true=_double("1")),
        exp.If(this=exp.EQ(this=theirs.copy(), expression=own.copy()), true=_double("0.5")),
        exp.If(this=exp.GT(this=theirs.copy(), expression=own.copy()), true=_double("0")),
    ]
    return exp.Avg(this=exp.Case(ifs=worth))


def _double(number: str) -> exp.Expr:
    return exp.cast(exp.Literal.number(number), exp.DType.DOUBLE)


def _tag(described: _Row, row: _Row, known: Mapping[str, float | None]) -> TagValue:
    name = described["name"]
    value = row[name]
    words = json.loads(described["words"])
    return TagValue(
        name=name,
        label=Text(described["label_zh"], described["label_en"]),
        kind=described["kind"],
        unit=Text(described["unit_zh"], described["unit_en"]),
        meaning=Text(described["meaning_zh"], described["meaning_en"]),
        value=value,
        word=Text(*words[value]) if value in words else None,
        percentile=known.get(name),
        inferred=bool(described["inferred"]),
    )


def _answers(
    engine: Engine, customer_id: str, labels: Mapping[str, Text], amounts: Collection[str]
) -> tuple[Answer, ...]:
    """The latest score of each prediction, with how many were scored then."""
    if not engine.columns("score"):
        return ()
    rows = engine.to_arrow(exp.select("*").from_("score").where(_same("customer_id", customer_id))).to_pylist()
    latest: dict[str, _Row] = {}
    for row in sorted(rows, key=lambda row: (row["as_of"], row["version"])):
        latest[row["prediction"]] = row
    return tuple(
        Answer(
            prediction=name,
            label=_label(name, labels),
            as_of=from_store(row["as_of"]),
            value=row["value"],
            rank=row["rank"],
            of=_scored(engine, row),
            amount=name in amounts,
        )
        for name, row in sorted(latest.items())
    )


def _scored(engine: Engine, row: _Row) -> int:
    same = [_same(key, row[key]) for key in ("prediction", "version", "as_of")]
    counted = exp.select(exp.alias_(exp.Count(this=exp.Star()), "n")).from_("score").where(*same)
    return int(engine.to_arrow(counted).column("n")[0].as_py())


def _belongings(engine: Engine, customer_id: str, labels: Mapping[str, Text]) -> tuple[Belonging, ...]:
    if not engine.columns("membership"):
        return ()
    query = exp.select("segment", "since").from_("membership").where(_same("customer_id", customer_id))
    rows = engine.to_arrow(query.order_by("segment")).to_pylist()
    return tuple(Belonging(row["segment"], _label(row["segment"], labels), from_store(row["since"])) for row in rows)


def _label(name: str, labels: Mapping[str, Text]) -> Text:
    return labels.get(name, Text(name, name))


def _same(column: str, value: object) -> exp.Expr:
    return exp.EQ(this=exp.column(column), expression=exp.convert(value))
