"""Extensions are found in their folder and by entry point, on one road."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimwell.core import registry
from aimwell.core.registry import ClashingExtensions, discover
from aimwell.core.text import Text


class _Point:
    def __init__(self, name: str, module: str) -> None:
        self.name, self.module = name, module


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    package = tmp_path / "found_here"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    yield package
    for name in [name for name in sys.modules if name.startswith(("found_here", "third_party_words"))]:
        del sys.modules[name]


def _write(folder: Path, name: str, english: str) -> None:
    folder.joinpath(f"{name}.py").write_text(
        f"from aimwell.core.text import Text\nVALUE = Text('{english}', '{english}')\n"
    )


def _found(package: str) -> dict[str, str]:
    found = discover(Text, package, named=lambda text: text.en, group="aimwell.words")
    return {name: extension.module for name, extension in found.items()}


def test_a_new_file_in_the_folder_is_found(folder: Path) -> None:
    _write(folder, "one", "one")
    _write(folder, "two", "two")
    assert _found("found_here") == {"one": "found_here.one", "two": "found_here.two"}


def test_a_third_party_comes_by_entry_point(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(folder, "one", "one")
    _write(folder.parent, "third_party_words", "foreign")
    monkeypatch.setattr(registry, "entry_points", lambda group: [_Point("x", "third_party_words")])
    assert _found("found_here") == {"one": "found_here.one", "foreign": "third_party_words"}


def test_two_extensions_of_one_name_are_refused(folder: Path) -> None:
    _write(folder, "one", "same")
    _write(folder, "two", "same")
    with pytest.raises(ClashingExtensions, match=r"found_here\.one and found_here\.two"):
        _found("found_here")
