"""One customer: who this is, what will likely happen and why, in which segments, every tag, and what happened last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from aimwell.core.text import Text
from aimwell.insight.predictions.reasons import Reason
from aimwell.insight.profiles import CustomerPage
from aimwell.insight.profiles.customer import Answer, TagGroup, TagValue
from aimwell.insight.profiles.wording import value_in_words
from aimwell.web.report.blocks import Block, Card, Cards, Cell, Fact, Fold, Heading, Sentence, Table
from aimwell.web.report.formats import cleft, count, instant, listed, money, same, share

_TELLING = 6
_UNKNOWN = Text("—", "—")
_ALL = Text("全部标签", "All tags")
_INFERRED = Text("推断", "inferred")


@dataclass(frozen=True)
class CustomerStory:
    """One customer's page with the reasons of each score, and how this customer was chosen."""

    page: CustomerPage
    chosen: Text
    reasons: Mapping[str, Sequence[Reason]] = field(default_factory=dict)


def customer_blocks(story: CustomerStory, currency: str, zone: ZoneInfo) -> list[Block]:
    """The same content as `aimwell explain`, the most telling tags first."""
    page = story.page
    blocks: list[Block] = [Sentence(story.chosen)]
    if page.scores:
        blocks.append(_scores(page.scores, story.reasons, currency))
    if page.segments:
        named = listed([each.label for each in page.segments])
        blocks.append(Sentence(Text(f"所在人群：{named.zh}。", f"In segments: {named.en}.")))
    known = [group for group in page.groups if group.tags]
    if known:
        blocks.append(Heading(Text("最说明问题的标签", "The most telling tags"), _how_to_read(page)))
        blocks.append(Cards([_family(group, currency) for group in known]))
        blocks.append(Fold(_ALL, [_all(group, currency) for group in known]))
    if page.happenings:
        blocks.append(_timeline(page, currency, zone))
    return blocks


def _scores(answers: Sequence[Answer], reasons: Mapping[str, Sequence[Reason]], currency: str) -> Table:
    rows: list[list[Text | Cell]] = []
    for answer in answers:
        value = Cell(same(money(answer.value, currency, 0))) if answer.amount else _chance(answer.value)
        told = [reason.text for reason in reasons.get(answer.prediction, ())]
        rank = Text(f"{count(answer.rank)} / {count(answer.of)}", f"{count(answer.rank)} of {count(answer.of)}")
        rows.append([answer.label, value, rank, cleft(told) if told else _UNKNOWN])
    return Table(
        [Text("预测", "prediction"), Text("得分", "score"), Text("名次", "rank"), Text("主要因为", "mainly because")],
        rows,
        title=Text("得分与原因", "Scores, and why"),
        numbers=frozenset({2}),
    )


def _chance(value: float) -> Cell:
    return Cell(same(share(value)), bar=value)


def _how_to_read(page: CustomerPage) -> Text:
    tags = [tag for group in page.groups for tag in group.tags]
    known = sum(tag.value is not None for tag in tags)
    empty = listed([group.label for group in page.groups if not group.tags])
    lacking = Text(f"数据里没有：{empty.zh}。", f"The data carry nothing of: {empty.en}.") if empty.en else same("")
    return Text(
        f"{count(len(tags))} 个标签中 {count(known)} 个有值；每族列出最偏离中位的几个，"
        f"刻度是在全部客户中的位置。{lacking.zh}",
        f"{count(known)} of {count(len(tags))} tags have a value; of each family those farthest from the middle, the "
        f"mark is the place among all customers. {lacking.en}".rstrip(),
    )


def _family(group: TagGroup, currency: str) -> Card:
    return Card(group.label, facts=[_fact(tag, currency) for tag in telling(group.tags)])


def telling(tags: Sequence[TagValue]) -> list[TagValue]:
    """The tags that say most: words first come first in basic facts, numbers by how far they lie from the middle.

    One window of each measure, as far as labels tell (their part before the bracket); in the order of the catalogue
    where equal.
    """
    known = [tag for tag in tags if tag.value is not None]
    ranked = sorted(known, key=lambda tag: -_distance(tag))
    shown: dict[str, TagValue] = {}
    for tag in ranked:
        shown.setdefault(tag.label.en.partition(" (")[0], tag)
    chosen = list(shown.values())[:_TELLING]
    return [tag for tag in known if any(tag is each for each in chosen)]


def _distance(tag: TagValue) -> float:
    """How far from the middle customer: 0 to 0.5; words lie between, plain yes and no last."""
    if tag.percentile is not None:
        return abs(tag.percentile - 0.5)
    return 0.0 if isinstance(tag.value, bool) else 0.4


def _fact(tag: TagValue, currency: str) -> Fact:
    name = tag.label
    if tag.inferred:
        name = Text(f"{name.zh}（{_INFERRED.zh}）", f"{name.en} ({_INFERRED.en})")
    value = Text(value_in_words(tag, "zh", currency), value_in_words(tag, "en", currency))
    return Fact(name, value, place=tag.percentile)


def _all(group: TagGroup, currency: str) -> Table:
    rows: list[list[Text | Cell]] = []
    for tag in group.tags:
        fact = _fact(tag, currency)
        place = same(share(tag.percentile, 0)) if tag.percentile is not None else _UNKNOWN
        rows.append([fact.name, fact.value, place])
    return Table(
        [Text("标签", "tag"), Text("值", "value"), Text("多于多少客户", "more than")],
        rows,
        title=group.label,
        numbers=frozenset({1, 2}),
        wide=False,
    )


def _timeline(page: CustomerPage, currency: str, zone: ZoneInfo) -> Table:
    rows: list[list[Text | Cell]] = [
        [
            instant(each.occurred_at, zone),
            each.what,
            same(money(each.amount, currency)) if each.amount is not None else _UNKNOWN,
        ]
        for each in page.happenings
    ]
    return Table(
        [Text("时间", "when"), Text("发生了什么", "what happened"), Text("金额", "amount")],
        rows,
        title=Text("时间线：最近发生的事", "Timeline: what happened last"),
        numbers=frozenset({2}),
    )
