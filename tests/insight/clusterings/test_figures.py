"""Figures in words that a marketer reads."""

from __future__ import annotations

import pytest

from aimwell.core.text import Text
from aimwell.insight.clusterings.figures import figure, rule_in_words, told
from aimwell.insight.clusterings.traits import Trait
from aimwell.insight.features.family import NO_UNIT, Column, Kind
from aimwell.science.cluster.rules import Condition, Rule


def column(kind: Kind, unit: Text = NO_UNIT) -> Column:
    return Column("x", Text("客单价（近84天）", "Average order (last 84 days)"), kind, Text("", ""), unit=unit)


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (0.347, "share", "35%"),
        (0.021, "share", "2.1%"),
        (1.0, "boolean", "100%"),
        (12345.6, "money", "12,346"),
        (57.84, "money", "57.8"),
        (3.256, "number", "3.26"),
        (3.256, "integer", "3.3"),
        (-0.5, "number", "-0.50"),
    ],
)
def test_a_value_is_as_exact_as_its_size_deserves(value: float, kind: Kind, said: str) -> None:
    assert figure(value, column(kind)) == Text(said, said)


def test_a_value_carries_its_unit() -> None:
    assert figure(12.0, column("number", Text("次", "orders"))) == Text("12.0 次", "12.0 orders")


def test_amounts_are_multiples_of_the_mean_and_shares_stand_beside_it() -> None:
    big = Trait("x", 0.9, 58.0, 20.0, by_median=False, held=1.0)
    assert told(big, column("money")).zh == "客单价（近84天） 58.0，均值（20.0）的 2.9×"
    assert told(big, column("money")).en == "Average order (last 84 days) 58.0, 2.9× the mean (20.0)"
    share = Trait("x", 0.9, 0.6, 0.35, by_median=False, held=1.0)
    assert told(share, column("share")).en == "Average order (last 84 days) 60%, the mean 35%"
    median = Trait("x", 0.9, 6.0, 3.0, by_median=True, held=1.0)
    assert told(median, column("number")).zh.endswith("中位数（3.00）的 2.0×")


@pytest.mark.parametrize(("inside", "overall"), [(-2.0, 1.0), (2.0, -1.0), (5.0, 0.0), (900.0, 1.0)])
def test_multiples_that_mean_nothing_are_not_told(inside: float, overall: float) -> None:
    assert "×" not in told(Trait("x", 0.9, inside, overall, by_median=False, held=1.0), column("number")).en


def test_a_rule_reads_as_a_sentence() -> None:
    rule = Rule((Condition("x", 10.0, None), Condition("x", None, 0.5), Condition("x", 1.0, 2.0)), 0.9, 0.8)
    said = rule_in_words(rule, {"x": column("money")})
    assert said is not None
    assert said.en.count(" and Average order") == 2
    assert "above 10.0" in said.en
    assert "at most 0.50" in said.en
    assert "between 1.00 and 2.00" in said.en
    assert said.zh.startswith("客单价（近84天）高于 10.0，且")
    assert rule_in_words(Rule((), 0.0, 0.0), {}) is None
