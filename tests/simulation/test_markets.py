"""What holds for every simulated market, found in the list of markets."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.tables import TABLES
from aimwell.simulation.__main__ import main
from aimwell.simulation.markets import MARKETS, write_market
from aimwell.store.sources.load import load
from aimwell.store.workspace import open_workspace

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", MARKETS)
def test_every_table_has_its_required_columns_and_unique_keys(name: str) -> None:
    for table, rows in MARKETS[name].simulate(3, 200).tables.items():
        declared = TABLES[table]
        assert rows.num_rows > 0
        assert [rows[column].null_count for column in declared.required] == [0] * len(declared.required), table
        key = (*declared.key, declared.known) if declared.shape == "state" else declared.key
        kept = [column for column in dict.fromkeys(key) if column in rows.column_names]
        assert rows.group_by(kept).aggregate([]).num_rows == rows.num_rows, table


@pytest.mark.parametrize("name", MARKETS)
def test_every_reference_is_met_and_nothing_is_known_before_it_happens(name: str) -> None:
    tables = MARKETS[name].simulate(3, 200).tables
    for table, rows in tables.items():
        declared = TABLES[table]
        for column, other in declared.references.items():
            if column in rows.column_names and other in tables:
                target = TABLES[other].key[0]
                used = pc.drop_null(pc.unique(rows[column]))
                assert pc.all(pc.is_in(used, pc.unique(tables[other][target]))).as_py() in {True, None}, (table, column)
        if declared.shape == "fact" and declared.known in rows.column_names:
            assert pc.all(pc.greater_equal(rows[declared.known], rows[declared.occurred])).as_py()


@pytest.mark.slow
@pytest.mark.parametrize("name", MARKETS)
def test_the_example_workspace_loads_the_files_back_into_the_same_tables(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("data", "truth", "*.duckdb*"))
    market = write_market(name, folder, seed=3, customers=40)
    workspace = open_workspace(folder)
    assert workspace.settings.simulated
    with workspace.warehouse() as warehouse:
        load(workspace, warehouse, at=datetime(2026, 1, 15, tzinfo=UTC))
        for table, rows in market.tables.items():
            loaded = warehouse.engine.to_arrow(exp.select("*").from_(table))
            if table == "context":
                loaded = loaded.filter(pc.not_equal(loaded["place"], "CN"))
            assert _ordered(loaded, rows) == _ordered(rows, rows), table
        calendar = warehouse.engine.to_arrow(exp.select("kind").from_("context").where("place = 'CN'"))
        assert set(calendar["kind"].to_pylist()) == {"holiday", "day_off"}


def _ordered(rows: pa.Table, like: pa.Table) -> list[dict[str, object]]:
    kept = rows.select(like.column_names).cast(like.schema)
    ordered: list[dict[str, object]] = kept.sort_by([(name, "ascending") for name in like.column_names]).to_pylist()
    return ordered


def test_truth_lies_beside_the_data_and_not_among_them(tmp_path: Path) -> None:
    write_market("shop", tmp_path, seed=3, customers=30)
    assert sorted(path.name for path in (tmp_path / "truth").iterdir()) == ["customers.parquet", "needs.parquet"]
    assert not list((tmp_path / "data").rglob("*truth*"))


def test_an_unknown_market_or_no_customers_are_refused() -> None:
    with pytest.raises(BadQuestion, match="bank, shop"):
        write_market("casino", Path())
    with pytest.raises(BadQuestion, match="at least one customer"):
        write_market("bank", Path(), customers=0)


def test_one_customer_makes_a_market(tmp_path: Path) -> None:
    for name in MARKETS:
        assert write_market(name, tmp_path / name, customers=1).tables["customer"].num_rows >= 1


def test_the_command_writes_the_files_and_says_that_they_are_simulated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shop", str(tmp_path), "--customers", "20"]) == 0
    assert "not real" in capsys.readouterr().out
    assert (tmp_path / "data" / "orders.csv").is_file()
    assert main(["shop", str(tmp_path), "--customers", "0"]) == 1
