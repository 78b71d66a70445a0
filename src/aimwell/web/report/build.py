"""Builds the report page from the results of the main job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aimwell.core.text import Text
from aimwell.insight.clusterings import ClusteringResult
from aimwell.insight.predictions import Backtest, Scoring
from aimwell.insight.segments.definition import Segment
from aimwell.insight.segments.membership import SegmentResult
from aimwell.store.sources.report import LoadReport
from aimwell.store.workspace import Settings, Workspace
from aimwell.web.report.blocks import Block, Figure, Figures, Page, Section, Sentence
from aimwell.web.report.formats import count, day, money, same
from aimwell.web.report.sections.audience import audience_blocks
from aimwell.web.report.sections.clusterings import clustering_blocks
from aimwell.web.report.sections.predictions import prediction_blocks, verdict
from aimwell.web.report.sections.quality import quality_blocks
from aimwell.web.report.sections.segments import segment_blocks


@dataclass(frozen=True, slots=True)
class Overview:
    """A few totals of the workspace at the report's instant."""

    customers: int
    orders: int
    revenue: float
    active: int
    tags: int
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Findings:
    """What the report is about; whatever is empty is left out."""

    as_of: datetime
    overview: Overview
    load: LoadReport
    titles: Mapping[str, Text]
    backtests: Mapping[str, Backtest]
    scorings: Mapping[str, Scoring]
    files: Mapping[str, Sequence[str]]
    segments: Sequence[SegmentResult] = ()
    segment_definitions: Mapping[str, Segment] = field(default_factory=dict)
    segment_sentences: Mapping[str, Text] = field(default_factory=dict)
    clusterings: Mapping[str, ClusteringResult] = field(default_factory=dict)
    extra: Sequence[Section] = ()


def build_page(workspace: Workspace, findings: Findings) -> Page:
    """The page: summary, predictions with their lists, segments, groups, data quality."""
    settings = workspace.settings
    said = day(findings.as_of, workspace.zone)
    sections = [_summary(findings, workspace)]
    sections += [_prediction(name, findings, settings.currency) for name in findings.backtests]
    if findings.segments:
        sections.append(
            Section(
                "segments",
                Text("人群", "Segments"),
                Text("谁在哪个人群里，和上次相比进出多少？", "Who belongs where, and who came and went?"),
                segment_blocks(findings.segments, findings.segment_definitions, findings.segment_sentences),
            )
        )
    sections += [
        Section(
            name,
            result.label,
            Text("有哪些相似的客户，这些群可信吗？", "Which customers are alike, and are the groups real?"),
            clustering_blocks(result, settings.currency),
        )
        for name, result in findings.clusterings.items()
    ]
    sections += findings.extra
    sections.append(
        Section(
            "quality",
            Text("数据质量", "Data quality"),
            Text("读进来的数据可信吗？", "Can the data be trusted?"),
            quality_blocks(findings.load),
        )
    )
    return Page(
        title=Text(f"{settings.name}：值得联系谁", f"{settings.name}: whom to contact"),
        subtitle=_subtitle(settings),
        as_of=Text(f"数据截至 {said.zh}", f"As of {said.en}"),
        sections=sections,
        notes=_notes(settings),
        simulated=settings.simulated,
    )


def _subtitle(settings: Settings) -> Text:
    fallback = Text(
        "谁值得联系，名单值多少，凭什么相信。", "Whom to contact, what the list is worth, and why to believe it."
    )
    return Text(f"{fallback.zh}{settings.about}", f"{fallback.en} {settings.about}")


def _summary(findings: Findings, workspace: Workspace) -> Section:
    overview, currency = findings.overview, workspace.settings.currency
    since, until = day(overview.since, workspace.zone), day(overview.until, workspace.zone)
    figures = [
        Figure(
            same(count(overview.customers)),
            Text("客户", "customers"),
            Text(
                f"其中 {count(overview.active)} 人近 56 天买过", f"{count(overview.active)} bought in the last 56 days"
            ),
        ),
        Figure(
            same(count(overview.orders)),
            Text("订单", "orders"),
            Text(f"{since.zh} 至 {until.zh}", f"{since.en} to {until.en}"),
        ),
        Figure(
            same(money(overview.revenue, currency, 0)),
            Text("消费额", "spend"),
            Text(
                f"平均每单 {money(overview.revenue / max(overview.orders, 1), currency)}",
                f"{money(overview.revenue / max(overview.orders, 1), currency)} an order",
            ),
        ),
        Figure(
            same(count(overview.tags)),
            Text("标签", "tags"),
            Text("每人一行，只用当时已知的数据", "a row per customer, from what was known then"),
        ),
    ]
    blocks: list[Block] = [Figures(figures)]
    for name, result in findings.backtests.items():
        title = findings.titles[name]
        said = verdict(result, currency)
        blocks.append(Sentence(Text(f"{title.zh}：{said.zh}", f"{title.en}: {said.en}"), "primary"))
    return Section("summary", Text("结论", "Summary"), Text("一页看懂", "On one page"), blocks)


def _prediction(name: str, findings: Findings, currency: str) -> Section:
    result, title = findings.backtests[name], findings.titles[name]
    blocks = prediction_blocks(result, currency)
    if name in findings.scorings:
        blocks += audience_blocks(findings.scorings[name], title, currency, findings.files.get(name, ()))
    return Section(name, title, Text("可信吗，值得联系谁？", "Can it be trusted, and whom should we contact?"), blocks)


def _notes(settings: Settings) -> list[Text]:
    notes = [
        Text(
            "每个数字都按时间先后评估：只用当时已知的数据，旁边有基准和 95% 区间。没有对照组，不谈因果。",
            "Every figure is judged in order of time, from what was known then, beside a baseline and with a 95% "
            "interval. Without a hold-out nothing here is a cause.",
        )
    ]
    if settings.about:
        notes.append(same(settings.about))
    return notes
