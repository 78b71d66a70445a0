"""A plan in the report: what is assumed stands before any amount, and everything adds up beside what people wrote."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.web import chosen
from tests.web.test_report_sections import _of, _said

from aimwell.core.text import Text
from aimwell.web.report.blocks import Chart, Sentence
from aimwell.web.report.sections.decisions import decision_blocks, plan_verdict


def test_a_gain_that_nobody_measured_is_called_an_assumption_before_any_table() -> None:
    blocks = decision_blocks(chosen.plan_story())
    verdict, trust = blocks[:2]
    assert isinstance(verdict, Sentence)
    assert isinstance(trust, Sentence)
    assert verdict.text.en.endswith("the net gain of ¥420 is assumed, not measured.")
    assert "尚未实测" in verdict.text.zh
    assert trust.tone == "warn"
    assert "No hold-out has ever measured the gains of Voucher, Call" in trust.text.en
    assert "100 customers get nothing, by lot" in trust.text.en
    assert "aimwell decide autumn --afterwards DATE" in trust.text.en
    said = _said(blocks)
    assert "assumed" in said
    assert "(gains are assumed)" in said
    assert "value assumed" in said


def test_a_measured_gain_carries_its_error_and_no_word_of_assumption() -> None:
    blocks = decision_blocks(chosen.plan_story(error=0.3))
    said = _said(blocks)
    assert "measured, as the definition states (error 30%)" in said
    assert "net gain expected ¥420" in said
    assert "¥780 (¥480 – ¥1,080)" in said
    assert "assum" not in said.replace("that of an assumption is 100%", "")


def test_a_gain_from_an_effect_is_told_as_measured_in_an_experiment() -> None:
    story = chosen.plan_story(error=0.3)
    told = Text("经实验测得：某效果", "measured in an experiment: the effect 'coupon'")
    voucher, call = story.plan.treatments
    lines = replace(voucher, basis="experiment", told=told), call
    said = _said(decision_blocks(replace(story, plan=replace(story.plan, treatments=lines))))
    assert "measured in an experiment: the effect 'coupon'" in said
    assert "measured in an experiment (error 30%)" in said
    assert "assum" not in said.replace("that of an assumption is 100%", "")


def test_without_a_hold_out_nothing_will_ever_be_known() -> None:
    said = _said(decision_blocks(chosen.plan_story(held_out=0)))
    assert "Nobody is held out: what it brings will never be known." in said


def test_the_plan_says_where_each_gain_comes_from_what_it_costs_and_what_was_written_by_hand() -> None:
    said = _said(decision_blocks(chosen.plan_story()))
    for words in (
        "Demand for coffee × ¥10.00",
        "¥9.00 each",
        "¥240.00",
        "Voucher (40%)",
        "the decision nets ¥420 for ¥360, the written table ¥300 for ¥600",
        "one more of: channel phone",
        "Held out, to measure what the rest gains",
    ):
        assert words in said
    assert said.index("fading") < said.index("willing")


@pytest.mark.parametrize(
    ("price", "words"),
    [(0.7, "¥1 more would add ¥0.70 of net gain"), (0.0, "more of it would gain nothing")],
)
def test_the_curve_says_what_one_more_unit_of_money_would_gain(price: float, words: str) -> None:
    (chart,) = _of(decision_blocks(chosen.plan_story(price=price)), Chart)
    assert isinstance(chart, Chart)
    assert chart.answer is not None
    assert words in chart.answer.en
    drawn: Any = chart.drawing[0]["data"]
    band, line, plan, hand = drawn
    assert list(zip(line["x"], line["y"], strict=True)) == [(0.0, 0.0), (250.0, 350.0), (500.0, 450.0)]
    assert (plan["x"], plan["y"], hand["x"], hand["y"]) == ([360.0], [420.0], [600.0], [300.0])
    assert min(band["y"]) < 0 < max(band["y"])


def test_a_plan_that_gives_nobody_anything_is_still_told() -> None:
    story = chosen.plan_story()
    none = replace(story.plan.total, customers=0, by_lot=0, cost=0.0, value=replace(story.plan.total.value, value=0.0))
    empty = replace(story, plan=replace(story.plan, total=none, net=0.0, budget=None, cells=None), first=())
    assert plan_verdict(empty).en.startswith("0 of 1,000 customers get something for ¥0;")
    assert decision_blocks(empty)
