"""No statement of the daily work reads a table of the ledger as a whole, however the planner may like it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from tests.simulation.app.stage import Stage

from aimwell.simulation.app.running import Play
from aimwell.simulation.app.world import World
from aimwell.store.ledger.schema import STATE

START = datetime(2026, 1, 5, tzinfo=UTC)
SMALL = {
    # By their nature: as many rows as definitions, timezones and days, channels, workers, consumers.
    "journey", "journey_version", "journey_node", "journey_edge", "listening", "clock", "anniversary", "pace",
    "cursor", "lease", "worker",
    # Knocks are answered within seconds; a merge gives those that are still there to the one who is kept.
    "knock",
}  # fmt: skip


class Plans:
    """The statements that went through some engines, each with the ledger's tables that its plan reads as a whole."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.scans: dict[str, str] = {}
        self.looking = True

    def look(self, connection: Connection, cursor: Any, statement: str, parameters: Any, _: Any, many: bool) -> None:
        if (
            not self.looking
            or statement in self.seen
            or not re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)", statement)
        ):
            return
        self.seen.add(statement)
        driver: Any = connection.connection.driver_connection
        given = parameters[0] if many and parameters else parameters
        for *_rest, step in driver.execute(f"EXPLAIN QUERY PLAN {statement}", given).fetchall():
            if (found := read_as_a_whole(step, statement)) is not None:
                self.scans[" ".join(statement.split())] = found


def read_as_a_whole(step: str, statement: str) -> str | None:
    """The table of the ledger that a step of a plan reads from end to end."""
    found = re.match(r"SCAN (\w+)", step)
    if found is None:
        return None
    renamed = re.search(rf"\b(\w+) AS {found[1]}\b", statement)
    table = renamed[1] if renamed else found[1]
    return table if table in STATE.tables and table not in SMALL else None


@contextmanager
def watched(*engines: Engine) -> Iterator[Plans]:
    plans = Plans()
    for engine in engines:
        event.listen(engine, "before_cursor_execute", plans.look)
    try:
        yield plans
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", plans.look)


def product_only(play: Play, plans: Plans) -> Play:
    """What the simulated customers look up is no work of the product."""

    def unseen(found: Callable[[datetime], Sequence[Any]]) -> Callable[[datetime], Sequence[Any]]:
        def look(now: datetime) -> Sequence[Any]:
            plans.looking = False
            try:
                return found(now)
            finally:
                plans.looking = True

        return look

    hands = play.hands
    play.hands = replace(hands, sent=unseen(hands.sent), leads=unseen(hands.leads))
    return play


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, START)


def test_no_statement_of_a_week_of_all_journeys_reads_a_whole_table(stage: Stage) -> None:
    with watched(stage.ledger.state, stage.ledger.events) as plans:
        play = product_only(Play(World(seed=3, customers=60), stage.hands, START), plans)
        play.introduce()
        play.until(START + timedelta(days=7), timedelta(hours=12))
    assert len(plans.seen) > 150
    assert plans.scans == {}


def test_a_statement_that_reads_a_whole_table_is_seen(stage: Stage) -> None:
    with watched(stage.ledger.state) as plans, stage.ledger.reading() as connection:
        connection.execute(text("SELECT count(*) FROM enrolment WHERE node = 'hello'"))
        connection.execute(text("SELECT node FROM enrolment WHERE id = 7"))
        connection.execute(text("SELECT mate.node FROM enrolment AS mate WHERE mate.cause = 'x'"))
    assert list(plans.scans.values()) == ["enrolment", "enrolment"]
