"""The model card: plain about what the model is worth, and about what it is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from aimwell.core.text import Language
from aimwell.insight.predictions.card import Card
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.making import train
from aimwell.insight.predictions.workshop import Workshop

Defined = Callable[..., Prediction]


@pytest.fixture(scope="module")
def card(churn: Prediction, lasting: Workshop, now: datetime) -> Card:
    return train(churn, lasting, now).card


def test_the_card_says_what_was_asked_learnt_and_found(card: Card) -> None:
    assert card.question["horizon_days"] == 56
    assert card.question["population"] == {"purchases": {"within": "84d"}}
    assert card.rows > 0
    assert card.learnt_from[-1] == "2023-11-06"
    assert sum(line.weight for line in card.columns) == pytest.approx(1.0)
    assert set(card.marks) == {"definition", "data"}
    json.dumps(card.to_dict())


@pytest.mark.parametrize(("language", "words"), [("zh", "模型卡"), ("en", "Model card")])
def test_the_card_is_a_page_in_both_languages(card: Card, language: Language, words: str) -> None:
    page = card.markdown(language)
    assert page.startswith(f"# {words}: churn")
    assert "| AUC" in page.replace("排序准确度 AUC", "AUC")
    assert "None" not in page


def test_the_card_leaves_nothing_out(card: Card) -> None:
    told = card.to_dict()
    assert {"question", "learnt_from", "rows", "positives", "columns", "dropped", "timeless", "limits", "marks"} <= set(
        told
    )
    judged = card.backtest
    whole = judged.everybody
    assert all(metric.model.low <= metric.model.value <= metric.model.high for metric in whole.metrics)
    assert whole.metrics[0].difference is not None
    assert whole.curve is not None
    assert (len(whole.tenths), [row.people for row in whole.top]) == (10, [50])
    assert whole.calibration
    assert whole.calibration_line is not None
    assert judged.new.people + judged.existing.people == whole.people
    assert {period.role for period in judged.periods} == {"learnt", "chosen_on", "held_out"}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_shows_lists_calibration_and_every_cut_off(card: Card, language: Language) -> None:
    page = card.markdown(language)
    best = card.backtest.everybody.top[0]
    assert f"| 50 | {best.rate} | {best.reached:.1%} | {best.lift:.2f} |" in page
    line = card.backtest.everybody.calibration_line
    assert line is not None
    assert str(line.slope) in page
    for period in card.backtest.periods:
        assert f"| {period.cut_off} |" in page


def test_equal_data_and_definitions_give_equal_versions_and_others_other_ones(
    card: Card, churn: Prediction, workshop: Workshop, now: datetime
) -> None:
    again, other = train(churn, workshop, now).card, train(churn, workshop, now, seed=5).card
    assert again.to_dict() == card.to_dict()
    assert other.version != card.version


def test_random_answers_are_said_not_to_beat_the_baseline(define: Defined, workshop: Workshop, now: datetime) -> None:
    chance = np.random.default_rng(9)
    table = pa.table({"x": chance.normal(size=2000), "y": chance.normal(size=2000), "z": chance.random(2000) < 0.2})
    pa.csv.write_csv(table, workshop.folder / "noise.csv")
    definition = define(
        """
        kind: happens
        flat: {path: noise.csv, label: z, order_by: row}
        baseline: {rank_by: [x]}
        model: {trees: {bags: 1, rounds: 40}, linear: {share: 0}, folds: 1}
        """,
        "noise",
    )
    card = train(definition, workshop, now).card
    order = card.backtest.everybody.metric("auc")
    assert order is not None
    assert order.model.low < 0.5 < order.model.high
    assert "does not beat the baseline" in card.markdown("en")
    assert "未能证明优于基准" in card.markdown("zh")


def test_a_mailing_that_was_not_random_is_said_plainly(define: Defined, workshop: Workshop, now: datetime) -> None:
    engine = workshop.warehouse.engine
    chance = np.random.default_rng(1)
    touches, outcomes = [], []
    for campaign, day in (
        ("one", "2023-04-01"),
        ("two", "2023-06-01"),
        ("three", "2023-08-01"),
        ("four", "2023-10-01"),
    ):
        at = datetime.fromisoformat(f"{day}T02:00:00")
        for number in range(300):
            touches.append((f"{campaign}{number}", f"c{number:04d}", campaign, at))
            if chance.random() < 0.2 + 0.4 * (number % 2):
                outcomes.append((f"o{campaign}{number}", f"{campaign}{number}", f"c{number:04d}", "redeemed", at))
    names = ("touch_id", "customer_id", "campaign", "occurred_at")
    engine.write("touch", pa.table({name: [row[place] for row in touches] for place, name in enumerate(names)}))
    kept = ("outcome_id", "touch_id", "customer_id", "kind", "occurred_at")
    engine.write("outcome", pa.table({name: [row[place] for row in outcomes] for place, name in enumerate(kept)}))
    workshop.warehouse.refresh()
    definition = define(
        """
        kind: happens
        target: {outcome: redeemed}
        horizon_days: 30
        cut_offs: {by: campaign, count: 9, test: four}
        model: {trees: {bags: 1, rounds: 40}, linear: {share: 0}, folds: 1}
        """,
        "response",
    )
    card = train(definition, workshop, now).card
    assert card.learnt_from == ("one", "two", "three", "four")
    assert card.backtest.held_out == ("four",)
    assert "not_random" in [finding.check for finding in card.backtest.findings]
    assert "not chosen at random" in card.markdown("en")
    assert "不是随机选择的" in card.markdown("zh")
