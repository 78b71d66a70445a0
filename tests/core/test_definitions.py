"""Definitions are read with lines, and all their problems at once."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, Field

from aimwell.core.definitions import Definition, parse_definitions, read_definitions
from aimwell.core.errors import BadDefinition


class Window(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    days: int = Field(ge=1)


class Example(Definition):
    folder: ClassVar[str] = "examples"
    size: int = Field(ge=1)
    window: Window
    kind: str = "plain"


def test_five_mistakes_are_all_reported_with_file_and_line() -> None:
    text = "name: Bad Name\nsize: none\nwindow:\n  days: 0\n  hours: 3\nknd: plain\n"
    with pytest.raises(BadDefinition) as caught:
        parse_definitions(text, "examples/a.yaml", Example, name="a")
    problems = caught.value.problems
    assert [(problem.file, problem.line) for problem in problems] == [
        ("examples/a.yaml", 1),
        ("examples/a.yaml", 2),
        ("examples/a.yaml", 4),
        ("examples/a.yaml", 5),
        ("examples/a.yaml", 6),
    ]
    assert "did you mean 'kind'" in str(problems[-1])


def test_a_missing_key_is_reported_on_the_line_of_its_owner() -> None:
    with pytest.raises(BadDefinition) as caught:
        parse_definitions("size: 2\nwindow: {}\n", "a.yaml", Example, name="a")
    assert [(problem.line, problem.path) for problem in caught.value.problems] == [(2, "window.days")]


def test_a_key_given_twice_is_a_problem_and_not_silently_the_last() -> None:
    with pytest.raises(BadDefinition, match="given twice"):
        parse_definitions("size: 2\nsize: 3\nwindow: {days: 1}\n", "a.yaml", Example, name="a")


def test_broken_yaml_names_its_line() -> None:
    with pytest.raises(BadDefinition) as caught:
        parse_definitions("size: [1\nwindow: {days: 1}\n", "a.yaml", Example, name="a")
    assert caught.value.problems[0].line is not None


def test_the_name_is_the_file_unless_given_and_a_list_holds_several(tmp_path: Path) -> None:
    folder = tmp_path / "examples"
    folder.mkdir()
    (folder / "first.yaml").write_text("size: 1\nwindow: {days: 1}\n", encoding="utf-8")
    (folder / "more.yaml").write_text(
        "- {name: second, size: 1, window: {days: 1}}\n- {name: third, size: 1, window: {days: 2}}\n", encoding="utf-8"
    )
    assert sorted(read_definitions(tmp_path, Example)) == ["first", "second", "third"]


def test_problems_of_all_files_come_together(tmp_path: Path) -> None:
    folder = tmp_path / "examples"
    folder.mkdir()
    (folder / "a.yaml").write_text("size: 0\nwindow: {days: 1}\n", encoding="utf-8")
    (folder / "b.yaml").write_text("", encoding="utf-8")
    (folder / "c.yaml").write_bytes("size: 1\nwindow: {days: 1} # 价格\n".encode("gbk"))
    with pytest.raises(BadDefinition) as caught:
        read_definitions(tmp_path, Example)
    assert [problem.file for problem in caught.value.problems] == [f"examples/{name}.yaml" for name in "abc"]


def test_two_definitions_of_one_name_clash(tmp_path: Path) -> None:
    folder = tmp_path / "examples"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.yaml").write_text("name: same\nsize: 1\nwindow: {days: 1}\n", encoding="utf-8")
    with pytest.raises(BadDefinition, match="already defined in"):
        read_definitions(tmp_path, Example)
