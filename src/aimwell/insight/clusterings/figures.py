"""Figures in words: amounts, shares and rules as a marketer reads them, in Chinese and English."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aimwell.core.text import Text
from aimwell.insight.clusterings.traits import Trait
from aimwell.insight.features.family import Column
from aimwell.science.cluster.rules import Rule

_WINDOW_ZH, _WINDOW_EN = re.compile(r"（[^）]*）$"), re.compile(r"\s*\([^)]*\)$")
_MULTIPLES = (0.05, 20.0)
"""Outside of these a multiple of the mean says more about a mean near zero than about the group."""


def figure(value: float, column: Column) -> Text:
    """A value with its unit: shares as percentages, large numbers without decimals.

    >>> figure(0.347, Column("x", Text("", ""), "share", Text("", ""))).en
    '35%'
    """
    if column.kind in {"share", "boolean"}:
        return _same(f"{value:.0%}" if abs(value) >= 0.1 or value == 0 else f"{value:.1%}")
    size = abs(value)
    if size >= 100:
        said = f"{value:,.0f}"
    elif size >= 10 or column.kind == "integer":
        said = f"{value:,.1f}"
    else:
        said = f"{value:,.2f}"
    zh, en = (f" {word}" if word else "" for word in (column.unit.zh, column.unit.en))
    return Text(said + zh, said + en)


def told(trait: Trait, column: Column) -> Text:
    """One trait with its figures.

    >>> weeks = Column("weeks", Text("活跃周", "Active weeks"), "number", Text("", ""))
    >>> told(Trait("weeks", 0.9, 8.7, 3.0, by_median=False, held=1.0), weeks).en
    'Active weeks 8.70, 2.9× the mean (3.00)'
    """
    inside, overall = figure(trait.inside, column), figure(trait.overall, column)
    zh, en = ("中位数", "the median") if trait.by_median else ("均值", "the mean")
    multiple = _multiple(trait, column)
    label = column.label
    if multiple:
        return Text(
            f"{label.zh} {inside.zh}，{zh}（{overall.zh}）的 {multiple}×",
            f"{label.en} {inside.en}, {multiple}× {en} ({overall.en})",
        )
    return Text(
        f"{label.zh} {inside.zh}，{zh} {overall.zh}",
        f"{label.en} {inside.en}, {en} {overall.en}",
    )


def rule_in_words(rule: Rule, columns: Mapping[str, Column]) -> Text | None:
    """The shortest rule that finds most of a group; None when the tree gives it no place of its own."""
    parts = [_bounds(condition.low, condition.high, columns[condition.feature]) for condition in rule.conditions]
    if not parts:
        return None
    return Text("，且".join(part.zh for part in parts), " and ".join(part.en for part in parts))


def short_label(column: Column) -> Text:
    """The label without its window, as it stands inside a name.

    >>> short_label(Column("x", Text("客单价（近84天）", "Average order (last 84 days)"), "money", Text("", ""))).en
    'average order'
    """
    zh, en = _WINDOW_ZH.sub("", column.label.zh), _WINDOW_EN.sub("", column.label.en)
    return Text(zh, en if en[1:2].isupper() else en[:1].lower() + en[1:])


def joined(parts: list[Text]) -> Text:
    """Several phrases as one sentence."""
    return Text("；".join(part.zh for part in parts) + "。", "; ".join(part.en for part in parts) + ".")


def _multiple(trait: Trait, column: Column) -> str:
    """How many times the mean, where that means something: amounts that cannot be below zero."""
    if column.kind in {"share", "boolean"} or trait.overall <= 0 or trait.inside <= 0:
        return ""
    ratio = trait.inside / trait.overall
    if not _MULTIPLES[0] <= ratio <= _MULTIPLES[1]:
        return ""
    return f"{ratio:.1f}" if ratio >= 0.95 else f"{ratio:.2f}".rstrip("0")


def _bounds(low: float | None, high: float | None, column: Column) -> Text:
    label = column.label
    if low is not None and high is not None:
        first, second = figure(low, column), figure(high, column)
        return Text(f"{label.zh}在 {first.zh} 与 {second.zh} 之间", f"{label.en} between {first.en} and {second.en}")
    if low is not None:
        said = figure(low, column)
        return Text(f"{label.zh}高于 {said.zh}", f"{label.en} above {said.en}")
    said = figure(high if high is not None else 0.0, column)
    return Text(f"{label.zh}不高于 {said.zh}", f"{label.en} at most {said.en}")


def _same(words: str) -> Text:
    return Text(words, words)
