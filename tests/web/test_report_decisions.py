"""A plan in the report: what is assumed stands before any amount, and everything adds up beside what people wrote."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.web import chosen
from tests.web.examples import AS_OF
from tests.web.test_report_sections import _of, _said

from aimwell.core.text import Text
from aimwell.science.metrics.interval import Estimate
from aimwell.strategy.decisions.afterwards import Afterwards, ChannelAfterwards
from aimwell.strategy.decisions.contacts import Contacts
from aimwell.strategy.decisions.measuring import MeasuredCurve
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


def test_an_assumption_that_nobody_gets_does_not_make_the_plan_an_assumption() -> None:
    story = chosen.plan_story()
    voucher, call = story.plan.treatments
    lines = replace(voucher, basis="experiment", error=1.5), replace(call, customers=0)
    said = _said(decision_blocks(replace(story, plan=replace(story.plan, treatments=lines))))
    assert "net gain expected ¥420" in said
    assert "measured in an experiment (error 150%)" in said


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
    (chart,) = _of(decision_blocks(chosen.plan_story(price=price, error=0.3)), Chart)
    assert isinstance(chart, Chart)
    assert chart.answer is not None
    assert words in chart.answer.en
    drawn: Any = chart.drawing[0]["data"]
    band, line, plan, hand = drawn
    assert list(zip(line["x"], line["y"], strict=True)) == [(0.0, 0.0), (250.0, 350.0), (500.0, 450.0)]
    assert (plan["x"], plan["y"], hand["x"], hand["y"]) == ([360.0], [420.0], [600.0], [300.0])
    assert min(band["y"]) < 420 < max(band["y"])


def test_a_curve_of_assumed_gains_has_no_band_that_pretends() -> None:
    (chart,) = _of(decision_blocks(chosen.plan_story()), Chart)
    assert isinstance(chart, Chart)
    drawn: Any = chart.drawing[0]["data"]
    assert not [each for each in drawn if "fill" in each]
    assert [key.name.en for key in chart.legend] == [
        "the best choice for that money",
        "this plan, as expected",
        "the table written by hand (knows no budget)",
    ]


def test_a_curve_that_earlier_choices_measured_stands_beside_what_was_expected() -> None:
    story = chosen.plan_story()
    net, none = Estimate(90.0, 40.0, 140.0, 0.8), Estimate(0.0, 0.0, 0.0, 0.8)
    points = ((0.0, none), (500.0, net))
    found = MeasuredCurve((AS_OF,), 5000, points, points, net, Estimate(30.0, 5.0, 55.0, 0.8))
    (chart,) = _of(decision_blocks(replace(story, plan=replace(story.plan, measured=found))), Chart)
    assert isinstance(chart, Chart)
    assert chart.answer is not None
    assert "Measured by 5,000 earlier choices" in chart.answer.en
    assert "¥90 (¥40 – ¥140), ¥30 (¥5 – ¥55) more than the same by lot" in chart.answer.en
    drawn: Any = chart.drawing[0]["data"]
    band, expected, line, *_ = drawn
    assert list(zip(line["x"], line["y"], strict=True)) == [(0.0, 0.0), (500.0, 90.0)]
    assert (max(band["y"]), expected["line"]["dash"], expected["y"][-1]) == (140.0, "dash", 450.0)


def test_what_came_of_the_last_plan_is_told_by_channel_in_both_languages() -> None:
    planned, happened = Estimate(300.0, 100.0, 500.0, 0.8), Estimate(80.0, -20.0, 180.0, 0.8)
    contacts = Contacts(90, 95, 57.0, {"consent": 6, "not_asked": 4}, {"opened": 30})
    email = ChannelAfterwards("email", 100, 60.0, planned, True, contacts, happened, 12)
    found = Afterwards("autumn", AS_OF, AS_OF, 900, 100, 60.0, planned, happened, (Text("x", "x"),), (email,))
    said = _said(decision_blocks(replace(chosen.plan_story(), afterwards=found)))
    for words in ("promised ¥300", "it brought ¥80", "No gain is proven", "¥300 (assumed)", "no consent, or it was"):
        assert words in said, words
    blind = replace(found, happened=None, channels=())
    assert "cannot be said" in _said(decision_blocks(replace(chosen.plan_story(), afterwards=blind)))


def test_a_plan_that_gives_nobody_anything_is_still_told() -> None:
    story = chosen.plan_story()
    none = replace(story.plan.total, customers=0, by_lot=0, cost=0.0, value=replace(story.plan.total.value, value=0.0))
    empty = replace(story, plan=replace(story.plan, total=none, net=0.0, budget=None, cells=None), first=())
    assert plan_verdict(empty).en.startswith("0 of 1,000 customers get something for ¥0;")
    assert decision_blocks(empty)
