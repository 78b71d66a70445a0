"""Making a workspace, checking it, and clear ends of every kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from typer.core import TyperGroup
from typer.main import get_command

from aimwell.cli.definition_kinds import kinds, schema_of
from aimwell.cli.examples import example_names
from aimwell.cli.main import build


def _commands(group: object, before: str = "aimwell") -> list[str]:
    if not isinstance(group, TyperGroup):
        return [before]
    return [name for word, each in group.commands.items() for name in _commands(each, f"{before} {word}")]


def test_every_command_is_documented_and_says_what_it_does() -> None:
    page = Path("docs/cli.md").read_text(encoding="utf-8")
    commands = _commands(get_command(build()))
    assert len(commands) > 20
    assert [command for command in commands if f"`{command}`" not in page] == []


def test_a_new_workspace_has_a_place_for_every_kind_of_definition(run: Run, tmp_path: Path) -> None:
    said = run("--json", "init", str(tmp_path / "w"))
    assert said.code == 0
    assert isinstance(said.json, dict)
    assert {kind.folder for kind in kinds().values()} <= {path.name for path in (tmp_path / "w").iterdir()}
    assert run("--workspace", str(tmp_path / "w"), "check").code == 0


def test_a_workspace_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    run("init", str(tmp_path / "w"))
    again = run("init", str(tmp_path / "w"))
    assert again.code == 2
    assert "already a workspace" in again.err


@pytest.mark.parametrize("name", example_names())
def test_the_definitions_of_every_example_are_in_order(run: Run, tmp_path: Path, name: str) -> None:
    assert run("init", str(tmp_path / name), "--example", name).code == 0
    said = run("--json", "--workspace", str(tmp_path / name), "check")
    assert said.code == 0, said.err


def test_bad_settings_are_refused_with_the_remedy_and_leave_nothing(run: Run, tmp_path: Path) -> None:
    said = run("init", str(tmp_path / "w"), "--timezone", "Mars/Olympus")
    assert said.code == 2
    assert "Mars/Olympus" in said.err
    assert not (tmp_path / "w" / "aimwell.toml").exists()


def test_a_folder_without_settings_says_how_to_make_a_workspace(run: Run, tmp_path: Path) -> None:
    said = run("--workspace", str(tmp_path), "check")
    assert said.code == 2
    assert "aimwell init" in said.err


def test_all_problems_of_all_kinds_come_together_as_json(run: Run, shop: Path) -> None:
    (shop / "segments" / "wrong.yaml").write_text("kind: odd\nrul: {all: []}\n", encoding="utf-8")
    (shop / "sources" / "wrong.yaml").write_text("tables: []\n", encoding="utf-8")
    said = run("--json", "--workspace", str(shop), "check")
    assert said.code == 2
    problems = json.loads(said.err)["problems"]
    assert {problem["file"] for problem in problems} == {"segments/wrong.yaml", "sources/wrong.yaml"}
    assert all(problem["line"] for problem in problems)


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_kind_of_definition_publishes_its_schema(kind: str) -> None:
    schema = json.loads(schema_of(kind))
    assert schema["$schema"].endswith("2020-12/schema")
    assert "name" in schema["properties"]


def test_an_unknown_kind_names_the_nearest(run: Run) -> None:
    said = run("schema", "segmant")
    assert said.code == 2
    assert "Did you mean 'segment'" in said.err
