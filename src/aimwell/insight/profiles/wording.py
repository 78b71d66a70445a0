"""One customer's page as text, in Chinese or English."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from aimwell.core.text import Language, Text
from aimwell.core.time import zone
from aimwell.insight.profiles.customer import Answer, CustomerPage, TagValue

UNKNOWN = "—"
_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£"}


@dataclass(frozen=True, slots=True)
class _Voice:
    """How values are written: in which language, money and timezone."""

    language: Language
    currency: str
    zone: ZoneInfo

    def pick(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def said(self, text: Text) -> str:
        return text.said(self.language)

    def money(self, amount: Decimal | float) -> str:
        sign = "−" if amount < 0 else ""
        return f"{sign}{_SYMBOLS.get(self.currency, self.currency + ' ')}{abs(amount):,.2f}"

    def instant(self, when: datetime) -> str:
        return f"{when.astimezone(self.zone):%Y-%m-%d %H:%M}"


def told(page: CustomerPage, language: Language, currency: str = "") -> str:
    """The page as lines of text: tags by family, scores, segments, and what happened last.

    Unknown values read `—`; a tag that was inferred carries `*`; the per cent behind a value are the customers who
    have less (see `TagValue.percentile`).
    """
    voice = _Voice(language, currency, zone(page.timezone))
    lines = [
        voice.pick(f"客户 {page.customer_id}", f"Customer {page.customer_id}"),
        voice.pick(f"数据截至 {voice.instant(page.as_of)}", f"as of {voice.instant(page.as_of)}"),
        *_tags(page, voice),
        *_scores(page, voice),
        *_segments(page, voice),
        *_happenings(page, voice),
    ]
    return "\n".join(lines)


def value_in_words(tag: TagValue, language: Language, currency: str = "") -> str:
    """A tag's value as people read it, with its unit.

    >>> tag = TagValue("x", Text("占比", "Share"), "share", Text("", ""), Text("", ""), 0.123)
    >>> value_in_words(tag, "en")
    '12.3%'
    """
    return _value(tag, _Voice(language, currency, zone("UTC")))


def _value(tag: TagValue, voice: _Voice) -> str:
    value = tag.value
    unit = f" {voice.said(tag.unit)}".rstrip()
    if tag.word is not None:
        return voice.said(tag.word)
    match value:
        case None:
            return UNKNOWN
        case bool():
            return voice.pick("是" if value else "否", "yes" if value else "no")
        case str() | date():
            return str(value)
    if tag.kind == "money":
        return voice.money(value)
    if tag.kind == "share":
        return f"{100 * float(value):.1f}%"
    digits = 0 if tag.kind == "integer" else 2
    return f"{value:,.{digits}f}{unit}".replace("-", "−")


def _tags(page: CustomerPage, voice: _Voice) -> Iterator[str]:
    for group in page.groups:
        yield ""
        yield f"## {voice.said(group.label)}"
        if not group.tags:
            yield voice.pick("没有数据支持的标签", "no tag that the data can carry")
        for tag in group.tags:
            mark = "*" if tag.inferred else ""
            place = "" if tag.percentile is None else f"  ({100 * tag.percentile:.0f}%)"
            yield f"{voice.said(tag.label)}{mark}{voice.pick('：', ': ')}{_value(tag, voice)}{place}"


def _scores(page: CustomerPage, voice: _Voice) -> Iterator[str]:
    if page.scores:
        yield ""
        yield f"## {voice.pick('得分', 'Scores')}"
        yield from (_score(answer, voice) for answer in page.scores)


def _score(answer: Answer, voice: _Voice) -> str:
    value = voice.money(answer.value) if answer.amount else f"{100 * answer.value:.1f}%"
    rank = voice.pick(f"（第 {answer.rank:,} 名，共 {answer.of:,} 人）", f" (rank {answer.rank:,} of {answer.of:,})")
    return f"{voice.said(answer.label)}{voice.pick('：', ': ')}{value}{rank}"


def _segments(page: CustomerPage, voice: _Voice) -> Iterator[str]:
    if page.segments:
        yield ""
        yield f"## {voice.pick('所在人群', 'Segments')}"
        for each in page.segments:
            since = f"{each.since.astimezone(voice.zone):%Y-%m-%d}"
            yield voice.said(each.label) + voice.pick(f"（自 {since}）", f" (since {since})")


def _happenings(page: CustomerPage, voice: _Voice) -> Iterator[str]:
    if page.happenings:
        yield ""
        yield f"## {voice.pick('最近发生', 'What happened last')}"
        for each in page.happenings:
            amount = "" if each.amount is None else f"  {voice.money(each.amount)}"
            yield f"{voice.instant(each.occurred_at)}  {voice.said(each.what)}{amount}"
