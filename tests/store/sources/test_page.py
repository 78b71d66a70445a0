"""The page about sources tells the truth: its example is a valid source, and it names every reader and its keys."""

from __future__ import annotations

import re
from pathlib import Path

from tests.store.sources.workbench import source

from aimwell.store.sources.expression import WORDS
from aimwell.store.sources.reading import FileRead, Read, readers

PAGE = (Path(__file__).parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")


def test_the_example_is_a_source() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert [table.table for table in source(examples[0]).tables] == ["purchase", "customer"]


def test_every_reader_stands_in_the_table_with_its_keys() -> None:
    lines = {cells[1].strip(): cells[3] for cells in (line.split("|") for line in PAGE.splitlines()) if len(cells) == 5}
    for name, reader in readers().items():
        own = set(reader.options.model_fields) - set(Read.model_fields) - set(FileRead.model_fields)
        assert {key.strip() for key in lines[name].split(",")} == own


def test_our_words_are_explained() -> None:
    assert all(f"`{word}(" in PAGE for word in WORDS)
