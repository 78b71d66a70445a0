"""`aimwell value` on the small shop: everybody, one customer, a list, and who is not there."""

from __future__ import annotations

from pathlib import Path

import pyarrow.csv
import pytest
from tests.cli.conftest import Run


def test_everybody_one_customer_and_a_list_say_the_same(run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    assert run("source", "load").code == 0
    said = run("value", "--days", "28", "--out", "value.csv", "--json")
    assert (said.code, said.err) == (0, "")
    found = said.json
    assert isinstance(found, dict)
    rows = pyarrow.csv.read_csv("value.csv").to_pylist()
    assert len(rows) == found["people"]
    assert sum(row["lifetime_value"] for row in rows) == pytest.approx(found["lifetime_value"]["value"], abs=1)
    assert sum(row["orders"] for row in rows) == pytest.approx(found["orders"])
    assert {(row["days"], row["currency"]) for row in rows} == {(28, "CNY")}
    first = found["best"][0]
    one = run("value", first["customer_id"], "--days", "28", "--json").json
    assert isinstance(one, dict)
    assert {name: one[name] for name in first} == first
    told = run("value", first["customer_id"], "-l", "en")
    assert f"{first['customer_id']}: place 1 of {found['people']}" in told.out
    assert "RFM group" in run("value", "-l", "en").out
    assert "三年价值" in run("value", first["customer_id"], "-l", "zh").out
    stranger = run("value", "nobody")
    assert stranger.code == 2
    assert "'nobody' may bring" in stranger.err
