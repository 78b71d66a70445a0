"""Rules as sentences, word for word."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from tests.insight.rules.market import HABITS, Row, plain_rules

from aimwell.core.rules import parse_rule
from aimwell.core.text import Text
from aimwell.insight.features.library import assemble
from aimwell.insight.rules.words import sentence

LIBRARY = assemble([HABITS])

SAID: list[tuple[Row, str, str]] = [
    (
        {"all": [{"attribute": "city", "in": ["上海", "杭州"]}, {"tag": "lines", "at_least": 3}]},
        "城市为上海、杭州，且购买行数至少 3的客户",
        "Customers whose city is 上海 or 杭州, and whose Lines is at least 3",
    ),
    (
        {"purchases": {"within": "30d", "count": {"is": 0}}},
        "近 30 天内没有购买的客户",
        "Customers who did not buy in the last 30 days",
    ),
    (
        {"purchases": {"category": "tea", "since": "90d", "until": "1d", "count": {"at_least": 2}}},
        "90 天前至1 天前之间购买（品类：tea）至少 2 次的客户",
        "Customers who bought (category: tea) at least 2 times from 90 days ago until 1 day ago",
    ),
    (
        {"not": {"attribute": "gender", "is": "male"}},
        "除去(性别为male)（未知的保留）的客户",
        "Customers excluding those (whose gender is male), keeping the unknown",
    ),
    (
        {"sequence": {"steps": [{"events": {"name": "cart"}}, {"purchases": {}}], "span": "2h", "within": "7d"}},
        "近 7 天内先发生“cart”，再购买，首尾不超过 2 小时的客户",
        "Customers who first did “cart”, then bought, all within 2 hours in the last 7 days",
    ),
    (
        {"any": [{"segment": "loyal"}, {"score": "churn", "top": "10%"}]},
        "属于人群“忠诚”，或“流失”得分最高的 10%的客户",
        "Customers in segment “Loyal”, or whose score of “Churn” is among the highest 10%",
    ),
    (
        {"outcomes": {"kind": "opened", "channel": "email", "count": {"at_least": 1}}},
        "对触达（渠道：email）有“opened”至少 1 次的客户",
        "Customers who had “opened” of a contact (channel: email) at least 1 time",
    ),
    ({"tag": "dearest", "known": False}, "最贵一行未知的客户", "Customers whose Dearest line is unknown"),
]


@pytest.mark.parametrize(("rule", "zh", "en"), SAID)
def test_a_rule_reads_as_a_sentence_in_both_languages(rule: Row, zh: str, en: str) -> None:
    names = {"segments": {"loyal": Text("忠诚", "Loyal")}, "predictions": {"churn": Text("流失", "Churn")}}
    assert sentence(parse_rule(rule), "zh", LIBRARY, **names) == zh
    assert sentence(parse_rule(rule), "en", LIBRARY, **names) == en


@settings(max_examples=40)
@given(plain_rules)
def test_every_rule_can_be_said(plain: Row) -> None:
    rule = parse_rule(plain)
    said = {sentence(rule, language, LIBRARY) for language in ("zh", "en")}
    assert all(said)
    assert len(said) == 2
