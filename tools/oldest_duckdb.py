"""Run the tests of the store and of rules on the oldest DuckDB that `pyproject.toml` promises.

Usage: .venv/bin/python tools/oldest_duckdb.py [pytest arguments]

That DuckDB is installed beside the environment, in `.cache`, and put before its own; nothing else changes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ["tests/store/warehouse", "tests/store/sources", "tests/insight/rules"]


def main(arguments: list[str]) -> int:
    """Install the oldest DuckDB where it is missing, then run the tests with it; the exit code is pytest's."""
    version = oldest(ROOT / "pyproject.toml")
    place = ROOT / ".cache" / f"duckdb-{version}"
    if not (place / "duckdb").is_dir():
        uv = Path(sys.executable).with_name("uv")
        installer = [str(uv), "pip"] if uv.exists() else [sys.executable, "-m", "pip"]
        done = subprocess.run(
            [*installer, "install", "--quiet", "--target", str(place), f"duckdb=={version}"], check=False
        )
        if done.returncode:
            sys.exit(f"DuckDB {version} could not be installed: see the installer's words above.")
    print(f"DuckDB {version}, the oldest that is promised:", flush=True)
    environment = {**os.environ, "PYTHONPATH": str(place)}
    told = [sys.executable, "-c", "import duckdb; print(duckdb.__version__)"]
    found = subprocess.run(told, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    if found != version:
        sys.exit(f"The tests would run on DuckDB {found}: remove {place} and type the same command again.")
    left_out = "spark or slow or browser or kill or postgres"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-m", f"not ({left_out})", *TESTS, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def oldest(project: Path) -> str:
    """The lower bound of the dependency on DuckDB."""
    listed = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    found = [match[1] for each in listed if (match := re.match(r"duckdb>=([\d.]+)", each))]
    if len(found) != 1:
        sys.exit(f"{project} does not say which DuckDB is the oldest: write it as duckdb>=VERSION.")
    return found[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
