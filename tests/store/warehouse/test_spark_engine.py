"""Spark keeps the contract of an engine, and gives every value that DuckDB gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.store.warehouse.engine_contract import CONTRACT
from tests.store.warehouse.shop import AS_OF, purchase, rows, shop, small_shop

from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.engine import Engine

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from aimwell.store.warehouse.spark import SparkEngine

pytestmark = pytest.mark.spark

EVERY_MACRO = """
WITH dated AS (
  SELECT customer_id, order_id, amount, occurred_at, lag(occurred_at) OVER (PARTITION BY customer_id
    ORDER BY occurred_at, order_id) AS before, ntile(4) OVER (ORDER BY amount, order_id) AS quarter
  FROM purchase WHERE occurred_at >= days_before(300) AND local_date(occurred_at) >= day_before(300)
)
SELECT customer_id, as_of() AS cut, as_of_day() AS cut_day, days_between(max(occurred_at), as_of()) AS recency,
  hours_between(min(occurred_at), max(occurred_at)) AS hours, max(month_index(occurred_at)) AS month,
  ratio(sum(amount), count(*)) AS basket, mean(amount) AS average, log_ten(sum(amount)) AS magnitude,
  ordered_list(local_hour(occurred_at)) AS hour_list, quantile_at(amount, 0.75) AS upper,
  max(local_time(occurred_at)) AS local_last, min(local_date(occurred_at)) AS local_first,
  sum(flag(weekday(occurred_at) >= 6)) AS weekend, max(whole(amount)) AS whole_amount, cents(mean(amount)) AS money,
  spread(amount) AS spread, mean(days_between(before, occurred_at)) AS gap, max(setting('high')) AS high,
  arg_max(order_id, (occurred_at, order_id)) AS last_order, sum(quarter) AS quarters,
  sum(amount) FILTER (WHERE occurred_at >= days_before(28)) AS recent, count(DISTINCT order_id) AS orders,
  bool_or(amount > 500) AS large, string_length AS word_length
FROM dated JOIN (SELECT length(setting('word')) AS string_length) AS w ON true
GROUP BY customer_id, string_length ORDER BY customer_id
"""


@pytest.fixture
def engine(spark: SparkSession, tmp_path: Path) -> SparkEngine:
    from aimwell.store.warehouse.spark import SparkEngine

    return SparkEngine(tmp_path / "tables", spark)


@pytest.mark.parametrize("promise", CONTRACT, ids=lambda promise: promise.__name__)
def test_spark_keeps_the_contract(engine: SparkEngine, promise: Callable[[Engine], None]) -> None:
    promise(engine)


def _same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return one == other


def _random_purchases(count: int) -> list[dict[str, object]]:
    chance = Random(7)
    begin = datetime(2016, 12, 1)
    return [
        purchase(
            f"c{chance.randrange(30)}",
            (begin + timedelta(seconds=chance.randrange(340 * 86_400))).isoformat(),
            str(Decimal(chance.randrange(1, 100_000)) / 100),
            order=f"o{number}",
        )
        for number in range(count)
    ]


def test_every_macro_gives_equal_values_on_both_engines(engine: SparkEngine) -> None:
    given = rows("purchase", *_random_purchases(600))
    found = [shop(chosen, purchase=given).history(AS_OF).to_arrow(EVERY_MACRO) for chosen in (DuckEngine(), engine)]
    assert found[0].num_rows == 30
    for one, other in zip(found[0].to_pylist(), found[1].to_pylist(), strict=True):
        assert {name: (one[name], other[name]) for name in one if not _same(one[name], other[name])} == {}


def test_cuts_give_equal_rows_on_both_engines(engine: SparkEngine) -> None:
    query = "SELECT p.*, q.price FROM purchase AS p JOIN product AS q ON q.product_id = p.product_id ORDER BY order_id"
    one, other = (small_shop(chosen).history(AS_OF).to_arrow(query).to_pylist() for chosen in (DuckEngine(), engine))
    assert one == other
    assert len(one) == 3
