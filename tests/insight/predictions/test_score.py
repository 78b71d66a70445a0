"""Scores and lists: everybody ranked once, and the best explained in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.core.time import to_store
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.making import train
from aimwell.insight.predictions.reasons import Speaker
from aimwell.insight.predictions.score import explain, score
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.cut import instant_literal

Defined = Callable[..., Prediction]


@pytest.fixture(scope="module")
def trained(churn: Prediction, lasting: Workshop, now: datetime) -> Workshop:
    train(churn, lasting, now)
    return lasting


def scores(workshop: Workshop, as_of: datetime) -> list[dict[str, object]]:
    at = exp.EQ(this=exp.column("as_of"), expression=instant_literal(to_store(as_of)))
    query = exp.select("*").from_("score").where(at).order_by("rank")
    found: list[dict[str, object]] = workshop.warehouse.engine.to_arrow(query).to_pylist()
    return found


def test_everybody_in_the_population_gets_a_rank_and_a_probability(
    churn: Prediction, trained: Workshop, now: datetime
) -> None:
    found = score(churn, trained, now)
    rows = scores(trained, now)
    assert [row["rank"] for row in rows] == list(range(1, found.people + 1))
    assert list(rows[0]) == ["prediction", "version", "customer_id", "as_of", "raw", "value", "rank"]
    # Raw scores fall along the list; where two are equal, the smaller id comes first.
    keys = [(-float(str(row["raw"])), str(row["customer_id"])) for row in rows]
    assert keys == sorted(keys)
    assert all(0 < float(str(row["value"])) < 1 for row in rows)
    assert rows[0]["as_of"] == datetime(2023, 12, 31, 16)
    assert sum(found.counts) == found.people
    json.dumps(found.to_dict())


def test_scoring_an_instant_again_replaces_its_scores_and_no_others(
    churn: Prediction, trained: Workshop, now: datetime
) -> None:
    month_ago = now - timedelta(days=30)
    earlier = score(churn, trained, month_ago).people
    once = score(churn, trained, now).people
    again = score(churn, trained, now).people
    assert once == again
    assert len(scores(trained, now)) == once
    assert len(scores(trained, month_ago)) == earlier


def test_the_best_of_the_list_carry_three_reasons_in_both_languages(
    churn: Prediction, trained: Workshop, now: datetime
) -> None:
    found = score(churn, trained, now, top=5)
    assert [each.rank for each in found.audience] == [1, 2, 3, 4, 5]
    best = found.audience[0]
    measures = [reason.measure for reason in best.reasons]
    assert len(measures) == len(set(measures)) == 3
    assert abs(best.reasons[0].effect) >= abs(best.reasons[1].effect)
    table = found.to_arrow("zh")
    assert table.column_names == ["rank", "customer_id", "value", "reason_1", "reason_2", "reason_3"]
    assert "一般" in table.column("reason_1")[0].as_py()
    assert "usually" in found.to_arrow("en").column("reason_1")[0].as_py()


def test_any_customer_can_be_explained_in_the_order_asked(churn: Prediction, trained: Workshop, now: datetime) -> None:
    found = explain(churn, trained, now, ["c0007", "c0003"])
    assert [each.customer_id for each in found] == ["c0007", "c0003"]
    assert all(each.reasons for each in found)


def test_expected_and_typical_amounts_stand_in_the_list(define: Defined, workshop: Workshop, now: datetime) -> None:
    definition = define(
        """
        kind: how_much
        target: {amount: {purchases: {}}}
        horizon_days: 28
        cut_offs: {count: 4}
        model: {trees: {bags: 1, rounds: 30}, amount_trees: {bags: 1, rounds: 30}, linear: {share: 0}, folds: 1}
        """,
        "spend",
    )
    train(definition, workshop, now)
    best = score(definition, workshop, now, top=1).audience[0]
    assert best.low is not None
    assert best.typical is not None
    assert best.high is not None
    assert best.low <= best.typical <= best.high
    assert best.value > 0


def test_nothing_trained_is_said(churn: Prediction, workshop: Workshop, now: datetime) -> None:
    with pytest.raises(BadQuestion, match="Train it first"):
        score(churn, workshop, now)


def test_a_flat_file_has_nobody_to_score(define: Defined, workshop: Workshop, now: datetime) -> None:
    with pytest.raises(BadQuestion, match="flat file"):
        score(define("kind: happens\nflat: {path: a.csv, label: b}"), workshop, now)


class Fixed:
    """A model whose contributions are given."""

    def __init__(self, names: tuple[str, ...], parts: list[float]) -> None:
        from aimwell.insight.predictions.encoding import Coded, Encoding

        self.encoding = Encoding(tuple(Coded(name) for name in names))
        self.parts = parts

    def contributions(self, _: object) -> np.ndarray:
        return np.array([[*self.parts, 0.0]])


def test_a_silence_is_told_beside_the_customers_own_pace(tmp_path: Path) -> None:
    import pyarrow as pa

    days = Text("天", "days")
    columns = {
        "days_since_order": Column(
            "days_since_order", Text("距上次购买天数", "Days since the last order"), "integer", Text("", ""), days
        ),
        "gap_median": Column("gap_median", Text("典型购买间隔", "Usual gap"), "number", Text("", ""), days),
    }
    speaker = Speaker(columns, {"days_since_order": 12.0, "gap_median": 10.0})
    table = pa.table({"days_since_order": [41], "gap_median": [9.0]})
    model = Fixed(("days_since_order", "gap_median"), [0.9, -0.1])
    first, second = speaker.reasons(model, table)[0]
    assert first.text.zh == "距上次购买 41 天，平时 9 天来一次（拉高）"
    assert first.text.en == "Days since the last order: 41, usually every 9 days (raises)"
    assert second.text.zh == "典型购买间隔 9 天，一般 10 天（拉低）"


def test_windows_of_one_measure_are_one_reason() -> None:
    import pyarrow as pa

    columns = {
        name: Column(name, Text(name, name), "money", Text("", ""), measure=measure)
        for name, measure in (("spend_28d", "spend"), ("spend_84d", "spend"), ("visits_28d", "visits"))
    }
    speaker = Speaker(columns, dict.fromkeys(columns, 1.0))
    table = pa.table({name: [5.0] for name in columns})
    model = Fixed(tuple(columns), [0.2, 0.3, 0.4])
    found = speaker.reasons(model, table)[0]
    assert [(reason.measure, reason.column, round(reason.effect, 6)) for reason in found] == [
        ("spend", "spend_84d", 0.5),
        ("visits", "visits_28d", 0.4),
    ]
