"""A small shop that draws coupons by lot: coupons move those who bought lately, and nobody else."""

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
from aimwell.insight.effects.definition import Effect
from aimwell.insight.features.family import Column, Family, Measure, measure_family, query_family
from aimwell.insight.features.library import assemble
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse

ZONE = ZoneInfo("Asia/Shanghai")
EVE = datetime(2023, 6, 1)
NOW = datetime(2023, 9, 1, tzinfo=ZONE)
PEOPLE = 1500
Buyers = Callable[[np.random.Generator, int], np.ndarray]


def features() -> list[Family]:
    """Purchases of the last 28 days; gender and city as loaded."""
    label = Text("购买次数({days})", "Purchases ({days})")
    visits = Measure("visits", "count(*)", label, label, "integer", (28,), empty=0)
    buying = measure_family(
        "buying",
        "transaction",
        Text("购买", "Buying"),
        needs=("purchase.amount",),
        base="purchase",
        at="occurred_at",
        measures=(visits,),
    )
    basic = query_family(
        "who",
        "basic",
        Text("基本", "Basics"),
        needs=("customer.gender", "customer.city"),
        columns=tuple(Column(name, Text(name, name), "text", Text(name, name)) for name in ("gender", "city")),
        sql="SELECT customer_id, gender, city FROM customer",
    )
    return [buying, basic]


def open_shop(folder: Path, *, effect: float, campaigns: int = 1, seed: int = 1, untouched: bool = False) -> Workshop:
    """A warehouse in which the coupon adds `effect` to the chance to buy of those who bought in the last month."""
    chance = np.random.default_rng(seed)
    engine = DuckEngine(threads=1)
    names = [f"c{number:05d}" for number in range(PEOPLE)]
    engine.write(
        "customer",
        pa.table(
            {
                "customer_id": names,
                "created_at": pa.array([datetime(2022, 1, 1)] * PEOPLE, pa.timestamp("us")),
                "gender": [("f", "m")[number % 2] for number in range(PEOPLE)],
                "city": [("north", "south", "west")[number % 3] for number in range(PEOPLE)],
            }
        ),
    )
    purchases: list[tuple[str, datetime]] = []
    touches: list[tuple[str, str, datetime, str, float]] = []
    for number in range(campaigns):
        eve = EVE + timedelta(days=28 * number)
        lately = chance.random(PEOPLE) < 0.5
        drawn = chance.random(PEOPLE) < 0.5
        answers = chance.random(PEOPLE) < 0.2 + effect * lately * drawn
        for place, who in enumerate(names):
            # Mornings before the campaign, so that the last campaign's answers are not this one's history.
            purchases += [(who, eve - timedelta(days=1, hours=visit)) for visit in range(2 * int(lately[place]))]
            purchases += [(who, eve + timedelta(days=3))] if answers[place] else []
            if drawn[place] or not untouched:
                arm = "coupon" if drawn[place] else "hold_out"
                touches.append((who, f"may_{number}", eve + timedelta(hours=9), arm, 0.5))
    # Something happens later, so that every answer is known.
    purchases.append((names[0], datetime(2023, 8, 30)))
    engine.write(
        "purchase",
        pa.table(
            {
                "order_id": [f"o{place}" for place in range(len(purchases))],
                "line": ["1"] * len(purchases),
                "customer_id": [who for who, _ in purchases],
                "product_id": ["p"] * len(purchases),
                "occurred_at": pa.array([at for _, at in purchases], pa.timestamp("us")),
                "amount": pa.array([10.0] * len(purchases)).cast(pa.decimal128(18, 2)),
            }
        ),
    )
    engine.write(
        "touch",
        pa.table(
            {
                "touch_id": [f"t{place}" for place in range(len(touches))],
                "customer_id": [row[0] for row in touches],
                "campaign": [row[1] for row in touches],
                "offer_id": [row[3] for row in touches],
                "occurred_at": pa.array([row[2] for row in touches], pa.timestamp("us")),
                "probability": [row[4] for row in touches],
            }
        ),
    )
    return Workshop(Warehouse(engine, ZONE), assemble(features()), folder)


COUPON = """
treatment:
  campaigns: may_*
  control: hold_out
  arms: {hold_out: 0.5, coupon: 0.5}
target: {happens: {purchases: {}}}
horizon_days: 14
margin: 0.1
watch: [gender, visits_28d]
"""


def read(text: str, name: str = "coupon") -> Effect:
    """One definition from YAML."""
    return parse_definitions(text, f"effects/{name}.yaml", Effect, name=name)[0]


@pytest.fixture(scope="session")
def coupon() -> Effect:
    """The coupons of May."""
    return read(COUPON)


@pytest.fixture(scope="session")
def now() -> datetime:
    """After every horizon."""
    return NOW


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A shop where the coupon moves half of the people by .5."""
    return open_shop(tmp_path_factory.mktemp("moved"), effect=0.5)


@pytest.fixture(scope="module")
def unmoved(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A shop where the coupon moves nobody."""
    return open_shop(tmp_path_factory.mktemp("unmoved"), effect=0.0, seed=5)
