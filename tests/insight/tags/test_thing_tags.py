"""Tags of products and channels stand in their tables with the instants from which they hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from sqlglot import exp

from aimwell.core.rules import parse_rule
from aimwell.core.time import zone
from aimwell.insight.features.build import Features
from aimwell.insight.rules.compile import matching
from aimwell.insight.rules.context import RuleContext
from aimwell.insight.tags.own import OwnTags, own_tags
from aimwell.insight.tags.things import write_thing_tags
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.store.workspace import open_workspace

SHANGHAI = zone("Asia/Shanghai")
SETTINGS = 'name = "test"\ncurrency = "CNY"\ntimezone = "Asia/Shanghai"\n'
TAGS = """
- name: dear
  of: product
  label: {zh: 高价, en: Dear}
  meaning: {zh: 价格超过100, en: Price above 100}
  family: preference
  kind: boolean
  formula: price > 100
- name: season
  of: product
  label: {zh: 当季, en: In season}
  meaning: {zh: 手工名单, en: Listed by hand}
  family: preference
  manual: {ids: [cup], since: 2025-03-01, until: 2025-06-01, owner: anna}
- name: quiet
  of: channel
  label: {zh: 低打扰, en: Quiet}
  meaning: {zh: 手工名单, en: Listed by hand}
  family: basic
  manual: {ids: [email], since: 2025-01-01, until: 2027-01-01, owner: anna}
"""


@pytest.fixture
def own(tmp_path: Path) -> OwnTags:
    (tmp_path / "aimwell.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "tags").mkdir()
    (tmp_path / "tags" / "things.yaml").write_text(TAGS, encoding="utf-8")
    return own_tags(open_workspace(tmp_path))


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    """The cup costs 80, and 120 from 1 May (local) on."""
    engine = DuckEngine(threads=2)
    known = [datetime(2024, 1, 1), datetime(2024, 1, 1), datetime(2025, 4, 30, 16)]
    engine.write(
        "product",
        pa.table(
            {
                "product_id": ["tea", "cup", "cup"],
                "price": pa.array([Decimal(200), Decimal(80), Decimal(120)], pa.decimal128(18, 2)),
                "known_at": pa.array(known, pa.timestamp("us")),
            }
        ),
    )
    engine.write("customer", pa.table({"customer_id": ["ann", "bob"]}))
    engine.write(
        "purchase",
        pa.table(
            {
                "order_id": ["1", "2"],
                "line": ["1", "1"],
                "customer_id": ["ann", "bob"],
                "product_id": ["cup", "tea"],
                "occurred_at": pa.array([datetime(2025, 4, 1), datetime(2025, 4, 1)], pa.timestamp("us")),
                "amount": pa.array([Decimal(80), Decimal(200)], pa.decimal128(18, 2)),
            }
        ),
    )
    yield Warehouse(engine, SHANGHAI)
    engine.close()


def carried(warehouse: Warehouse, as_of: datetime) -> set[tuple[str, str, str]]:
    rows = warehouse.history(as_of).to_arrow("SELECT product_id, tag, value FROM product_tag").to_pylist()
    return {(row["product_id"], row["tag"], row["value"]) for row in rows}


def at(month: int, day: int) -> datetime:
    return datetime(2025, month, day, tzinfo=SHANGHAI)


def test_a_formula_is_known_from_the_instant_it_was_computed_for(own: OwnTags, warehouse: Warehouse) -> None:
    write_thing_tags(warehouse, own, at(4, 15))
    write_thing_tags(warehouse, own, at(5, 15))
    assert ("cup", "dear", "false") in carried(warehouse, at(4, 15))
    assert ("cup", "dear", "true") in carried(warehouse, at(5, 15))
    assert ("cup", "dear", "false") in carried(warehouse, at(5, 14))
    assert not any(tag == "dear" for _, tag, _ in carried(warehouse, at(4, 14)))


def test_a_list_of_products_holds_for_its_days(own: OwnTags, warehouse: Warehouse) -> None:
    write_thing_tags(warehouse, own, at(7, 1))
    assert not any(tag == "season" for _, tag, _ in carried(warehouse, at(2, 28)))
    assert ("cup", "season", "true") in carried(warehouse, at(3, 1))
    assert ("cup", "season", "true") in carried(warehouse, at(5, 31))
    assert ("cup", "season", "false") in carried(warehouse, at(6, 1))


def test_writing_again_changes_nothing_and_rows_of_files_stay(own: OwnTags, warehouse: Warehouse) -> None:
    foreign = {"product_id": ["tea"], "tag": ["organic"], "value": ["true"], "source": ["supplier.csv"]}
    empty = pa.array([None], pa.timestamp("us"))
    warehouse.engine.write("product_tag", pa.table(foreign | {"known_at": empty}))
    first = write_thing_tags(warehouse, own, at(4, 15))
    before = warehouse.engine.to_arrow(exp.select("*").from_("product_tag").order_by("product_id", "tag", "known_at"))
    assert write_thing_tags(warehouse, own, at(4, 15)) == first
    after = warehouse.engine.to_arrow(exp.select("*").from_("product_tag").order_by("product_id", "tag", "known_at"))
    assert after == before
    assert ("tea", "organic", "true") in carried(warehouse, at(4, 1))


def test_purchases_can_be_asked_for_by_the_tags_of_products(own: OwnTags, warehouse: Warehouse) -> None:
    write_thing_tags(warehouse, own, at(4, 15))

    def buyers(tag: str, as_of: datetime) -> list[str]:
        history = warehouse.history(as_of)
        rule = parse_rule({"purchases": {"tag": tag}})
        found = warehouse.engine.to_arrow(matching(rule, RuleContext(Features(history, own.library)), history))
        return sorted(found["customer_id"].to_pylist())

    assert buyers("dear", at(4, 15)) == ["bob"]
    assert buyers("dear=false", at(4, 15)) == ["ann"]
    assert buyers("season", at(4, 15)) == ["ann"]
    assert buyers("season", at(6, 15)) == []


def test_channels_carry_tags_too(own: OwnTags, warehouse: Warehouse) -> None:
    write_thing_tags(warehouse, own, at(4, 15))
    rows = warehouse.history(at(4, 15)).to_arrow("SELECT channel, tag, value FROM channel_tag").to_pylist()
    assert rows == [{"channel": "email", "tag": "quiet", "value": "true"}]


def test_tags_of_a_product_table_without_instants_are_timeless(own: OwnTags) -> None:
    engine = DuckEngine(threads=2)
    price = pa.array([Decimal(200)], pa.decimal128(18, 2))
    engine.write("product", pa.table({"product_id": ["tea"], "price": price}))
    with Warehouse(engine, SHANGHAI) as warehouse:
        write_thing_tags(warehouse, own, at(4, 15))
        assert ("tea", "dear", "true") in carried(warehouse, at(1, 2))
