"""What all tests share: seeds, threads, Spark, PostgreSQL, and the time that each mark took beside its budget."""

from __future__ import annotations

import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from tests.ledgers import empty_ledger
from tests.postgres import PostgresServer, serve_postgres

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from aimwell.store.ledger.ledger import Ledger

BUDGETS = {"fast": 120, "browser": 300, "spark": 180, "postgres": 180, "kill": 60, "slow": 180}
"""Seconds that all tests of a mark may take together on two cores; explained in docs/testing.md."""

if "PYTEST_XDIST_WORKER" in os.environ:
    # Two test processes on two cores: threads of their own would only get in each other's way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# No test may depend on how fast a machine is: no deadline, no complaint about slow data.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.register_profile("thorough", settings.get_profile("local"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "local"))

SMALL_CLUSTER = {
    # Small data on few cores: few partitions, and a compiler that does not optimise what runs once
    # (measured on two cores: half of the processor time and of the waiting).
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    # Quiet, and reachable from this machine alone.
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",
}


@pytest.fixture(scope="session")
def budgets() -> dict[str, int]:
    """Seconds that each mark may take."""
    return BUDGETS


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """One Spark session for all tests: a real local cluster of two executors, each a process of its own."""
    import pyspark
    from pyspark.sql import SparkSession

    from aimwell.store.warehouse.java import find_java
    from aimwell.store.warehouse.spark import SETTINGS

    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(find_java()))
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.delenv("SPARK_HOME", raising=False)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        builder = SparkSession.builder.master("local-cluster[2,1,1024]").appName("aimwell-tests")
        for name, value in {**SETTINGS, **SMALL_CLUSTER}.items():
            builder = builder.config(name, value)
        builder = builder.config("spark.sql.warehouse.dir", (folder / "warehouse").as_uri())
        session = builder.config("spark.local.dir", str(folder / "local")).getOrCreate()
        # The workers of a local cluster keep their logs in the package itself.
        logs = Path(pyspark.__file__).parent / "work" / session.sparkContext.applicationId
        yield session
        session.stop()
        shutil.rmtree(logs, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL server for all tests of this process."""
    with serve_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh PostgreSQL database by its URL. A test that uses it bears the mark `postgres`."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def ledger_place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a ledger can be opened: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return tmp_path / "ledger"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """An empty ledger in SQLite."""
    with empty_ledger() as opened:
        yield opened


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def each_ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """An empty ledger: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        with empty_ledger() as opened:
            yield opened
        return
    from aimwell.store.ledger.ledger import open_ledger

    opened = open_ledger(request.getfixturevalue("postgres_url"))
    yield opened
    opened.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for PostgreSQL bears its mark, also where nobody wrote it."""
    for item in items:
        if {"postgres_url", "postgres_server"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("postgres")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what each mark took beside its budget: a report, never a failure, for machines differ."""
    workers = config.getoption("numprocesses", None) or 1
    seconds: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                mark = next((mark for mark in BUDGETS if mark in report.keywords), "fast")
                seconds[mark] += report.duration
    for mark, took in seconds.items():
        terminalreporter.write_line(f"{mark}: {took / workers:.0f} s of a budget of {BUDGETS[mark]} s")
