"""The tags that the examples ship: all can be read, and on the simulated workspaces all have a value for someone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from aimwell.core.time import zone
from aimwell.insight.features.build import Features
from aimwell.insight.tags.own import own_tags
from aimwell.insight.tags.things import write_thing_tags
from aimwell.simulation.markets import MARKETS
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.store.workspace import open_workspace

EXAMPLES = Path(__file__).parents[3] / "examples"
SHANGHAI = zone("Asia/Shanghai")
CUT = datetime(2025, 9, 1, tzinfo=SHANGHAI)


@pytest.mark.parametrize("name", sorted(path.parent.name for path in EXAMPLES.glob("*/tags")))
def test_example_tags_can_be_read(name: str) -> None:
    assert own_tags(open_workspace(EXAMPLES / name)).definitions


@pytest.mark.parametrize("name", ["bank", "complete_journey", "shop"])
def test_the_large_examples_show_every_way_to_make_a_tag(name: str) -> None:
    own = own_tags(open_workspace(EXAMPLES / name))
    assert {tag.of for tag in own.definitions.values()} >= {"customer", "product"}
    ways = {
        "formula" if tag.formula else "tiers" if tag.tiers else "rule" if tag.rule else "list"
        for tag in own.definitions.values()
    }
    assert ways == {"formula", "rule", "tiers", "list"}


@pytest.mark.parametrize(("name", "customers"), [("bank", 1_200), ("shop", 700)])
def test_example_tags_have_a_value_for_someone(name: str, customers: int) -> None:
    own = own_tags(open_workspace(EXAMPLES / name))
    engine = DuckEngine(threads=2)
    for table, rows in MARKETS[name].simulate(3, customers).tables.items():
        engine.write(table, rows)
    with Warehouse(engine, SHANGHAI) as warehouse:
        assert write_thing_tags(warehouse, own, CUT)["product_tag"] > 0
        history = warehouse.history(CUT)
        engine.write("everyone", history.to_arrow("SELECT customer_id FROM customer"))
        names = list(own.of("customer"))
        rows = Features(history, own.library).to_arrow("everyone", names)
    for tag in names:
        found = set(rows[tag].to_pylist()) - {None, own.library.column(tag).empty}
        assert found, tag
        if words := own.library.column(tag).words:
            assert found <= set(words)
