"""Databases: tables and queries by an address from the environment, read from a watermark on, and never shown."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from aimwell.core.errors import AimwellError, BadSource, Unavailable
from aimwell.store.sources.readers.database import DATABASE, DatabaseRead
from aimwell.store.sources.reading import Batch

TABLE: dict[str, object] = {"table": "orders"}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER, paid NUMERIC(10, 2), at DATETIME)")
        found = [(n, n * 1.5, f"2024-05-{n:02d} 08:00:00.000000") for n in range(1, 6)]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", found)
    connection.close()
    monkeypatch.setenv("SHOP_DB_URL", f"sqlite:///{path}")
    return path


def batches(options: dict[str, object], mark: str | None = None) -> list[Batch]:
    read = DatabaseRead.model_validate({"format": "database", "url_env": "SHOP_DB_URL", **options})
    pieces = DATABASE.pieces(read, Path(), mark)
    return list(DATABASE.batches(pieces[0], read))


@pytest.mark.usefixtures("shop")
def test_a_table_and_a_query_give_the_same_rows() -> None:
    table = batches(TABLE)[0].rows
    query = batches({"query": "SELECT * FROM orders WHERE id > 0;"})[0].rows
    assert table.column("id").to_pylist() == query.column("id").to_pylist() == ["1", "2", "3", "4", "5"]
    assert table.column("at")[0].as_py() == "2024-05-01T08:00:00"
    assert table.column("paid")[1].as_py() in {"3.0", "3.00", "3"}


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("options", "mark", "ids"),
    [
        ({**TABLE, "watermark": "id"}, "int:4", ["4", "5"]),
        ({**TABLE, "watermark": "at"}, "datetime:2024-05-05T08:00:00", ["5"]),
        ({"query": "SELECT id, paid FROM orders", "watermark": "id"}, "int:5", ["5"]),
    ],
)
def test_reading_goes_on_at_the_watermark(options: dict[str, object], mark: str, ids: list[str]) -> None:
    assert batches(options, mark)[0].rows.column("id").to_pylist() == ids
    highest = {"int": "int:5", "datetime": "datetime:2024-05-05T08:00:00"}
    assert batches(options)[-1].mark == highest[mark.split(":", maxsplit=1)[0]]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"table": "order"}, "no table 'order'"),
        ({**TABLE, "watermark": "ID2"}, "no column 'ID2'"),
        ({"query": "SELECT nothing FROM orders"}, "did not answer"),
    ],
)
def test_what_is_not_there_is_named(options: dict[str, object], said: str) -> None:
    read = DatabaseRead.model_validate({"format": "database", "url_env": "SHOP_DB_URL", **options})
    with pytest.raises((BadSource, Unavailable), match=said):
        DATABASE.columns(DATABASE.pieces(read, Path(), None)[0], read)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+nodriver://me:s3cret@db/shop",
        "sqlite:////nowhere/s3cret/x.db",
        "s3cret",
        "mysql+pymysql://me:s3cret@db/shop",
    ],
)
def test_no_message_shows_the_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DB_URL", address)
    with pytest.raises(AimwellError) as refused:
        batches(TABLE)
    assert "s3cret" not in str(refused.value)
    assert "SHOP_DB_URL" in str(refused.value)
    chain: BaseException | None = refused.value
    while chain is not None:
        assert "s3cret" not in str(chain)
        chain = chain.__cause__


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_DB_URL", raising=False)
    with pytest.raises(Unavailable, match="SHOP_DB_URL is not set"):
        batches(TABLE)


@pytest.mark.usefixtures("shop")
def test_a_query_changes_nothing(shop: Path) -> None:
    with pytest.raises(AimwellError):
        batches({"query": "WITH x AS (SELECT 1) DELETE FROM orders"})
    with sqlite3.connect(shop) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (5,)
    connection.close()
