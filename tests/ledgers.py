"""Empty ledgers in SQLite for tests: tables copied instead of made, no waiting for the disk, statements compiled once.

To make the tables and to compile statements costs more than most tests do with them. An opened ledger therefore goes
from test to test: its files are made anew for each, its compiled statements stay.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from aimwell.store.ledger.ledger import Ledger, open_ledger

FILES = ("state.db", "events.db")
_spare: list[tuple[Path, Ledger]] = []


@cache
def _folder() -> Path:
    """Where this process keeps its ledgers."""
    made = Path(tempfile.mkdtemp(prefix="aimwell-ledgers-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@cache
def _template() -> Path:
    """A ledger with all tables and nothing in them."""
    place = _folder() / "template"
    open_ledger(place).close()
    return place


def lay_out(place: Path) -> Path:
    """Put an empty ledger into a folder, so that whoever opens it finds its tables made."""
    place.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        for old in place.glob(f"{name}*"):
            old.unlink()
        shutil.copyfile(_template() / name, place / name)
    return place


def careless(ledger: Ledger) -> Ledger:
    """The same ledger without waiting for the disk: for tests in which no power fails."""
    if ledger.backend == "sqlite":
        for engine in (ledger.state, ledger.events):
            event.listen(engine, "connect", _forget_power)
        ledger.close()
    return ledger


def _forget_power(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _remembering(engine: Engine) -> Engine:
    """The same engine, which forgets no statement that it has compiled."""
    return engine.execution_options(compiled_cache={})


@contextmanager
def empty_ledger() -> Iterator[Ledger]:
    """An empty ledger while the block runs; nothing that an earlier block did is in it."""
    if _spare:
        place, ledger = _spare.pop()
        lay_out(place)
    else:
        place = lay_out(Path(tempfile.mkdtemp(dir=_folder())))
        found = careless(open_ledger(place))
        ledger = replace(found, state=_remembering(found.state), events=_remembering(found.events))
    try:
        yield ledger
    finally:
        ledger.close()
        _spare.append((place, ledger))
