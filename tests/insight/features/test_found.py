"""Families that the data bring: attributes beyond the canonical columns, and departments by name."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from tests.store.warehouse.shop import AS_OF, purchase, rows, shop

from aimwell.insight.features.build import Features
from aimwell.insight.features.found import attributes, department_shares, found_families, workspace_library
from aimwell.insight.features.library import assemble, library
from aimwell.store.warehouse.warehouse import Warehouse


@pytest.fixture
def warehouse() -> Warehouse:
    opened = shop(
        product=rows(
            "product",
            {"product_id": "p1", "department": "Meat & Fish"},
            {"product_id": "p2", "department": "家居 百货"},
        ),
        purchase=rows(
            "purchase",
            purchase("c1", "2017-10-01 12:00", "30", product_id="p1", line="1", order="o1"),
            purchase("c1", "2017-10-01 12:00", "10", product_id="p2", line="2", order="o1"),
            purchase("c1", "2017-01-01 12:00", "99", product_id="p2"),
            purchase("c1", "2017-10-02 12:00", "-5", product_id="p2", line="r", order="back"),
            purchase("c2", "2017-10-02 12:00", "8", product_id="p2"),
        ),
    )
    opened.engine.write(
        "customer",
        pa.table(
            {
                "customer_id": ["c1", "c2"],
                "Pet Kind": ["cat", None],
                "points": pa.array([7, 9], pa.int64()),
                "score": pa.array([Decimal("1.50"), None], pa.decimal128(6, 2)),
                "joined_on": pa.array([date(2017, 1, 2), None], pa.date32()),
                "empty": pa.array([None, None], pa.string()),
                "_origin": pa.array([1, 2], pa.int64()),
            }
        ),
    )
    opened.refresh()
    return opened


def test_attributes_beyond_the_canonical_ones_become_tags(warehouse: Warehouse) -> None:
    family = attributes(warehouse.history(AS_OF))
    assert family is not None
    assert {column.name: column.kind for column in family.columns} == {
        "own_joined_on": "day",
        "own_pet_kind": "text",
        "own_points": "integer",
        "own_score": "number",
    }
    found = _values(warehouse, ["own_pet_kind", "own_points", "own_score", "own_joined_on"])
    assert found[0] == {
        "customer_id": "c1",
        "own_pet_kind": "cat",
        "own_points": 7,
        "own_score": 1.5,
        "own_joined_on": date(2017, 1, 2),
    }


def test_each_department_gets_its_share_of_recent_spend_returns_left_out_of_the_whole(warehouse: Warehouse) -> None:
    names = ["department_meat_fish_share", "department_家居_百货_share"]
    found = _values(warehouse, names)
    # c1: 30 of 35 within 112 days, the ten given back by five.
    assert found[0][names[0]] == pytest.approx(30 / 35)
    assert found[1] == {"customer_id": "c2", names[0]: 0.0, names[1]: 1.0}


def test_without_attributes_or_departments_nothing_is_found() -> None:
    history = shop(purchase=rows("purchase", purchase("c1", "2017-10-01 12:00", "30"))).history(AS_OF)
    assert attributes(history) is None
    assert department_shares(history) is None
    assert found_families(history) == []


def _values(warehouse: Warehouse, names: list[str]) -> list[dict[str, object]]:
    history = warehouse.history(AS_OF)
    warehouse.engine.write("people", pa.table({"customer_id": ["c1", "c2"]}))
    features = Features(history, assemble(found_families(history)))
    values: list[dict[str, object]] = features.to_arrow("people", names).to_pylist()
    return values


def test_what_is_found_joins_the_library_of_the_workspace(warehouse: Warehouse) -> None:
    joined = workspace_library(warehouse)
    assert set(joined.families) - set(library().families) == {"own_attributes", "department_shares"}
    assert workspace_library(shop()).families == library().families
