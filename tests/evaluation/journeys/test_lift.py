"""What a journey changed is counted by hand: people whose time is over, goals and money of both groups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import insert

from aimwell.core.errors import BadQuestion
from aimwell.core.time import to_store
from aimwell.evaluation.journeys.funnel import funnel
from aimwell.evaluation.journeys.lift import entries, lift, money_of
from aimwell.science.experiment.difference import Moments, difference_of_means, difference_of_shares
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.warehouse.duck import DuckEngine

START = datetime(2026, 3, 1, tzinfo=UTC)
WITHIN = timedelta(days=10)
NOW = START + timedelta(days=20)


def entered(number: int, *, held_out: bool, reached: bool, day: int = 0, nth: int = 1) -> dict[str, object]:
    at = START + timedelta(days=day)
    return {
        "id": number * 10 + nth,
        "journey": "j",
        "version_id": 1,
        "customer_id": f"c{number}",
        "shard": 1,
        "cause": f"event:{nth}",
        "number": nth,
        "entered_at": at,
        "state": "exited" if held_out else "finished",
        "reason": "held_out" if held_out else None,
        "goal_at": at + timedelta(days=2) if reached else None,
        "held_out": held_out,
        "node": "n",
        "at": at,
    }


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    rows = [entered(number, held_out=False, reached=number < 12) for number in range(40)]
    rows += [entered(number, held_out=True, reached=number < 42) for number in range(40, 60)]
    rows += [entered(60, held_out=False, reached=True, day=15)]  # its time is not over
    rows += [entered(0, held_out=False, reached=True, day=5, nth=2)]  # a second time counts nobody twice
    opened = open_ledger(tmp_path / "ledger")
    with opened.writing() as connection:
        connection.execute(insert(journey).values(name="j", version_id=1, state="running", changed_at=START))
        connection.execute(insert(enrolment), rows)
    yield opened
    opened.close()


def test_both_groups_are_counted_alike_and_only_those_whose_time_is_over(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        found = lift(connection, "j", WITHIN, NOW)
    assert (found.treated.people, found.treated.reached) == (40, 12)
    assert (found.held_out.people, found.held_out.reached) == (20, 2)
    assert (found.pending, found.money) == (1, None)
    assert found.goal == difference_of_shares(12, 40, 2, 20)
    assert not found.proven


def test_money_counts_from_entry_until_the_time_is_over(ledger: Ledger) -> None:
    bought = [  # customer, day, amount
        ("c0", -1, 99),
        ("c0", 0, 10),
        ("c0", 9, 5),
        ("c0", 10, 99),
        ("c1", 3, 7),
        ("c40", 4, 2),
        ("nobody", 4, 99),
    ]
    engine = DuckEngine()
    engine.write(
        "purchase",
        pa.table(
            {
                "customer_id": [who for who, _, _ in bought],
                "occurred_at": pa.array([to_store(START + timedelta(days=day)) for _, day, _ in bought]),
                "amount": pa.array([Decimal(amount) for _, _, amount in bought], pa.decimal128(18, 2)),
            }
        ),
    )
    with ledger.reading() as connection:
        spent = money_of(engine, entries(connection, "j"), WITHIN)
        found = lift(connection, "j", WITHIN, NOW, money=spent)
    assert spent == {1: 15.0, 11: 7.0, 401: 2.0}
    assert found.treated.money == Moments.of([15.0, 7.0, *[0.0] * 38])
    assert found.held_out.money == Moments.of([2.0, *[0.0] * 19])
    assert found.money == difference_of_means(found.treated.money, found.held_out.money)
    assert engine.tables() == ["purchase"]
    assert money_of(DuckEngine(), [], WITHIN) is None


def test_the_funnel_balances_and_counts_no_goal_of_the_hold_out(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        found = funnel(connection, "j")
        with pytest.raises(BadQuestion, match="no journey 'other'"):
            funnel(connection, "other")
    assert found.entered == found.active + found.finished + sum(found.exited.values()) == 62
    assert found.exited == {"held_out": 20}
    assert found.steps["bought"] == 13
