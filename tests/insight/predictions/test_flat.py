"""Flat files: a definition alone gives training, evaluation, guards and a card."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

from aimwell.core.errors import BadQuestion, BadSource, NotEnoughData
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.flat import flat_rows
from aimwell.insight.predictions.making import train
from aimwell.insight.predictions.workshop import Workshop

Defined = Callable[..., Prediction]

LEADS = """
kind: happens
label: {zh: 线索转化, en: Lead converts}
flat: {path: leads.csv, label: converted, customer: lead, ORDER test_share: 0.25}
baseline: {rank_by: [visits]}
model: {trees: {bags: 1, rounds: 40}, linear: {share: 0.5}, folds: 2}
minimum_positives: 20
lists: [50, 100]
"""


@pytest.fixture
def leads(tmp_path: Path) -> Path:
    """Leads whose visits and channel matter; those who convert get a contract number."""
    chance = np.random.default_rng(11)
    size = 3000
    visits, channel = chance.poisson(4, size), chance.choice(["web", "fair", "call"], size)
    odds = -3 + 0.35 * visits + 1.2 * (channel == "fair")
    converted = chance.random(size) < 1 / (1 + np.exp(-odds))
    table = pa.table(
        {
            "lead": [f"L{number}" for number in range(size)],
            "seen_on": pa.array(np.datetime64("2023-01-01") + np.arange(size) // 10),
            "visits": visits,
            "channel": channel.tolist(),
            "age": pa.array(np.where(chance.random(size) < 0.1, np.nan, chance.normal(40, 9, size)), from_pandas=True),
            "contract": [f"K{number}" if yes else None for number, yes in enumerate(converted)],
            "converted": np.where(converted, "yes", "no").tolist(),
        }
    )
    pcsv.write_csv(table, tmp_path / "leads.csv")
    pq.write_table(table, tmp_path / "leads.parquet")
    return tmp_path


def test_a_file_in_order_of_time_is_learnt_early_and_judged_late(
    define: Defined, workshop: Workshop, leads: Path, now: datetime
) -> None:
    trained = train(define(LEADS.replace("ORDER", "order_by: seen_on,"), "leads"), workshop, now)
    found = trained.backtest
    order = found.everybody.metric("auc")
    assert order is not None
    assert order.model.low > 0.6
    assert order.proven
    assert found.held_out == ("last rows",)
    assert found.everybody.people == 750
    assert found.choice.ordered
    leaks = [finding for finding in found.findings if finding.severity == "alarm"]
    assert [finding.column for finding in leaks] == ["contract"]
    assert trained.card.trained_as_of is None
    assert not any("随机留出" in limit.zh for limit in trained.card.limits)
    json.dumps(trained.to_dict())


def test_a_file_without_order_is_held_out_at_random_and_the_card_says_so(
    define: Defined, workshop: Workshop, leads: Path, now: datetime
) -> None:
    trained = train(define(LEADS.replace("ORDER", ""), "leads"), workshop, now)
    assert trained.backtest.held_out == ("held out at random",)
    assert not trained.backtest.choice.ordered
    assert any("no order of time" in limit.en for limit in trained.card.limits)


def test_ids_and_the_answer_itself_are_never_learnt_from(define: Defined, leads: Path) -> None:
    rows = flat_rows(define(LEADS.replace("ORDER", "order_by: seen_on,"), "leads"), leads)
    assert [column.name for column in rows.columns] == ["visits", "channel", "age", "contract"]
    assert rows.customers[0] == "L0"


def test_what_only_the_baseline_reads_is_not_learnt_from(
    define: Defined, workshop: Workshop, leads: Path, now: datetime
) -> None:
    text = LEADS.replace("ORDER", "order_by: row,") + "features: {exclude: [visits, contract, seen_on]}\n"
    trained = train(define(text, "leads"), workshop, now)
    assert {line.name for line in trained.card.columns} == {"channel", "age"}
    order = trained.backtest.everybody.metric("auc")
    assert order is not None
    assert order.baseline is not None
    assert order.baseline.value > order.model.value


def test_parquet_and_csv_give_the_same_rows(define: Defined, leads: Path) -> None:
    text = LEADS.replace("ORDER", "order_by: row,")
    one = flat_rows(define(text, "leads"), leads)
    two = flat_rows(define(text.replace("leads.csv", "leads.parquet"), "leads"), leads)
    assert np.array_equal(one.truth, two.truth)
    assert np.array_equal(one.cut, two.cut)
    assert one.values("visits").tolist() == two.values("visits").tolist()


def test_amounts_of_a_flat_file_are_foretold_too(
    define: Defined, workshop: Workshop, tmp_path: Path, now: datetime
) -> None:
    chance = np.random.default_rng(4)
    x = chance.normal(size=1500)
    value = np.where(chance.random(1500) < 0.4, np.round(np.exp(2 + x), 2), 0.0)
    pcsv.write_csv(pa.table({"x": x, "value": value}), tmp_path / "values.csv")
    definition = define(
        """
        kind: how_much
        flat: {path: values.csv, label: value, order_by: row}
        model: {trees: {bags: 1, rounds: 40}, amount_trees: {bags: 1, rounds: 40}, linear: {share: 0}, folds: 1}
        """,
        "values",
    )
    error = train(definition, workshop, now).backtest.everybody.metric("mae")
    assert error is not None
    assert error.proven


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (("leads.csv", "gone.csv"), BadSource, "There is no file"),
        (("label: converted", "label: convertd"), BadQuestion, "no column 'convertd'"),
        (("customer: lead", "positive: maybe"), NotEnoughData, "nobody's answer is yes"),
        (("ORDER", "order_by: age,"), BadQuestion, "puts rows in time"),
    ],
)
def test_what_a_file_lacks_is_named(
    define: Defined, leads: Path, change: tuple[str, str], error: type[Exception], message: str
) -> None:
    text = LEADS.replace(*change).replace("ORDER", "")
    with pytest.raises(error, match=message):
        flat_rows(define(text, "leads"), leads)


def test_a_file_that_is_no_table_is_refused_in_words(define: Defined, tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_bytes(b"\xff\xfe\x00a;b\n1,2,3\n\n4")
    with pytest.raises(BadSource, match=r"leads\.csv"):
        flat_rows(define(LEADS.replace("ORDER", ""), "leads"), tmp_path)
