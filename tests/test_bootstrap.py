"""The bootstrap installs once, copes without uv, and says in one sentence what a machine lacks."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
Commands = list[list[str]]


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The bootstrap as a module whose checkout is an empty folder with a project file."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "tools" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / ".venv").mkdir()
    for name, place in {"ROOT": ".", "VENV": ".venv", "STAMP": ".venv/aimwell.json", "LOG": ".venv/log"}.items():
        monkeypatch.setattr(module, name, tmp_path / place)
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(module, "get_openmp", lambda: None)
    monkeypatch.setattr(module, "version_of", lambda command: (3, 11))
    monkeypatch.setattr(module, "works", lambda command: True)
    return module


def record(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, *, succeeds: Callable[[str], bool], says: str = ""
) -> Commands:
    """Note each command instead of running it."""
    commands: Commands = []

    def logged(command: Sequence[str]) -> bool:
        commands.append(list(command))
        with module.LOG.open("a") as log:
            log.write(says)
        return succeeds(" ".join(command))

    monkeypatch.setattr(module, "logged", logged)
    return commands


def test_a_second_run_does_nothing(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = record(bootstrap, monkeypatch, succeeds=lambda _: True)
    assert bootstrap.main(["dev"]) == 0
    assert len(commands) == 2
    assert bootstrap.main(["dev"]) == 0
    assert bootstrap.main(["demo"]) == 0
    assert len(commands) == 2


def test_a_changed_project_file_installs_again_and_keeps_what_was_there(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = record(bootstrap, monkeypatch, succeeds=lambda _: True)
    bootstrap.main(["dev"])
    (bootstrap.ROOT / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    bootstrap.main(["demo"])
    assert len(commands) == 4
    assert commands[-1][-2:] == ["--group", "dev"]
    assert json.loads(bootstrap.STAMP.read_text())["parts"] == ["dev"]


def test_the_demonstration_does_not_install_spark(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = record(bootstrap, monkeypatch, succeeds=lambda _: True)
    bootstrap.main(["demo"])
    assert commands[-1][-2:] == ["--editable", ".[demo,fast]"]


def test_a_failed_installation_is_tried_again_next_time(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    record(bootstrap, monkeypatch, succeeds=lambda _: False)
    with pytest.raises(SystemExit):
        bootstrap.main(["dev"])
    commands = record(bootstrap, monkeypatch, succeeds=lambda _: True)
    bootstrap.main(["dev"])
    assert commands


def test_where_uv_cannot_be_had_pip_installs_the_same(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = record(bootstrap, monkeypatch, succeeds=lambda command: "uv" not in command)
    bootstrap.main(["dev"])
    assert commands[-1][1:4] == ["-m", "pip", "install"]
    assert commands[-1][4:] == bootstrap.PARTS["dev"]


def test_where_uv_does_not_manage_pip_tries(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = record(bootstrap, monkeypatch, succeeds=lambda command: "bin/uv pip" not in command)
    bootstrap.main(["demo"])
    assert commands[-1][1:] == ["-m", "pip", "install", "--editable", ".[demo,fast]"]


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        ("NewConnectionError: failed to establish", "registry cannot be reached: connect to the network"),
        ("OSError: No space left on device", "disk of .* is full"),
        ("ERROR: something else", "see the installer's words above"),
    ],
)
def test_a_failed_installation_names_the_remedy(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, says: str, sentence: str
) -> None:
    record(bootstrap, monkeypatch, succeeds=lambda _: False, says=says)
    with pytest.raises(SystemExit, match=sentence):
        bootstrap.main(["dev"])


def test_an_old_python_says_which_one_is_needed(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "version_of", lambda command: (3, 8))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer.*apt-get install python3\.11"):
        bootstrap.main(["demo"])


def test_a_python_without_venv_says_what_to_install(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "works", lambda command: False)
    with pytest.raises(SystemExit, match="`venv` or `ensurepip` are missing.*apt-get install python3-venv"):
        bootstrap.main(["demo"])


def test_an_unknown_part_is_refused(bootstrap: ModuleType) -> None:
    with pytest.raises(SystemExit, match="demo or dev"):
        bootstrap.main(["everything"])
