"""The card of an effect: what was drawn by lot, whether effects differ, what a ranking is worth, and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aimwell.core.text import Language, Text
from aimwell.insight.effects.depths import DepthReport
from aimwell.insight.effects.judging import Judgement
from aimwell.insight.predictions.plain import Result
from aimwell.science.uplift.choice import Evidence, LearnerTrial
from aimwell.science.uplift.depth import GroupDepths
from aimwell.science.uplift.dispersion import Dispersion
from aimwell.science.uplift.regions import REGIONS


@dataclass(frozen=True, slots=True)
class Spread(Result):
    """How offers to those whose effect pays would be spread over the groups of one feature."""

    treatment: str
    feature: str
    report: Dispersion


@dataclass(frozen=True, slots=True)
class EffectCard(Result):
    """Everything one must know before acting on an effect.

    learner: what was chosen, or `blend`.   arms: people in each arm.   probabilities: mean of each arm's.
    evidence: one per treatment, from all that was learnt.   trials: how the learners ranked people they had not seen.
    judged: one per treatment, on held-out people.   held_out: the campaign held out, or the share of customers.
    regions: expected shares of the regions, by treatment.   forbidden: columns that were never learnt from.
    depths: which discount earns most, where arms are discounts.   past: what depths brought in the past.
    money: whether effects are in money rather than chances.   marks: letters that differ when definition or data do.
    """

    effect: str
    title: Text
    version: str
    question: Mapping[str, object]
    trained_as_of: datetime
    campaigns: tuple[str, ...]
    arms: Mapping[str, int]
    probabilities: Mapping[str, float]
    learner: str
    evidence: tuple[Evidence, ...]
    trials: tuple[LearnerTrial, ...]
    judged: tuple[Judgement, ...]
    held_out: Text
    regions: Mapping[str, Mapping[str, float]]
    spreads: tuple[Spread, ...]
    columns: tuple[str, ...]
    forbidden: tuple[str, ...]
    notes: tuple[Text, ...]
    limits: tuple[Text, ...]
    seed: int
    money: bool = False
    marks: Mapping[str, str] = field(default_factory=dict)
    depths: DepthReport | None = None
    past: GroupDepths | None = None

    @property
    def said(self) -> Mapping[str, Text]:
        """For each treatment the finding in a sentence: whether effects differ, and whether that was confirmed."""
        return {each.treatment: _verdict(each, judged) for each, judged in zip(self.evidence, self.judged, strict=True)}

    def markdown(self, language: Language) -> str:
        """The card as a page of Markdown."""
        said = _WORDS[language]
        lines = [f"# {said['card']}: {self.title.said(language)}", "", f"- {said['version']}: `{self.version}`"]
        lines += [f"- {said['campaigns']}: {', '.join(self.campaigns)}"]
        lines += [
            f"- {said['arm']} `{name}`: {people:,} ({said['probability']} {self.probabilities[name]:.3g})"
            for name, people in self.arms.items()
        ]
        lines += [f"- {said['learner']}: `{self.learner}`", f"- {said['held_out']}: {self.held_out.said(language)}", ""]
        for evidence, judged in zip(self.evidence, self.judged, strict=True):
            lines += _treatment(self, evidence, judged, language)
        lines += _depth_lines(self, language)
        lines += [f"## {said['limits']}", ""]
        lines += [f"- {text.said(language)}" for text in (*self.notes, *self.limits)]
        if self.forbidden:
            lines += [f"- {said['forbidden']}: {', '.join(f'`{name}`' for name in self.forbidden)}"]
        return "\n".join(lines) + "\n"


def _verdict(evidence: Evidence, judged: Judgement) -> Text:
    qini = judged.qini
    if not evidence.differs or qini is None:
        return evidence.said
    if qini.model.low <= 0:
        return _joined(evidence.said, _UNCONFIRMED)
    ahead = qini.difference is not None and qini.difference.low > 0
    return _joined(evidence.said, _AHEAD if ahead else _NOT_AHEAD)


def _joined(first: Text, second: Text) -> Text:
    return Text(first.zh + second.zh, f"{first.en} {second.en}")


def _treatment(card: EffectCard, evidence: Evidence, judged: Judgement, language: Language) -> list[str]:
    said = _WORDS[language]
    lines = [f"## {evidence.treatment}", "", f"**{card.said[evidence.treatment].said(language)}**", ""]
    lines += [f"- {said['average']}: {evidence.average}", f"- {said['chance']}: {evidence.chance:.3g}", ""]
    lines += [f"| {' | '.join(said[key] for key in ('figure', 'model', 'response', 'difference'))} |"]
    lines += ["|---|---|---|---|"]
    lines += [
        f"| {metric.label.said(language)} | {metric.model} | {metric.baseline} | {metric.difference} |"
        for metric in judged.metrics
    ]
    lines += ["", f"### {said['regions']}", "", said["never"], ""]
    lines += [
        f"- {REGIONS[name].said(language)}: {share:.0%}" for name, share in card.regions[evidence.treatment].items()
    ]
    for spread in card.spreads:
        if spread.treatment == evidence.treatment:
            lines += ["", f"### {said['spread']}: `{spread.feature}`", ""]
            lines += [f"- {row.group}: {row.share} ({row.people:,})" for row in spread.report.rows]
            lines += [f"- **{text.said(language)}**" for text in spread.report.warnings]
    return [*lines, ""]


def _depth_lines(card: EffectCard, language: Language) -> list[str]:
    """Which discount for whom, and what the past says of groups."""
    said, lines = _WORDS[language], list[str]()
    if card.depths:
        lines += [f"## {said['depths']}", "", f"**{card.depths.said.said(language)}**", ""]
        lines += [f"| {' | '.join(said[key] for key in ('arm', 'depth', 'best_for', 'profit'))} |", "|---|---|---|---|"]
        lines += [
            f"| `{row.arm}` | {row.depth:.0%} | {row.share:.0%} | {row.profit:,.2f} |" for row in card.depths.shares
        ]
        lines += ["", said["coupon"], ""]
    if card.past:
        lines += [f"## {said['past']}", "", f"**{card.past.warning.said(language)}**", ""]
        lines += [f"| {' | '.join(said[key] for key in ('group', 'depth', 'people', 'earned'))} |", "|---|---|---|---|"]
        lines += [f"| {row.group} | {row.depth:.0%} | {row.people:,} | {row.profit} |" for row in card.past.rows]
        lines += [""]
    return lines


_UNCONFIRMED = Text(
    "但在留出的客户上未能确认，请谨慎使用。",
    "On held-out people this was not confirmed: use with care.",
)
_AHEAD = Text("在留出的客户上优于按响应率排序。", "On held-out people it beats the ranking by response.")
_NOT_AHEAD = Text(
    "在留出的客户上优于随机，但未能证明优于按响应率排序。",
    "On held-out people it beats a random list; that it beats the ranking by response is not proven.",
)
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "card": "效果卡",
        "version": "版本",
        "campaigns": "活动",
        "arm": "分组",
        "probability": "概率",
        "learner": "所选学习器",
        "held_out": "检验",
        "average": "全体平均效果",
        "chance": "若效果其实相同，出现这种差异的概率",
        "figure": "指标",
        "model": "按效果排序（区间）",
        "response": "按响应率排序（区间）",
        "difference": "差（区间）",
        "regions": "基线 × 效果的区域",
        "never": "以下是预期占比；每个人只有概率，没有标签。",
        "spread": "优惠的分布",
        "depths": "优惠券深度",
        "depth": "深度",
        "best_for": "最适合的客户占比",
        "profit": "人人都给时每人利润（预计）",
        "coupon": "优惠券可以因人而异；标价不可以。",
        "past": "历史中的深度（分群 × 品类）",
        "group": "分群 × 品类",
        "people": "人数",
        "earned": "每人利润（区间）",
        "limits": "说明与限制",
        "forbidden": "从不学习的属性",
    },
    "en": {
        "card": "Effect card",
        "version": "Version",
        "campaigns": "Campaigns",
        "arm": "Arm",
        "probability": "probability",
        "learner": "Learner chosen",
        "held_out": "Judged on",
        "average": "Average effect on everybody",
        "chance": "Chance of such differences if effects were all the same",
        "figure": "Figure",
        "model": "Ranking by effect (interval)",
        "response": "Ranking by response (interval)",
        "difference": "Difference (interval)",
        "regions": "Regions of baseline × effect",
        "never": "Expected shares; a person has probabilities, never a label.",
        "spread": "Spread of offers",
        "depths": "Depth of the coupon",
        "depth": "Depth",
        "best_for": "Best for a share of",
        "profit": "Profit per customer if all got it (foretold)",
        "coupon": "A coupon may differ between people; a list price may not.",
        "past": "Depths in the past (segment × category)",
        "group": "Segment × category",
        "people": "People",
        "earned": "Profit per customer (interval)",
        "limits": "Notes and limits",
        "forbidden": "Attributes never learnt from",
    },
}
