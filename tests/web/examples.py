"""Small made-up results, one of each kind that the report tells of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from aimwell.core.definitions import Label
from aimwell.core.rules import parse_rule
from aimwell.core.text import Text
from aimwell.evaluation.journeys.funnel import Funnel, NodeFunnel
from aimwell.evaluation.journeys.lift import Group as Side
from aimwell.evaluation.journeys.lift import Lift
from aimwell.insight.clusterings.result import (
    Axis,
    ClusteringResult,
    FeatureShown,
    Group,
    Picture,
    StabilityShown,
    Worth,
    WorthRow,
)
from aimwell.insight.predictions.backtest import Backtest, Choice
from aimwell.insight.predictions.evaluation import Curve, Evaluation, Metric, Tenth
from aimwell.insight.predictions.findings import Finding
from aimwell.insight.predictions.periods import PeriodResult
from aimwell.insight.predictions.reasons import Reason
from aimwell.insight.predictions.score import Scored, Scoring
from aimwell.insight.profiles.customer import Answer, Belonging, CustomerPage, TagGroup, TagValue
from aimwell.insight.profiles.timeline import Happening
from aimwell.insight.segments.definition import Segment
from aimwell.insight.segments.differences import Difference
from aimwell.insight.segments.membership import SegmentResult
from aimwell.insight.segments.overlap import Overlap, Pair
from aimwell.science.experiment.difference import Moments
from aimwell.science.metrics.interval import Estimate
from aimwell.science.metrics.probability import CalibrationBin
from aimwell.store.sources.report import LoadReport, Oddity, Orphans, SourceReport, TableQuality, TableReport, Tally
from aimwell.web.report.questions import Question, Sort
from aimwell.web.report.sections.customer import CustomerStory
from aimwell.web.report.sections.journeys import JourneyStory, Stop
from aimwell.web.report.sections.lifetime_value import AliveBand, Check, RfmCell, ValueStory, ValueTenth
from aimwell.web.report.sections.quality import Earlier
from aimwell.web.report.sections.segments import Apart, SegmentStory

AS_OF = datetime(2025, 7, 1, tzinfo=UTC)
RULE = Text("近期购买在前", "the latest buyers first")
EVIL = "<script>alert(1)</script>"


def metric(
    name: str, label: Text, model: float, baseline: float, *, better: str = "lower", gap: float | None = None
) -> Metric:
    """A figure with bounds of a tenth; with a difference if one is given."""
    return Metric(
        name,
        label,
        "higher" if better == "higher" else "lower",
        Estimate(model, model * 0.9, model * 1.1),
        RULE,
        Estimate(baseline, baseline * 0.9, baseline * 1.1),
        None if gap is None else Estimate(gap, gap - 0.01, gap + 0.01),
    )


def evaluation(kind: str = "happens", *, gap: float = -0.1) -> Evaluation:
    """1,000 people, one in five of whom did it (or $50 each)."""
    if kind == "how_much":
        metrics = [
            metric("mae", Text("平均误差", "Mean error"), 20.0, 25.0, gap=50 * gap),
            metric("bias", Text("平均偏差", "Mean bias"), -4.0, -2.0),
            metric("money_10", Text("前 10% 的金额", "Money in the best 10%"), 0.4, 0.3, better="higher"),
        ]
        tenth = Tenth(1, 100, 180.0, 200.0, 4.0, 0.4)
    else:
        metrics = [
            metric("auc", Text("排序准确度", "Order of the list"), 0.8, 0.7, better="higher", gap=0.1),
            metric("share_for_80", Text("所需比例", "Share needed"), 0.3, 0.4, gap=gap),
            metric("reached_10", Text("前 10% 覆盖", "Reached by the best 10%"), 0.4, 0.3, better="higher"),
            metric("brier", Text("Brier 分", "Brier score"), 0.1, 0.2),
        ]
        tenth = Tenth(1, 100, 0.75, 0.8, 4.0, 0.4)
    return Evaluation(
        1000,
        200,
        50.0 if kind == "how_much" else 0.2,
        RULE,
        tuple(metrics),
        curve=Curve(
            (0.0, 0.3, 0.4, 1.0), (0.0, 0.8, 0.9, 1.0), (0.0, 0.7, 0.8, 1.0), (0.0, 0.9, 1.0, 1.0), (0, 0.6, 0.8, 1)
        ),
        tenths=(tenth,),
        calibration=(
            CalibrationBin(500, 50, 0.1, Estimate(0.1, 0.08, 0.13)),
            CalibrationBin(500, 150, 0.5, Estimate(0.3, 0.26, 0.34)),
        ),
    )


def backtest(name: str = "coffee", kind: str = "happens", *, gap: float = -0.1) -> Backtest:
    """A judged prediction, held out on 1 June, with a warning and the note that people were not chosen at random."""
    whole = evaluation(kind, gap=gap)
    none = Evaluation(0, 0, 0.0, RULE, notes=(Text("没有人", "nobody"),))
    auc = Estimate(0.8, 0.75, 0.85)
    return Backtest(
        prediction=name,
        title=Text("咖啡需求", "Demand for coffee"),
        kind=kind,
        as_of=AS_OF,
        held_out=("2025-06-01",),
        learnt_rows=4000,
        learnt_positives=700,
        everybody=whole,
        new=none,
        existing=whole,
        others=(Evaluation(1000, 200, 0.2, Text("去年买过", "bought last year"), whole.metrics),),
        periods=(
            PeriodResult("2025-04-01", "learnt", 900, 180, 0.2),
            PeriodResult("2025-05-01", "chosen_on", 950, 190, 0.2, auc, Estimate(0.7, 0.65, 0.75)),
            PeriodResult("2025-06-01", "held_out", 1000, 200, 0.2, auc, Estimate(0.71, 0.66, 0.76)),
        ),
        findings=(
            Finding("base_rate_moves", "warning", Text("目标比例已变动。", "The share has moved.")),
            Finding("not_random", "note", Text("联系谁不是随机的。", "Who was contacted was not random.")),
            Finding("timeless", "note", Text("没有说明何时得知。", "It does not say since when.")),
        ),
        choice=Choice(100, 0.5, 0, ordered=True),
        seed=7,
    )


def question(sort: Sort = "buys") -> Question:
    return Question(Text("近期买过的客户", "Customers who bought lately"), Text("购买", "bought"), 28, sort)


def scoring(*, amounts: bool = False, customer: str = EVIL) -> Scoring:
    """Two customers of 1,234 on a list; the first one's id is an attack."""
    reason = Reason("visits", "visits_28d", 9.0, 2.0, 0.5, Text("来店 9 次（拉高）", "Orders: 9 (raises)"))
    typical, low, high = (140.0, 90.0, 200.0) if amounts else (None, None, None)
    audience = (
        Scored(customer, 1, 150.0 if amounts else 0.9, typical, low, high, (reason,)),
        Scored("=cmd()", 2, 120.0 if amounts else 0.8, typical, low, high, ()),
    )
    return Scoring("coffee", "v1", AS_OF, 1234, 60.0 if amounts else 0.25, (0.0, 1.0), (1234,), audience)


def difference() -> Difference:
    gap = Estimate(2.4, 2.2, 2.7)
    return Difference(
        "spend_84d", "spend", Text("消费额", "Spend"), "money", "mean", None, 940.0, 385.0, gap, gap, gap, "large", 0.4,
        0.01, 247, 2222, Text("消费额 940，其他人 385（2.4×）", "Spend: 940, others 385 (2.4×)"),
        Text("95% 区间：2.2× 至 2.7×", "95% interval: 2.2× to 2.7×"),
    )  # fmt: skip


def segment_story() -> SegmentStory:
    """Two segments that overlap; the smaller one has nobody to tell of."""
    definitions = {
        "loyal": Segment(
            name="loyal",
            label=Label(zh="忠诚", en="Loyal"),
            kind="behavioural",
            rule=parse_rule({"purchases": {"within": "28d"}}),
            description=Label(zh="近期常来", en="Came often lately"),
        ),
        "gone": Segment(
            name="gone",
            label=Label(zh="沉默", en="Quiet"),
            kind="value",
            rule=parse_rule({"tag": "rfm", "at_least": 3}),
        ),
    }
    results = (
        SegmentResult("loyal", AS_OF, 1000, 400, 30, 12),
        SegmentResult("gone", AS_OF, 1000, 0, 0, 5),
    )
    pair = Pair("loyal", "gone", 400, 100, 40)
    return SegmentStory(
        results,
        definitions,
        {"loyal": Text("近 28 天买过的客户", "Customers who bought in the last 28 days")},
        {"loyal": Apart(Text("12 项里有 5 项不同。", "5 of 12 measures differ."), [difference()])},
        Overlap(("loyal", "gone"), {"loyal": 400, "gone": 100}, (pair,)),
    )


def clustering() -> ClusteringResult:
    """Two groups, one of them without any trait, that explain less of later spend than RFM cells."""

    def group(number: int, name: Text) -> Group:
        return Group(
            f"g{number}", f"ways.g{number}", number, name, False, Text("接近平均", "Close to it"), 500, 0.5, 0.8,
            "stable", Text("稳定", "Stable"), Estimate(50.0, 45.0, 55.0), 0.5, (), (), Text("常来", "Comes often"),
            0.9, 0.8,
        )  # fmt: skip

    label, outcome = Text("共识", "Consensus"), Text("之后消费", "Later spend")
    rows = (
        WorthRow(
            "spend", outcome, "consensus", label, 2, 900, Estimate(0.1, 0.05, 0.15), Estimate(-0.2, -0.3, -0.1), 0.0
        ),
        WorthRow("spend", outcome, "rfm", Text("RFM 格", "RFM cells"), 2, 900, Estimate(0.3, 0.25, 0.35), None, None),
    )
    features = (
        FeatureShown("hour", Text("时段（近 28 天）", "Hour (last 28 days)"), Text("点", "o'clock"), "number", label),
    )
    axes = (Axis(0.4, (("hour", 0.9),)), Axis(0.3, (("hour", -0.4),)))
    return ClusteringResult(
        "ways", Text("购物方式", "Ways of shopping"), "customers", "v1", "2025-07-01", ("kmeans",), label, 2, 1000, 1,
        Text("客户", "Customers"), Text("消费额", "Spend"), features, None,
        StabilityShown(0.6, 0.5, 0.7, 1.0, "unstable", Text("不稳定", "Unstable"), 8),
        (group(0, Text("夜间型", "Night owls")), group(1, Text("早起型", "Early birds"))),
        Picture((0.1, 0.2, 0.3), (0.4, 0.5, 0.6), ("g0", "g1", ""), axes, 3), None, 0.8,
        Worth("2025-06-01", True, rows),
        notes=(Text("没有明显界限", "They run into each other"),),
    )  # fmt: skip


def customer_story(customer: str = EVIL) -> CustomerStory:
    """One customer with tags of two families, a score with its reason, a segment, and two happenings."""
    none = Text("", "")
    spend = TagValue(
        "spend", Text("消费额（近28天）", "Spend (last 28 days)"), "money", none, none, Decimal(120), None, 0.95
    )
    more = TagValue(
        "spend2", Text("消费额（近56天）", "Spend (last 56 days)"), "money", none, none, Decimal(130), None, 0.9
    )
    usual = TagValue("gap", Text("间隔", "Gap"), "number", Text("天", "days"), none, 7.0, None, 0.5, inferred=True)
    age = TagValue("age", Text("年龄段", "Age band"), "text", none, none, "35-44", Text("中年", "middle"))
    unknown = TagValue("home", Text("住房", "Home"), "text", none, none, None)
    groups = (
        TagGroup("basic", Text("基本信息", "Basic"), (age, unknown)),
        TagGroup("transaction", Text("交易", "Transaction"), (spend, more, usual)),
        TagGroup("credit", Text("信用", "Credit"), ()),
    )
    page = CustomerPage(
        customer,
        AS_OF,
        groups,
        (Answer("coffee", Text("咖啡需求", "Demand for coffee"), AS_OF, 0.9, 1, 1234),),
        (Belonging("loyal", Text("忠诚", "Loyal"), AS_OF),),
        (
            Happening(datetime(2025, 6, 30, 9, 5, tzinfo=UTC), "purchase", Text("购买", "bought"), Decimal("91.67")),
            Happening(datetime(2025, 6, 1, tzinfo=UTC), "outcome", Text("响应", "answered")),
        ),
    )
    reasons = {"coffee": scoring().audience[0].reasons}
    return CustomerStory(page, Text(f"客户 {customer}，作为例子。", f"Customer {customer}, as an example."), reasons)


def load_report(*, rejected: Mapping[str, int] | None = None) -> LoadReport:
    """100 rows read of one source, a few refused, one odd column and orphan keys."""
    refused = {"missing_customer_id": 3, "unreadable_amount": 2} if rejected is None else dict(rejected)
    tally = Tally(read=100, kept=100 - sum(refused.values()) - 4, filtered=1, duplicates=3, rejected=refused)
    source = SourceReport("invoices", tables=(TableReport("purchase", tally),), notes=())
    return LoadReport(AS_OF, "v1", changed=True, sources=(source,), quality=(quality(),))


def quality() -> TableQuality:
    odd = (
        Oddity("unknown", "brand", 50, 0.5, Text("brand 没有值", "brand has no value")),
        Oddity("unknown", "category", 20, 0.2, Text("category 没有值", "category has no value")),
        Oddity("future", "occurred_at", 1, 0.01, Text("时间在将来", "lies in the future")),
    )
    return TableQuality("purchase", 100, odd, (Orphans("product_id", "product", 9, 2, ("7", EVIL)),))


def earlier() -> Earlier:
    return Earlier(
        "products", 3, 5000, 4900, datetime.combine(date(2025, 5, 1), datetime.min.time(), UTC), {"bad_row": 100}
    )


def journey_story(
    *, simulated: bool = True, effect: tuple[float, float] = (0.02, 0.2), money: tuple[float, float] | None = None
) -> JourneyStory:
    """A journey of one message: 100 came in, 20 of them held out; effects on goal and money with their bounds."""
    low, high = effect
    steps = {"planned": 80, "exposed": 70, "delivered": 68, "opened": 30, "clicked": 12, "bought": 25}
    node = NodeFunnel("offer", "push", {**steps, "joined": 0, "shared": 0}, 70, {"consent": 8, "odd_one": 2}, machine=3)
    found = Funnel(
        journey="wake",
        state="running",
        entered=100,
        active=5,
        finished=70,
        exited={"held_out": 20, "closed": 5},
        steps={**steps, "joined": 0, "shared": 0},
        places={"offer": 5},
        passed={("offer", "next"): 75},
        nodes=(node,),
        spent=0.0,
    )
    spent = ([12.0] * 80, [10.0] * 20) if money else ([], [])
    treated, control = Side(80, 25, Moments.of(spent[0])), Side(20, 4, Moments.of(spent[1]))
    gap = Estimate((low + high) / 2, low, high)
    more = Estimate(sum(money) / 2, *money) if money else None
    until = datetime(2026, 3, 1, tzinfo=UTC) if money else None
    return JourneyStory(
        name="wake",
        title=Text("唤醒", "Wake up"),
        description=Text("很久没来的客户", EVIL),
        funnel=found,
        lift=Lift("wake", timedelta(days=21), treated, control, 0, gap, more, until),
        held_out=20,
        stops=(
            Stop("offer", Text("发送", "Send"), ("push",), {"next": 75}, {"next": "done"}, 5),
            Stop("done", Text("结束", "End"), (), {"end": 75}, {}, 0),
        ),
        refused={"entered_before": 4},
        simulated=simulated,
        currency="CNY",
    )


def value_story() -> ValueStory:
    """1,000 customers worth 900 each, whose models promised too little 84 days ago."""

    def share(value: float) -> Estimate:
        return Estimate(value, value - 0.02, value + 0.02)

    check = Check(
        AS_OF - timedelta(days=84), 84, 950, 90_000.0, 100_000.0, share(-0.1), share(0.05), share(0.4), share(0.38),
        share(0.02), 0.5,
    )  # fmt: skip
    return ValueStory(
        people=1000,
        unknown=20,
        total=900_000.0,
        median=300.0,
        next_year=320_000.0,
        last_year=350_000.0,
        gone=80.0,
        held=((0.0, 0.0), (0.1, 0.45), (1.0, 1.0)),
        spent=((0.0, 0.0), (0.1, 0.4), (1.0, 1.0)),
        top=0.45,
        tenths=(ValueTenth(1, 100, 2000.0, 4050.0, 0.45),),
        kept=100.0,
        bands=(AliveBand(0.9, 1.0, 900, 0.99), AliveBand(0.0, 0.9, 100, 0.01)),
        cells=(RfmCell("hhh", Text("重要价值客户", "champions"), 200, 3000.0, 0.6, 0.99),),
        check=check,
    )
