"""The rows that a prediction learns from and is judged on: one per customer and cut-off, features beside the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.insight.features.family import Column
from aimwell.science.arrays import BoolArray, FloatArray, IntArray

Names = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class CutOff:
    """One moment at which the question is asked: what is known ends where the answer's window begins.

    name: a date, a campaign, or a block of a flat file.
    opens, closes: when knowledge ends and when the answer is known, as numbers on one axis (seconds, or blocks).
    as_of: the instant itself, where there is one.
    """

    name: str
    opens: float
    closes: float
    as_of: datetime | None = None

    @property
    def instant(self) -> datetime:
        """The instant of a cut-off of a warehouse; raises BadQuestion for a flat file's."""
        if self.as_of is None:
            raise BadQuestion(f"The cut-off {self.name} has no instant", remedy="Ask it of a warehouse.")
        return self.as_of


@dataclass(frozen=True)
class Rows:
    """Everything about n rows, whatever they came from.

    customers: id of each row's customer [n].   cut: index into `cuts` [n].   table: the raw features, a column per
    entry of `columns`.   truth: 0 or 1, or an amount; NaN where not known yet [n].
    age_days: days since the customer was first seen, NaN unknown [n].   past: the answer over the period just before
    the cut-off, NaN unknown [n].   aside: columns that only the baseline reads, and nothing is learnt from.
    """

    customers: Names
    cut: IntArray
    cuts: tuple[CutOff, ...]
    columns: tuple[Column, ...]
    table: pa.Table
    truth: FloatArray
    age_days: FloatArray
    past: FloatArray
    aside: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return int(self.truth.size)

    @property
    def learnt_columns(self) -> tuple[Column, ...]:
        """The columns that may be learnt from."""
        return tuple(column for column in self.columns if column.name not in self.aside)

    @property
    def positives(self) -> int:
        """Rows whose answer is yes, or more than nothing."""
        return int((self.truth > 0).sum())

    def take(self, keep: BoolArray | IntArray) -> Rows:
        """Only the given rows, in their order; cut-offs keep their numbers."""
        places = np.flatnonzero(keep) if keep.dtype == np.bool_ else keep
        return replace(
            self,
            customers=self.customers[places],
            cut=self.cut[places],
            table=self.table.take(pa.array(places)),
            truth=self.truth[places],
            age_days=self.age_days[places],
            past=self.past[places],
        )

    def at(self, *cuts: int) -> Rows:
        """The rows of some cut-offs."""
        return self.take(np.isin(self.cut, cuts))

    def learnable_for(self, cut: int) -> BoolArray:
        """Which rows one may learn from when the rows of `cut` are to be foretold: their answer was known by then."""
        closes = np.array([each.closes for each in self.cuts])
        allowed = closes <= self.cuts[cut].opens
        found: BoolArray = allowed[self.cut]
        return found

    def values(self, name: str) -> FloatArray:
        """A column as numbers, NaN where unknown; text columns raise BadQuestion."""
        column = self.table.column(name)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            raise BadQuestion(f"{name!r} holds text, not numbers")
        return as_floats(column)


def stack(parts: Sequence[Rows]) -> Rows:
    """The rows of several cut-offs as one; every part has one cut-off and the same columns."""
    if not parts:
        raise NotEnoughData("There is no cut-off to learn from", remedy="Load more history or shorten the horizon.")
    return Rows(
        np.concatenate([part.customers for part in parts]),
        np.concatenate([np.full(len(part), index, dtype=np.int64) for index, part in enumerate(parts)]),
        tuple(part.cuts[0] for part in parts),
        parts[0].columns,
        pa.concat_tables([part.table for part in parts], promote_options="permissive"),
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.age_days for part in parts]),
        np.concatenate([part.past for part in parts]),
        parts[0].aside,
    )


def as_floats(column: pa.ChunkedArray) -> FloatArray:
    """Numbers, money, booleans and dates of an Arrow column as floats, NaN where empty; a date counts its days."""
    kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif pa.types.is_date(kind):
        column = column.cast(pa.date32()).cast(pa.int32())
    elif pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False)) / 86_400.0
    values: FloatArray = np.asarray(
        column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64
    )
    return values
