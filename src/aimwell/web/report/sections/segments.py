"""Segments: who belongs, how many, who came and went, what sets them apart, and how they overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aimwell.core.text import Text
from aimwell.insight.segments.definition import SEGMENT_KINDS, Segment
from aimwell.insight.segments.differences import Difference
from aimwell.insight.segments.membership import SegmentResult
from aimwell.insight.segments.overlap import Overlap, Pair
from aimwell.insight.segments.trials import FALSE_SHARE
from aimwell.web.report import charts
from aimwell.web.report.blocks import Block, Card, Cards, Cell, Chart, Fact, Heading, Table
from aimwell.web.report.formats import count, same, share

_PAIRS_SHOWN = 10
_NOBODY = Text("现在没有人属于这个人群。", "Nobody belongs today.")
_APART = Text("与众不同", "What makes it different")


@dataclass(frozen=True, slots=True)
class Apart:
    """What sets a segment apart: how many differences there are, and the strongest of each family of tags."""

    summary: Text
    found: Sequence[Difference]


@dataclass(frozen=True)
class SegmentStory:
    """All that the report says about segments; `apart` and `overlap` may be missing."""

    results: Sequence[SegmentResult]
    definitions: Mapping[str, Segment]
    sentences: Mapping[str, Text] = field(default_factory=dict)
    apart: Mapping[str, Apart] = field(default_factory=dict)
    overlap: Overlap | None = None

    @property
    def ranked(self) -> list[SegmentResult]:
        """The largest first."""
        return sorted(self.results, key=lambda result: (-result.members, result.name))

    def title(self, name: str) -> Text:
        return self.definitions[name].title


def segment_blocks(story: SegmentStory) -> list[Block]:
    """How large each segment is, how they overlap, and one card for each: meaning, change, and what is different."""
    blocks: list[Block] = [_sizes(story)]
    pairs = _pairs(story)
    if pairs is not None:
        blocks.append(pairs)
    blocks.append(Heading(Text("每个人群", "Segment by segment"), _how_to_read(story)))
    blocks.append(Cards([_card(story, result) for result in story.ranked], roomy=True))
    return blocks


def _sizes(story: SegmentStory) -> Chart:
    ranked = story.ranked
    drawing = charts.bars(
        [story.title(result.name) for result in ranked],
        [result.share for result in ranked],
        [_size(result, Text(" 人", "")) for result in ranked],
        x_title=Text("占全部客户", "share of all customers"),
    )
    people = max((result.people for result in ranked), default=0)
    answer = Text(
        f"共 {count(people)} 人；一人可属于多个人群。", f"Of {count(people)} customers; one may be in several."
    )
    question = Text("每个人群有多大？", "How large is each segment?")
    return Chart(question, drawing, answer, height=52 + 40 * len(ranked), wide=story.overlap is None)


def _size(result: SegmentResult, unit: Text) -> Text:
    members, part = count(result.members), share(result.share)
    return Text(f"{members}{unit.zh} · {part}", f"{members}{unit.en} · {part}")


def _pairs(story: SegmentStory) -> Table | None:
    if story.overlap is None:
        return None
    shown = [pair for pair in story.overlap.pairs if pair.both][:_PAIRS_SHOWN]
    if not shown:
        return None
    return Table(
        [
            Text("人群", "segments"),
            Text("两者都在", "in both"),
            Text("占前者", "of the first"),
            Text("占后者", "of the second"),
        ],
        [_pair_row(story, pair) for pair in shown],
        title=Text("哪些人群最重合？", "Which overlap most?"),
        numbers=frozenset({1, 2, 3}),
        wide=False,
        note=Text("按重合程度（交集占并集）排列。", "Ordered by likeness (both over either)."),
    )


def _pair_row(story: SegmentStory, pair: Pair) -> list[Text | Cell]:
    first, second = story.title(pair.first), story.title(pair.second)
    return [
        Text(f"{first.zh} 与 {second.zh}", f"{first.en} and {second.en}"),
        same(count(pair.both)),
        same(share(pair.first_in_second, 0)),
        same(share(pair.second_in_first, 0)),
    ]


def _how_to_read(story: SegmentStory) -> Text | None:
    if not story.apart:
        return None
    return Text(
        "与其他所有客户相比，每个标签族只列最强的一项；方括号内为 95% 区间；定义人群用的标签不算。"
        f"列出的差异中预计至多 {share(FALSE_SHARE, 0)} 出于偶然。只说有何不同，不说为什么。",
        "Compared with all other customers; the strongest difference of each family of tags, its 95% interval in "
        f"brackets; tags that define the segment are left out. At most {share(FALSE_SHARE, 0)} of the differences are "
        "expected to be due to chance. This says what differs, not why.",
    )


def _card(story: SegmentStory, result: SegmentResult) -> Card:
    segment, apart = story.definitions[result.name], story.apart.get(result.name)
    sentence = story.sentences.get(result.name)
    said = [segment.description.text] if segment.description else []
    if sentence is not None and not said:
        said, sentence = [sentence], None
    facts = [Fact(Text("比上次", "since the build before"), _change(result))]
    likest = _likest(story, result.name)
    if likest is not None:
        facts.append(likest)
    return Card(
        segment.title,
        [*said, *([] if result.members else [_NOBODY])],
        figure=_size(result, Text(" 人", " people")),
        badge=Cell(SEGMENT_KINDS[segment.kind]),
        facts=facts,
        points=[_point(each) for each in apart.found] if apart else (),
        points_title=_APART if apart and apart.found else None,
        note=_note(sentence, apart),
    )


def _note(sentence: Text | None, apart: Apart | None) -> Text | None:
    parts = [apart.summary] if apart else []
    if sentence is not None:
        parts.append(Text(f"规则：{sentence.zh}。", f"Rule: {sentence.en}."))
    return Text("".join(part.zh for part in parts), " ".join(part.en for part in parts)) if parts else None


def _change(result: SegmentResult) -> Text:
    if result.members and result.entered == result.members:
        return Text("都是新进入的", "all of them new")
    return Text(
        f"进入 {count(result.entered)}，离开 {count(result.left)}",
        f"{count(result.entered)} entered, {count(result.left)} left",
    )


def _likest(story: SegmentStory, name: str) -> Fact | None:
    """The segment that most of these members are in too."""
    if story.overlap is None:
        return None
    others = [each for each in story.overlap.names if each != name]
    shares = [(story.overlap.share(name, other) or 0.0, other) for other in others]
    most, other = max(shares, key=lambda pair: (pair[0], pair[1]), default=(0.0, ""))
    if not most:
        return None
    title = story.title(other)
    return Fact(
        Text("最多同时属于", "most are also in"),
        Text(f"{title.zh}（{share(most, 0)}）", f"{title.en} ({share(most, 0)})"),
    )


def _point(found: Difference) -> Text:
    """The sentence with the bounds of its interval."""
    zh = found.certainty.zh.partition("：")[2] or found.certainty.zh
    en = found.certainty.en.partition(": ")[2] or found.certainty.en
    return Text(f"{found.sentence.zh} [{zh}]", f"{found.sentence.en} [{en}]")
