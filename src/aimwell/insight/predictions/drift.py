"""Drift: have the customers, or their scores, become other than they were when the model learnt; counted in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from sqlglot import exp

from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.core.time import local_day, to_store
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.score import TABLE as SCORE
from aimwell.insight.predictions.targets import population
from aimwell.insight.predictions.training import chosen_columns
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import FloatArray
from aimwell.science.drift import Drift, Verdict, drift
from aimwell.store.warehouse.cut import instant_literal
from aimwell.store.warehouse.history import History

LEVELS = tuple(step / 10 for step in range(1, 10))
WORDS = 20
TOGETHER = 40
"""Columns counted in one statement: more make the planner slower than the counting."""
THEN, NOW = "people_then", "people_now"
_SCORE = Text("分数", "Score")


@dataclass(frozen=True, slots=True)
class ColumnDrift(Result):
    """How far one column has moved: its name and label, and the numbers."""

    column: str
    label: Text
    drift: Drift


@dataclass(frozen=True, slots=True)
class DriftReport(Result):
    """Every column of a prediction at two dates, the most moved first; and its scores, where both dates were scored."""

    prediction: str
    before: datetime
    now: datetime
    people_before: int
    people_now: int
    columns: tuple[ColumnDrift, ...]
    scores: ColumnDrift | None

    @property
    def moved(self) -> tuple[ColumnDrift, ...]:
        """The columns that have moved beyond chance."""
        return tuple(each for each in self.columns if each.drift.verdict is not Verdict.NONE)


def measure_drift(definition: Prediction, workshop: Workshop, before: datetime, now: datetime) -> DriftReport:
    """Compare the population of a prediction at two dates, column by column, by counts that the engine makes.

    One statement finds the borders, one pass over both dates counts forty columns, one more counts all words.
    The borders of the bins are the tenths of the earlier date, or its most frequent words.
    Raises NotEnoughData when nobody is in the population at either date.
    """
    chosen = chosen_columns(definition, workshop, workshop.history(before))
    columns = [column for column in chosen if column.name in workshop.library.owners]
    names = [column.name for column in columns]
    with workshop.passing(f"then_{definition.name}") as then, workshop.passing(f"now_{definition.name}") as later:
        people = [_describe(definition, workshop, at, names, table) for at, table in ((before, then), (now, later))]
        days = (local_day(now, workshop.warehouse.zone) - local_day(before, workshop.warehouse.zone)).days
        pair = _Pair(workshop.history(now), {THEN: then, NOW: later}, days)
        found = [*_numbers(pair, columns), *_texts(pair, columns)]
    found.sort(key=lambda each: (-each.drift.psi, each.column))
    scores = _scores(workshop, definition.name, before, now)
    return DriftReport(definition.name, before, now, people[0], people[1], tuple(found), scores)


@dataclass(frozen=True, slots=True)
class _Pair:
    """The same columns at two dates: the physical table of each, and the days between them."""

    history: History
    relations: Mapping[str, str]
    days: int

    def rows(self, query: exp.Select) -> list[dict[str, Any]]:
        """The rows of an authored query over both."""
        found: list[dict[str, Any]] = self.history.to_arrow(query, self.relations).to_pylist()
        return found


def _describe(definition: Prediction, workshop: Workshop, at: datetime, names: list[str], table: str) -> int:
    """Keep the features of the population at a date as a table; returns how many people it has."""
    engine = workshop.warehouse.engine
    with workshop.passing(f"people_{definition.name}") as people:
        engine.create_table_as(people, population(definition, workshop, workshop.history(at)))
        engine.create_table_as(table, workshop.features(at).select(people, names))
    count = exp.select(exp.alias_(exp.Count(this=exp.Star()), "n")).from_(table)
    found = int(engine.to_arrow(count).column("n")[0].as_py())
    if not found:
        raise NotEnoughData(f"{definition.name}: nobody is in the population as of {at.date()}")
    return found


def _numbers(pair: _Pair, columns: Sequence[Column]) -> list[ColumnDrift]:
    found: list[ColumnDrift] = []
    numeric = [column for column in columns if column.kind != "text"]
    for start in range(0, len(numeric), TOGETHER):
        part = numeric[start : start + TOGETHER]
        counts = _counts(pair, part, _edges(pair, part))
        found += [ColumnDrift(column.name, column.label, drift(*counts[column.name])) for column in part]
    return found


def _edges(pair: _Pair, columns: Sequence[Column]) -> dict[str, FloatArray]:
    """The distinct tenths of each column at the earlier date."""
    query = exp.select().from_("described").with_("described", as_=_values(columns, THEN, pair.days))
    for place in range(len(columns)):
        for step, level in enumerate(LEVELS):
            at = exp.Anonymous(this="quantile_at", expressions=[exp.column(f"v{place}"), exp.Literal.number(level)])
            query = query.select(exp.alias_(at, f"q{place}_{step}"), copy=False)
    row = pair.rows(query)[0]
    return {
        column.name: np.unique(
            [row[f"q{place}_{step}"] for step in range(len(LEVELS)) if row[f"q{place}_{step}"] is not None]
        )
        for place, column in enumerate(columns)
    }


def _counts(
    pair: _Pair, columns: Sequence[Column], edges: Mapping[str, FloatArray]
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Of every column at both dates, in one pass: how many have no value, and how many lie between the borders."""
    both = exp.union(_values(columns, THEN, pair.days), _values(columns, NOW, 0), distinct=False)
    query = exp.select("later", exp.alias_(exp.Count(this=exp.Star()), "n")).from_("described")
    query = query.with_("described", as_=both).group_by("later").order_by("later")
    for place, column in enumerate(columns):
        value = exp.column(f"v{place}")
        query = query.select(exp.alias_(exp.Count(this=value.copy()), f"k{place}"), copy=False)
        for step, edge in enumerate(edges[column.name]):
            border = exp.cast(exp.Literal.number(repr(float(edge))), exp.DType.DOUBLE)
            below = _flag(exp.LT(this=value.copy(), expression=border))
            query = query.select(exp.alias_(exp.Sum(this=below), f"b{place}_{step}"), copy=False)
    before, after = pair.rows(query)
    return {
        column.name: (_between(before, place, edges[column.name].size), _between(after, place, edges[column.name].size))
        for place, column in enumerate(columns)
    }


def _between(row: Mapping[str, Any], place: int, borders: int) -> FloatArray:
    below_each = [float(row[f"b{place}_{step}"] or 0) for step in range(borders)]
    steps = np.diff([0.0, *below_each, float(row[f"k{place}"])])
    return np.array([float(row["n"] - row[f"k{place}"]), *steps])


def _values(columns: Sequence[Column], table: str, days: int) -> exp.Select:
    """The columns of one date as numbers; days are counted back from that date itself.

    days: how many the date lies before the instant of the history.
    """
    query = exp.select(exp.alias_(exp.Literal.number(int(table == NOW)), "later")).from_(table)
    for place, column in enumerate(columns):
        value = _number(column)
        if column.kind == "day":
            value = exp.Sub(this=value, expression=exp.Literal.number(days))
        query = query.select(exp.alias_(value, f"v{place}"), copy=False)
    return query


def _texts(pair: _Pair, columns: Sequence[Column]) -> list[ColumnDrift]:
    """All columns of words at both dates in one statement."""
    words = [column for column in columns if column.kind == "text"]
    if not words:
        return []
    parts = [_words(place, column, table) for place, column in enumerate(words) for table in (THEN, NOW)]
    union: exp.Query = parts[0]
    for other in parts[1:]:
        union = exp.union(union, other, distinct=False)
    rows = pair.rows(exp.select("place", "later", "word", "n").from_("counted").with_("counted", as_=union))
    rows.sort(key=lambda row: (-row["n"], str(row["word"])))
    found: list[ColumnDrift] = []
    for place, column in enumerate(words):
        before, after = (
            {row["word"]: int(row["n"]) for row in rows if (row["place"], row["later"]) == (place, later)}
            for later in (0, 1)
        )
        frequent = [word for word in before if word is not None][:WORDS]
        counts = [_binned(each, frequent) for each in (before, after)]
        found.append(ColumnDrift(column.name, column.label, drift(counts[0], counts[1], ordered=False)))
    return found


def _words(place: int, column: Column, table: str) -> exp.Select:
    """How often each word occurs at one date."""
    word = exp.column(column.name, quoted=True)
    marks = {"place": place, "later": int(table == NOW)}
    query = exp.select(*(exp.alias_(exp.Literal.number(value), name) for name, value in marks.items()))
    query = query.select(exp.alias_(word, "word"), exp.alias_(exp.Count(this=exp.Star()), "n")).from_(table)
    return query.group_by(word.copy())


def _binned(words: Mapping[str | None, int], frequent: list[str]) -> list[int]:
    known = [words.get(word, 0) for word in frequent]
    missing = words.get(None, 0)
    return [missing, *known, sum(words.values()) - missing - sum(known)]


def _scores(workshop: Workshop, prediction: str, before: datetime, now: datetime) -> ColumnDrift | None:
    engine = workshop.warehouse.engine
    if SCORE not in engine.tables():
        return None
    parts: list[FloatArray] = []
    for at in (before, now):
        asked = [
            exp.EQ(this=exp.column("prediction"), expression=exp.Literal.string(prediction)),
            exp.EQ(this=exp.column("as_of"), expression=instant_literal(to_store(at))),
        ]
        values = engine.to_arrow(exp.select("value").from_(SCORE).where(*asked)).column("value")
        parts.append(np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False)))
    if not parts[0].size or not parts[1].size:
        return None
    edges = np.unique(np.quantile(parts[0], LEVELS))
    counts = [np.bincount(np.searchsorted(edges, part, side="right"), minlength=edges.size + 1) for part in parts]
    return ColumnDrift("score", _SCORE, drift(counts[0], counts[1]))


def _number(column: Column) -> exp.Expr:
    value = exp.column(column.name, quoted=True)
    if column.kind == "boolean":
        return exp.cast(_flag_or_null(value), exp.DType.DOUBLE)
    if column.kind == "day":
        days = exp.Anonymous(this="days_between", expressions=[value, exp.Anonymous(this="as_of")])
        return exp.cast(days, exp.DType.DOUBLE)
    return exp.cast(value, exp.DType.DOUBLE)


def _flag(condition: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="flag", expressions=[condition])


def _flag_or_null(value: exp.Expr) -> exp.Expr:
    known = exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))
    return exp.Case(ifs=[exp.If(this=known, true=_flag(value))])
