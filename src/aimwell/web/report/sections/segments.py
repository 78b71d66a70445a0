"""Segments: who belongs, how many, who came and went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aimwell.core.text import Text
from aimwell.insight.segments.definition import SEGMENT_KINDS, Segment
from aimwell.insight.segments.membership import SegmentResult
from aimwell.web.report import charts
from aimwell.web.report.blocks import Block, Cell, Chart, Table
from aimwell.web.report.formats import count, same, share


def segment_blocks(
    results: Sequence[SegmentResult], definitions: Mapping[str, Segment], sentences: Mapping[str, Text]
) -> list[Block]:
    """How large each segment is, what it means in words, and what has changed since the build before."""
    ranked = sorted(results, key=lambda result: (-result.members, result.name))
    shares = charts.bars(
        [definitions[result.name].title for result in ranked],
        [result.share for result in ranked],
        [Text(f"{count(result.members)} 人", count(result.members)) for result in ranked],
        x_format=".0%",
        x_title=Text("占全部客户", "share of all customers"),
    )
    rows: list[list[Text | Cell]] = [_row(result, definitions[result.name], sentences) for result in ranked]
    return [
        Chart(
            Text("每个人群有多大？", "How large is each segment?"), shares, height=max(220, 34 * len(ranked)), wide=True
        ),
        Table(
            [
                Text("人群", "segment"),
                Text("类型", "kind"),
                Text("人数", "people"),
                Text("占比", "share"),
                Text("进入", "entered"),
                Text("离开", "left"),
                Text("读作", "reads as"),
            ],
            rows,
            numbers=frozenset({2, 3, 4, 5}),
        ),
    ]


def _row(result: SegmentResult, segment: Segment, sentences: Mapping[str, Text]) -> list[Text | Cell]:
    return [
        segment.title,
        SEGMENT_KINDS[segment.kind],
        same(count(result.members)),
        same(share(result.share)),
        same(count(result.entered)),
        same(count(result.left)),
        sentences.get(result.name, Text("—", "—")),
    ]
