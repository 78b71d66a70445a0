"""DuckDB keeps the contract of an engine, and says in one sentence when its file is taken."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from sqlglot import parse_one
from tests.store.warehouse.engine_contract import CONTRACT

from aimwell.core.errors import QueryFailed, Unavailable
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.engine import Engine


@pytest.mark.parametrize("promise", CONTRACT, ids=lambda promise: promise.__name__)
def test_duckdb_keeps_the_contract(promise: Callable[[Engine], None]) -> None:
    promise(DuckEngine())


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    engine = DuckEngine(tmp_path / "w.duckdb")
    engine.write("kept", pa.table({"id": [1]}))

    def fail_halfway() -> None:
        with engine.transaction():
            engine.append("kept", pa.table({"id": [2]}))
            engine.write("other", pa.table({"id": [3]}))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert engine.to_arrow(parse_one("SELECT * FROM kept")).to_pylist() == [{"id": 1}]
    assert engine.columns("other") == {}
    engine.close()


def test_a_file_that_another_process_holds_is_reported_with_the_remedy(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    holding = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline().strip() == "open"
        with pytest.raises(Unavailable, match="open in another process"):
            DuckEngine(file)
        other.stdin.close()


@pytest.fixture
def heard() -> Iterator[None]:
    """SIGINT is heard, also where whoever started the tests had it ignored (as a shell does for what is behind `&`)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("after", [0.0, 0.01, 0.3])
def test_an_interrupt_within_a_statement_ends_it(after: float) -> None:
    engine = DuckEngine()
    slow = parse_one("SELECT sum(a.range * b.range) AS n FROM range(1000000) AS a, range(1000000) AS b", read="duckdb")
    timer = threading.Timer(after, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT))

    def interrupted() -> None:
        timer.start()
        engine.to_arrow(slow)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    timer.join()
    engine.close()  # waits for every thread of the statement


def test_a_failure_while_rows_are_added_says_what_failed() -> None:
    engine = DuckEngine()
    engine.write("kept", pa.table({"id": [1]}))
    with pytest.raises(QueryFailed, match="Could not convert string 'x'"), engine.transaction():
        engine.append("kept", pa.table({"id": ["x"]}))
    assert engine.to_arrow(parse_one("SELECT * FROM kept")).to_pylist() == [{"id": 1}]
    with pytest.raises(QueryFailed, match="Could not convert string 'x'"):  # found only while the query runs
        engine.to_arrow(parse_one("SELECT cast(v AS int) AS n FROM (SELECT 'x' AS v FROM kept) AS t", read="duckdb"))
