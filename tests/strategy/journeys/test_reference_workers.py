"""On PostgreSQL too the tick agrees with the reference, and two workers at once do what one does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.strategy.journeys.reference_product import Picture, Product
from tests.strategy.journeys.reference_stories import Story, stories
from tests.strategy.journeys.test_balance import BEGIN, joined, signal
from tests.strategy.journeys.test_reference import told

from aimwell.store.ledger.clocks import keep_anniversaries
from aimwell.store.ledger.happenings import Happening, record
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.strategy.journeys.entry import let_in
from aimwell.strategy.journeys.tick import Ticked, Ticker

FEW = settings(
    max_examples=settings().max_examples if settings().max_examples > 100 else 4,
    deadline=None,
    phases=[Phase.generate],  # what fails here is told again, and made small, on SQLite
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.postgres
def test_the_tick_agrees_with_the_plain_reference_on_postgresql(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url)
    with ledger.writing() as connection:
        keep_anniversaries(connection)

    @FEW
    @given(stories(), st.sampled_from((2, 100)))
    def agree(story: Story, chunk: int) -> None:
        told(ledger, story, chunk)

    agree()
    ledger.close()


def run(ledger: Ledger, workers: int) -> Picture:
    """A week of 300 people, moved in chunks of 20 by so many workers at once."""
    names = joined(ledger, 300)
    with ledger.writing() as connection:
        let_in(connection, BEGIN)
    for day in range(5):
        at = BEGIN + timedelta(days=day)
        with ledger.writing() as connection:
            came = [Happening(name, signal("came"), at, f"m{day}") for name in names[day::7]]
            loans = [Happening(name, signal("loan_taken"), at, f"m{day}") for name in names[day::11]]
            record(connection, [*came, *loans])
        with ThreadPoolExecutor(workers) as pool:
            tickers = [pool.submit(Ticker(ledger, chunk=20).tick, at + timedelta(hours=2)) for _ in range(workers)]
            assert all(isinstance(each.result(), Ticked) for each in tickers)
        Ticker(ledger, chunk=20).tick(at + timedelta(hours=2))
    with ledger.reading() as connection:
        assert set(connection.scalars(select(enrolment.c.state))) <= {"active", "finished", "exited"}
        return Product(ledger, connection, 20).picture()


@pytest.mark.postgres
def test_two_workers_at_once_do_what_one_does_alone(postgres_url: str, tmp_path: Path) -> None:
    alone, together = open_ledger(tmp_path), open_ledger(postgres_url)
    assert run(together, 2) == run(alone, 1)
    alone.close()
    together.close()
