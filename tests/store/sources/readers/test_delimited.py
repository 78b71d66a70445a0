"""CSV in the wild: signs, quotes, marks, packed files, rows of the wrong width, and no header."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tests.store.sources.workbench import write

from aimwell.core.errors import BadSource
from aimwell.store.sources.readers import delimited
from aimwell.store.sources.readers.delimited import CSV, CsvRead
from aimwell.store.sources.reading import Batch


def batches(folder: Path, path: str = "a.csv", **options: object) -> list[Batch]:
    read = CsvRead.model_validate({"path": path, **options})
    return [batch for piece in CSV.pieces(read, folder, None) for batch in CSV.batches(piece, read)]


def rows(folder: Path, path: str = "a.csv", **options: object) -> list[dict[str, object]]:
    return [row for batch in batches(folder, path, **options) for row in batch.rows.to_pylist()]


@pytest.mark.parametrize(("sign", "path"), [(";", "a.csv"), ("|", "a.csv"), ("\t", "a.tsv")])
def test_the_delimiter_is_given_or_said_by_the_ending(tmp_path: Path, sign: str, path: str) -> None:
    write(tmp_path, path, f"a{sign}b\n1{sign}2\n")
    options = {} if path.endswith("tsv") else {"delimiter": sign}
    assert rows(tmp_path, path, **options) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030", "utf-8", "utf-16-le"])
def test_marks_and_encodings_leave_no_trace_in_names_or_values(tmp_path: Path, encoding: str) -> None:
    write(tmp_path, "a.csv", "订单,客户\n1,张三\n2,李四\n", encoding)
    assert rows(tmp_path) == [{"订单": "1", "客户": "张三"}, {"订单": "2", "客户": "李四"}]


def test_rows_of_the_wrong_width_are_set_aside_and_all_rows_keep_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "_BLOCK", 64)  # several blocks, so that rows ahead of a batch are set aside early
    broken = {3, 4, 17, 40}
    lines = [str(number) if number in broken else f"{number},x" for number in range(1, 41)]
    write(tmp_path, "a.csv", "\n".join(["a,b", *lines]) + "\n")
    found = batches(tmp_path)
    assert len(found) > 2
    aside = {row.number: row.text for batch in found for row in batch.broken}
    assert aside == {number: str(number) for number in broken}
    for batch in found:
        assert batch.rows.column("a").to_pylist() == [str(number) for number in batch.numbers.to_pylist()]


def test_line_breaks_inside_quotes_belong_to_the_value(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", 'a,b\n"x\ny","he said ""no"""\n')
    assert rows(tmp_path) == [{"a": "x\ny", "b": 'he said "no"'}]


def test_quotes_may_be_plain_signs(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", 'a,b\n5" nail,2\n')
    assert rows(tmp_path, quote=None) == [{"a": '5" nail', "b": "2"}]


def test_files_may_be_packed_and_start_below_other_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress("# export\n\na,b\n1,2\n".encode("gb18030")))
    assert rows(tmp_path, "a.csv.gz", skip_rows=2) == [{"a": "1", "b": "2"}]


def test_files_without_a_header_get_names(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "1,2\n3,4\n")
    assert rows(tmp_path, header=False) == [{"column 1": "1", "column 2": "2"}, {"column 1": "3", "column 2": "4"}]
    assert rows(tmp_path, header=False, names=("x", "y"))[0] == {"x": "1", "y": "2"}


def test_repeated_and_empty_header_cells_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "id,,id, name \n1,2,3,4\n")
    assert rows(tmp_path) == [{"id": "1", "column 2": "2", "id (2)": "3", "name": "4"}]


def test_a_file_with_a_header_alone_has_no_rows_and_an_empty_one_no_columns(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "a,b\n")
    write(tmp_path, "b.csv", "")
    assert rows(tmp_path) == []
    read = CsvRead(path="b.csv")
    assert CSV.columns(CSV.pieces(read, tmp_path, None)[0], read) == ()
    assert rows(tmp_path, "b.csv") == []


def test_an_encoding_that_is_named_must_be_the_right_one(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "a,b\n1,张\n", "gb18030")
    with pytest.raises(BadSource, match="not written in utf-8"):
        rows(tmp_path, encoding="utf-8")
    assert rows(tmp_path, encoding="gb18030") == [{"a": "1", "b": "张"}]


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "a,b\n1,2\n\n3,4\n\n")
    assert [row["a"] for row in rows(tmp_path)] == ["1", "3"]
