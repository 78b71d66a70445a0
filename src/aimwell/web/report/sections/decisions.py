"""Decisions: who gets what within the budget, what it is expected to gain, and how much of that was ever measured?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aimwell.core.text import Text
from aimwell.science.metrics.interval import Estimate
from aimwell.strategy.decisions.afterwards import Afterwards
from aimwell.strategy.decisions.cells import CellTable
from aimwell.strategy.decisions.definition import NOTHING, Decision, Gain
from aimwell.strategy.decisions.gains import BASES
from aimwell.strategy.decisions.measuring import MeasuredCurve
from aimwell.strategy.decisions.plan import DecisionPlan
from aimwell.strategy.decisions.plan import Line as Planned
from aimwell.strategy.decisions.rows import REASONS
from aimwell.web.report import spend_charts
from aimwell.web.report.blocks import Block, Cell, Chart, Fold, Key, Sentence, Table
from aimwell.web.report.formats import between, count, listed, money, number, same, share
from aimwell.web.report.sections.happened import afterwards_blocks
from aimwell.web.report.theme import SERIES

BUDGET = "budget"
_NOTHING = Text("什么都不发", "nothing")
_ASSUMED, _MEASURED = Text("假定", "assumed"), Text("实测", "measured")
_UNKNOWN = Text("—", "—")
_LIMITS = {
    "budget": Text("预算", "budget"),
    "channel": Text("渠道", "channel"),
    "treatment": Text("方案", "treatment"),
}


@dataclass(frozen=True, slots=True)
class Given:
    """One row of a decision: who gets which treatment, at what cost, for what expected gain, how likely, and why."""

    customer_id: str
    treatment: str
    cost: float
    gain: float
    probability: float
    reason: str


@dataclass(frozen=True, slots=True)
class PlanStory:
    """A decision as it was just made.

    predictions: what the predictions are called on which gains rest.   first: those for whom most is expected.
    stages, values: what the words of the cells mean to marketers.   afterwards: what came of the last plan whose time
    is up, if there is one.
    """

    definition: Decision
    plan: DecisionPlan
    predictions: Mapping[str, Text]
    first: Sequence[Given] = ()
    stages: Mapping[str, Text] = field(default_factory=dict)
    values: Mapping[str, Text] = field(default_factory=dict)
    afterwards: Afterwards | None = None


def decision_blocks(story: PlanStory) -> list[Block]:
    """The verdict, how much of it is assumed, the plan by treatment and channel, its curve, who and why."""
    plan, currency = story.plan, story.plan.currency
    blocks: list[Block] = [Sentence(plan_verdict(story), "primary"), _trust(story), _treatments(story)]
    blocks += [Sentence(each, "warn") for each in plan.warnings]
    blocks += [_curve(story), _reasons(plan)]
    if story.afterwards is not None:
        blocks += afterwards_blocks(story.afterwards, currency)
    if plan.cells and plan.cells.cells:
        blocks += _cells(story, plan.cells)
    if story.first:
        blocks.append(_given(story))
    lines = [_plain_row(each, currency) for each in (*plan.channels, plan.total)]
    channels = Table(_COLUMNS[:5], lines, title=Text("按渠道", "By channel"), numbers=frozenset({1, 2, 3, 4}))
    return [*blocks, Fold(Text("专业视图", "Analyst view"), [channels, _facts(plan)])]


def plan_verdict(story: PlanStory) -> Text:
    """One sentence: how many get something for how much, what that should gain, and whether that was ever measured."""
    plan = story.plan
    cost, net = money(plan.total.cost, plan.currency, 0), money(plan.net, plan.currency, 0)
    budget = "" if plan.budget is None else money(plan.budget, plan.currency, 0)
    within = Text(f"预算 {budget} 之内，", f"Within {budget}: ") if budget else Text("", "")
    people, treated = count(plan.people), count(plan.total.customers)
    gain = (
        Text(f"净增益为假定的 {net}，尚未实测", f"the net gain of {net} is assumed, not measured")
        if assumed(plan)
        else Text(f"预期净增益 {net}", f"net gain expected {net}")
    )
    return Text(
        f"{within.zh}{people} 人中给 {treated} 人发点什么，花费 {cost}；{gain.zh}。",
        f"{within.en}{treated} of {people} customers get something for {cost}; {gain.en}.",
    )


def assumed(plan: DecisionPlan) -> list[str]:
    """The treatments that somebody gets and whose gain no experiment has measured, by name."""
    return [line.name for line in plan.treatments if line.basis == "assumed" and line.customers]


def _trust(story: PlanStory) -> Sentence:
    """What is assumed, first of all; then who will tell."""
    plan, names = story.plan, assumed(story.plan)
    held_out = count(plan.held_out)
    later = Text(
        f"对照组 {held_out} 人按抽签什么都不收；之后用 aimwell decide {plan.decision} --afterwards 日期 与他们相比。",
        f"{held_out} customers get nothing, by lot; afterwards aimwell decide {plan.decision} --afterwards DATE "
        "compares with them.",
    )
    if not plan.held_out:
        later = Text(
            "没有对照组，之后也无法说明带来了什么。", "Nobody is held out: what it brings will never be known."
        )
    if not names:
        measured = Text("各方案的增益来自实验。", "The gains come from experiments.")
        return Sentence(Text(measured.zh + later.zh, f"{measured.en} {later.en}"), "hold", _MEASURED)
    titles = listed([_label(story, name) for name in names])
    said = Text(
        f"以下方案的增益是假定，从未用对照组测过：{titles.zh}。花费和人数是确定的，增益金额只在假定成立时才有。{later.zh}",
        f"No hold-out has ever measured the gains of {titles.en}: they are assumptions. Costs and numbers of people "
        f"hold; money is gained only if the assumptions do. {later.en}",
    )
    return Sentence(said, "warn", _ASSUMED)


_COLUMNS = [
    Text("给什么", "what they get"),
    Text("人数", "customers"),
    Text("其中抽签", "of them by lot"),
    Text("花费", "cost"),
    Text("预期增值（80% 区间）", "value expected (80% interval)"),
    Text("增益从何而来", "where the gain comes from"),
    Text("依据", "basis"),
]


def _treatments(story: PlanStory) -> Table:
    plan = story.plan
    rows: list[list[Text | Cell]] = []
    for line in plan.treatments:
        gain = story.definition.treatments[line.name].gain
        rows.append([*_plain_row(line, plan.currency), _source(line, gain, story), _basis(line)])
    rows.append([*_plain_row(plan.total, plan.currency), _UNKNOWN, _UNKNOWN])
    return Table(
        _COLUMNS,
        rows,
        title=Text("计划", "The plan"),
        numbers=frozenset({1, 2, 3, 4}),
        note=Text(
            "增值未扣除花费。区间只含各方案增益所声明的误差；假定的增益误差为 100%，可能什么也没有，而且可能一起落空。",
            "Value before costs. The interval knows the declared error of each gain alone; that of an assumption is "
            "100%: it may well be nothing, and all of them together.",
        ),
    )


def _plain_row(line: Planned, currency: str) -> list[Text | Cell]:
    figures = (count(line.customers), count(line.by_lot), money(line.cost, currency), _interval(line.value, currency))
    return [line.label if line.label.zh != line.name else same(line.name), *(same(each) for each in figures)]


def _interval(estimate: Estimate, currency: str) -> str:
    value, low, high = (money(each, currency, 0) for each in (estimate.value, estimate.low, estimate.high))
    return f"{value} ({between(low, high)})"


def _source(line: Planned, gain: Gain, story: PlanStory) -> Text:
    currency = story.plan.currency
    if line.told is not None:
        return line.told
    if gain.amount is not None:
        return Text(
            f"每人 {money(gain.amount * gain.times, currency)}", f"{money(gain.amount * gain.times, currency)} each"
        )
    name = story.predictions.get(gain.prediction or "", same(gain.prediction or gain.tag or ""))
    times = money(gain.times, currency)
    return Text(f"「{name.zh}」× {times}", f"{name.en} × {times}")


def _basis(line: Planned) -> Cell:
    if line.basis is None or line.basis == "assumed":
        return Cell(_ASSUMED, tone="warn")
    said, error = BASES[line.basis], share(line.error or 0.0, 0)
    return Cell(Text(f"{said.zh}（误差 {error}）", f"{said.en} (error {error})"), tone="ok")


def _curve(story: PlanStory) -> Chart:
    """The curve as earlier choices measured it; else as expected, with a band only where its gains were measured."""
    plan = story.plan
    spots = [spend_charts.Spot(Text("这份计划（预期）", "this plan, as expected"), plan.total.cost, plan.net)]
    if plan.cells and plan.cells.written_spend > 0:
        hand = Text("人工表（不看预算）", "the table written by hand (knows no budget)")
        spots.append(spend_charts.Spot(hand, plan.cells.written_spend, plan.cells.written_net, other=True))
    if plan.measured is not None:
        return _measured(plan, plan.measured, spots)
    guessed = bool(assumed(plan))
    drawing = spend_charts.spending(plan.curve, [] if guessed else _declared(plan), spots, currency=plan.currency)
    best = Text("该花费下最好的选择", "the best choice for that money")
    bounds = Key(Text("80% 区间，按声明的误差", "80% interval, by the declared errors"), SERIES[0], "band")
    keys = [Key(best, SERIES[0], "line"), *([] if guessed else [bounds]), *(spot.key for spot in spots)]
    question = Text("花多少，净得多少？", "What does more money gain?")
    if guessed:
        question = Text("花多少，净得多少？（增益为假定）", "What does more money gain? (gains are assumed)")
    said = _margin(plan)
    why = plan.unmeasured or Text("", "")
    return Chart(question, drawing, Text(f"{said.zh}{why.zh}", f"{said.en} {why.en}".strip()), legend=keys)


def _declared(plan: DecisionPlan) -> list[tuple[float, float]]:
    """The plan's own relative error around the curve."""
    value = plan.total.value
    error = (value.high - value.low) / 2 / value.value if value.value else 0.0
    return [(net - error * (net + spend), net + error * (net + spend)) for spend, net in plan.curve]


def _measured(plan: DecisionPlan, found: MeasuredCurve, spots: list[spend_charts.Spot]) -> Chart:
    """What earlier choices of known probability measured, beside what was expected."""
    curve = [(spend, net.value) for spend, net in found.points]
    band = [(net.low, net.high) for _, net in found.points]
    drawing = spend_charts.spending(curve, band, spots, currency=plan.currency, expected=plan.curve)
    keys = [
        Key(Text("实测", "measured"), SERIES[0], "line"),
        Key(Text("80% 区间", "80% interval"), SERIES[0], "band"),
        Key(Text("预期", "expected"), SERIES[2], "line"),
        *(spot.key for spot in spots),
    ]
    here, ahead = _interval(found.here, plan.currency), _interval(found.ahead, plan.currency)
    said = Text(
        f"由 {count(found.choices)} 个已知概率的历史选择实测：在本计划的花费下净增益 {here}，比随机发放多 {ahead}。",
        f"Measured by {count(found.choices)} earlier choices of known probability: at this spend the net gain is "
        f"{here}, {ahead} more than the same by lot.",
    )
    margin = _margin(plan)
    return Chart(
        Text("花多少，净得多少？（实测）", "What does more money gain? (measured)"),
        drawing,
        Text(said.zh + margin.zh, f"{said.en} {margin.en}"),
        legend=keys,
    )


def _margin(plan: DecisionPlan) -> Text:
    """What one more unit of money would gain."""
    price = plan.prices.get(BUDGET, 0.0)
    one = money(1, plan.currency, 0)
    if price <= 0:
        return Text(
            "预算不是瓶颈：再加钱也不会有更多增益。", "Money is not what is short: more of it would gain nothing."
        )
    more = money(price, plan.currency)
    return Text(
        f"预算每再加 {one}，预期净增益再多 {more}；曲线不计渠道名额和抽签。",
        f"{one} more would add {more} of net gain. The curve knows no capacities and no lots.",
    )


def _reasons(plan: DecisionPlan) -> Table:
    rows: list[list[Text | Cell]] = [
        [REASONS[name], same(count(people)), Cell(same(share(people / plan.people)), bar=people / plan.people)]
        for name, people in plan.reasons.items()
    ]
    return Table(
        [Text("为什么", "why"), Text("人数", "customers"), Text("占比", "share")],
        rows,
        title=Text("每人一个理由", "One reason each"),
        numbers=frozenset({1, 2}),
        wide=False,
    )


def _cells(story: PlanStory, table: CellTable) -> list[Block]:
    currency = story.plan.currency
    rows: list[list[Text | Cell]] = [
        [
            story.stages.get(cell.stage, same(cell.stage)),
            story.values.get(cell.value, same(cell.value)),
            same(count(cell.customers)),
            Text(
                f"{_label(story, cell.mostly).zh}（{share(cell.share, 0)}）",
                f"{_label(story, cell.mostly).en} ({share(cell.share, 0)})",
            ),
            same(money(cell.spend, currency, 0)),
            _label(story, cell.written) if cell.written else _UNKNOWN,
        ]
        for cell in sorted(table.cells, key=lambda each: _place(story, each.stage, each.value))
    ]
    ours, hand = (money(each, currency, 0) for each in (table.net, table.written_net))
    spent, written = (money(each, currency, 0) for each in (table.spend, table.written_spend))
    return [
        Fold(
            Text("阶段 × 价值：决策与人工表并排", "Stage by value: the decision beside a table written by hand"),
            [
                Table(
                    [
                        Text("阶段", "stage"),
                        Text("价值", "value"),
                        Text("人数", "customers"),
                        Text("多数获得", "most of them get"),
                        Text("花费", "cost"),
                        Text("人工表", "written by hand"),
                    ],
                    rows,
                    numbers=frozenset({2, 4}),
                    note=Text(
                        f"同样的人、同样的预期增益：决策花 {spent} 净得 {ours}；人工表花 {written} 净得 {hand}，"
                        "且不受预算限制。",
                        f"Same people, same expected gains: the decision nets {ours} for {spent}, the written table "
                        f"{hand} for {written}, which knows no budget.",
                    ),
                )
            ],
        )
    ]


def _place(story: PlanStory, stage: str, value: str) -> tuple[int, str, int, str]:
    """Cells in the order in which the tags tell their words; what they do not tell comes first."""
    stages, values = list(story.stages), list(story.values)
    return (
        stages.index(stage) if stage in stages else -1,
        stage,
        values.index(value) if value in values else -1,
        value,
    )


def _label(story: PlanStory, name: str) -> Text:
    if name == NOTHING:
        return _NOTHING
    given = story.definition.treatments[name].label
    return given.text if given else same(name)


def _given(story: PlanStory) -> Table:
    currency = story.plan.currency
    rows: list[list[Text | Cell]] = [
        [
            same(each.customer_id),
            _label(story, each.treatment),
            same(money(each.gain, currency)),
            same(money(each.cost, currency)),
            same(number(each.probability, 2)),
            REASONS[each.reason],
        ]
        for each in story.first
    ]
    gain = Text("假定的增值", "value assumed") if assumed(story.plan) else Text("预期增值", "value expected")
    return Table(
        [
            Text("客户", "customer"),
            Text("给什么", "what they get"),
            gain,
            Text("花费", "cost"),
            Text("选中概率", "chance of this choice"),
            Text("为什么", "why"),
        ],
        rows,
        title=Text(f"净增益最大的 {len(rows)} 人", f"The {len(rows)} with the largest net gain"),
        numbers=frozenset({2, 3, 4}),
        note=Text(
            "全部客户的选择、理由和概率在数据表 decision 中，旅程按它发送。",
            "Everybody's choice, reason and probability are in the table decision, from which journeys send.",
        ),
    )


def _facts(plan: DecisionPlan) -> Table:
    """The bound and the prices of what is short."""
    bound, gap = money(plan.bound, plan.currency), money(plan.gap, plan.currency)
    rows: list[list[Text | Cell]] = [
        [Text("任何选择都不超过的净增益", "net gain that no choice exceeds"), same(bound)],
        [Text("计划（抽签前）与它相差", "how far the plan is below it, before lots"), same(gap)],
    ]
    for name, price in plan.prices.items():
        kind, _, which = name.partition(" ")
        said = Text(f"{_LIMITS.get(kind, same(kind)).zh} {which}".strip(), name)
        rows.append([Text(f"再多一个单位：{said.zh}", f"one more of: {said.en}"), same(money(price, plan.currency))])
    return Table(
        [Text("限额", "limits"), Text("金额", "money")],
        rows,
        title=Text("离最优多远，什么最紧", "How near to the best, and what is short"),
        numbers=frozenset({1}),
    )
