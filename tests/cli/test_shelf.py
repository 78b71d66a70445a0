"""All commands are known at once, each file is imported when it is called, and the shared options stand anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from typer.core import TyperGroup
from typer.main import get_command

from aimwell.cli import shelf
from aimwell.cli.command import Commands
from aimwell.cli.main import build
from aimwell.cli.outline import outline_of
from aimwell.cli.shelf import Verb
from aimwell.core import registry
from aimwell.core.registry import ClashingExtensions, instances, module_names

HEAVY = {"scipy", "sklearn", "pandas", "lightgbm", "plotly", "holidays", "duckdb", "pyarrow", "sqlglot"}
FILES = module_names("aimwell.cli.commands", group="aimwell.commands")


def verbs(group: object) -> list[Verb]:
    assert isinstance(group, TyperGroup)
    found = [(each if isinstance(each, Verb) else verbs(each)) for each in group.commands.values()]
    return [verb for each in found for verb in (each if isinstance(each, list) else [each])]


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["segment", "--help"], ["prediction", "--help"]])
def test_asking_for_help_imports_nothing_heavy(words: list[str]) -> None:
    script = (
        "import sys\nfrom aimwell.cli.main import build\n"
        f"try:\n    build()({words!r})\nexcept SystemExit as left:\n    assert left.code == 0\n"
        f"print('heavy:', *sorted({HEAVY!r} & set(sys.modules)))\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "heavy:"


@pytest.mark.parametrize("module", FILES)
def test_the_text_of_a_file_tells_what_it_brings(module: str) -> None:
    outline = outline_of(module)
    (commands,) = instances(import_module(module), Commands)
    assert list(outline.verbs) == [found.name for found in commands.app.registered_commands]
    assert all(outline.verbs.values())
    assert (outline.noun is None) == commands.top_level
    if outline.noun is not None:
        assert (outline.noun, outline.about) == (commands.name, commands.app.info.help)


@pytest.mark.parametrize(
    "verb", verbs(get_command(build())), ids=lambda verb: f"{verb.module.split('.')[-1]}-{verb.name}"
)
def test_every_command_says_how_it_is_used_and_takes_the_shared_options(verb: Verb) -> None:
    real = verb.real
    assert real.help.splitlines()[0] == str(verb.help).splitlines()[0]
    options = {word for param in real.params for word in param.opts}
    assert {"--workspace", "--json", "--quiet", "--language"} <= options


def test_options_behind_a_command_count_as_those_before_it(run: Run, shop: Path) -> None:
    before = run("--workspace", str(shop), "--json", "source", "list")
    behind = run("source", "list", "--json", "-w", str(shop))
    assert before.json == behind.json == [{"name": "orders", "tables": ["purchase"]}]
    assert run("--workspace", "nowhere", "source", "list", "-w", str(shop), "--quiet").out == ""
    said = run("source", "list", "--language", "fr", "-w", str(shop))
    assert said.code == 2
    assert "zh or en" in said.err


def test_the_shell_completes_nouns_verbs_and_options() -> None:
    def completed(words: str) -> str:
        asked = {"_AIMWELL_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": words}
        script = "from aimwell.cli.main import build\nbuild()(prog_name='aimwell')"
        return subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={**os.environ, **asked}
        ).stdout

    assert "segment" in completed("aimwell seg")
    assert "overlap" in completed("aimwell segment ov")
    assert "--table" in completed("aimwell source check --")


THIRD = '''\
"""A verb of a third party."""
import typer
from aimwell.cli.command import Commands, session_of
GREET = Commands("greet", typer.Typer(), top_level=True)
@GREET.app.command({name})
def greet(context: typer.Context) -> None:
    """Say hello."""
    session_of(context).json({{"hello": "world"}})
'''


class _Point:
    name, module = "greet", "third_party_greeting"


@pytest.mark.parametrize("name", ['"greet"', '"gre" + "et"'], ids=["literal", "computed"])
def test_a_third_party_adds_a_verb(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "third_party_greeting.py").write_text(THIRD.format(name=name))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "entry_points", lambda group: [_Point] if group == shelf._ENTRY_POINTS else [])
    try:
        assert "Say hello." in run("--help").out
        assert json.loads(run("greet", "--json").out) == {"hello": "world"}
    finally:
        sys.modules.pop("third_party_greeting", None)


def test_two_commands_of_one_name_are_refused(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "third_party_greeting.py").write_text(THIRD.format(name='"tags"'))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "entry_points", lambda group: [_Point] if group == shelf._ENTRY_POINTS else [])
    with pytest.raises(ClashingExtensions, match="aimwell tags"):
        run("--help")
