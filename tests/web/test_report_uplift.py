"""Effects in the report: the finding first, what it rests on, who needs the offer, and never a label on a person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.web import examples, moved
from tests.web.test_report_sections import _HAN, _of, _said, _texts

from aimwell.core.text import Text
from aimwell.web.report.blocks import Cell, Chart, Fold, Sentence, Table
from aimwell.web.report.sections.uplift import EffectStory, uplift_blocks, uplift_verdict


def _table(story: EffectStory, title: str) -> Table:
    tables = [block for block in uplift_blocks(story, "CNY") if isinstance(block, Table)]
    return next(each for each in tables if each.title is not None and each.title.en == title)


def _row(table: Table, place: int) -> list[str]:
    return [cell.text.en if isinstance(cell, Cell) else cell.en for cell in table.rows[place]]


def test_the_verdict_tells_average_and_difference_of_each_arm() -> None:
    said = uplift_verdict(moved.effect_story(), "CNY")
    assert "ten_off: average effect +20.0 points (+18.0 – +22.0). Effects differ between customers" in said.en
    assert "twenty_off: average effect +1.0 points (−1.0 – +3.0) (no average effect is proven)." in said.en
    assert "No difference found" in said.en
    assert "效果因人而异" in said.zh
    assert "未发现效果因人而异" in said.zh


def test_money_is_told_with_its_currency() -> None:
    target: dict[str, object] = {"amount": {"purchases": {}}}
    story = EffectStory(moved.effect(target=target), examples.question("amount"), moved.card(money=True))
    assert "ten_off: average effect +¥5.00 each (+¥4.00 – +¥6.00)" in uplift_verdict(story, "CNY").en
    assert "expected outcome of ¥0.50" in _said(uplift_blocks(story, "CNY"))


def test_the_data_are_named_an_experiment_and_the_past_a_history_with_its_warning() -> None:
    blocks = uplift_blocks(moved.effect_story(), "CNY")
    notes = {block.badge.en: block for block in blocks if isinstance(block, Sentence) and block.badge}
    assert (
        "campaigns may_0, may_1, with the probabilities as written; 1,500 people in all" in notes["Experiment"].text.en
    )
    past = notes["History, not an experiment"]
    assert past.tone == "warn"
    assert "For segment and category only, never for a person" in past.text.en
    own = replace(moved.effect_story(), definition=moved.effect(treatment={"decision": "autumn", "among": ["call"]}))
    assert "drawn by the decision autumn itself" in _said(uplift_blocks(own, "CNY"))


def test_the_arms_stand_with_people_chance_and_effect() -> None:
    table = _table(moved.effect_story(), "Arms and average effects")
    assert _row(table, 0) == ["hold_out", "500", "33.3%", "—", "control"]
    assert _row(table, 1) == ["ten_off", "500", "33.3%", "+20.0 (+18.0 – +22.0)", "differs"]
    assert _row(table, 2)[-1] == "no difference found"


def test_the_qini_curve_stands_beside_chance_and_the_ranking_by_response_with_its_band() -> None:
    charts = [chart for chart in _of(uplift_blocks(moved.effect_story(), "CNY"), Chart) if isinstance(chart, Chart)]
    assert len(charts) == 2
    first, second = charts
    data = first.drawing[1]["data"]
    assert isinstance(data, list)
    band, chance, response, ours = data
    assert chance["y"][5] == pytest.approx(10.0)  # per cent: half of the way to 20
    assert response["y"][5] == pytest.approx(10.0)
    assert ours["y"][5] == pytest.approx(15.0)
    assert band["y"][5] == pytest.approx(16.0)
    assert len(band["x"]) == 2 * len(ours["x"])
    assert [key.name.en for key in first.legend] == [
        "ranked by effect", "its 95% interval", "ranked by response", "a random list"
    ]  # fmt: skip
    assert first.answer is not None
    assert "ranked by effect 0.300 (0.280–0.320), ranked by response 0.200" in first.answer.en
    assert "paired difference 0.100 (0.080–0.120)" in first.answer.en
    assert second.answer is not None
    assert "nobody is listed before another" in second.answer.en
    assert "nobody is listed before another" not in first.answer.en


def test_who_needs_it_is_told_as_shares_of_today_and_never_as_a_label() -> None:
    table = _table(moved.effect_story(), "Who needs it: ten_off")
    assert _row(table, 0)[2:] == ["50.0%", "500"]
    assert _row(table, 1)[1:] == ["No need: they buy without it", "25.0%", "250"]
    assert table.note is not None
    assert "a person has probabilities, never a label" in table.note.en
    assert "effects up to 2.0 points do not pay" in table.note.en
    learnt = _table(moved.effect_story(scored=False), "Who needs it: ten_off")
    assert _row(learnt, 0)[2:] == ["40.0%", "—"]


def test_groups_that_get_less_are_marked_and_what_is_never_learnt_from_is_named() -> None:
    blocks = uplift_blocks(moved.effect_story(), "CNY")
    table = _table(moved.effect_story(), "How ten_off would be spread over city")
    tones = {_row(table, place)[0]: row[-1].tone for place, row in enumerate(table.rows) if isinstance(row[-1], Cell)}
    assert tones == {"north": "plain", "south": "warn", "west": "hold"}
    said = _said(blocks)
    assert "'south' gets the offer clearly less often" in said
    assert "Left out of these data: gender." in said


def test_depths_stand_with_profit_and_the_rule_about_list_prices() -> None:
    table = _table(moved.effect_story(), "How deep a coupon")
    assert _row(table, 1) == ["ten_off", "10%", "50%", "¥20.00"]
    assert "a list price may not" in _said(uplift_blocks(moved.effect_story(), "CNY"))
    assert _row(_table(moved.effect_story(), "What depths brought in the past"), 0) == [
        "high × tea", "10%", "60", "¥4.00 (¥3.00 – ¥5.00)"
    ]  # fmt: skip


def test_an_effect_that_waits_for_its_outcome_is_told_and_nothing_is_claimed() -> None:
    why = Text("试验还没有结果", "Its experiment has no outcome yet")
    story = EffectStory(moved.effect(), examples.question(), waiting=why)
    blocks = uplift_blocks(story, "CNY")
    assert uplift_verdict(story, "CNY") == why
    assert isinstance(blocks[0], Sentence)
    assert blocks[0].tone == "hold"
    assert not _of(blocks, Table)
    assert not _of(blocks, Chart)


def test_every_phrase_exists_in_both_languages() -> None:
    blocks = uplift_blocks(moved.effect_story(), "CNY")
    assert any(isinstance(block, Fold) for block in blocks)
    for text in _texts(blocks):
        assert not _HAN.search(text.en), text.en
        assert bool(text.zh) == bool(text.en)
