"""JSON lines: digits as written, nested objects whole and in parts, lines that are no object set aside."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.store.sources.workbench import write

from aimwell.core.errors import BadSource
from aimwell.store.sources.readers.json_lines import JSON_LINES, JsonLinesRead
from aimwell.store.sources.reading import Batch


def batch(folder: Path, text: str, encoding: str = "utf-8") -> Batch:
    write(folder, "a.jsonl", text, encoding)
    read = JsonLinesRead(path="a.jsonl")
    found = list(JSON_LINES.batches(JSON_LINES.pieces(read, folder, None)[0], read))
    assert len(found) == 1
    return found[0]


def test_values_keep_what_was_written(tmp_path: Path) -> None:
    text = (
        '{"id": 12345678901234567890, "paid": 0.10, "ok": true, "tags": [1, "b"], "user": {"id": 7, "in": {"x": null}}}'
    )
    assert batch(tmp_path, text).rows.to_pylist() == [
        {
            "id": "12345678901234567890",
            "paid": "0.10",
            "ok": "true",
            "tags": '[1, "b"]',
            "user": '{"id": 7, "in": {"x": null}}',
            "user.id": "7",
            "user.in": '{"x": null}',
            "user.in.x": None,
        }
    ]


def test_rows_may_lack_columns_that_others_have(tmp_path: Path) -> None:
    assert batch(tmp_path, '{"a": 1}\n{"b": 2}\n').rows.to_pylist() == [{"a": "1", "b": None}, {"a": None, "b": "2"}]


def test_lines_that_are_no_object_are_set_aside_with_their_number(tmp_path: Path) -> None:
    found = batch(tmp_path, '{"a": 1}\n\n{"a": \n[1]\n{"a": 2}\n', "utf-8-sig")
    assert [(row.number, row.text) for row in found.broken] == [(3, '{"a":'), (4, "[1]")]
    assert found.numbers.to_pylist() == [1, 5]


def test_one_json_list_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="one object a line"):
        batch(tmp_path, '[\n{"a": 1}\n]\n')
