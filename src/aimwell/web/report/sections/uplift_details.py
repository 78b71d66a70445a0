"""The depths of a discount and the analyst's view of an effect: learners, figures, limits."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.effects.card import EffectCard
from aimwell.insight.effects.depths import DepthReport
from aimwell.insight.predictions.evaluation import Metric
from aimwell.science.metrics.interval import Estimate
from aimwell.science.uplift.depth import GroupDepths
from aimwell.web.report.blocks import Block, Cell, Fold, Sentence, Table, Tone
from aimwell.web.report.formats import between, count, money, number, same, share

_EMPTY = Text("—", "—")
_PAST = Text("历史，非试验", "History, not an experiment")


def depth_blocks(card: EffectCard, currency: str) -> list[Block]:
    """Which depth for whom, proven or not, and what the past says of groups; nothing where no depths are asked."""
    blocks: list[Block] = []
    if card.depths is not None:
        tone: Tone = "ok" if card.depths.personal else "hold"
        blocks += [Sentence(card.depths.said, tone, Text("折扣深度", "Depth")), _depths(card.depths, currency)]
    if card.past is not None:
        blocks += [Sentence(card.past.warning, "warn", _PAST), _past(card.past, currency)]
    return blocks


def _depths(found: DepthReport, currency: str) -> Table:
    rows: list[list[Text | Cell]] = [
        [
            same(row.arm),
            same(share(row.depth, 0)),
            Cell(same(share(row.share, 0)), bar=row.share),
            Cell(same(money(row.profit, currency)), tone="ok" if row.arm == found.single else "plain"),
        ]
        for row in found.shares
    ]
    return Table(
        [
            Text("分组", "arm"),
            Text("折扣", "off the price"),
            Text("最适合的客户占比", "best for a share of"),
            Text("人人都给时每人利润（预计）", "profit per customer if all got it (foretold)"),
        ],
        rows,
        title=Text("优惠券该多深", "How deep a coupon"),
        numbers=frozenset({1, 2, 3}),
        note=Text("优惠券可以因人而异；标价不可以。", "A coupon may differ between people; a list price may not."),
    )


def _past(found: GroupDepths, currency: str) -> Table:
    rows: list[list[Text | Cell]] = [
        [
            same(row.group),
            same(share(row.depth, 0)),
            same(count(row.people)),
            same(f"{money(row.profit.value, currency)} ({_money(row.profit, currency)})"),
        ]
        for row in found.rows
    ]
    return Table(
        [
            Text("分群 × 品类", "segment × category"),
            Text("折扣", "off the price"),
            Text("人数", "people"),
            Text("每人利润（95% 区间）", "profit per customer (95% interval)"),
        ],
        rows,
        title=Text("过去各深度的结果", "What depths brought in the past"),
        numbers=frozenset({1, 2, 3}),
    )


def _money(estimate: Estimate, currency: str) -> str:
    return between(money(estimate.low, currency), money(estimate.high, currency))


def details(card: EffectCard) -> Fold:
    """For analysts: the test of differences, every figure, the learners, notes and limits."""
    blocks: list[Block] = [_tests(card), *(_figures(card, place) for place in range(len(card.judged)))]
    if card.trials:
        blocks.append(_learners(card))
    blocks += [Sentence(text) for text in (*card.notes, *card.limits)]
    return Fold(Text("专业视图", "Analyst view"), blocks)


def _tests(card: EffectCard) -> Table:
    rows: list[list[Text | Cell]] = [
        [
            same(each.treatment),
            same(number(each.z, 2)),
            same(f"{each.chance:.3g}"),
            same(number(each.spread, 2)),
        ]
        for each in card.evidence
    ]
    version = Text(f"版本 {card.version}，学习器 {card.learner}", f"version {card.version}, learner {card.learner}")
    return Table(
        [
            Text("分组", "arm"),
            same("z"),
            Text("若效果相同，出现这种差异的概率", "chance of such differences if effects were all the same"),
            Text("差异的伸缩", "stretch of differences"),
        ],
        rows,
        title=Text("效果因人而异吗（序贯检验）", "Does the effect differ (tested in order)"),
        numbers=frozenset({1, 2, 3}),
        note=version,
    )


def _figures(card: EffectCard, place: int) -> Table:
    judged = card.judged[place]
    return Table(
        [
            Text("指标", "figure"),
            Text("按效果排序", "ranked by effect"),
            Text("按响应率排序", "ranked by response"),
            Text("成对差", "paired difference"),
        ],
        [_metric(each) for each in judged.metrics],
        title=Text(
            f"「{judged.treatment}」在留出的客户上（{count(judged.treated)} 人得到，{count(judged.untreated)} 人没有）",
            f"{judged.treatment} on people held out ({count(judged.treated)} got it, {count(judged.untreated)} not)",
        ),
        numbers=frozenset({1, 2, 3}),
        note=Text("区间为 95%，以客户为单位。", "Intervals are of 95%, by customer."),
    )


def _metric(metric: Metric) -> list[Text | Cell]:
    gap = metric.difference
    tone: Tone = "plain" if gap is None else "ok" if gap.low > 0 else "warn" if gap.high < 0 else "hold"
    return [metric.label, _estimate(metric.model), _estimate(metric.baseline), Cell(_estimate(gap), tone=tone)]


def _learners(card: EffectCard) -> Table:
    rows: list[list[Text | Cell]] = [
        [each.label, _estimate(each.qini), _estimate(each.ahead)] for each in card.trials
    ]  # fmt: skip
    return Table(
        [Text("学习器", "learner"), same("Qini"), Text("比混合多（成对）", "ahead of the mean (paired)")],
        rows,
        title=Text("各学习器给没见过的人排序", "How learners rank people whom they did not see"),
        numbers=frozenset({1, 2}),
    )


def _estimate(found: Estimate | None) -> Text:
    if found is None:
        return _EMPTY
    return same(f"{number(found.value, 4)} ({between(number(found.low, 4), number(found.high, 4))})")
