"""Recommendations in the report: the table of the last days beside what needs no model, then lists with reasons."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.web import chosen
from tests.web.test_report_sections import _of, _said

from aimwell.web.report.blocks import Table
from aimwell.web.report.sections.recommendations import recommendation_blocks, recommendation_verdict


@pytest.mark.parametrize(
    ("ahead", "words"),
    [(0.05, "better beyond chance"), (0.005, "no difference is proven"), (-0.05, "worse beyond chance")],
)
def test_the_verdict_says_whether_the_simplest_rule_is_beaten(ahead: float, words: str) -> None:
    said = recommendation_verdict(chosen.recommender_story(ahead=ahead)).en
    assert said.startswith(f"All pairs: nDCG@10 0.400 beside {0.4 - ahead:.3f} by own frequency, {words} (paired: ")
    assert "Novel: never bought before: nDCG@10 0.400 beside 0.300 by expert rule, better beyond chance" in said


def test_the_days_the_figures_and_their_baselines_stand_in_the_table() -> None:
    blocks = recommendation_blocks(chosen.recommender_story())
    said = _said(blocks)
    for words in (
        "On each of 10 days, 21 Jun 2025 to 30 Jun 2025",
        "400 lists of 300 customers",
        "own frequency",
        "+0.050 (+0.040 – +0.060)",
        "(500 of 20,000 pairs were bought)",
        "9,000 recommendations to 900 customers (again 8,000, cross-sell 1,000)",
        "0 violations",
    ):
        assert words in said
    tables = [table for table in _of(blocks, Table) if isinstance(table, Table)]
    assert len(tables) == 2 + 2  # all and novel pairs, then two customers; the rest is folded
    assert [len(table.rows) for table in tables] == [3, 3, 5, 5]


def test_where_too_little_was_bought_there_is_no_verdict() -> None:
    story = chosen.recommender_story()
    bare = replace(story, judged=replace(story.judged, slices=()))
    assert recommendation_verdict(bare).en == "Too little was bought to judge it."
    assert recommendation_blocks(bare)
