"""How columns enter a model: numbers as they are, words as codes of the frequent ones, and nothing that is no use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aimwell.core.errors import BadInput, NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.rows import as_floats
from aimwell.science.arrays import FloatArray

MOST_CATEGORIES = 48
"""A column of words keeps its most frequent ones; the rest share one code, so that 10,000 of them cannot over-fit."""
FEWEST_ROWS = 10
"""A word seen in fewer rows joins the rest."""
OTHER = 0.0

_EMPTY = Text("没有任何值", "holds no value at all")
_CONSTANT = Text("所有人的值都相同", "has the same value for everybody")
_RARE = Text("几乎人人不同,像是编号", "differs for almost everybody, like an id")


@dataclass(frozen=True, slots=True)
class Coded:
    """One column that is used; `words` are the texts that have a code of their own (1, 2, …), None for numbers."""

    name: str
    words: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """A column that was left out, and why."""

    name: str
    why: Text


@dataclass(frozen=True, slots=True)
class Encoding:
    """What was learned from the training rows about their columns; the same for every later row."""

    coded: tuple[Coded, ...]
    dropped: tuple[Dropped, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.coded)

    @property
    def categorical(self) -> tuple[int, ...]:
        """Places of the columns that hold codes of words."""
        return tuple(place for place, each in enumerate(self.coded) if each.words is not None)

    def matrix(self, table: pa.Table) -> FloatArray:
        """The table as float array [n, columns]; NaN unknown, words never seen before count as the rest.

        Raises BadInput when a column is missing.
        """
        absent = [each.name for each in self.coded if each.name not in table.column_names]
        if absent:
            raise BadInput(f"The rows lack columns that the model was trained on: {', '.join(absent)}")
        found: FloatArray = np.empty((table.num_rows, len(self.coded)), dtype=np.float64)
        for place, each in enumerate(self.coded):
            column = table.column(each.name)
            found[:, place] = as_floats(column) if each.words is None else _codes(column, each.words)
        return found

    def to_dict(self) -> dict[str, object]:
        """The plain values from which `from_dict` makes the same encoding."""
        return {
            "coded": [{"name": each.name, "words": list(each.words) if each.words is not None else None}
                      for each in self.coded],
            "dropped": [{"name": each.name, "zh": each.why.zh, "en": each.why.en} for each in self.dropped],
        }  # fmt: skip

    @staticmethod
    def from_dict(values: Mapping[str, list[dict[str, object]]]) -> Encoding:
        """The encoding behind `to_dict`."""
        coded = tuple(
            Coded(str(each["name"]), tuple(map(str, words)) if isinstance(words := each["words"], list) else None)
            for each in values["coded"]
        )
        dropped = tuple(
            Dropped(str(each["name"]), Text(str(each["zh"]), str(each["en"]))) for each in values["dropped"]
        )
        return Encoding(coded, dropped)


def learn_encoding(table: pa.Table, columns: Iterable[Column]) -> Encoding:
    """Which columns can be used, and the code of each frequent word.

    Columns without any value, with one value only, or of words that hardly ever repeat are left out with the reason.
    Raises NotEnoughData when no column is left.
    """
    coded: list[Coded] = []
    dropped: list[Dropped] = []
    for column in columns:
        found = _learn(column.name, table.column(column.name))
        if isinstance(found, Coded):
            coded.append(found)
        else:
            dropped.append(found)
    if not coded:
        reasons = "; ".join(f"{each.name} {each.why.en}" for each in dropped[:5])
        raise NotEnoughData("No column tells customers apart", seen=reasons or "no columns", remedy="Load more facts.")
    return Encoding(tuple(coded), tuple(dropped))


def is_text(column: pa.ChunkedArray) -> bool:
    """Whether the column holds words."""
    kind = column.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))


def _learn(name: str, column: pa.ChunkedArray) -> Coded | Dropped:
    if column.null_count == len(column):
        return Dropped(name, _EMPTY)
    if is_text(column):
        return _learn_words(name, column)
    values = as_floats(column)
    seen = values[~np.isnan(values)]
    if seen.size == 0:
        return Dropped(name, _EMPTY)
    if seen.size == values.size and seen.min() == seen.max():
        return Dropped(name, _CONSTANT)
    return Coded(name)


def _learn_words(name: str, column: pa.ChunkedArray) -> Coded | Dropped:
    counts = pc.value_counts(column.cast(pa.string()).drop_null())
    seen = sorted(
        zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True),
        key=lambda pair: (-int(pair[1]), str(pair[0])),
    )
    if len(seen) == 1 and not column.null_count:
        return Dropped(name, _CONSTANT)
    few = min(FEWEST_ROWS, max(2, len(column) // 100))
    frequent = tuple(str(word) for word, count in seen[:MOST_CATEGORIES] if int(count) >= few)
    if not frequent:
        return Dropped(name, _RARE)
    return Coded(name, frequent)


def _codes(column: pa.ChunkedArray, words: tuple[str, ...]) -> FloatArray:
    text = column.cast(pa.string())
    places = pc.index_in(text, value_set=pa.array(words, pa.string())).to_numpy(zero_copy_only=False)
    known = ~np.isnan(np.asarray(places, dtype=np.float64))
    found: FloatArray = np.where(known, np.asarray(places, dtype=np.float64) + 1.0, OTHER)
    found[np.asarray(text.is_null().to_numpy(zero_copy_only=False), dtype=bool)] = np.nan
    return found
