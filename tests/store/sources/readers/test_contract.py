"""What every reader promises, asked of each that is found: the same rows, numbered, in the kinds that it declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.store.sources.readers.formats import ROWS, WRITERS

from aimwell.core.errors import BadSource, Unavailable
from aimwell.store.sources.raw import kind_of
from aimwell.store.sources.reading import FileRead, Piece, Read, readers

READERS = sorted(readers())


def opened(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Read, Piece, int]:
    monkeypatch.setenv("AIMWELL_TEST_DB", f"sqlite:///{folder / 'a.db'}")
    sample = WRITERS[name](folder)
    read = readers()[name].options.model_validate({"format": name, **sample.read})
    pieces = readers()[name].pieces(read, folder, None)
    assert len(pieces) == 1
    return read, pieces[0], sample.rows


def test_every_reader_has_a_sample() -> None:
    assert set(WRITERS) == set(READERS), "write the sample rows of a new reader in formats.py"


@pytest.mark.parametrize("name", READERS)
def test_a_reader_gives_all_rows_numbered_from_one(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, piece, expected = opened(name, tmp_path, monkeypatch)
    batches = list(readers()[name].batches(piece, read))
    numbers = [number for batch in batches for number in batch.numbers.to_pylist()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) == (expected or len(numbers)) > 0
    assert not any(batch.broken for batch in batches)


@pytest.mark.parametrize("name", READERS)
def test_the_columns_of_every_batch_are_those_declared(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = readers()[name]
    read, piece, _ = opened(name, tmp_path, monkeypatch)
    declared = {column.name: column.kind for column in reader.columns(piece, read)}
    for batch in reader.batches(piece, read):
        given = {field.name: field.type for field in batch.rows.schema}
        assert set(given) == set(declared)
        for column, kind in declared.items():
            assert kind == "aware" or kind_of(given[column]) == kind


@pytest.mark.parametrize("name", [name for name in READERS if name != "calendar"])
def test_values_survive_with_their_quotes_commas_and_blanks(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, piece, _ = opened(name, tmp_path, monkeypatch)
    found = [row for batch in readers()[name].batches(piece, read) for row in batch.rows.to_pylist()]
    for seen, written in zip(found, ROWS, strict=True):
        for column, value in written.items():
            assert _like(seen[column], value), (column, seen[column], value)


@pytest.mark.parametrize("name", [name for name in READERS if issubclass(readers()[name].options, FileRead)])
def test_a_file_that_is_not_of_the_format_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    reader: Any = readers()[name]
    (tmp_path / "a.bin").write_bytes(b"\x00\x01\x02\xff\xfe\x81" * 50)
    read = reader.options.model_validate({"format": name, "path": "a.bin"})
    piece = reader.pieces(read, tmp_path, None)[0]
    with pytest.raises((BadSource, Unavailable), match=r"a\.bin"):
        list(reader.batches(piece, read))


@pytest.mark.parametrize("name", READERS)
def test_a_reader_has_a_name_options_and_its_own_endings(name: str) -> None:
    reader = readers()[name]
    assert reader.options.model_fields["format"].default == reader.name == name
    others = {suffix for other in readers().values() if other is not reader for suffix in other.suffixes}
    assert not others & set(reader.suffixes)


def _like(seen: object, written: object) -> bool:
    if written is None:
        return seen in (None, "")
    if isinstance(written, int | float):
        return float(str(seen)) == float(written)
    return seen == written
