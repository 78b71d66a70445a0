"""Compares columns of Arrow rows between two groups, and keeps what differs beyond chance, each measure once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import false_discovery_control

from aimwell.core.text import Text
from aimwell.insight.features.family import Column
from aimwell.insight.segments.contrast import Contrast, compare_numbers, compare_shares
from aimwell.insight.segments.wording import has_ratio
from aimwell.science.arrays import BoolArray, FloatArray

INSIDE = "aimwell_inside"
"""The column that tells members from others."""
FALSE_SHARE = 0.05
"""Expected share of chance findings among the differences that are told."""
FEWEST = 5
"""People of each group for whom a feature must be known to be compared; people who must share a word."""
CONSTANT = Text("所有人都一样", "the same for everybody")
TOO_FEW = Text(f"有记录的不足 {FEWEST} 人", f"known for fewer than {FEWEST} people of a group")
RARE = Text(f"没有一个取值达到 {FEWEST} 人", f"no value is shared by {FEWEST} people")


@dataclass(frozen=True, slots=True)
class Trial:
    """One column compared: what is told, the word it is about, every chance looked at, and the share known."""

    column: Column
    contrast: Contrast
    word: str | None
    chances: FloatArray
    known: tuple[float, float] = (1, 1)


@dataclass
class Trials:
    """Everything that was compared, by measure, in the order of the library."""

    seed: int
    measures: dict[str, list[Trial]] = field(default_factory=dict)
    left_out: dict[str, Text] = field(default_factory=dict)
    _patterns: set[tuple[int, int]] = field(default_factory=set)

    def add(self, columns: Iterable[Column], rows: pa.Table) -> None:
        """Compare the columns of some rows."""
        inside = np.asarray(rows.column(INSIDE).to_numpy(zero_copy_only=False), dtype=np.bool_)
        for column in columns:
            self._add(column, rows.column(column.name), inside)

    def _add(self, column: Column, values: pa.ChunkedArray, inside: BoolArray) -> None:
        known = _known(column, values)
        people, having = _split(np.ones_like(inside), inside), _split(known, inside)
        shares = (having[0] / people[0], having[1] / people[1])
        found: list[Trial] = []
        # Columns that are known together would all say so: of those known for equally many, the first one does.
        if 0 < sum(having) < sum(people) and min(people) >= FEWEST and having not in self._patterns:
            self._patterns.add(having)
            found.append(_knowledge(column, having, people))
        if min(having) < FEWEST:
            self.left_out[column.name] = TOO_FEW
        else:
            trial = _compared(column, values.filter(pa.array(known)), inside[known], self.seed)
            if isinstance(trial, Trial):
                found.append(replace(trial, known=shares))
            else:
                self.left_out[column.name] = trial
        if found:
            self.measures.setdefault(column.measure or column.name, []).extend(found)

    def beyond_chance(self) -> list[tuple[Trial, float]]:
        """The surest trial of each measure that differs beyond chance, surest first, with its share of false ones."""
        if not self.measures:
            return []
        false = false_discovery_control([_simes(trials) for trials in self.measures.values()])
        best = [max(trials, key=_telling) for trials in self.measures.values()]
        kept = [
            (trial, float(share))
            for trial, share in zip(best, false, strict=True)
            if share <= FALSE_SHARE and trial.contrast.certain
        ]
        return sorted(kept, key=lambda each: _sureness(each[0]), reverse=True)


def _telling(trial: Trial) -> tuple[bool, bool, float, float]:
    """What to tell of a measure: the window whose values differ most surely, whether it is known if none does."""
    return (trial.contrast.certain, trial.contrast.aspect != "known", *_sureness(trial))


def _sureness(trial: Trial) -> tuple[float, float]:
    return round(trial.contrast.strength, 12), round(abs(trial.contrast.effect.value), 12)


def _simes(trials: Iterable[Trial]) -> float:
    """The chance of the surest of several related comparisons, for having looked at all of them."""
    chances = np.sort(np.concatenate([trial.chances for trial in trials]))
    return float((chances * chances.size / np.arange(1, chances.size + 1)).min())


def _split(chosen: BoolArray, inside: BoolArray) -> tuple[int, int]:
    """How many of the chosen are members, and how many are others."""
    return int(np.count_nonzero(chosen & inside)), int(np.count_nonzero(chosen & ~inside))


def _known(column: Column, values: pa.ChunkedArray) -> BoolArray:
    known: BoolArray = np.asarray(pc.is_valid(values).to_numpy(), dtype=np.bool_)
    if column.kind in {"text", "boolean"}:
        return known
    return known & np.isfinite(_numbers(values))


def _numbers(values: pa.ChunkedArray) -> FloatArray:
    """Numbers, money and dates (as days) as floats, NaN where unknown."""
    if pa.types.is_date(values.type):
        values = values.cast(pa.date32()).cast(pa.int32())
    found: FloatArray = np.asarray(values.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    return found


def _knowledge(column: Column, having: tuple[int, int], people: tuple[int, int]) -> Trial:
    """For how many the feature is known at all."""
    _, contrast, chances = compare_shares(np.array([having[0]]), people[0], np.array([having[1]]), people[1])
    return Trial(column, replace(contrast, aspect="known"), None, chances)


def _compared(column: Column, values: pa.ChunkedArray, inside: BoolArray, seed: int) -> Trial | Text:
    """A column known for everybody who is left; or why it cannot be compared."""
    if column.kind == "text":
        return _words_compared(column, values, inside)
    numbers = _numbers(values)
    if numbers.min() == numbers.max():
        return CONSTANT
    members, others = numbers[inside], numbers[~inside]
    if column.kind == "boolean":
        yes = [np.array([np.count_nonzero(each)]) for each in (members, others)]
        _, contrast, chances = compare_shares(yes[0], members.size, yes[1], others.size)
        return Trial(column, contrast, None, chances)
    by_median = column.kind == "day"
    contrast = compare_numbers(members, others, ratios=has_ratio(column), by_median=by_median, seed=seed)
    return Trial(column, contrast, None, np.array([contrast.chance]))


def _words_compared(column: Column, values: pa.ChunkedArray, inside: BoolArray) -> Trial | Text:
    """Every word that enough people share; the one that differs most surely is told."""
    coded = pa.chunked_array([values.combine_chunks()]).dictionary_encode().chunk(0)
    words: list[str] = coded.dictionary.to_pylist()
    codes = np.asarray(coded.indices.to_numpy(), dtype=np.int64)
    if len(words) == 1:
        return CONSTANT
    counts = [np.bincount(codes[side], minlength=len(words)) for side in (inside, ~inside)]
    shared = np.flatnonzero(counts[0] + counts[1] >= FEWEST)
    if not shared.size:
        return RARE
    ordered = np.array(sorted(shared.tolist(), key=words.__getitem__), dtype=np.int64)
    people = _split(np.ones_like(inside), inside)
    place, contrast, chances = compare_shares(counts[0][ordered], people[0], counts[1][ordered], people[1])
    return Trial(column, contrast, words[int(ordered[place])], chances)
