"""Why this customer: the three measures that moved his score most, in words, beside what is typical."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from aimwell.core.text import Text
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.encoding import Encoding, is_text
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.rows import as_floats
from aimwell.science.arrays import FloatArray

TOP = 3
Value = float | str | None
_RAISES, _LOWERS = Text("（拉高）", " (raises)"), Text("（拉低）", " (lowers)")
_PACE: Mapping[str, tuple[str, Text]] = {
    "days_since_order": ("gap_median", Text("平时 {own} 天来一次", "usually every {own} days")),
}
"""Columns that are told beside another column of the same customer."""


@dataclass(frozen=True, slots=True)
class Reason(Result):
    """One measure that moved a customer's score.

    measure: its name; column: the one of its windows that weighed most.   value, typical: the customer's and the
    middle customer's (None: not known).   effect: what all windows of the measure together added to the raw score,
    negative when they lowered it.   text: the same in words.
    """

    measure: str
    column: str
    value: Value
    typical: Value
    effect: float
    text: Text

    @property
    def raises(self) -> bool:
        """Whether it raised the score."""
        return self.effect > 0


class Explained(Protocol):
    """A model that says what each column it uses adds to its answer, the last column being the average [n, d+1]."""

    @property
    def encoding(self) -> Encoding: ...

    def contributions(self, table: pa.Table) -> FloatArray: ...


@dataclass(frozen=True, slots=True)
class Speaker:
    """Puts contributions into words: the columns by name, and the typical value of each."""

    columns: Mapping[str, Column]
    typical: Mapping[str, Value]

    def reasons(self, model: Explained, table: pa.Table, top: int = TOP) -> list[tuple[Reason, ...]]:
        """The `top` measures of every row of the table, the weightiest first.

        Windows of one measure count as one.   Cost: exact contributions, some 100 times the price of a score; meant
        for delivered lists and single customers.
        """
        if not table.num_rows:
            return []
        parts = model.contributions(table)[:, :-1]
        names = model.encoding.names
        measures = [self.columns[name].measure or name for name in names]
        order = list(dict.fromkeys(measures))
        place = np.array([order.index(measure) for measure in measures])
        effects = np.stack([parts[:, place == each].sum(axis=1) for each in range(len(order))], axis=1)
        values = _values(table, model.encoding)
        return [
            tuple(
                self._reason(order[each], parts[row], place == each, float(effects[row, each]), names, values, row)
                for each in np.argsort(-np.abs(effects[row]), kind="stable")[:top]
                if effects[row, each] != 0
            )
            for row in range(table.num_rows)
        ]

    def _reason(
        self,
        measure: str,
        parts: FloatArray,
        inside: np.ndarray,
        effect: float,
        names: Sequence[str],
        values: Mapping[str, Sequence[Value]],
        row: int,
    ) -> Reason:
        # The window that says most in the direction of the whole measure stands for it.
        along = np.where(inside, parts * np.sign(effect), -np.inf)
        name = names[int(np.argmax(along))]
        value, typical = values[name][row], self.typical.get(name)
        pace = _PACE.get(name)
        own = values[pace[0]][row] if pace and value is not None and pace[0] in values else None
        text = self._words(name, value, typical) if own is None else self._own_pace(name, value, own)
        direction = _RAISES if effect > 0 else _LOWERS
        said = Text(text.zh + direction.zh, text.en + direction.en)
        return Reason(measure, name, value, typical, effect, said)

    def _own_pace(self, name: str, value: Value, own: Value) -> Text:
        """A silence beside the customer's own rhythm says more than beside that of others."""
        mine, usual = shown(value, self.columns[name]), shown(own, self.columns[_PACE[name][0]])
        label, words = self.columns[name].label, _PACE[name][1].format(own=usual.zh)
        return Text(f"{label.zh.removesuffix('天数')} {mine.zh} 天，{words.zh}", f"{label.en}: {mine.en}, {words.en}")

    def _words(self, name: str, value: Value, typical: Value) -> Text:
        column = self.columns[name]
        label, unit = column.label, column.unit
        mine, usual = shown(value, column), shown(typical, column)
        zh = f"{label.zh} {_with_unit(mine.zh, unit.zh)}"
        en = f"{label.en}: {_with_unit(mine.en, unit.en)}"
        if typical is not None:
            zh += f"，一般 {_with_unit(usual.zh, unit.zh)}"
            en += f", usually {_with_unit(usual.en, unit.en)}"
        return Text(zh, en)


def typical_values(table: pa.Table, encoding: Encoding) -> dict[str, Value]:
    """The middle value of each used number, the most frequent word of each text; None where nothing is known."""
    found: dict[str, Value] = {}
    for coded in encoding.coded:
        column = table.column(coded.name)
        if coded.words is not None:
            found[coded.name] = coded.words[0]
            continue
        values = as_floats(column)
        known = values[~np.isnan(values)]
        found[coded.name] = float(np.median(known)) if known.size else None
    return found


def shown(value: Value, column: Column) -> Text:
    """A value as marketers read it: words of codes, yes and no, percentages, money and counts without noise.

    >>> from aimwell.core.text import Text
    >>> shown(0.123, Column("part", Text("占比", "Share"), "share", Text("", ""))).en
    '12%'
    """
    if value is None:
        return Text("未知", "not known")
    if isinstance(value, str):
        return column.words.get(value, Text(value, value))
    if column.kind == "boolean":
        return Text("是", "yes") if value > 0 else Text("否", "no")
    if column.kind == "share":
        text = f"{100 * value:.0f}%"
    elif column.kind == "integer" or abs(value) >= 100 or float(value).is_integer():
        text = f"{value:,.0f}"
    else:
        text = f"{value:,.2f}".rstrip("0").rstrip(".")
    return Text(text, text)


def _with_unit(text: str, unit: str) -> str:
    return f"{text} {unit}" if unit and text not in {"未知", "not known"} else text


def _values(table: pa.Table, encoding: Encoding) -> dict[str, list[Value]]:
    found: dict[str, list[Value]] = {}
    for coded in encoding.coded:
        column = table.column(coded.name)
        if is_text(column):
            found[coded.name] = column.cast(pa.string()).to_pylist()
        else:
            found[coded.name] = [None if np.isnan(value) else float(value) for value in as_floats(column)]
    return found
