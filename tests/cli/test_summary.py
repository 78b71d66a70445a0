"""The words at the end of a run say what was read, whom to turn to, and what went wrong."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from tests.web import chosen, examples, moved

from aimwell.cli.strategies import Strategies
from aimwell.cli.summary import effect_lines, strategy_lines, summary_lines
from aimwell.core.text import Language, Text
from aimwell.insight.predictions import Card
from aimwell.insight.profiles import ProfileResult
from aimwell.store.sources.report import LoadReport
from aimwell.worker.job import Predicted, Results

TITLES = {"coffee": Text("咖啡需求", "Demand for coffee"), "tea": Text("茶", "Tea")}
LISTS = (Path("out/coffee.csv"), Path("out/coffee.parquet"))


def _results(*, load: LoadReport | None = None) -> Results:
    card = Card(
        "coffee", TITLES["coffee"], "happens", "v1", {}, examples.AS_OF, (), 10, 2, (), (), (), examples.backtest(), (),
        "", {}, 0,
    )  # fmt: skip
    predicted = Predicted({"coffee": card}, ("coffee",), {"coffee": examples.scoring()}, {"tea": "no positives"})
    profile = ProfileResult(examples.AS_OF, 1000, (), {})
    return Results(
        examples.AS_OF, load or examples.load_report(), profile, predicted, tuple(examples.segment_story().results), {}
    )


def _said(results: Results, language: Language) -> str:
    return "\n".join(summary_lines(results, TITLES, "CNY", language, LISTS, Path("out/report.html")))


def test_the_lines_tell_rows_verdicts_lists_segments_and_where_the_report_is() -> None:
    said = _said(_results(), "en")
    assert "Read 100 rows, kept 91, rejected 5." in said
    assert "Demand for coffee: Contact the best-scored 30.0%" in said
    assert "Turn first to the best 123 of 1,234: out/coffee.csv" in said
    assert "2 segments are up to date." in said
    assert said.endswith("Report: out/report.html")


@pytest.mark.parametrize(
    ("language", "words"), [("zh", "茶没有更新：no positives"), ("en", "Tea was not brought up to date: no positives")]
)
def test_what_failed_is_said_in_the_readers_language(language: str, words: str) -> None:
    assert words in _said(_results(), cast("Language", language))


def test_a_run_without_news_says_so() -> None:
    quiet = LoadReport(examples.AS_OF, "v1", changed=False)
    assert "没有新数据。" in _said(_results(load=quiet), "zh")


def test_a_decision_is_told_with_its_assumption_and_one_that_failed_with_its_reason() -> None:
    titles = {"autumn": Text("秋季优惠", "Autumn offers"), "winter": Text("冬季", "Winter")}
    found = Strategies({"autumn": chosen.plan_story()}, {"winter": "no scores"}, titles)
    assert strategy_lines(found, "en") == [
        "Autumn offers: Within ¥500: 140 of 1,000 customers get something for ¥360; "
        "the net gain of ¥420 is assumed, not measured.",
        "Winter was not brought up to date: no scores",
    ]
    assert "尚未实测" in strategy_lines(found, "zh")[0]
    assert strategy_lines(Strategies(), "en") == []


def test_an_effect_is_told_with_its_average_and_whether_it_differs() -> None:
    lines = effect_lines({"coupon": moved.effect_story()}, "CNY", "en")
    assert len(lines) == 1
    assert lines[0].startswith(
        "Effect of the coupon: ten_off: average effect +20.0 points (+18.0 – +22.0). Effects differ"
    )
    assert "No difference found" in lines[0]
    assert effect_lines({}, "CNY", "zh") == []
