"""A small shop with a known truth: customers buy at their own pace until, unseen, they leave."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from aimwell.core.definitions import parse_definitions
from aimwell.core.text import Text
from aimwell.insight.features.family import Column, Family, Kind, Measure, measure_family
from aimwell.insight.features.library import assemble
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.rows import CutOff, Rows
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2023, 1, 1)
NOW = datetime(2024, 1, 1, tzinfo=ZONE)


def buying() -> Family:
    """Windows of visits and spend, and days since the last purchase."""
    return measure_family(
        "buying",
        "transaction",
        Text("购买", "Buying"),
        needs=("purchase.amount",),
        base="purchase",
        at="occurred_at",
        measures=(
            _measure("visits", "count(*)", "integer", (28, 56, 112), 0),
            _measure("spend", "sum(amount)", "money", (28, 112), 0),
            _measure("days_since", "days_between(max(occurred_at), as_of())", "integer", (None,), None),
        ),
    )


def _measure(name: str, expression: str, kind: Kind, windows: tuple[int | None, ...], empty: float | None) -> Measure:
    label = Text(f"{name}({{days}})", f"{name} ({{days}})")
    return Measure(name, expression, label, label, kind, windows, empty=empty)


def purchases_of(customers: int, seed: int) -> pa.Table:
    """Purchases over a year: each customer has a pace, an average basket, and a day on which he leaves for good."""
    chance = np.random.default_rng(seed)
    rows: list[tuple[str, datetime, float]] = []
    for number in range(customers):
        pace, size = chance.gamma(1.5, 1 / 12), chance.lognormal(3.0, 0.4)
        day = chance.uniform(0, 60)
        leaves = min(day + chance.exponential(260), 364.9)
        while day < leaves:
            rows.append((f"c{number:04d}", START + timedelta(days=float(day)), size * chance.lognormal(0, 0.2)))
            day += chance.exponential(1 / pace)
    amounts = pa.array([round(amount, 2) for _, _, amount in rows]).cast(pa.decimal128(18, 2))
    return pa.table(
        {
            "order_id": [f"o{place}" for place in range(len(rows))],
            "line": ["1"] * len(rows),
            "customer_id": [customer for customer, _, _ in rows],
            "product_id": [f"p{place % 7}" for place in range(len(rows))],
            "occurred_at": pa.array([at for _, at, _ in rows], pa.timestamp("us")),
            "amount": amounts,
        }
    )


def open_shop(folder: Path) -> Workshop:
    engine = DuckEngine(threads=1)
    engine.write("purchase", purchases_of(400, seed=7))
    return Workshop(Warehouse(engine, ZONE), assemble([buying()]), folder)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """The small shop, in memory, fresh for each test."""
    return open_shop(tmp_path)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """The small shop for a whole file of tests that leave each other alone."""
    return open_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def now() -> datetime:
    """The day after the last fact."""
    return NOW


Defined = Callable[..., Prediction]


@pytest.fixture(scope="session")
def define() -> Defined:
    """Reads one prediction from YAML."""

    def read(text: str, name: str = "churn") -> Prediction:
        return parse_definitions(text, f"predictions/{name}.yaml", Prediction, name=name)[0]

    return read


@pytest.fixture(scope="session")
def churn(define: Defined) -> Prediction:
    """Active in the last 84 days, silent in the next 56."""
    return define(
        """
        kind: happens
        population: {purchases: {within: 84d}}
        target: {happens: {not: {purchases: {}}}}
        horizon_days: 56
        cut_offs: {every_days: 28, count: 5}
        model: {trees: {bags: 1, rounds: 40}, linear: {share: 0}, folds: 1}
        baseline: {rank_by: [days_since_ever]}
        minimum_positives: 20
        lists: [50]
        """
    )


def _kind(arrow: pa.DataType) -> Kind:
    return "text" if pa.types.is_string(arrow) else "number"


def rows_from(values: dict[str, object], truth: np.ndarray, blocks: int, customers: list[str] | None = None) -> Rows:
    """Rows with given columns, in so many stretches of time one after the other."""
    table = pa.table(values)
    size = truth.size
    columns = tuple(
        Column(
            name,
            Text(name, name),
            "text" if pa.types.is_string(table.schema.field(name).type) else "number",
            Text("", ""),
        )
        for name in table.column_names
    )
    cut = np.arange(size, dtype=np.int64) * blocks // size
    cuts = tuple(CutOff(f"t{number}", float(number), float(number + 1)) for number in range(blocks))
    ids = customers or [f"c{number:05d}" for number in range(size)]
    unknown = np.full(size, np.nan)
    return Rows(np.array(ids), cut, cuts, columns, table, truth.astype(np.float64), unknown, unknown)


@pytest.fixture
def make_rows() -> Callable[..., Rows]:
    """Builds rows from columns and truth."""
    return rows_from


@pytest.fixture
def known_effect() -> Rows:
    """Two thousand rows whose log-odds are known: rising in x, doubled for the word b, nothing from noise."""
    chance = np.random.default_rng(3)
    size = 3000
    x, noise = chance.normal(size=size), chance.normal(size=size)
    word = chance.choice(["a", "b", "c"], size)
    odds = -1.5 + 1.5 * x + 1.5 * (word == "b")
    happened = chance.random(size) < 1 / (1 + np.exp(-odds))
    missing = np.where(chance.random(size) < 0.1, np.nan, noise)
    return rows_from({"x": x, "noise": pa.array(missing, from_pandas=True), "word": word.tolist()}, happened, 6)
