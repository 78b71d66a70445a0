"""Ctrl-C, wherever it strikes: one sentence, exit code 130, and nothing half done."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from tests.cli.conftest import Run
from tests.cli.test_json import COMES

from aimwell.cli.console import Session
from aimwell.core.progress import Progress

CANCELLED = "Cancelled: what was finished stays, nothing is left half done."


def interrupt_at(monkeypatch: pytest.MonkeyPatch, call: int) -> Callable[[], int]:
    """Press Ctrl-C at that call of the progress bar; returns how many calls there have been."""
    calls = 0

    def tell(_what: str, _done: float) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            signal.raise_signal(signal.SIGINT)

    @contextmanager
    def progress(_session: Session, _title: str) -> Iterator[Progress]:
        yield tell

    monkeypatch.setattr(Session, "progress", progress)
    return lambda: calls


def content(folder: Path) -> dict[str, object]:
    """Every table of the warehouse and every file beside it."""
    found: dict[str, object] = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "warehouse" not in path.name
    }
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        for (name,) in connection.execute("SELECT table_name FROM information_schema.tables").fetchall():
            rows = connection.execute(f'SELECT * FROM "{name}"').fetchall()
            found[name] = sorted(map(str, rows))
    return found


@pytest.mark.parametrize(
    ("words", "before"),
    [("source load", []), ("segment refresh", ["source load"]), ("prediction train comes", ["source load"])],
)
def test_an_interrupt_at_any_step_leaves_what_was_there(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch, words: str, before: list[str]
) -> None:
    monkeypatch.chdir(shop)
    (shop / "predictions" / "comes.yaml").write_text(COMES, encoding="utf-8")
    assert all(run(*each.split()).code == 0 for each in before)
    assert run("source", "list").code == 0
    run("source", "rejects")  # makes the warehouse, if nothing was loaded
    then = content(shop)
    for call in (1, 3, 9, 27, 81):
        with monkeypatch.context() as patch:
            calls = interrupt_at(patch, call)
            said = run(*words.split(), "-l", "en")
        if calls() < call:
            break
        assert (said.code, said.err.strip()) == (130, CANCELLED), call
        assert content(shop) == then or call == calls()


@pytest.mark.parametrize("shape", [RuntimeError("Query interrupted"), ValueError("reading failed: KeyboardInterrupt")])
def test_whatever_comes_up_after_an_interrupt_is_the_interrupt(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch, shape: Exception
) -> None:
    def load(*_: object, **__: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise shape from None

    monkeypatch.setattr("aimwell.cli.commands.source.load", load)
    said = run("source", "load", "-w", str(shop), "--json")
    assert said.code == 130
    assert said.out == ""
    assert json.loads(said.err)["error"] == "Cancelled"


def test_without_an_interrupt_an_error_stays_what_it_is(run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object, **__: object) -> None:
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr("aimwell.cli.commands.source.load", load)
    with pytest.raises(RuntimeError, match="Query interrupted"):
        run("source", "load", "-w", str(shop))
