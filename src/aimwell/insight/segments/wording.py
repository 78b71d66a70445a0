"""What sets a segment apart, in words that marketers read, in Chinese and English."""

from __future__ import annotations

import math
from datetime import date, timedelta

from aimwell.core.text import Text
from aimwell.insight.features.family import Column
from aimwell.insight.segments.contrast import Aspect, Contrast

PERCENT_FROM = 30
"""People from whom on percentages are told; of fewer, their number is."""
OTHERS = Text("其他人", "others")
COMPARED = Text("对比人群", "comparison group")
EPOCH = date(1970, 1, 1)
"""The day from which dates are counted."""
_MEMBERS = Text("成员", "members")
_MOSTLY_KNOWN = 0.95
_WITHOUT_ZERO = frozenset({"years", "o'clock", "°C", "points", "standard deviations"})
"""Units in which "twice as much" means nothing."""
_COUNTED: frozenset[Aspect] = frozenset({"share", "known", "positive"})
"""Aspects that count people."""
_NOTHING = Text("", "")
_SMALLEST_RATIO = 0.001
_FINEST = 6
"""Decimals that features carry."""


def has_ratio(column: Column) -> bool:
    """Whether "twice as much" means something for a feature of this kind and unit."""
    return column.kind != "day" and column.unit.en not in _WITHOUT_ZERO


def sentence(
    column: Column,
    found: Contrast,
    *,
    word: str | None = None,
    known: tuple[float, float] = (1, 1),
    others: Text = OTHERS,
) -> Text:
    """What differs, in one sentence: the level of the members, that of the others, and how far apart they are.

    word: the value of a text whose share is told.   known: share of members and of others who have any value, told
    where it is below 95 % for either.   Of fewer than 30 people never percentages are told, but how many they are.
    """
    subject, (inside, outside) = _subject(column, found, word), _levels(column, found)
    apart, most = _apart(column, found), _known(found, known)
    zh, en = (_joined("，", apart.zh, most.zh), _joined(", ", apart.en, most.en))
    return Text(
        f"{subject.zh}{inside.zh}，{others.zh} {outside.zh}" + (f"（{zh}）" if zh else ""),
        f"{subject.en}{inside.en}, {others.en} {outside.en}" + (f" ({en})" if en else ""),
    )


def certainty(column: Column, found: Contrast) -> Text:
    """The bounds between which the difference plausibly lies, in the measure that the sentence ends with."""
    if _is_share(column, found) and _percentages(found):
        low, high = (_minus(f"{100 * bound:+.1f}") for bound in (found.gap.low, found.gap.high))
        unit = Text("个百分点", "points")
    elif found.ratio is not None:
        low, high, unit = multiple(found.ratio.low), multiple(found.ratio.high), _NOTHING
    elif _is_share(column, found):
        return Text(f"不足 {PERCENT_FROM} 人，不给百分比", f"fewer than {PERCENT_FROM} people, so no percentages")
    else:
        low, high = (_signed(column, bound) for bound in (found.gap.low, found.gap.high))
        unit = Text("天", "days") if column.kind == "day" else column.unit
    level = f"{found.gap.level:.0%}"
    return Text(
        _joined(" ", f"{level} 区间：{low} 至 {high}", unit.zh),
        _joined(" ", f"{level} interval: {low} to {high}", unit.en),
    )


def multiple(ratio: float) -> str:
    """How many times as much, as marketers write it.

    >>> multiple(4.0), multiple(0.266), multiple(31.4), multiple(0.0000042)
    ('4.0×', '0.27×', '31×', '<0.001×')
    """
    if 0 < ratio < _SMALLEST_RATIO:
        return f"<{_SMALLEST_RATIO:g}×"
    digits = _decimals(ratio, 2) if ratio < 2 else 1 if ratio < 10 else 0
    return f"{ratio:,.{digits}f}×"


def pair(one: float, two: float, decimals: int, scale: float = 1) -> tuple[str, str]:
    """Two numbers, written so that they can be told apart: whole from 100 on, two figures at least below one.

    >>> pair(9.12, 2.3, 1), pair(1234.5, 0, 2), pair(0.0412, 45.3, 1), pair(45.21, 45.24, 1)
    (('9.1', '2.3'), ('1,234', '0'), ('0.041', '45.3'), ('45.21', '45.24'))
    """
    one, two = scale * one, scale * two
    ways = [tuple(f"{value:,.{_decimals(value, decimals) + more}f}" for value in (one, two)) for more in range(_FINEST)]
    said = next((way for way in ways if way[0] != way[1] or one == two), ways[-1])
    return _minus(said[0]), _minus(said[1])


def _decimals(value: float, decimals: int) -> int:
    size = abs(value)
    if size >= 100 or size < 10**-_FINEST:
        return 0
    return decimals if size >= 1 else max(decimals, 1 - math.floor(math.log10(size)))


def _subject(column: Column, found: Contrast, word: str | None) -> Text:
    label = column.label
    match found.aspect:
        case "median":
            return Text(f"{label.zh}（中位数） ", f"{label.en}, median: ")
        case "positive":
            return Text(f"{label.zh}大于 0：", f"{label.en} above 0: ")
        case "known":
            return Text(f"{label.zh}有记录：", f"{label.en} known: ")
        case "share":
            if word is None:
                return Text(f"{label.zh}（是）：", f"{label.en} (yes): ")
            said = column.words.get(word, _same(word))
            return Text(f"{label.zh}为“{said.zh}”：", f"{label.en} “{said.en}”: ")
    return Text(f"{label.zh} ", f"{label.en}: ")


def _levels(column: Column, found: Contrast) -> tuple[Text, Text]:
    """What is told of the members, and of the others."""
    if found.aspect in _COUNTED:
        shares = pair(found.inside, found.outside, 1, 100)
        people = (found.people_inside, found.people_outside)
        levels = (found.inside, found.outside)
        told = [
            _same(f"{share}%") if size >= PERCENT_FROM else _of(round(level * size), size)
            for share, level, size in zip(shares, levels, people, strict=True)
        ]
        return told[0], told[1]
    if column.kind == "day":
        return _same(_day(found.inside)), _same(_day(found.outside))
    if column.kind == "share":
        parts = pair(found.inside, found.outside, 1, 100) if _percentages(found) else None
        inside, outside = parts or pair(found.inside, found.outside, 2)
        return (_same(f"{inside}%"), _same(f"{outside}%")) if parts else (_same(inside), _same(outside))
    inside, outside = pair(found.inside, found.outside, 2 if column.kind == "money" else 1)
    zh, en = (f" {word}" if word else "" for word in (column.unit.zh, column.unit.en))
    return Text(inside + zh, inside + en), Text(outside + zh, outside)


def _apart(column: Column, found: Contrast) -> Text:
    """How far apart the levels are: as a ratio where that means something, shares in points too."""
    ratio = multiple(found.ratio.value) if found.ratio and found.ratio.value > 0 else ""
    gap = found.gap.value
    if _is_share(column, found):
        points = _minus(f"{100 * gap:+.1f}") if _percentages(found) else ""
        zh, en = (f"{points} {word}" if points else "" for word in ("个百分点", "points"))
        return Text(_joined("，", ratio, zh), _joined(", ", ratio, en))
    if ratio:
        return _same(ratio)
    if column.kind == "day":
        days = f"{abs(gap):,.0f}"
        return (
            Text(f"晚 {days} 天", f"{days} days later") if gap >= 0 else Text(f"早 {days} 天", f"{days} days earlier")
        )
    said = _signed(column, gap)
    return Text(_joined(" ", said, column.unit.zh), _joined(" ", said, column.unit.en))


def _known(found: Contrast, known: tuple[float, float]) -> Text:
    """For how many anything is known, where that is far from all of them."""
    if found.aspect == "known" or min(known) >= _MOSTLY_KNOWN:
        return _NOTHING
    if not _percentages(found):
        inside, outside = (f"{people:,}" for people in (found.people_inside, found.people_outside))
        return Text(f"有记录的 {inside} 人与 {outside} 人中", f"of the {inside} and {outside} for whom it is known")
    inside, outside = (f"{100 * share:.0f}%" for share in known)
    return Text(f"有记录的占 {inside} 与 {outside}", f"known for {inside} and {outside}")


def _is_share(column: Column, found: Contrast) -> bool:
    return column.kind == "share" or found.aspect in _COUNTED


def _percentages(found: Contrast) -> bool:
    return min(found.people_inside, found.people_outside) >= PERCENT_FROM


def _signed(column: Column, gap: float) -> str:
    """A gap with its sign, without its unit."""
    decimals = 0 if column.kind == "day" else 2 if column.kind == "money" else 1
    return _minus(f"{gap:+,.{_decimals(gap, decimals)}f}")


def _of(count: int, people: int) -> Text:
    return Text(f"{people:,} 人中 {count:,} 人", f"{count:,} of {people:,}")


def _day(number: float) -> str:
    return (EPOCH + timedelta(days=round(number))).isoformat()


def _same(words: str) -> Text:
    return Text(words, words)


def _joined(between: str, *parts: str) -> str:
    return between.join(part for part in parts if part)


def _minus(text: str) -> str:
    return text.replace("-", "−")


def summary(people: tuple[int, int], told: int, compared: int, *, others: Text = OTHERS) -> Text:
    """How many measures differ, in one sentence.

    people: members and others.   told, compared: measures.
    """
    inside, outside = (f"{size:,}" for size in people)
    if not told:
        return Text(
            f"成员 {inside} 人与{others.zh} {outside} 人相比，没有发现可靠的差异。",
            f"No reliable difference was found between the {inside} members and the {outside} of the {others.en}.",
        )
    return Text(
        f"成员 {inside} 人与{others.zh} {outside} 人相比，{compared} 项指标中有 {told} 项可靠地不同。",
        f"The {inside} members differ reliably from the {outside} of the {others.en} in {told} of {compared} measures.",
    )


def cautions(
    people: tuple[int, int], both: int, compared: int, *, false_share: float, others: Text = OTHERS
) -> tuple[Text, ...]:
    """What a reader must know beside the differences.

    people: members and others.   both: how many stood in both tables.   compared: measures.
    """
    found = [_few(name, size) for name, size in zip((_MEMBERS, others), people, strict=True) if size < PERCENT_FROM]
    if compared:
        found.append(
            Text(
                f"共比较 {compared} 项指标，列出的差异中预计至多 {false_share:.0%} 出于偶然。"
                "每个区间只对各自的指标成立；排在最前的往往略有夸大。",
                f"{compared} measures were compared; of the differences listed, at most {false_share:.0%} are expected "
                "to be due to chance. Each interval holds for its own measure alone; the first tend to be a little "
                "overstated.",
            )
        )
    else:
        found.append(Text("没有可以比较的指标。", "There was no measure that could be compared."))
    found.append(Text("这里只说有何不同，不说为什么不同。", "This says what is different, not why."))
    if both:
        found.append(
            Text(
                f"两个人群都有的 {both:,} 人只算作成员。",
                f"{both:,} people who stand in both groups count as members only.",
            )
        )
    return tuple(found)


def _few(name: Text, size: int) -> Text:
    return Text(
        f"{name.zh}只有 {size} 人，不足 {PERCENT_FROM} 人，因此不给百分比。",
        f"There are only {size} {name.en}, fewer than {PERCENT_FROM}, so no percentages are given.",
    )
