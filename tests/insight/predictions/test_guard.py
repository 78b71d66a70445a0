"""The leak guard: finds what was planted, and keeps quiet where nothing was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from aimwell.core.text import Text
from aimwell.insight.predictions.backtest import judge_rows
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.evaluation import Evaluation, Metric
from aimwell.insight.predictions.guard import inspect_base_rates, inspect_columns, inspect_windows, inspect_worth
from aimwell.insight.predictions.rows import CutOff, Rows
from aimwell.science.metrics.interval import Estimate

Make = Callable[..., Rows]


def with_column(rows: Rows, make: Make, name: str, values: object) -> Rows:
    table = rows.table.append_column(name, pa.array(values, from_pandas=True))
    columns = {each: table.column(each) for each in table.column_names}
    return make(columns, rows.truth, len(rows.cuts))


def test_an_honest_table_raises_no_alarm(known_effect: Rows) -> None:
    assert inspect_columns(known_effect, seed=0) == []


def test_a_column_that_knows_the_answer_is_named(known_effect: Rows, make_rows: Make) -> None:
    chance = np.random.default_rng(0)
    leak = known_effect.truth * 100 + chance.normal(0, 20, len(known_effect))
    found = inspect_columns(with_column(known_effect, make_rows, "call_duration", leak), seed=0)
    assert [(finding.check, finding.column, finding.severity) for finding in found] == [
        ("too_good", "call_duration", "alarm")
    ]
    assert "call_duration" in found[0].text.zh


def test_a_column_far_above_all_others_is_asked_about(make_rows: Make) -> None:
    chance = np.random.default_rng(0)
    happened = chance.random(4000) < 0.3
    strong = happened + chance.normal(0, 0.75, 4000)
    weak = 0.1 * happened + chance.normal(0, 1, 4000)
    copy = strong + chance.normal(0, 0.05, 4000)
    rows = make_rows({"strong": strong, "copy": copy, "weak": weak}, happened, 4)
    found = {finding.column: finding for finding in inspect_columns(rows, seed=0)}
    # A near copy is no witness for the column that it copies.
    assert set(found) == {"strong", "copy"}
    assert found["strong"].severity == "warning"


def test_a_column_filled_only_after_the_outcome_is_named(known_effect: Rows, make_rows: Make) -> None:
    chance = np.random.default_rng(0)
    written = (known_effect.truth > 0) & (chance.random(len(known_effect)) < 0.3)
    reasons = ["moved away" if late else None for late in written]
    found = inspect_columns(with_column(known_effect, make_rows, "cancel_reason", reasons), seed=0)
    assert [(finding.check, finding.column, finding.severity) for finding in found] == [
        ("filled_after", "cancel_reason", "alarm")
    ]


def test_words_of_ten_thousand_kinds_are_not_mistaken_for_knowledge(known_effect: Rows, make_rows: Make) -> None:
    ids = [f"id{number}" for number in range(len(known_effect))]
    assert inspect_columns(with_column(known_effect, make_rows, "voucher", ids), seed=0) == []


def test_a_base_rate_that_moves_and_few_positives_are_warned_of(known_effect: Rows) -> None:
    rare = replace(known_effect, truth=known_effect.truth * (np.arange(len(known_effect)) % 4 == 0))
    found = inspect_base_rates(rare, known_effect, minimum=10_000)
    assert [finding.check for finding in found] == ["base_rate_moves", "few_positives"]
    assert not inspect_base_rates(known_effect.at(0, 1, 2), known_effect.at(3, 4, 5), minimum=1)


def test_a_training_answer_known_only_after_the_judged_date_is_an_alarm(known_effect: Rows) -> None:
    cuts = tuple(CutOff(cut.name, cut.opens, cut.closes + 2) for cut in known_effect.cuts)
    rows = replace(known_effect, cuts=cuts)
    found = inspect_windows(rows.at(0, 1, 2, 3, 4), rows.at(5))
    assert found[0].check == "overlap"
    assert "t3, t4" in found[0].text.en
    assert not inspect_windows(known_effect.at(0, 1, 2, 3, 4), known_effect.at(5))


@pytest.fixture
def plain(define: Callable[..., Prediction]) -> Prediction:
    return define(
        """
        kind: happens
        flat: {path: rows.csv, label: answer, order_by: row}
        baseline: {rank_by: [x]}
        model: {trees: {bags: 1, rounds: 60}, folds: 2}
        minimum_positives: 20
        lists: [50]
        """
    )


def test_what_only_holds_within_its_own_time_shows_as_a_gap_between_random_and_time(
    plain: Prediction, make_rows: Make
) -> None:
    """Each stretch of time has its own base rate, and a column tells the stretch: random splits look brilliant."""
    chance = np.random.default_rng(1)
    size, blocks = 4000, 8
    when = np.arange(size) * blocks // size
    rate = np.array([0.05, 0.6, 0.1, 0.5, 0.05, 0.6, 0.1, 0.3])[when]
    rows = make_rows(
        {"x": chance.normal(size=size), "index_level": when * 10.0 + chance.normal(0, 1, size)},
        chance.random(size) < rate,
        blocks,
    )
    found = judge_rows(plain, rows, None, seed=0).result
    gap = [finding for finding in found.findings if finding.check == "random_beats_time"]
    assert gap
    assert gap[0].severity == "alarm"
    assert gap[0].numbers["random"] > gap[0].numbers["time"] + 0.1


def test_random_answers_are_not_sold_as_knowledge(plain: Prediction, make_rows: Make) -> None:
    chance = np.random.default_rng(2)
    values = {name: chance.normal(size=3000) for name in ("x", "y", "z")}
    found = judge_rows(plain, make_rows(values, chance.random(3000) < 0.2, 5), None, seed=0).result
    order = found.everybody.metric("auc")
    assert order is not None
    assert order.model.low < 0.5 < order.model.high
    assert found.beats_baseline is False
    assert "no_better_than_baseline" in [finding.check for finding in found.findings]


@pytest.mark.parametrize(("error", "checks"), [(11.0, ["nothing_is_closer"]), (9.0, [])])
def test_an_error_that_promising_nothing_would_beat_is_said_to_say_little(error: float, checks: list[str]) -> None:
    # Nine of ten have nothing and one has 100: whoever promises nothing to all is wrong by 10 on average.
    rule = Text("规则", "rule")
    mae = Metric(
        "mae", rule, "lower", Estimate(error, 8, 12), rule, Estimate(20, 18, 22), Estimate(error - 20, -14, -6)
    )
    found = inspect_worth(Evaluation(people=10, positives=1, mean=10.0, baseline=rule, metrics=(mae,)))
    assert [finding.check for finding in found] == checks
    assert all("10" in finding.text.zh for finding in found)
