"""Contribution in the report: the sum and its proof, the best and the worst, what is assumed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.insight.contribution.test_statement import UNTIL, shop
from tests.web.brought import contribution_story
from tests.web.test_report_sections import _of, _said

from aimwell.core.text import Text
from aimwell.web.report.blocks import Cell, Table
from aimwell.web.report.bringing import contribution_story as gathered
from aimwell.web.report.sections.contribution import contribution_blocks

UTC_ZONE = ZoneInfo("UTC")


def _names(table: object) -> list[str]:
    assert isinstance(table, Table)
    return [cell.text.en if isinstance(cell, Cell) else cell.en for cell, *_ in table.rows]


def test_the_sum_is_told_with_its_parts_and_its_proof() -> None:
    said = _said(contribution_blocks(contribution_story(), UTC_ZONE))
    for words in (
        "from 2 Jul 2024, before 1 Jul 2025",
        "Line by line the books say ¥70.00; segments together ¥70.00, products together ¥70.00: equal to the cent.",
        "3.8% of the margin",
        "25.0% of the lines bought (4) have no margin and count as 0",
    ):
        assert words in said
    assert "一分不差" in _said(contribution_blocks(contribution_story(), UTC_ZONE), "zh")
    assumed = _said(contribution_blocks(contribution_story(assumed=0.25), UTC_ZONE))
    assert "25.0% of the price before discounts is assumed" in assumed


def test_books_that_differ_by_a_cent_are_a_danger() -> None:
    blocks = contribution_blocks(contribution_story(straight=1), UTC_ZONE)
    assert "the books say ¥70.01" in _said(blocks)
    assert "they differ" in _said(blocks)


def test_segments_and_the_best_and_worst_products_stand_in_order() -> None:
    segments, best, worst = _of(contribution_blocks(contribution_story(), UTC_ZONE), Table)
    assert _names(segments) == ["(in no segment)", "The good", "The new"]  # 55 less 5 of ads; 11 and half of 12; 3
    assert _names(best)[1:] == [f"p{number:02d}" for number in range(11, 2, -1)]
    assert _names(worst) == ["(of no product)", "odd", "p01", "p02"]
    assert isinstance(worst, Table)
    loss = worst.rows[0][-1]
    assert isinstance(loss, Cell)
    assert [cell.bar for *_, cell in worst.rows if isinstance(cell, Cell)] == [None, None, 0.5, 1.0]
    assert (loss.text, loss.bar, loss.tone) == (Text("−¥5.00", "−¥5.00"), None, "danger")


def test_few_products_stand_in_one_table() -> None:
    story = contribution_story()
    few = replace(story, products=replace(story.products, rows=story.products.rows.slice(0, 3)), segments=None)
    assert len(_of(contribution_blocks(few, UTC_ZONE), Table)) == 1


def test_the_books_are_gathered_and_nothing_is_said_without_margins(tmp_path: Path) -> None:
    found = gathered(shop(tmp_path), {}, UNTIL, "CNY")
    assert found is not None
    assert found.segments is None
    assert str(found.products.shared.contribution) == "1.35"
    assert gathered(shop(tmp_path, goods=[{"product_id": "tea"}]), {}, UNTIL, "CNY") is None
    assert gathered(shop(tmp_path), {}, datetime(2024, 1, 1, tzinfo=UTC), "CNY") is None
