"""Effects: whom does a treatment change, who would buy anyway, and on what does that rest?"""

from __future__ import annotations

from dataclasses import dataclass

from aimwell.core.text import Text
from aimwell.insight.effects.audience import EffectScoring, Moved
from aimwell.insight.effects.card import EffectCard, Spread
from aimwell.insight.effects.definition import Effect
from aimwell.insight.effects.judging import Judgement
from aimwell.science.metrics.interval import Estimate
from aimwell.science.uplift.choice import Evidence
from aimwell.science.uplift.dispersion import UNKNOWN, GroupShare
from aimwell.science.uplift.regions import DO_NOT_DISTURB, LOST_CAUSE, PERSUADABLE, REGIONS, SURE_THING
from aimwell.web.report import uplift_charts
from aimwell.web.report.blocks import Block, Cell, Chart, Fact, Facts, Heading, Sentence, Table, Tone
from aimwell.web.report.formats import between, cleft, count, listed, money, number, same, share
from aimwell.web.report.questions import Question
from aimwell.web.report.sections.uplift_details import depth_blocks, details

_EXPERIMENT, _WAITING = Text("试验", "Experiment"), Text("等待结果", "Waiting")
_EMPTY = Text("—", "—")
_ADVICE = {
    PERSUADABLE: Text("给：因为有它才买", "Offer it: they buy because of it"),
    SURE_THING: Text("不必给：本来就会买", "No need: they buy without it"),
    LOST_CAUSE: Text("省下：给了也不买", "Save it: they do not buy either way"),
    DO_NOT_DISTURB: Text("别打扰：给了反而少买", "Leave them alone: they buy less with it"),
}


@dataclass(frozen=True, slots=True)
class EffectStory:
    """An effect: its question, the card of the version in use, today's scores, and why it waits, if it does.

    card: None where nothing was learnt yet.   scoring: of everybody asked about today.
    """

    definition: Effect
    question: Question
    card: EffectCard | None = None
    scoring: EffectScoring | None = None
    waiting: Text | None = None

    @property
    def money(self) -> bool:
        """Whether effects are in money rather than chances."""
        return self.definition.target.amount is not None


def uplift_blocks(story: EffectStory, currency: str) -> list[Block]:
    """The verdict, what was asked and tried, then per treatment what a ranking is worth and who needs it."""
    blocks: list[Block] = []
    if story.card is not None:
        blocks.append(Sentence(uplift_verdict(story, currency), "primary"))
    if story.waiting is not None:
        blocks.append(Sentence(story.waiting, "hold", _WAITING))
    blocks.append(_question(story))
    card = story.card
    if card is None:
        return blocks
    blocks += [_basis(story, card), _arms(card, currency)]
    for evidence, judged in zip(card.evidence, card.judged, strict=True):
        blocks += _treatment(story, card, evidence, judged, currency)
    if story.scoring is not None and story.scoring.audience:
        blocks.append(_most_changed(story.scoring.audience, card, currency))
    return [*blocks, *depth_blocks(card, currency), *_fairness(card, currency), details(card)]


def uplift_verdict(story: EffectStory, currency: str) -> Text:
    """For each treatment its average effect, and whether it differs between people; or why nothing is known yet."""
    card = story.card
    if card is None:
        return story.waiting or _EMPTY
    said = [_finding(card, evidence, currency) for evidence in card.evidence]
    return Text("".join(each.zh for each in said), " ".join(each.en for each in said))


def _finding(card: EffectCard, evidence: Evidence, currency: str) -> Text:
    found, gap = card.said[evidence.treatment], _unit(evidence.average, card, currency)
    nothing = Text("", "")
    if not evidence.average.excludes_zero:
        nothing = Text("（未能证明有平均效果）", " (no average effect is proven)")
    return Text(
        f"「{evidence.treatment}」平均效果 {gap.zh}{nothing.zh}。{found.zh}",
        f"{evidence.treatment}: average effect {gap.en}{nothing.en}. {found.en}",
    )


def _unit(estimate: Estimate, card: EffectCard, currency: str) -> Text:
    """An effect in words, with its unit and interval."""
    value = signed(estimate.value, currency if card.money else None)
    low_high = _bounds(estimate, card, currency)
    if card.money:
        return Text(f"每人 {value}（{low_high}）", f"{value} each ({low_high})")
    return Text(f"{value} 个百分点（{low_high}）", f"{value} points ({low_high})")


def signed(value: float, currency: str | None) -> str:
    """An effect with its sign: an amount where there is a currency, else hundredths of a chance."""
    written = number(100 * value, 1) if currency is None else money(value, currency)
    return f"+{written}" if value > 0 else written


def _bounds(estimate: Estimate, card: EffectCard, currency: str) -> str:
    low, high = (signed(each, currency if card.money else None) for each in (estimate.low, estimate.high))
    return between(low, high)


def _cell(estimate: Estimate, card: EffectCard, currency: str) -> Text:
    value = signed(estimate.value, currency if card.money else None)
    return same(f"{value} ({_bounds(estimate, card, currency)})")


def _question(story: EffectStory) -> Facts:
    asked, names = story.question, story.definition.treatment.names
    arms = listed([same(name) for name in names[1:]])
    days = story.definition.horizon_days
    return Facts(
        [
            Fact(Text("问的是", "Asked of"), asked.asked_of),
            Fact(
                Text("给什么", "Treatment"),
                Text(f"{arms.zh}，与「{names[0]}」相比", f"{arms.en}, beside {names[0]}"),
            ),
            Fact(
                Text("改变什么", "What may change"),
                Text(f"{asked.answer.zh}，{days} 天内", f"{asked.answer.en}, within {days} days"),
            ),
        ],
        title=Text("问题", "The question"),
    )


def _basis(story: EffectStory, card: EffectCard) -> Sentence:
    """On what data all this rests."""
    runs, decision = listed([same(name) for name in card.campaigns]), story.definition.treatment.decision
    people = count(sum(card.arms.values()))
    if decision is not None:
        source = Text(
            f"决策「{decision}」自己抽签产生（{runs.zh}）", f"drawn by the decision {decision} itself ({runs.en})"
        )
    else:
        source = Text(f"活动 {runs.zh}，概率以定义所写为准", f"campaigns {runs.en}, with the probabilities as written")
    return Sentence(
        Text(
            f"依据是抽签分组的试验：{source.zh}，{people} 人次。检验：{card.held_out.zh}。",
            f"All this rests on an experiment whose arms were drawn by lot: {source.en}; {people} people in all. "
            f"Judged on {card.held_out.en}.",
        ),
        "ok",
        _EXPERIMENT,
    )


def _arms(card: EffectCard, currency: str) -> Table:
    average = {each.treatment: each for each in card.evidence}
    rows: list[list[Text | Cell]] = []
    for name, people in card.arms.items():
        found = average.get(name)
        told: Text | Cell = Text("对照", "control")
        gap = _EMPTY
        if found is not None:
            gap = _cell(found.average, card, currency)
            told = Cell(_DIFFERS, tone="ok") if found.differs else Cell(_ALIKE, tone="hold")
        rows.append([same(name), same(count(people)), same(share(card.probabilities[name])), gap, told])
    unit = Text("每人金额", "money each") if card.money else Text("百分点", "points")
    return Table(
        [
            Text("分组", "arm"),
            Text("人数", "people"),
            Text("抽签概率", "chance by lot"),
            Text(f"平均效果，{unit.zh}（95% 区间）", f"average effect in {unit.en} (95% interval)"),
            Text("因人而异吗", "does it differ between people"),
        ],
        rows,
        title=Text("分组与平均效果", "Arms and average effects"),
        numbers=frozenset({1, 2, 3}),
    )


_DIFFERS, _ALIKE = Text("因人而异", "differs"), Text("未发现差异", "no difference found")


def _treatment(
    story: EffectStory, card: EffectCard, evidence: Evidence, judged: Judgement, currency: str
) -> list[Block]:
    """One treatment: the ranking on people held out, and who needs it."""
    title = Text(f"分组「{evidence.treatment}」", f"Arm {evidence.treatment}")
    return [
        Heading(title, card.said[evidence.treatment]),
        _curve(card, evidence, judged, currency),
        _regions(story, card, evidence.treatment, currency),
    ]


def _curve(card: EffectCard, evidence: Evidence, judged: Judgement, currency: str) -> Chart:
    added = (
        Text(f"人均多出的金额（{currency}）", f"money added per customer ({currency})")
        if card.money
        else Text("每百位客户多出的人数", "more of 100 customers who do it")
    )
    drawing = uplift_charts.qini(judged.curve, added=added, scale=1.0 if card.money else 100.0)
    question = Text(
        "先触达预计效果大的人，能多带来多少？（Qini）", "What does treating the most movable first add? (Qini)"
    )
    guess = Text("", "")
    if not evidence.differs:
        guess = Text("未发现差异，名单不分先后；曲线只是最好的猜测。", " No difference was found, so nobody is listed "
                     "before another; the curve is a best guess only.")  # fmt: skip
    said = _worth(judged)
    return Chart(
        question, drawing, Text(said.zh + guess.zh, said.en + guess.en), legend=uplift_charts.qini_keys(), wide=True
    )


def _worth(judged: Judgement) -> Text:
    """The figure that decides, in words."""
    found = judged.qini
    if found is None:
        return Text("人数太少，无法评价排序。", "Too few people to judge the ranking.")
    mine = _plain(found.model)
    words = Text(
        f"留出的客户上，{found.label.zh}：按效果排序 {mine}",
        f"On people held out, {found.label.en[:1].lower()}{found.label.en[1:]}: ranked by effect {mine}",
    )
    if found.baseline is None or found.difference is None:
        return Text(f"{words.zh}。", f"{words.en}.")
    theirs, gap = _plain(found.baseline), _plain(found.difference)
    return Text(
        f"{words.zh}，按响应率排序 {theirs}，成对差 {gap}。",
        f"{words.en}, ranked by response {theirs}, paired difference {gap}.",
    )


def _plain(estimate: Estimate) -> str:
    return f"{number(estimate.value)} ({between(number(estimate.low), number(estimate.high))})"


def _regions(story: EffectStory, card: EffectCard, treatment: str, currency: str) -> Table:
    """Who needs it: the expected shares of the regions, among those asked about today where they were scored."""
    scored = {each.treatment: each for each in story.scoring.treatments} if story.scoring else {}
    today = scored.get(treatment)
    shares, people = (card.regions[treatment], 0) if today is None or story.scoring is None else (
        today.regions, story.scoring.people
    )  # fmt: skip
    order = (PERSUADABLE, SURE_THING, LOST_CAUSE, DO_NOT_DISTURB)
    rows: list[list[Text | Cell]] = [
        [
            REGIONS[name],
            _ADVICE[name],
            Cell(same(share(shares[name])), bar=shares[name]),
            same(count(shares[name] * people)) if people else _EMPTY,
        ]
        for name in order
    ]
    cut, margin = story.definition.buyer_from, story.definition.margin
    unit = currency if story.money else None
    level = money(cut, currency) if story.money else share(cut, 0)
    pays = signed(margin, unit) if unit else f"{number(100 * margin, 1)}"
    return Table(
        [
            Text("区域（基线 × 效果）", "region (baseline × effect)"),
            Text("该怎么做", "what to do"),
            Text("预期占比", "expected share"),
            Text("约合今天的人数", "people today, about"),
        ],
        rows,
        title=Text(f"谁需要「{treatment}」", f"Who needs it: {treatment}"),
        numbers=frozenset({2, 3}),
        note=Text(
            f"占比是每个人四个概率的平均；一个人只有概率，没有标签。不给时的预期结果高于 {level} 算会买；"
            f"效果不超过 {pays}{'' if unit else ' 个百分点'} 视为不值得。",
            "Shares are means of everybody's four probabilities; a person has probabilities, never a label. Above an "
            f"expected outcome of {level} without it somebody counts as a buyer; effects up to {pays}"
            f"{'' if unit else ' points'} do not pay.",
        ),
    )


def _most_changed(audience: tuple[Moved, ...], card: EffectCard, currency: str) -> Table:
    """Some of those whom a treatment is expected to change most, with the reasons."""
    unit = currency if card.money else None
    rows: list[list[Text | Cell]] = [
        [
            same(each.customer_id),
            same(each.treatment),
            _cell(each.effect, card, currency),
            same(money(each.without, currency) if unit else share(each.without)),
            cleft([reason.text for reason in each.reasons]) if each.reasons else _EMPTY,
        ]
        for each in audience
    ]
    name = Text("预计效果", "expected effect") if unit else Text("预计效果，百分点", "expected effect in points")
    return Table(
        [
            Text("客户", "customer"),
            Text("分组", "arm"),
            Text(f"{name.zh}（95% 区间）", f"{name.en} (95% interval)"),
            Text("不给时", "without it"),
            Text("主要因为", "mainly because"),
        ],
        rows,
        title=Text("预计改变最大的客户", "Those whom it is expected to change most"),
        numbers=frozenset({2, 3}),
        note=Text(
            "效果是相似客户的平均值。全部客户在数据表 effect_score 中。",
            "An effect is an average over alike customers. Everybody's is in the table effect_score.",
        ),
    )


def _fairness(card: EffectCard, currency: str) -> list[Block]:
    """How offers would be spread over groups, and what is never learnt from."""
    blocks: list[Block] = [_spread(each, card, currency) for each in card.spreads]
    blocks += [Sentence(text, "warn") for each in card.spreads for text in each.report.warnings]
    seen = listed([same(name) for name in card.forbidden])
    left = Text(f"本数据中被排除的：{seen.zh}。", f"Left out of these data: {seen.en}.") if card.forbidden else Text(
        "本数据中没有这类属性。", "These data hold none of them."
    )  # fmt: skip
    never = Text(
        "性别、种族、宗教、政治、健康、残疾、孕育、婚姻等属性从不参与学习。",
        "Gender, race, religion, politics, health, disability, pregnancy, marital status and the like are never learnt "
        "from.",
    )
    return [*blocks, Sentence(Text(never.zh + left.zh, f"{never.en} {left.en}"))]


def _spread(spread: Spread, card: EffectCard, currency: str) -> Table:
    return Table(
        [
            Text("分组", "group"),
            Text("人数", "people"),
            Text("会得到优惠的比例（95% 区间）", "share who would get it (95% interval)"),
            Text("平均预计效果", "mean expected effect"),
            Text("与最高组之比", "ratio to the best-served"),
        ],
        [_group(each, card, currency) for each in spread.report.rows],
        title=Text(
            f"「{spread.treatment}」在 {spread.feature} 各组的分布",
            f"How {spread.treatment} would be spread over {spread.feature}",
        ),
        numbers=frozenset({1, 2, 3, 4}),
        note=Text(
            "假定给效果值得的每个人。明显低于最高组五分之四的组会标出；少于 30 人的组只展示。",
            "If all got it whose effect pays. A group clearly below four fifths of the best-served is marked; groups "
            "of fewer than 30 are only shown.",
        ),
    )


def _group(row: GroupShare, card: EffectCard, currency: str) -> list[Text | Cell]:
    low_high = between(share(row.share.low, 0), share(row.share.high, 0))
    name = Text("未知", "unknown") if row.group == UNKNOWN else same(row.group)
    tone: Tone = "warn" if row.marked else "hold" if row.small else "plain"
    return [
        name,
        same(count(row.people)),
        Cell(same(f"{share(row.share.value, 0)} ({low_high})"), bar=row.share.value),
        same(signed(row.effect, currency if card.money else None)),
        Cell(same(number(row.ratio, 2)), tone=tone),
    ]
