"""The sources of the Complete Journey example give the counts that are known of that data set, traps included."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlglot import parse_one

from aimwell.core.definitions import read_definitions
from aimwell.store.sources.definition import Source
from aimwell.store.sources.load import load_sources
from aimwell.store.sources.report import LoadReport
from aimwell.store.warehouse.duck import DuckEngine

WORKSPACE = Path(__file__).parents[3] / "examples" / "complete_journey"
pytestmark = pytest.mark.slow

Loaded = tuple[DuckEngine, LoadReport]


def read(*names: str) -> Loaded:
    found = read_definitions(WORKSPACE, Source)
    engine = DuckEngine()
    return engine, load_sources(engine, [found[name] for name in names], WORKSPACE, "America/New_York")


def one(engine: DuckEngine, sql: str) -> list[object]:
    return list(engine.to_arrow(parse_one(sql, read="duckdb")).to_pylist()[0].values())


@pytest.fixture(scope="module")
def small() -> Loaded:
    return read("campaigns", "coupons", "mailings", "products", "redemptions")


def test_every_file_is_kept_but_for_the_repeated_coupons(small: Loaded) -> None:
    found = {table.table: table.tally for part in small[1].sources for table in part.tables}
    assert {name: tally.kept for name, tally in found.items()} == {
        "offer": 27,
        "coupon": 111_332,
        "touch": 6_589,
        "product": 92_331,
        "outcome": 2_102,
    }
    assert found["coupon"].duplicates == 4_872
    assert small[1].balanced
    assert not any(tally.refused or tally.filtered for tally in found.values())


def test_campaigns_run_from_local_midnight_to_the_end_of_their_last_day(small: Loaded) -> None:
    sql = "SELECT kind, since, until, known_at FROM offer WHERE offer_id = '18'"
    midnight = datetime(2017, 10, 30, 4)  # summer time in New York
    assert one(small[0], sql) == ["Type A", midnight, datetime(2017, 12, 25, 5), midnight]


def test_mailings_and_redemptions_hang_together(small: Loaded) -> None:
    sql = "SELECT count(*), count(DISTINCT o.customer_id) FROM outcome o JOIN touch t USING (touch_id, customer_id)"
    assert one(small[0], sql) == [2_102, 410]
    sql = "SELECT count(DISTINCT customer_id) FROM touch WHERE campaign = '18' AND occurred_at = '2017-10-30 04:00'"
    assert one(small[0], sql) == [1_133]
    assert one(small[0], "SELECT max(known_at - occurred_at) <= INTERVAL 25 HOUR FROM outcome") == [True]


def test_products_tell_own_brands_and_lack_what_they_lack(small: Loaded) -> None:
    sql = "SELECT count(*) FILTER (own_brand), count(*) - count(category), count(*) - count(package_size) FROM product"
    assert one(small[0], sql) == [13_815, 540, 30_586]
    orphans = [o for table in small[1].quality for o in table.orphans if o.references == "product"]
    assert [o.values for o in orphans] == [6]


def test_the_transactions_of_a_year_come_in_with_their_totals() -> None:
    engine, report = read("demographics", "transactions")
    assert report.balanced
    sql = "SELECT count(*), count(DISTINCT order_id), count(DISTINCT customer_id), sum(amount) FROM purchase"
    assert one(engine, sql) == [1_469_307, 155_848, 2_469, Decimal("4596039.58")]
    assert one(engine, "SELECT min(occurred_at), max(occurred_at) FROM purchase") == [
        datetime(2017, 1, 1, 11, 53, 26),
        datetime(2018, 1, 1, 4, 1, 20),
    ]
    sql = "SELECT count(*), count(DISTINCT customer_id), count(created_at), count(age_band) FROM customer"
    assert one(engine, sql) == [3_270, 2_469, 3_270, 801]
    odd = {(o.kind, o.column): o for table in report.quality for o in table.oddities}
    assert odd["missing_days", "occurred_at"].examples == ("2017-12-25",)
    assert ("extreme", "quantity") in odd
