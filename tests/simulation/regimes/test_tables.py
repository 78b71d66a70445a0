"""Days of the market as canonical tables, as files and as messages: labelled, complete, and the same money."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as arrow_parquet
import pytest
from tests.simulation.regimes.policies import by_lot, to_everyone

from aimwell.core.errors import BadQuestion
from aimwell.core.tables import TABLES
from aimwell.simulation.regimes.__main__ import main
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.messages import Messages
from aimwell.simulation.regimes.posts import day_messages, introductions
from aimwell.simulation.regimes.regime import regimes_digest
from aimwell.simulation.regimes.tables import day_tables, write_run
from aimwell.store.intake.messages import Message, parse_message


def played(folder: Path) -> dict[str, int]:
    market, chance = Marketplace.open("difference_and_fatigue", 400, 7, business="shop"), np.random.default_rng(7)
    return dict(write_run(folder, market, 12, lambda each: by_lot(each, chance, share=0.3)))


def test_the_files_hold_canonical_tables_with_unique_keys_that_say_that_they_are_simulated(tmp_path: Path) -> None:
    rows = played(tmp_path)
    files = sorted((tmp_path / "data").iterdir())
    assert {file.stem for file in files} == set(rows)
    tables = {file.stem: arrow_parquet.read_table(file) for file in files}
    for name, table in tables.items():
        declared = TABLES[name]
        assert table.num_rows == rows[name] > 0
        assert [table[column].null_count for column in declared.required] == [0] * len(declared.required)
        key = [column for column in declared.key if column in table.column_names]
        assert table.group_by(key).aggregate([]).num_rows == table.num_rows
        metadata = table.schema.metadata
        assert metadata[b"simulated"] == b"true"
        assert metadata[b"regimes_digest"].decode() == regimes_digest()
        for column, other in declared.references.items():
            if column in table.column_names:
                known = tables[other][TABLES[other].key[0]]
                assert pc.all(pc.is_in(pc.unique(table[column]), pc.unique(known))).as_py()
    assert sorted(file.name for file in (tmp_path / "truth").iterdir()) == ["customers.parquet"]


def test_products_say_in_their_names_and_categories_what_they_are(tmp_path: Path) -> None:
    played(tmp_path)
    products = arrow_parquet.read_table(tmp_path / "data" / "product.parquet").to_pylist()
    for product in products:
        assert product["name"].startswith(json.loads(product["properties"])["theme"])
        assert product["available_until"] is None or product["available_since"] < product["available_until"]
    bank = Marketplace.open("difference_and_fatigue", 1, 7)
    table = bank.shelf.table(bank.business, bank.first_day)
    assert table["risk_level"].null_count == 0
    assert set(table["risk_level"].to_pylist()) == {1, 2, 3, 4, 5}
    assert table["term_days"].null_count < table.num_rows


def test_tables_tell_the_same_money_as_the_day() -> None:
    market = Marketplace.open("difference_and_fatigue", 3_000, 7, business="shop")
    day = market.step(to_everyone(market, "beauty", channel=2, depth=0.1))
    tables = day_tables(market, day)
    paid = int(sum(tables["purchase"]["amount"].to_pylist()) * 100)
    off = int(sum(tables["purchase"]["discount"].to_pylist()) * 100)
    assert paid + off == day.purchases.price.sum()
    assert off == day.purchases.discount.sum()
    assert int(sum(tables["touch"]["cost"].to_pylist()) * 100) == day.spent
    kinds = tables["outcome"]["kind"].to_pylist()
    assert kinds.count("delivered") == tables["touch"].num_rows == day.answers.delivered.sum()
    assert kinds.count("opened") == day.answers.seen.sum()
    assert kinds.count("redeemed") == (day.purchases.message >= 0).sum()


def test_messages_are_taken_by_the_event_api_in_the_order_of_time_and_each_says_that_it_is_simulated() -> None:
    market = Marketplace.open("nothing_to_find", 200, 7)
    for _ in range(10):
        market.step()
    day = market.step(Messages.none())
    posts = list(day_messages(market, day))
    assert len(posts) == len(day.arrived) + len(day.views) + len(day.purchases)
    known = list(introductions(market, np.arange(200)))
    stamps = [str(post["timestamp"]) for post in posts if post["type"] == "track"]
    assert stamps == sorted(stamps)
    ids = {str(post["messageId"]) for post in [*posts, *known]}
    assert len(ids) == len(posts) + len(known)
    for post in [*posts, *known]:
        assert post["context"] == {"simulated": True}
        assert isinstance(parse_message(post, received_at=datetime(2026, 12, 1, tzinfo=UTC)), Message)
    orders = [post["properties"] for post in posts if post.get("event") == "order_completed"]
    paid = sum(round(each["amount"] * 100) for each in orders if isinstance(each, dict))
    assert paid == (day.purchases.price - day.purchases.discount).sum()


def test_more_days_than_there_are_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(BadQuestion, match="cannot be played"):
        write_run(tmp_path, Marketplace.open("sure_things", 3, 7, days=5), 6)


@pytest.mark.parametrize("customers", ["0", "1", "40"])
def test_the_command_writes_files_and_says_that_they_are_simulated(
    customers: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "--customers", customers, "--days", "5", "--regime", "change_in_third_month"]) == 0
    assert "not real" in capsys.readouterr().out
    assert (tmp_path / "truth" / "customers_changed.parquet").is_file()
    assert main([str(tmp_path), "--customers", customers, "--days", "5", "--messages"]) == 0
    lines = (tmp_path / "data" / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) >= int(customers)
    assert main([str(tmp_path), "--customers", customers, "--days", "500"]) == 1
