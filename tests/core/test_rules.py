"""Reading rules: every mistake is reported with its line, and in words."""

from __future__ import annotations

from datetime import date, timedelta
from typing import ClassVar

import pytest
import yaml
from hypothesis import given, settings
from tests.insight.rules.market import Row, plain_rules

from aimwell.core.comparisons import Bounds, Comparison, matches
from aimwell.core.definitions import Definition, parse_definitions
from aimwell.core.errors import BadDefinition
from aimwell.core.rules import (
    AllOf,
    MemberOf,
    Purchases,
    Rule,
    leaves,
    parse_rule,
    plain_rule,
    predictions_of,
    segments_of,
    tags_of,
)


class Asked(Definition):
    """A definition that holds a rule."""

    folder: ClassVar[str] = "asked"
    rule: Rule


FIVE_MISTAKES = """\
label: {zh: 测试, en: Test}
rule:
  all:
    - tag: spend_84d
      at_lest: 5
    - tga: spend_84d
      at_least: 5
    - purchases: {within: 28 days, count: 3}
    - not:
        score: churn
        tag: spend_84d
    - attribute: income
      is: [1]
"""


def problems(text: str) -> list[str]:
    with pytest.raises(BadDefinition) as caught:
        parse_definitions(text, "asked/x.yaml", Asked, name="x")
    return [str(problem) for problem in caught.value.problems]


def test_all_mistakes_of_a_rule_are_reported_at_once_with_their_lines() -> None:
    assert problems(FIVE_MISTAKES) == [
        "asked/x.yaml:5: rule.all.0.at_lest: unknown key 'at_lest' (did you mean 'at_least'?)",
        "asked/x.yaml:6: rule.all.1: expected a rule, saw 'tga', 'at_least' (did you mean 'tag'?)",
        "asked/x.yaml:8: rule.all.2.purchases.within: '28 days' is no length of time. Write it as 28d, 4w, 2h or P28D.",
        "asked/x.yaml:8: rule.all.2.purchases.count: expected keys and values "
        "(one of at_least, at_most, above, below, is, is_not, between)",
        "asked/x.yaml:9: rule.all.3.not: a rule has one of these keys, saw tag and score (put them under all: or any:)",
        "asked/x.yaml:13: rule.all.4.is: expected one value such as 5, gold, true or 2017-11-01",
    ]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, "expected a rule, saw nothing"),
        ("everyone", "expected a rule"),
        ({"all": []}, "at least one entry"),
        ({"tag": "x"}, "compare with something"),
        ({"tag": "x", "between": [3, 1]}, "no value is at least 3 and at most 1"),
        ({"tag": "x", "above": 5, "below": 2}, "no value is at least 5 and at most 2"),
        ({"tag": "x", "at_least": 1, "at_most": date(2017, 1, 1)}, "not with both"),
        ({"tag": "x", "known": False, "is": 3}, "cannot be compared"),
        ({"tag": "x", "known": "yes"}, "valid boolean"),
        ({"tag": "x", "at_least": True}, "expected a number or a date"),
        ({"tag": "x", "is": float("nan")}, "finite"),
        ({"attribute": "city"}, "say what the attribute is"),
        ({"score": "churn"}, "say where to cut"),
        ({"score": "churn", "top": "0%"}, "a share such as 10%"),
        ({"score": "churn", "top": "101%"}, "a share such as 10%"),
        ({"events": {"within": "3d"}}, "the key 'name' is missing"),
        ({"events": {"name": "x", "where": {"price": {"abve": 1}}}}, "did you mean 'above'"),
        ({"purchases": {"within": "3d", "since": "4d"}}, "either within, or since and until"),
        ({"purchases": {"since": "3d", "until": "4d"}}, "is not before"),
        ({"purchases": {"within": "0d"}}, "longer than nothing"),
        ({"purchases": {"since": "soon"}}, "is no length of time"),
        ({"purchases": {"since": "2017-13-01"}}, "neither a length of time"),
        ({"purchases": {"product": [1.5]}}, "quote it"),
        ({"sequence": {"steps": [{"purchases": {}}]}}, "at least two steps"),
        ({"sequence": {"steps": [{"purchases": {}}, {"tag": "x", "is": 1}]}}, "expected a step"),
        ({"manual": []}, "at least one entry"),
        ({"segment": {}}, "expected a word"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(rule: object, said: str) -> None:
    with pytest.raises(BadDefinition, match=said):
        parse_rule(rule)


@settings(max_examples=40)
@given(plain_rules)
def test_a_rule_survives_being_written_as_yaml(plain: Row) -> None:
    rule = parse_rule(plain)
    assert parse_rule(yaml.safe_load(yaml.safe_dump(plain_rule(rule), allow_unicode=True))) == rule


def test_ids_are_text_also_where_yaml_reads_numbers() -> None:
    rule = parse_rule({"purchases": {"product": [101, "102"], "within": "4w"}})
    assert isinstance(rule, Purchases)
    assert rule.purchases.product == ("101", "102")
    assert rule.purchases.within == timedelta(days=28)


def test_a_rule_tells_what_it_speaks_of() -> None:
    rule = parse_rule(
        {
            "all": [
                {"not": {"segment": "a"}},
                {"any": [{"tag": "t", "is": 1}, {"segment": "a"}]},
                {"score": "p", "top": 1},
            ]
        }
    )
    assert isinstance(rule, AllOf)
    assert (segments_of(rule), tags_of(rule), predictions_of(rule)) == (["a"], ["t"], ["p"])
    assert [path for path, leaf in leaves(rule) if isinstance(leaf, MemberOf)] == [
        ("all", 0, "not"),
        ("all", 1, "any", 1),
    ]


def test_nothing_holds_of_the_unknown_but_that_it_is_unknown() -> None:
    assert not matches(Comparison.model_validate({"is": "gold"}), None)
    assert not matches(Comparison(is_not="gold"), None)
    assert not matches(Comparison(not_in=("gold",)), None)
    assert matches(Comparison(known=False), None)
    assert matches(Comparison(at_least=3, below=5), 4)
    assert Bounds(is_not=2).hold(3)
