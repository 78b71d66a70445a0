"""Builds the report page from the results of the main job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aimwell.core.text import Text
from aimwell.core.time import local_day
from aimwell.insight.clusterings import ClusteringResult
from aimwell.insight.predictions import Backtest, Scoring
from aimwell.store.sources.report import LoadReport, TableQuality
from aimwell.store.workspace import Settings, Workspace
from aimwell.web.report.blocks import Block, Cards, Figure, Figures, Heading, Page, Section, Sentence
from aimwell.web.report.formats import count, day, money, same
from aimwell.web.report.questions import Question
from aimwell.web.report.sections import summary
from aimwell.web.report.sections.audience import audience_blocks
from aimwell.web.report.sections.clusterings import clustering_blocks
from aimwell.web.report.sections.contribution import ContributionStory, contribution_blocks
from aimwell.web.report.sections.customer import CustomerStory, customer_blocks
from aimwell.web.report.sections.decisions import PlanStory, decision_blocks
from aimwell.web.report.sections.journeys import SIMULATED, JourneyStory, journey_blocks
from aimwell.web.report.sections.lifetime_value import ValueStory, value_blocks
from aimwell.web.report.sections.predictions import prediction_blocks, verdict
from aimwell.web.report.sections.quality import Earlier, quality_blocks
from aimwell.web.report.sections.recommendations import RecommenderStory, recommendation_blocks
from aimwell.web.report.sections.segments import SegmentStory, segment_blocks
from aimwell.web.report.sections.uplift import EffectStory, uplift_blocks

_PREDICTIONS = Text("预测与名单", "Predictions and lists")
_EFFECTS = Text("效果", "Effects")
_ACTION = Text("行动", "Action")
_CUSTOMERS = Text("客户", "Customers")
_DATA = Text("数据", "Data")


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
    """What the report is about; whatever is empty is left out.

    questions: of each backtest, in words.   failures: what went wrong, by prediction.   earlier: sources that brought
    nothing new.   quality: what is odd in the tables.   journeys: those that were applied.   value: lifetime value.
    contribution: what segments and products brought.
    plans: what was decided, by decision.   lists: what was recommended, by recommender.   effects: whom treatments
    change, by effect.
    """

    as_of: datetime
    overview: Overview
    load: LoadReport
    titles: Mapping[str, Text]
    questions: Mapping[str, Question]
    backtests: Mapping[str, Backtest]
    scorings: Mapping[str, Scoring]
    files: Mapping[str, Sequence[str]]
    failures: Mapping[str, str] = field(default_factory=dict)
    segments: SegmentStory | None = None
    clusterings: Mapping[str, ClusteringResult] = field(default_factory=dict)
    customer: CustomerStory | None = None
    earlier: Sequence[Earlier] = ()
    quality: Sequence[TableQuality] = ()
    journeys: Sequence[JourneyStory] = ()
    value: ValueStory | None = None
    contribution: ContributionStory | None = None
    plans: Mapping[str, PlanStory] = field(default_factory=dict)
    lists: Mapping[str, RecommenderStory] = field(default_factory=dict)
    effects: Mapping[str, EffectStory] = field(default_factory=dict)
    extra: Sequence[Section] = ()


def build_page(workspace: Workspace, findings: Findings) -> Page:
    """The page: what to do, predictions with their lists, segments, groups, one customer, data quality."""
    settings = workspace.settings
    said = day(findings.as_of, workspace.zone)
    return Page(
        title=Text(f"{settings.name}：值得联系谁", f"{settings.name}: whom to contact"),
        subtitle=Text(
            "谁值得联系，名单值多少，凭什么相信。", "Whom to contact, what the list is worth, and why to believe it."
        ),
        as_of=Text(f"数据截至 {said.zh}", f"As of {said.en}"),
        sections=[
            _summary(findings, workspace),
            *_predictions(findings, settings.currency),
            *_effects(findings, settings.currency),
            *_actions(findings),
            *_customers(findings, workspace),
            *findings.extra,
            Section(
                "quality",
                Text("数据质量", "Data quality"),
                Text("读进来的数据可信吗？", "Can the data be trusted?"),
                quality_blocks(findings.load, findings.earlier, findings.quality, workspace.zone),
                group=_DATA,
            ),
        ],
        notes=_notes(settings),
        simulated=settings.simulated,
    )


def _summary(findings: Findings, workspace: Workspace) -> Section:
    currency = workspace.settings.currency
    blocks: list[Block] = [_totals(findings.overview, workspace)]
    for name, why in findings.failures.items():
        title = findings.titles.get(name, same(name))
        said = Text(f"{title.zh}没有更新：{why}", f"{title.en} was not brought up to date: {why}")
        blocks.append(Sentence(said, "danger", Text("未完成", "Not done")))
    cards = [
        summary.action(
            result,
            findings.scorings[name],
            findings.questions[name],
            findings.titles[name],
            currency,
            findings.files.get(name, ()),
        )
        for name, result in findings.backtests.items()
        if name in findings.scorings
    ]
    if cards:
        judged = [result for name, result in findings.backtests.items() if name in findings.scorings]
        segments = len(findings.segments.results) if findings.segments else 0
        blocks.append(Sentence(summary.lists_ready(judged, segments), "primary"))
        blocks.append(Heading(Text("接下来做什么", "What to do next"), _HOW_TO_READ))
        blocks += [Cards(cards, roomy=True), Sentence(summary.CONTROL, "hold", Text("效果", "Effect"))]
    for name, result in findings.backtests.items():
        if name not in findings.scorings:
            title, said = findings.titles[name], verdict(result, currency)
            blocks.append(Sentence(Text(f"{title.zh}：{said.zh}", f"{title.en}: {said.en}"), "primary"))
    return Section("summary", Text("结论", "Summary"), Text("一页看懂", "On one page"), blocks)


_HOW_TO_READ = Text(
    "每张名单值多少，按留出的日期算：那时只用当时已知的数据打分，再看后来真的发生了什么。括号内为 95% 区间。",
    "What each list is worth was seen on held-out dates: scored from what was known then, compared with what really "
    "followed. 95% intervals in brackets.",
)


def _totals(overview: Overview, workspace: Workspace) -> Figures:
    currency = workspace.settings.currency
    since, until = day(overview.since, workspace.zone), day(overview.until, workspace.zone)
    each = money(overview.revenue / max(overview.orders, 1), currency)
    active = count(overview.active)
    return Figures(
        [
            Figure(
                same(count(overview.customers)),
                Text("客户", "customers"),
                Text(f"其中 {active} 人近 56 天买过", f"{active} bought in the last 56 days"),
            ),
            Figure(
                same(count(overview.orders)),
                Text("订单", "orders"),
                Text(
                    f"{local_day(overview.since, workspace.zone)} 至 {local_day(overview.until, workspace.zone)}",
                    f"{since.en} to {until.en}",
                ),
            ),
            Figure(
                same(money(overview.revenue, currency, 0)),
                Text("消费额", "spend"),
                Text(f"平均每单 {each}", f"{each} an order"),
            ),
            Figure(
                same(count(overview.tags)),
                Text("标签", "tags"),
                Text("每人一行，只用当时已知的数据", "a row per customer, from what was known then"),
            ),
        ]
    )


def _predictions(findings: Findings, currency: str) -> list[Section]:
    found: list[Section] = []
    for name, result in findings.backtests.items():
        title = findings.titles[name]
        blocks = prediction_blocks(result, findings.questions[name], currency)
        if name in findings.scorings:
            blocks += audience_blocks(findings.scorings[name], title, currency, findings.files.get(name, ()))
        ask = Text("可信吗，值得联系谁？", "Can it be trusted, and whom should we contact?")
        found.append(Section(name, title, ask, blocks, group=None if found else _PREDICTIONS))
    return found


def _effects(findings: Findings, currency: str) -> list[Section]:
    ask = Text("谁真正被打动，谁本来就会买？", "Whom does it change, and who would buy anyway?")
    return [
        Section(
            f"effect_{name}",
            each.definition.title,
            ask,
            uplift_blocks(each, currency),
            group=None if number else _EFFECTS,
        )
        for number, (name, each) in enumerate(findings.effects.items())
    ]


def _actions(findings: Findings) -> list[Section]:
    found: list[Section] = []
    for name, each in findings.lists.items():
        ask = Text("下次来会买什么，凭什么相信？", "What will they buy next, and why believe it?")
        group = None if found else _ACTION
        found.append(
            Section(f"recommender_{name}", each.definition.title, ask, recommendation_blocks(each), group=group)
        )
    for name, story in findings.plans.items():
        ask = Text("给谁什么，花多少，能带来多少？", "Who gets what, what does it cost, and what may it bring?")
        group = None if found else _ACTION
        found.append(Section(f"decision_{name}", story.definition.title, ask, decision_blocks(story), group=group))
    if not findings.journeys:
        return found
    ask = Text("谁进来了，走到哪一步，改变了什么？", "Who came in, how far did they come, and what did it change?")
    badge = SIMULATED if any(story.simulated for story in findings.journeys) else None
    title = Text("旅程", "Journeys")
    group = None if found else _ACTION
    return [*found, Section("journeys", title, ask, journey_blocks(findings.journeys), badge, group=group)]


def _customers(findings: Findings, workspace: Workspace) -> list[Section]:
    currency, found = workspace.settings.currency, list[Section]()
    if findings.value is not None:
        ask = Text(
            "客户还会带来多少，价值在谁手中，谁还在？",
            "What will customers still bring, who holds it, and who is still there?",
        )
        blocks = value_blocks(findings.value, currency, workspace.zone)
        found.append(Section("lifetime_value", Text("客户终身价值", "Lifetime value"), ask, blocks, group=_CUSTOMERS))
    if findings.contribution is not None:
        ask = Text("谁和什么带来了多少，账对得上吗？", "Who and what brought how much, and does it add up?")
        blocks = contribution_blocks(findings.contribution, workspace.zone)
        group = None if found else _CUSTOMERS
        found.append(Section("contribution", Text("贡献", "Contribution"), ask, blocks, group=group))
    if findings.segments is not None and findings.segments.results:
        ask = Text(
            "谁在哪个人群里，有什么不同，谁进谁出？", "Who belongs where, what sets them apart, who came and went?"
        )
        group = None if found else _CUSTOMERS
        found.append(Section("segments", Text("人群", "Segments"), ask, segment_blocks(findings.segments), group=group))
    for name, result in findings.clusterings.items():
        ask = Text("有哪些相似的客户，这些群可信吗？", "Which customers are alike, and are the groups real?")
        group = None if found else _CUSTOMERS
        found.append(Section(name, result.label, ask, clustering_blocks(result, currency), group=group))
    if findings.customer is not None:
        ask = Text("他是谁，会做什么，凭什么这样说？", "Who is this, what will they do, and why do we say so?")
        blocks = customer_blocks(findings.customer, currency, workspace.zone)
        group = None if found else _CUSTOMERS
        found.append(Section("customer", Text("一位客户", "One customer"), ask, blocks, group=group))
    return found


def _notes(settings: Settings) -> list[Text]:
    notes = [
        Text(
            "每个数字都按时间先后评估：只用当时已知的数据，旁边有基准和 95% 区间。没有对照组，不谈因果。",
            "Every figure is judged in order of time, from what was known then, beside a baseline and with a 95% "
            "interval. Without a hold-out group nothing here is a cause.",
        )
    ]
    if settings.about:
        notes.append(Text(f"数据来源：{settings.about}", f"Data: {settings.about}"))
    return notes
