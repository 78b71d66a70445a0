"""Rules are checked against what there is, all mistakes at once, each with its place."""

from __future__ import annotations

from tests.insight.rules.market import AS_OF, HABITS, Row, market

from aimwell.core.rules import parse_rule
from aimwell.core.text import Text
from aimwell.insight.features.build import Features
from aimwell.insight.features.family import Column, query_family
from aimwell.insight.features.library import assemble
from aimwell.insight.rules.check import check
from aimwell.insight.rules.context import RuleContext
from aimwell.insight.rules.words import sentence

RULE = {
    "all": [
        {"tag": "linse", "at_least": 1},
        {"attribute": "cty", "is": "york"},
        {"any": [{"segment": "loyl"}, {"score": "chrun", "top": "10%"}]},
        {"not": {"touches": {"campaign": "c1"}}},
        {"tag": "lines", "is": "many"},
        {"attribute": "city", "is": "york"},
    ]
}


def context(**more: object) -> RuleContext:
    facts: dict[str, list[Row]] = {"customer": [{"customer_id": "ann", "city": "york"}]}
    features = Features(market(facts).history(AS_OF), assemble([HABITS]))
    return RuleContext(features, segments={"loyal": parse_rule({"manual": ["ann"]})})


def test_every_unknown_name_is_found_with_its_place_and_what_was_meant() -> None:
    found = check(parse_rule(RULE), context(), predictions=["churn"], file="x.yaml", line_of=len)
    assert [str(problem) for problem in found] == [
        "x.yaml:2: all.0: There is no tag 'linse' (Did you mean lines?)",
        "x.yaml:2: all.1: There is no attribute 'cty' (Did you mean city?)",
        "x.yaml:4: all.2.any.0: There is no segment 'loyl' (did you mean loyal?)",
        "x.yaml:4: all.2.any.1: There is no prediction 'chrun' (did you mean churn?)",
        "x.yaml:3: all.3.not: The rule needs the table touch, which is not loaded (Load a source that fills it)",
        "x.yaml:2: all.4: the tag 'lines' is compared with 'many'; expected a number "
        "(Compare it with a value of its kind)",
    ]


def test_a_word_that_a_tag_never_takes_is_found() -> None:
    tiers = query_family(
        "tiers",
        "tier",
        Text("等级", "Tiers"),
        needs=("customer.customer_id",),
        columns=(
            Column(
                "level",
                Text("等级", "Level"),
                "text",
                Text("等级", "Level"),
                words={"top": Text("顶级", "the highest")},
            ),
        ),
        sql="SELECT customer_id, 'top' AS level FROM customer",
    )
    features = Features(context().features.history, assemble([tiers]))
    rule = parse_rule({"tag": "level", "in": ["top", "topp"]})
    [problem] = check(rule, RuleContext(features))
    assert str(problem) == "rule: The tag 'level' is never 'topp' (did you mean top?)"
    assert sentence(rule, "en", features.library) == "Customers whose Level is the highest or topp"


def test_a_rule_that_fits_has_no_problems_and_computes_nothing() -> None:
    asked = context()
    assert check(parse_rule({"all": [{"tag": "lines", "at_least": 1}, {"segment": "loyal"}]}), asked) == []
    assert [name for name in asked.features.history.engine.tables() if name.startswith("feature_")] == []
