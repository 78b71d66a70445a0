"""The customers about whom something is decided, with what the treatments would gain and cost, as of an instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.rules import Rule
from aimwell.core.text import Text
from aimwell.core.time import to_store
from aimwell.insight.features.build import Features
from aimwell.insight.predictions.score import TABLE as SCORE
from aimwell.insight.predictions.workshop import Workshop
from aimwell.insight.rules.compile import matching, materialise
from aimwell.science.allocation.pressure import fatigue, within_caps
from aimwell.science.arrays import BoolArray, FloatArray
from aimwell.store.warehouse.cut import instant_literal
from aimwell.strategy.decisions.definition import Decision, Gain
from aimwell.strategy.decisions.gains import measured_gain

Words = NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The audience in order of ids.

    customers: [n].   gain: expected added value in money [n, treatments].   cost: in money.   weary: what is lost in
    patience.   allowed: who may get what and has an expected gain.   cells: words of stage and value [n, 2], or None.
    errors: standard error of each treatment's mean gain as a share of it.   told: what an experiment said of it, if one
    measured it.   unproven: standard error per customer in money of a measured gain that counts as 0.
    """

    customers: Words
    gain: FloatArray
    cost: FloatArray
    weary: FloatArray
    allowed: BoolArray
    cells: Words | None
    errors: tuple[float, ...]
    told: tuple[Text | None, ...]
    unproven: tuple[float, ...]

    @property
    def net(self) -> FloatArray:
        """Gain less cost and patience [n, treatments]; 0 where something is not allowed."""
        found: FloatArray = np.where(self.allowed, self.gain - self.cost - self.weary, 0.0)
        return found


def people_of(definition: Decision, workshop: Workshop, as_of: datetime) -> People:
    """Everyone in the audience as of the instant.

    Whoever has no score or tag for a treatment's gain or cost may not get it: nothing is guessed.
    Raises NotEnoughData when the audience is empty; BadQuestion for unknown tags, predictions or segments.
    """
    features = workshop.described(as_of)
    with workshop.passing(f"audience_{definition.name}") as table:
        materialise(definition.audience, workshop.rules(as_of), workshop.history(as_of), table)
        reader = _Reader(workshop, features, as_of, table)
        customers = reader.customers
        if not customers.size:
            raise NotEnoughData(f"{definition.name}: nobody is in the audience as of {as_of.date()}")
        treatments = definition.treatments.values()
        measured = [measured_gain(each.gain, workshop, as_of) if each.gain.effect else None for each in treatments]
        gain = np.column_stack(
            [
                _aligned(customers, found.customers, found.value) if found else reader.gain(each.gain)
                for each, found in zip(treatments, measured, strict=True)
            ]
        )
        cost = np.column_stack(
            [reader.tag(each.cost_tag) if each.cost_tag else np.full(customers.size, each.cost) for each in treatments]
        )
        allowed = np.column_stack([reader.who(each.who) for each in treatments])
        weary, rested = _weariness(definition, reader, customers.size)
        words = [definition.cells.stage, definition.cells.value] if definition.cells else []
        cells = np.column_stack([reader.words(name) for name in words]) if words else None
    known = np.isfinite(gain) & np.isfinite(cost)
    errors = [found.error if found else each.gain.error for each, found in zip(treatments, measured, strict=True)]
    told = tuple(found.said if found else None for found in measured)
    unproven = tuple(found.unproven if found else 0.0 for found in measured)
    return People(customers, gain, cost, weary, allowed & rested & known, cells, tuple(errors), told, unproven)


def _weariness(definition: Decision, reader: _Reader, people: int) -> tuple[FloatArray, BoolArray]:
    """What is lost in patience, and who is still within the cap [n, treatments]."""
    shape = people, len(definition.treatments)
    if definition.fatigue is None:
        return np.zeros(shape), np.ones(shape, dtype=bool)
    recent = np.nan_to_num(reader.tag(definition.fatigue.recent))
    messages = [each.messages for each in definition.treatments.values()]
    lost = fatigue(recent, messages, definition.fatigue.price)
    if definition.fatigue.cap is None:
        return lost, np.ones(shape, dtype=bool)
    return lost, within_caps(recent, messages, definition.fatigue.cap)


@dataclass(frozen=True)
class _Reader:
    """Reads one value for each customer of a table of ids, in order of ids; NaN where there is none."""

    workshop: Workshop
    features: Features
    as_of: datetime
    table: str

    @cached_property
    def customers(self) -> Words:
        query = exp.select("customer_id").from_(self.table).order_by("customer_id")
        return _words(self.workshop.warehouse.engine.to_arrow(query).column("customer_id"))

    def gain(self, source: Gain) -> FloatArray:
        if source.amount is not None:
            return np.full(self.customers.size, source.amount * source.times)
        return source.times * (self.tag(source.tag) if source.tag else self.score(str(source.prediction)))

    def tag(self, name: str) -> FloatArray:
        column = self.features.to_arrow(self.table, [name]).column(name)
        if pa.types.is_string(column.type):
            raise BadQuestion(f"The tag {name!r} holds words", expected="a tag of numbers")
        return _numbers(column)

    def words(self, name: str) -> Words:
        return _words(pc.fill_null(self.features.to_arrow(self.table, [name]).column(name).cast(pa.string()), "-"))

    def score(self, prediction: str) -> FloatArray:
        """The last scores that were known at the instant."""
        engine = self.workshop.warehouse.engine
        named = exp.EQ(this=exp.column("prediction"), expression=exp.Literal.string(prediction))
        before = exp.LTE(this=exp.column("as_of"), expression=instant_literal(to_store(self.as_of)))
        last = None
        if SCORE in engine.tables():
            query = exp.select(exp.alias_(exp.Max(this=exp.column("as_of")), "last")).from_(SCORE).where(named, before)
            last = engine.to_arrow(query).column("last")[0].as_py()
        if last is None:
            remedy = f"Run `aimwell prediction score {prediction}` first."
            raise BadQuestion(f"There are no scores of {prediction!r} as of {self.as_of.date()}", remedy=remedy)
        then = exp.EQ(this=exp.column("as_of"), expression=instant_literal(last))
        query = exp.select("customer_id", "value").from_(SCORE).where(named.copy(), then).order_by("customer_id")
        rows = engine.to_arrow(query)
        return _aligned(self.customers, _words(rows.column("customer_id")), _numbers(rows.column("value")))

    def who(self, rule: Rule | None) -> BoolArray:
        customers = self.customers
        if rule is None:
            return np.ones(customers.size, dtype=bool)
        history = self.workshop.history(self.as_of)
        query = matching(rule, self.workshop.rules(self.as_of), history, population=self.table)
        found = _words(self.workshop.warehouse.engine.to_arrow(query).column("customer_id"))
        may = np.zeros(customers.size, dtype=bool)
        may[np.searchsorted(customers, found)] = True  # all of them are among the customers
        return may


def _aligned(customers: Words, ids: Words, values: FloatArray) -> FloatArray:
    """Values in order of the customers, NaN for those without one; quick where the ids are the customers."""
    if np.array_equal(customers, ids):
        return values
    order = np.argsort(ids)
    found = np.full(customers.size, np.nan)
    if not ids.size:
        return found
    place = np.minimum(np.searchsorted(ids[order], customers), ids.size - 1)
    same = ids[order][place] == customers
    found[same] = values[order][place][same]
    return found


def _numbers(column: pa.ChunkedArray) -> FloatArray:
    array: FloatArray = np.asarray(pc.fill_null(column.cast(pa.float64()), float("nan")), dtype=np.float64)
    return array


def _words(column: pa.ChunkedArray | Sequence[str]) -> Words:
    listed = column.to_pylist() if isinstance(column, pa.ChunkedArray) else list(column)
    return np.array(listed, dtype=np.str_)
