"""Drift: the counts of the engine are those of the rows, what was moved is found, what was not is left alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from sqlglot import exp

from aimwell.core.definitions import parse_definitions
from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.features.family import Column, query_family
from aimwell.insight.features.library import assemble
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.drift import measure_drift
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.drift import Verdict, drift, histogram
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse

ZONE = ZoneInfo("Asia/Shanghai")
BEFORE, NOW = datetime(2023, 5, 1, tzinfo=ZONE), datetime(2023, 6, 1, tzinfo=ZONE)
PEOPLE = 2000

LAST = query_family(
    "last",
    "transaction",
    Text("最近一次", "Last"),
    needs=("purchase.amount",),
    columns=(
        Column("last_amount", Text("金额", "Amount"), "money", Text("", "")),
        Column("last_units", Text("数量", "Units"), "number", Text("", "")),
        Column("last_channel", Text("渠道", "Channel"), "text", Text("", "")),
    ),
    sql="""
    SELECT
        customer_id,
        arg_max(amount, occurred_at) AS last_amount,
        arg_max(quantity, occurred_at) AS last_units,
        arg_max(channel, occurred_at) AS last_channel
    FROM purchase
    GROUP BY customer_id
    """,
)


def month(start: datetime, scale: float, app: float, seed: int) -> pa.Table:
    chance = np.random.default_rng(seed)
    units = chance.normal(size=PEOPLE)
    bought = [start + timedelta(minutes=number) for number in range(PEOPLE)]
    return pa.table(
        {
            "order_id": [f"{seed}-{number}" for number in range(PEOPLE)],
            "line": ["1"] * PEOPLE,
            "customer_id": [f"c{number}" for number in range(PEOPLE)],
            "occurred_at": pa.array(bought, pa.timestamp("us")),
            "amount": pa.array(np.round(scale * chance.lognormal(3, 1, PEOPLE), 2)).cast(pa.decimal128(18, 2)),
            "quantity": pa.array(units, from_pandas=True),
            "channel": np.where(chance.random(PEOPLE) < app, "app", "shop").tolist(),
        }
    )


@pytest.fixture
def moved(tmp_path: Path) -> Workshop:
    """Amounts double and the app takes over between April and May; quantities stay as they were."""
    engine = DuckEngine(threads=1)
    engine.write("purchase", month(datetime(2023, 4, 3), 1.0, 0.2, 1))
    engine.append("purchase", month(datetime(2023, 5, 3), 2.0, 0.6, 2))
    return Workshop(Warehouse(engine, ZONE), assemble([LAST]), tmp_path)


@pytest.fixture
def buyers() -> Prediction:
    text = "kind: happens\ntarget: {happens: {purchases: {}}}\nhorizon_days: 28"
    return parse_definitions(text, "p.yaml", Prediction, name="buyers")[0]


def test_what_was_moved_is_found_and_what_was_not_is_left_alone(moved: Workshop, buyers: Prediction) -> None:
    found = measure_drift(buyers, moved, BEFORE, NOW)
    assert {each.column for each in found.moved} == {"last_amount", "last_channel"}
    assert found.columns[0].drift.psi >= found.columns[-1].drift.psi
    still = next(each for each in found.columns if each.column == "last_units")
    assert still.drift.verdict is Verdict.NONE
    assert (found.people_before, found.people_now, found.scores) == (PEOPLE, PEOPLE, None)


def test_the_engine_counts_what_the_rows_hold(moved: Workshop, buyers: Prediction) -> None:
    found = {each.column: each.drift for each in measure_drift(buyers, moved, BEFORE, NOW).columns}
    amounts = [month(datetime(2023, 4, 3), scale, 0.2, seed).column("amount") for scale, seed in ((1.0, 1), (2.0, 2))]
    values = [np.array([float(value) for value in column.to_pylist()]) for column in amounts]
    edges = np.unique(np.quantile(values[0], np.arange(1, 10) / 10))
    before, after = ([0, *histogram(part, edges)] for part in values)
    assert found["last_amount"].psi == pytest.approx(drift(before, after).psi, abs=1e-3)


def test_nobody_at_a_date_is_said(moved: Workshop, buyers: Prediction) -> None:
    with pytest.raises(NotEnoughData, match="nobody is in the population"):
        measure_drift(buyers, moved, datetime(2023, 1, 1, tzinfo=ZONE), NOW)


def test_both_dates_are_counted_in_one_pass(
    moved: Workshop, buyers: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    run = DuckEngine.to_arrow

    def watched(engine: DuckEngine, query: exp.Query) -> pa.Table:
        asked.append(query.sql(dialect="duckdb"))
        return run(engine, query)

    monkeypatch.setattr(DuckEngine, "to_arrow", watched)
    measure_drift(buyers, moved, BEFORE, NOW)
    reading = [sql for sql in asked if "people_then" in sql]
    # The borders of the earlier date; then all numbers of both dates; then all words of both.
    assert ["people_now" in sql for sql in reading] == [False, True, True]
    assert all(sql.count("passing_now_buyers") == 1 for sql in reading[1:])


def test_days_are_counted_back_from_each_date_itself(moved: Workshop, buyers: Prediction) -> None:
    last_day = query_family(
        "last_day",
        "transaction",
        Text("最近一天", "Last day"),
        needs=("purchase.amount",),
        columns=(Column("last_day", Text("日期", "Day"), "day", Text("", "")),),
        sql="SELECT customer_id, local_date(max(occurred_at)) AS last_day FROM purchase GROUP BY customer_id",
    )
    shop = Workshop(moved.warehouse, assemble([last_day]), moved.folder)
    # Everybody bought four weeks before either date; a week later, five weeks before.
    same = measure_drift(buyers, shop, BEFORE, datetime(2023, 5, 31, tzinfo=ZONE))
    assert [each.drift.verdict for each in same.columns] == [Verdict.NONE]
    later = measure_drift(buyers, shop, BEFORE, datetime(2023, 6, 7, tzinfo=ZONE))
    assert [each.column for each in later.moved] == ["last_day"]
