"""Lifetime value: what customers will still bring, who holds it, who is still there, and can the total be believed?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from aimwell.core.text import Text
from aimwell.science.metrics.interval import Estimate
from aimwell.web.report import charts
from aimwell.web.report.blocks import Block, Cell, Chart, Figure, Figures, Fold, Sentence, Table
from aimwell.web.report.formats import between, count, day, money, same, share

_TENTH = 0.1
_MODELS = Text(
    "由购买节奏推断（MBG/NBD 与 Gamma-Gamma），是期望值：多数人带来得更少，少数人多得多。看总数和排序，不看单个人。",
    "Inferred from the rhythm of purchases (MBG/NBD and Gamma-Gamma). It is an expectation: most will bring less, a "
    "few much more. Plan with totals and rank by it; it says little about one person.",
)


@dataclass(frozen=True, slots=True)
class AliveBand:
    """Those whose chance of being active still lies in `[low, high)`, and the share of all value that they hold."""

    low: float
    high: float
    people: int
    held: float


@dataclass(frozen=True, slots=True)
class RfmCell:
    """One RFM group: customers, mean value to come, share of all value that they hold, mean chance of being active."""

    name: str
    label: Text
    people: int
    mean: float
    held: float
    alive: float


@dataclass(frozen=True, slots=True)
class ValueTenth:
    """A tenth of the customers by value, 1 the most valuable: how many, the least and mean value, what they hold."""

    place: int
    people: int
    least: float
    mean: float
    held: float


@dataclass(frozen=True, slots=True)
class Check:
    """What the same models said at an earlier date, beside what was really spent in the days from then.

    foretold, happened: totals in money.   bias: foretold over happened, less 1; last_period: the same for "as much as
    in as many days before".   captured: share of that money which the tenth with the highest forecast spent;
    captured_before: the tenth that had spent most before; ahead: the difference, paired; oracle: with hindsight.
    """

    since: datetime
    days: int
    people: int
    foretold: float
    happened: float
    bias: Estimate
    last_period: Estimate
    captured: Estimate
    captured_before: Estimate
    ahead: Estimate
    oracle: float


@dataclass(frozen=True, slots=True)
class ValueStory:
    """Lifetime value over all customers who have one.

    unknown: customers without.   total, median: of the tag, next three years in today's money.   next_year, last_year:
    spend of 364 days, to come and past.   gone: customers who have left already, as expected from their chances.
    held, spent: share of customers, the best first, and share of the value, or of last year's spend, that they hold.
    top: what the best tenth holds.   kept: per cent of the spend that counts as value, 100 where it is revenue.
    """

    people: int
    unknown: int
    total: float
    median: float
    next_year: float
    last_year: float | None
    gone: float
    held: Sequence[tuple[float, float]]
    spent: Sequence[tuple[float, float]]
    top: float
    tenths: Sequence[ValueTenth]
    kept: float
    bands: Sequence[AliveBand]
    cells: Sequence[RfmCell]
    check: Check | None


def value_blocks(story: ValueStory, currency: str, zone: ZoneInfo) -> list[Block]:
    """The verdict on the total first, then who holds the value, who is still there, and the RFM groups."""
    blocks: list[Block] = [_figures(story, currency)]
    blocks += _checked(story.check, currency, zone)
    blocks += [_concentration(story), _alive(story.bands)]
    if story.cells:
        blocks.append(_rfm(story.cells, currency))
    return [*blocks, Fold(Text("专业视图", "Analyst view"), [_tenths(story.tenths, currency)])]


def _figures(story: ValueStory, currency: str) -> Figures:
    mean = money(story.total / max(story.people, 1), currency, 0)
    median = money(story.median, currency, 0)
    figures = [
        Figure(
            same(money(story.total, currency, 0)),
            _of_what(story.kept),
            Text(f"平均每人 {mean}，一半的人不到 {median}", f"{mean} a customer; half of them below {median}"),
        ),
        Figure(
            same(money(story.next_year, currency, 0)),
            Text("未来 364 天的预期消费", "spend expected in the next 364 days"),
            None if story.last_year is None else _last_year(story.last_year, currency),
        ),
        Figure(
            same(share(story.top, 0)),
            Text("由价值最高的十分之一持有", "held by the most valuable tenth"),
            Text(f"共 {count(story.people)} 人有价值估计", f"of {count(story.people)} customers with a value"),
        ),
        Figure(
            same(count(story.gone)),
            Text("估计已悄然离开的客户", "customers thought to have left already"),
            Text("各人离开概率之和", "the sum of everybody's chance to be gone"),
        ),
    ]
    return Figures(figures)


def _of_what(kept: float) -> Text:
    """Whether the value is what customers spend or what is kept of it."""
    if kept == 100:
        return Text("未来三年的消费额（折现，未扣成本）", "revenue of the next three years, discounted, costs not off")
    return Text(f"未来三年消费额的 {kept:g}%（折现）", f"{kept:g}% of the revenue of the next three years, discounted")


def _tenths(tenths: Sequence[ValueTenth], currency: str) -> Table:
    rows: list[list[Text | Cell]] = [
        [
            same(str(each.place)),
            same(count(each.people)),
            same(money(each.least, currency, 0)),
            same(money(each.mean, currency, 0)),
            Cell(same(share(each.held)), bar=each.held),
        ]
        for each in tenths
    ]
    return Table(
        [
            Text("十分位", "tenth"),
            Text("人数", "people"),
            Text("最低", "at least"),
            Text("平均", "mean"),
            Text("占全部价值", "of all value"),
        ],
        rows,
        title=Text("价值如何分布", "How the value is spread"),
        numbers=frozenset({0, 1, 2, 3, 4}),
    )


def _last_year(spent: float, currency: str) -> Text:
    figure = money(spent, currency, 0)
    return Text(f"过去 364 天实际 {figure}", f"{figure} were spent in the last 364 days")


def _checked(check: Check | None, currency: str, zone: ZoneInfo) -> list[Block]:
    """Whether the totals can be believed, and whether the order is better than last period's spend."""
    if check is None:
        unknown = Text(
            "历史太短，无法回头验证这些总数：只作参考。",
            "History is too short to check these totals on the past: take them as a guess.",
        )
        return [Sentence(unknown, "warn", Text("未经验证", "Not checked")), Sentence(_MODELS)]
    when = day(check.since, zone)
    foretold, happened = (money(each, currency, 0) for each in (check.foretold, check.happened))
    said = Text(
        f"同样的模型在 {when.zh}说：{count(check.people)} 位客户之后 {check.days} 天将消费 {foretold}；"
        f"实际 {happened}，总量偏差 {_signed(check.bias)}。"
        f"若假定「与之前 {check.days} 天相同」，偏差 {_signed(check.last_period)}。",
        f"On {when.en} the same models said that {count(check.people)} customers would spend {foretold} in the "
        f"{check.days} days to come; it was {happened}: a total bias of {_signed(check.bias)}. "
        f'"The same as in the {check.days} days before" is off by {_signed(check.last_period)}.',
    )
    return [Sentence(said, "primary", Text("总量验证", "Totals checked")), Sentence(_order(check)), Sentence(_MODELS)]


def _order(check: Check) -> Text:
    mine, before = _shares(check.captured), _shares(check.captured_before)
    proven = check.ahead.excludes_zero
    gap = between(*(f"{100 * each:+.1f}".replace("-", "−") for each in (check.ahead.low, check.ahead.high)))
    verdict = (
        Text("差别已证实", "The difference is proven") if proven else Text("差别尚未证实", "No difference is proven")
    )
    return Text(
        f"预期消费最高的十分之一后来占消费的 {mine}；按之前消费排的十分之一占 {before}；事后最好的十分之一占 "
        f"{share(check.oracle)}。{verdict.zh}（成对差 {gap} 个百分点）。"
        "括号内为 95% 区间，只含客户间的运气，不含季节与竞争。",
        f"The tenth with the highest forecast then spent {mine} of the money, the tenth that had spent most before "
        f"{before}, the best tenth with hindsight {share(check.oracle)}. {verdict.en} (paired: {gap} points). 95% "
        "intervals in brackets know the luck of customers, not seasons or competitors.",
    )


def _shares(estimate: Estimate) -> str:
    return f"{share(estimate.value)} ({between(share(estimate.low), share(estimate.high))})"


def _signed(estimate: Estimate) -> str:
    value, low, high = (f"{100 * each:+.1f}%".replace("-", "−") for each in _values(estimate))
    return f"{value} ({between(low, high)})"


def _values(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def _concentration(story: ValueStory) -> Chart:
    lines = [charts.Line(Text("未来价值", "value to come"), *_axes(story.held))]
    if story.spent:
        spent = Text("过去 364 天消费（各自排序）", "spend of the last 364 days (in its own order)")
        lines.append(charts.Line(spent, *_axes(story.spent), role="baseline"))
    lines.append(charts.Line(Text("人人相同", "everybody alike"), [0, 1], [0, 1], role="random"))
    half = next((x for x, y in story.held if y >= 0.5), 1.0)
    drawing = charts.gains(
        lines,
        along=Text("客户占比，价值高者在前", "share of customers, the most valuable first"),
        reached=Text("持有的价值占比", "share of the value held"),
        mark=(_TENTH, story.top),
        mark_text=Text(f"10% 持有 {share(story.top, 0)}", f"10% hold {share(story.top, 0)}"),
    )
    answer = Text(
        f"一半的价值在 {share(half, 0)} 的客户手中。",
        f"Half of the value is held by {share(half, 0)} of the customers.",
    )
    return Chart(Text("谁持有价值？", "Who holds the value?"), drawing, answer, legend=[line.key for line in lines])


def _axes(points: Sequence[tuple[float, float]]) -> tuple[list[object], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _alive(bands: Sequence[AliveBand]) -> Table:
    total = max(sum(band.people for band in bands), 1)
    rows: list[list[Text | Cell]] = [
        [
            same(between(share(band.low, 0), share(band.high, 0))),
            same(count(band.people)),
            Cell(same(share(band.people / total)), bar=band.people / total),
            Cell(same(share(band.held)), bar=band.held),
        ]
        for band in bands
    ]
    return Table(
        [
            Text("仍活跃的概率", "chance to be active still"),
            Text("人数", "people"),
            Text("占客户", "of customers"),
            Text("占价值", "of the value"),
        ],
        rows,
        title=Text("谁还在？", "Who is still there?"),
        numbers=frozenset({1, 2, 3}),
        note=Text(
            "每人按自己的节奏算：每周来的人沉默两月多半已走，半年来一次的人没有。",
            "By each one's own rhythm: two silent months mean little for who comes twice a year, and much for who came "
            "every week.",
        ),
        wide=False,
    )


def _rfm(cells: Sequence[RfmCell], currency: str) -> Table:
    rows: list[list[Text | Cell]] = [
        [
            cell.label,
            same(count(cell.people)),
            same(share(cell.alive, 0)),
            same(money(cell.mean, currency, 0)),
            Cell(same(share(cell.held)), bar=cell.held),
        ]
        for cell in cells
    ]
    return Table(
        [
            Text("RFM 客群", "RFM group"),
            Text("人数", "people"),
            Text("仍活跃（平均）", "active still (mean)"),
            Text("每人未来价值", "value to come, each"),
            Text("占全部价值", "of all value"),
        ],
        rows,
        title=Text("简单的一面：八类 RFM 客群", "The simple face: eight RFM groups"),
        numbers=frozenset({1, 2, 3, 4}),
    )
