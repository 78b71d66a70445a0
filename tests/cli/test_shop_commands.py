"""The verbs on a small shop: look, load, tag, segment."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from tests.cli.conftest import Run

from aimwell.cli.audience_files import write_table
from aimwell.core.errors import BadQuestion


def test_unknown_files_are_proposed_saved_and_loaded(run: Run, shop: Path) -> None:
    (shop / "sources" / "orders.yaml").unlink()
    said = run("--workspace", str(shop), "source", "check", "orders.csv", "--save")
    assert said.code == 0, said.err
    assert "purchase" in said.out
    loaded = run("--json", "--workspace", str(shop), "source", "load")
    assert loaded.code == 0, loaded.err
    assert isinstance(loaded.json, dict)
    assert loaded.json["changed"] is True


def test_loading_reports_the_books_keeps_what_it_refused_and_adds_nothing_twice(run: Run, shop: Path) -> None:
    first = run("--json", "--workspace", str(shop), "source", "load")
    assert first.code == 0, first.err
    assert isinstance(first.json, dict)
    tally = first.json["sources"][0]["tables"][0]["tally"]
    assert (tally["read"], tally["kept"], sum(tally["rejected"].values())) == (401, 400, 1)
    refused = run("--json", "--workspace", str(shop), "source", "rejects")
    assert isinstance(refused.json, list)
    assert "yesterday" in refused.json[0]["raw"]
    assert "Nothing new" in run("source", "load", "-w", str(shop), "-l", "en").out
    assert "没有新内容" in run("source", "load", "-w", str(shop), "-l", "zh").out


def test_tags_say_what_is_missing(run: Run, shop: Path) -> None:
    run("--workspace", str(shop), "source", "load")
    said = run("--json", "--workspace", str(shop), "tags")
    assert isinstance(said.json, list)
    by_name = {tag["name"]: tag for tag in said.json}
    assert by_name["spend_28d"]["missing"] == []
    assert any(tag["missing"] for tag in said.json)
    assert all(tag["label"]["zh"] and tag["label"]["en"] for tag in said.json)


def test_segments_are_built_listed_and_written(run: Run, shop: Path, tmp_path: Path) -> None:
    run("--workspace", str(shop), "source", "load")
    built = run("--json", "--workspace", str(shop), "segment", "refresh")
    assert built.code == 0, built.err
    assert isinstance(built.json, list)
    members = built.json[0]["members"]
    assert 0 < members < 60
    listed = run("--json", "--workspace", str(shop), "segment", "list")
    assert isinstance(listed.json, list)
    assert listed.json[0]["members"] == members
    out = tmp_path / "recent.parquet"
    assert run("--workspace", str(shop), "segment", "members", "recent", "--out", str(out)).code == 0
    assert pyarrow.parquet.read_table(out).num_rows == members


def test_an_unknown_segment_names_the_known_ones(run: Run, shop: Path) -> None:
    said = run("--workspace", str(shop), "segment", "members", "nobody")
    assert said.code == 2
    assert "recent" in said.err


def test_nothing_loaded_yet_is_said_plainly(run: Run, shop: Path) -> None:
    said = run("--workspace", str(shop), "segment", "refresh")
    assert said.code == 1
    assert "Load a source first" in said.err


def test_lists_are_safe_to_open_in_a_spreadsheet(tmp_path: Path) -> None:
    rows = pa.table({"customer_id": ["=1+1", "+86", "-3", "@x", "plain", None], "value": [1.0] * 6})
    text = write_table(rows, tmp_path / "list.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    for cell in ('"\'=1+1"', '"\'+86"', '"\'-3"', '"\'@x"', '"plain"'):
        assert cell.encode() in text
    with pytest.raises(BadQuestion, match=r"\.csv or \.parquet"):
        write_table(rows, tmp_path / "list.xlsx")
