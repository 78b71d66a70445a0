"""Recommendations: what each customer buys next, why we think so, and was that right on the last days?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from aimwell.core.text import Text
from aimwell.science.metrics.interval import Estimate
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.evaluation import Evaluation
from aimwell.strategy.recommenders.judging import Figures, Slice
from aimwell.strategy.recommenders.making import Recommendation, Recommending
from aimwell.strategy.recommenders.traits import KINDS, SLICES
from aimwell.web.report.blocks import Block, Cell, Fold, Heading, Sentence, Table
from aimwell.web.report.formats import between, cleft, count, moment, number, same, share

_UNKNOWN = Text("—", "—")
_LOUD = ("all", "novel")
"""The slices that everybody sees; the others are for analysts."""
_RIVALS = {"all": "frequency", "novel": "expert"}
"""What the verdict of a slice compares with: the simplest rule that is good there."""
_SHOWN = 5
_COLUMNS = ("auc", "log_loss", "reciprocal_rank", "recall", "ndcg", "average_precision")


@dataclass(frozen=True, slots=True)
class RecommenderStory:
    """A recommender: everybody's lists as just made, some with reasons, and how it did on the last days."""

    definition: Recommender
    made: Recommending
    judged: Evaluation


def recommendation_blocks(story: RecommenderStory) -> list[Block]:
    """The verdict beside rules that need no model, the table of the last days, then lists with reasons."""
    judged, size = story.judged, story.definition.list_size
    loud = [each for each in judged.slices if each.name in _LOUD]
    quiet = [each for each in judged.slices if each.name not in _LOUD]
    blocks: list[Block] = [Sentence(recommendation_verdict(story), "primary"), Sentence(_protocol(story))]
    blocks += [_days(each, size) for each in loud]
    blocks.append(Heading(Text("给谁推荐什么，为什么", "What is recommended to whom, and why"), _made(story.made)))
    blocks += [_list(list(rows)) for _, rows in groupby(story.made.shown, key=lambda each: each.customer_id)]
    inside: list[Block] = [_days(each, size) for each in quiet]
    inside += [_places(each) for each in loud]
    inside += [_beside_the_bank(judged)] if judged.slices else []
    return [*blocks, Fold(Text("专业视图", "Analyst view"), inside)] if inside else blocks


def recommendation_verdict(story: RecommenderStory) -> Text:
    """How much better the lists are than the simplest good rule, on all pairs and on what was never bought before."""
    said = [found for each in story.judged.slices if (found := _slice_verdict(each, story.definition.list_size))]
    if not said:
        return Text("购买太少，无法评估。", "Too little was bought to judge it.")
    return Text("".join(each.zh for each in said), " ".join(each.en for each in said))


def _slice_verdict(found: Slice, size: int) -> Text | None:
    rival = next((way for way in found.ways if way.name == _RIVALS.get(found.name)), None)
    gap = rival.ahead.get("ndcg") if rival else None
    if rival is None or gap is None:
        return None
    mine, theirs = (number(way.figures["ndcg"].value) for way in (found.ways[0], rival))
    low_high = between(_signed(gap.low), _signed(gap.high))
    if gap.low > 0:
        proof = Text("优于它，已证实", "better beyond chance")
    elif gap.high < 0:
        proof = Text("不如它，已证实", "worse beyond chance")
    else:
        proof = Text("差别尚未证实", "no difference is proven")
    rule = Text(rival.label.zh.partition("：")[0], rival.label.en.partition(":")[0])
    return Text(
        f"{found.label.zh}：nDCG@{size} {mine}，「{rule.zh}」{theirs}，{proof.zh}（成对差 {low_high}）。",
        f"{_upper(found.label.en)}: nDCG@{size} {mine} beside {theirs} by {rule.en}, {proof.en} (paired: {low_high}).",
    )


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _protocol(story: RecommenderStory) -> Text:
    judged = story.judged
    first, last = moment(judged.days[0]), moment(judged.days[-1])
    return Text(
        f"{first.zh}至 {last.zh}的 {len(judged.days)} 天，每天只用当天开始前已知的数据学习，再为当天的买家排序："
        f"{count(judged.lists)} 张清单，{count(judged.customers)} 位客户。"
        f"候选覆盖了实际购买的 {share(judged.proposed)}。"
        "所有方法排的是同样的客户、同样的商品。区间为 95%，以客户为单位。",
        f"On each of {len(judged.days)} days, {first.en} to {last.en}, it learnt from what was known before the day "
        f"began and ranked for that day's buyers: {count(judged.lists)} lists of {count(judged.customers)} customers. "
        f"{share(judged.proposed)} of what was bought had been proposed. Every way ranks the same items for the same "
        "customers. Intervals are of 95%, by customer.",
    )


def _days(found: Slice, size: int) -> Table:
    """One slice of the last days: the model, then what needs none."""
    columns = [
        Text("排序方法", "ranked by"),
        same("AUC"),
        Text("对数损失", "log loss"),
        same("MRR"),
        Text(f"召回@{size}", f"recall@{size}"),
        same(f"nDCG@{size}"),
        same(f"MAP@{size}"),
        Text("模型的 nDCG 领先", "nDCG: model ahead by"),
    ]
    title = Text(
        f"最近几天：{found.label.zh}（{count(found.choices)} 对中买了 {count(found.bought)} 对）",
        f"The last days, {found.label.en} ({count(found.bought)} of {count(found.choices)} pairs were bought)",
    )
    return Table(columns, [_way(way) for way in found.ways], title=title, numbers=frozenset(range(1, 8)))


def _way(way: Figures) -> list[Text | Cell]:
    figures = [same(number(way.figures[name].value)) if name in way.figures else _UNKNOWN for name in _COLUMNS]
    return [way.label, *figures, _ahead(way.ahead.get("ndcg"))]


def _ahead(gap: Estimate | None) -> Text | Cell:
    if gap is None:
        return _UNKNOWN
    words = same(f"{_signed(gap.value)} ({between(_signed(gap.low), _signed(gap.high))})")
    return Cell(words, tone="ok" if gap.low > 0 else "warn" if gap.high < 0 else "hold")


def _made(made: Recommending) -> Text:
    kinds = [(KINDS[name], people) for name, people in made.kinds.items() if people]
    zh = "、".join(f"{label.zh} {count(people)}" for label, people in kinds)
    en = ", ".join(f"{label.en} {count(people)}" for label, people in kinds)
    return Text(
        f"为 {count(made.people)} 位客户推荐了 {count(made.recommended)} 项（{zh}）；逐条复核准入规则，"
        f"违规 {count(made.violations)} 项。全部在数据表 recommendation 中，下面是几位客户的前几项。",
        f"{count(made.recommended)} recommendations to {count(made.people)} customers ({en}). Each was checked again "
        f"against the limits of who may get what: {count(made.violations)} violations. All are in the table "
        "recommendation; here are the first of some customers.",
    )


def _list(rows: Sequence[Recommendation]) -> Table:
    first = rows[:_SHOWN]
    return Table(
        [
            Text("名次", "place"),
            Text("推荐", "item"),
            Text("类型", "kind"),
            Text("下次来会买的概率", "chance on the next visit"),
            Text("主要因为", "mainly because"),
        ],
        [
            [
                same(str(each.place)),
                same(each.name),
                each.kind_label,
                Cell(same(share(each.probability, 0)), bar=each.probability),
                cleft(each.reasons) if each.reasons else _UNKNOWN,
            ]
            for each in first
        ],
        title=Text(f"客户 {first[0].customer_id}", f"Customer {first[0].customer_id}"),
        numbers=frozenset({0, 3}),
    )


_BANK: Mapping[str, tuple[float, float, float]] = {
    "all": (0.89, 0.45, 0.78),
    "new_line": (0.80, 0.73, 0.32),
    "repeat": (0.92, 0.38, 0.88),
}
"""AUC, log loss and MRR that a bank published of its recommender: everybody, new customers, existing ones."""


def _beside_the_bank(judged: Evaluation) -> Table:
    """A bank's published figures beside ours; what is sold there differs, and the title says how."""
    found = {each.name: each for each in judged.slices}
    rows: list[list[Text | Cell]] = []
    for name, published in _BANK.items():
        figures = found[name].ways[0].figures if name in found else {}
        mine = [same(number(figures[each].value)) if each in figures else _UNKNOWN for each in _COLUMNS[:3]]
        theirs = [same(f"{each:.2f}") for each in published]
        rows.append([SLICES[name], *(cell for pair in zip(theirs, mine, strict=True) for cell in pair)])
    bank, ours = Text("某银行", "a bank"), Text("本数据", "here")
    heads = [
        Text(f"{name.zh}，{who.zh}", f"{name.en}, {who.en}")
        for name in (same("AUC"), Text("对数损失", "log loss"), same("MRR"))
        for who in (bank, ours)
    ]
    title = Text(
        "与某银行公布的数字并列。那里在售理财产品少，每位客户买一两种，配对按未说明的比例抽样；"
        "这里计入所有可推荐的配对，因此对数损失不可比，AUC 与 MRR 只能粗略比较。",
        "Beside the figures that a bank published. There few products are on sale, a customer buys one or two, and "
        "pairs were sampled in an unstated share; here every pair that may be recommended counts, so that log losses "
        "cannot be compared, and AUC and MRR only roughly.",
    )
    return Table([Text("部分", "part"), *heads], rows, title=title, numbers=frozenset(range(1, 7)))


def _places(found: Slice) -> Table:
    """Right and wrong choices of the model when everybody is shown the first places."""
    rows: list[list[Text | Cell]] = []
    for top in found.ways[0].top:
        seen = top.confusion
        figures = [count(each) for each in (seen.hits, seen.misfires, seen.missed)]
        figures += [share(top.precision), share(top.recall)]
        rows.append([same(str(top.n)), *(same(each) for each in figures)])
    return Table(
        [
            Text("展示前几名", "places shown"),
            Text("命中", "right"),
            Text("未买", "not bought"),
            Text("漏掉", "missed"),
            Text("精确率", "precision"),
            Text("召回率", "recall"),
        ],
        rows,
        title=Text(f"模型的对与错：{found.label.zh}", f"Right and wrong choices of the model, {found.label.en}"),
        numbers=frozenset(range(6)),
    )
