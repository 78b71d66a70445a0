"""What a prediction asks is said in words that fit its kind."""

from __future__ import annotations

import pytest

from aimwell.core.rules import parse_rule
from aimwell.core.text import Text
from aimwell.insight.features.library import library
from aimwell.insight.predictions import Prediction
from aimwell.web.report.questions import Sort, question_of

CASES: list[tuple[dict[str, object], Sort, str, str]] = [
    ({"happens": {"purchases": {"category": "COFFEE"}}}, "buys", "Customers who bought (category: COFFEE)", "购买"),
    ({"happens": {"not": {"purchases": {}}}}, "stays_away", "Customers who did not buy", "没有购买"),
    ({"amount": {"purchases": {}}}, "amount", "money spent, returns deducted", "退货已扣除"),
    ({"amount": {"purchases": {"brand": "A"}}}, "amount", "money spent by customers who bought (brand: A)", "消费额"),
    ({"amount": {"balances": {"kind": ["deposit", "fund"]}}}, "amount", "growth of balances (deposit, fund)", "余额"),
    ({"outcome": "redeemed"}, "responds", "answered that campaign: redeemed", "核销优惠"),
    ({"happens": {"any": [{"purchases": {}}, {"events": {"name": "open"}}]}}, "other", "Customers who bought", "open"),
]


def _definition(target: dict[str, object]) -> Prediction:
    return Prediction.model_validate(
        {
            "name": "asked",
            "kind": "how_much" if "amount" in target else "happens",
            "target": target,
            "horizon_days": 28,
            "cut_offs": {"by": "campaign"} if "outcome" in target else {},
        }
    )


@pytest.mark.parametrize(("target", "sort", "en", "zh"), CASES)
def test_the_answer_is_said_in_both_languages(target: dict[str, object], sort: Sort, en: str, zh: str) -> None:
    question = question_of(_definition(target), library(), {}, {})
    assert question.sort == sort
    assert question.answer.en.startswith(en)
    assert zh in question.answer.zh
    assert question.days == 28
    assert question.by_campaign == ("outcome" in target)


def test_the_population_is_said_or_everybody() -> None:
    everybody = _definition({"amount": {"purchases": {}}})
    assert question_of(everybody, library(), {}, {}).asked_of == Text("全部客户", "All customers")
    some = everybody.model_copy(update={"population": parse_rule({"purchases": {"within": "56d"}})})
    assert question_of(some, library(), {}, {}).asked_of.en == "Customers who bought in the last 56 days"
