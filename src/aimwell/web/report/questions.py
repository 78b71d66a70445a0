"""What a prediction asks, in words: of whom, what counts as yes, over which days, and what to do with the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from aimwell.core.comparisons import Bounds
from aimwell.core.rules import Not, PurchaseFacts, Purchases, Rule
from aimwell.core.text import Text
from aimwell.insight.features.library import Library
from aimwell.insight.predictions import Prediction
from aimwell.insight.predictions.definition import Amount, Target
from aimwell.insight.rules.words import sentence

Sort = Literal["responds", "stays_away", "buys", "amount", "other"]
_EVERYBODY = Text("全部客户", "All customers")
_MAILED = Text("活动开始前一晚，名单上的客户", "Customers on a campaign's list, on the evening before it begins")
_OUTCOMES = {
    "delivered": Text("送达", "delivered"),
    "opened": Text("打开", "opened"),
    "clicked": Text("点击", "clicked"),
    "joined": Text("参与", "joined"),
    "shared": Text("分享", "shared"),
    "bought": Text("购买", "bought"),
    "redeemed": Text("核销优惠", "redeemed"),
    "unsubscribed": Text("退订", "unsubscribed"),
    "complained": Text("投诉", "complained"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A prediction in words.

    asked_of: whom.   answer: what counts as yes, or which amount.   days: length of the horizon, None for flat files.
    by_campaign: whether the past was asked once per campaign, not once per date.
    """

    asked_of: Text
    answer: Text
    days: int | None
    sort: Sort
    by_campaign: bool = False


def question_of(
    definition: Prediction, library: Library, segments: Mapping[str, Text], predictions: Mapping[str, Text]
) -> Question:
    """The question of a definition, with the names of tags, segments and predictions as marketers know them."""

    def said(rule: Rule) -> Text:
        zh = sentence(rule, "zh", library, segments=segments, predictions=predictions)
        return Text(zh, sentence(rule, "en", library, segments=segments, predictions=predictions))

    by_campaign, target = definition.cut_offs.by == "campaign", definition.target
    whom = said(definition.population) if definition.population else _MAILED if by_campaign else _EVERYBODY
    if target is None:
        return Question(whom, definition.title, None, "other")
    sort = _sort(target)
    if target.outcome is not None:
        kinds = [_OUTCOMES.get(kind, Text(kind, kind)) for kind in target.outcome]
        words = Text("或".join(kind.zh for kind in kinds), " or ".join(kind.en for kind in kinds))
        answer = Text(f"对这次活动有响应：{words.zh}", f"answered that campaign: {words.en}")
    elif target.amount is not None:
        answer = _amount(target.amount, said)
    else:
        answer = said(_never(target.happens) if sort == "stays_away" else _given(target.happens))
    return Question(whom, answer, definition.horizon_days, sort, by_campaign)


def _given(rule: Rule | None) -> Rule:
    if rule is None:
        raise ValueError("the target has no rule")
    return rule


def _sort(target: Target) -> Sort:
    if target.outcome is not None:
        return "responds"
    if target.amount is not None:
        return "amount"
    rule = target.happens
    if isinstance(rule, Not) and isinstance(rule.not_, Purchases):
        return "stays_away"
    return "buys" if isinstance(rule, Purchases) else "other"


def _never(rule: Rule | None) -> Rule:
    """`not: {purchases: …}` as "did not buy", which reads better; what counts purchases stays as it is."""
    if not isinstance(rule, Not) or not isinstance(rule.not_, Purchases):
        raise ValueError("the target is no absence of purchases")
    facts = rule.not_.purchases
    if facts.count is not None or facts.amount is not None or facts.products is not None:
        return rule
    never = facts.model_copy(update={"count": Bounds.model_validate({"is": 0})})
    return rule.not_.model_copy(update={"purchases": never})


def _amount(amount: Amount, said: Callable[[Rule], Text]) -> Text:
    if amount.purchases is None:
        kinds = amount.balances.kind if amount.balances else None
        which = ("、".join(kinds), ", ".join(kinds)) if kinds else ("全部", "all")
        return Text(f"余额增加多少（{which[0]}）", f"growth of balances ({which[1]})")
    given = amount.purchases.model_dump(exclude_none=True)
    if not given:
        return Text("消费额，退货已扣除", "money spent, returns deducted")
    words = said(Purchases(purchases=PurchaseFacts.model_validate(given)))
    return Text(f"消费额：{words.zh}", f"money spent by {words.en[:1].lower()}{words.en[1:]}")
