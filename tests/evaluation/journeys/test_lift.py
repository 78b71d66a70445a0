"""What a journey changed is counted by hand: people whose time is over, goals and money of both groups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import insert
from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.time import to_store
from aimwell.evaluation.journeys.entries import entries
from aimwell.evaluation.journeys.funnel import funnel
from aimwell.evaluation.journeys.lift import lift
from aimwell.evaluation.journeys.money import Spending, purchases, simulated_orders
from aimwell.science.experiment.difference import Moments, difference_of_means, difference_of_shares
from aimwell.store.intake.messages import Message, parse_message
from aimwell.store.ledger.arrivals import keep_messages
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import identifier
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
        found = lift(entries(connection, "j"), "j", WITHIN, NOW)
    assert (found.treated.people, found.treated.reached) == (40, 12)
    assert (found.held_out.people, found.held_out.reached) == (20, 2)
    assert (found.pending, found.money) == (1, None)
    assert found.goal == difference_of_shares(12, 40, 2, 20)
    assert not found.proven


def bought(rows: list[tuple[str, int, int]]) -> DuckEngine:
    """A warehouse with purchases: customer, day, amount."""
    engine = DuckEngine()
    engine.write(
        "purchase",
        pa.table(
            {
                "customer_id": [who for who, _, _ in rows],
                "occurred_at": pa.array([to_store(START + timedelta(days=day)) for _, day, _ in rows]),
                "amount": pa.array([Decimal(amount) for _, _, amount in rows], pa.decimal128(18, 2)),
            }
        ),
    )
    return engine


PURCHASES = [
    ("c0", -1, 99),
    ("c0", 0, 10),
    ("c0", 9, 5),
    ("c0", 10, 99),
    ("c1", 3, 7),
    ("c40", 4, 2),
    ("nobody", 4, 99),
]


def test_money_counts_from_entry_until_the_time_is_over(ledger: Ledger) -> None:
    engine = bought(PURCHASES)
    with ledger.reading() as connection:
        people = entries(connection, "j")
    spending = purchases(engine, people, WITHIN)
    assert spending == Spending({1: 15.0, 11: 7.0, 401: 2.0}, START + timedelta(days=10), "purchases")
    found = lift(people, "j", WITHIN, NOW, spending=spending)
    assert found.treated.money == Moments.of([15.0, 7.0, *[0.0] * 38])
    assert found.held_out.money == Moments.of([2.0, *[0.0] * 19])
    assert found.money == difference_of_means(found.treated.money, found.held_out.money)
    assert (found.money_proven, found.spent_until) == (False, START + timedelta(days=10))
    assert engine.tables() == ["purchase"]
    assert purchases(DuckEngine(), people, WITHIN) is None


def test_whose_purchases_are_not_known_to_the_end_does_not_count_for_money(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        people = entries(connection, "j")
    found = lift(people, "j", WITHIN, NOW, spending=purchases(bought(PURCHASES[:3]), people, WITHIN))
    assert (found.treated.people, found.treated.money.count, found.held_out.money.count) == (40, 0, 0)
    assert (found.money, found.money_proven) == (None, False)
    empty = DuckEngine()
    empty.write("purchase", bought(PURCHASES).to_arrow(exp.select("*").from_("purchase")).slice(0, 0))
    assert purchases(empty, people, WITHIN) is None


def test_money_that_differs_beyond_chance_is_proven(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        people = entries(connection, "j")
    amounts = {each.id: (10.0 if not each.held_out else 1.0) + each.id % 3 for each in people}
    assert lift(people, "j", WITHIN, NOW, spending=Spending(amounts, NOW, "purchases")).money_proven


def test_orders_of_a_rehearsal_count_by_the_same_windows_and_other_messages_do_not(ledger: Ledger) -> None:
    told = [  # source, user, day, properties
        ("simulation", "c0", 0, {"amount": 10}),
        ("simulation", "c0", 10, {"amount": 99}),
        ("simulation", "c1", 3, {"amount": 7.5}),
        ("simulation", "c2", 3, {"amount": "a lot"}),
        ("simulation", "stranger", 3, {"amount": 99}),
        ("site", "c3", 3, {"amount": 99}),
    ]
    read = [
        (
            parse_message(
                {
                    "type": "track",
                    "event": "order_completed",
                    "messageId": f"m{number}",
                    "userId": who,
                    "timestamp": (START + timedelta(days=day)).isoformat(),
                    "properties": properties,
                },
                received_at=START + timedelta(days=day),
            ),
            source,
        )
        for number, (source, who, day, properties) in enumerate(told)
    ]
    with ledger.writing_events() as connection:
        keep_messages(connection, [(each, source, True) for each, source in read if isinstance(each, Message)])
    with ledger.writing() as connection:
        connection.execute(insert(identifier), [owned(f"c{number}") for number in range(4)])
    with ledger.reading() as connection:
        people = entries(connection, "j")
    found = simulated_orders(ledger, people, WITHIN, NOW)
    assert found == Spending({1: 10, 11: 7.5}, NOW, "simulated orders")


def owned(who: str) -> dict[str, object]:
    return {
        "kind": "user_id",
        "value": who,
        "customer_id": who,
        "verified": True,
        "first_seen": START,
        "last_seen": START,
        "source": "messages",
    }


def sent(enrolment_id: int, node: str, day: int) -> dict[str, object]:
    """A message that was taken so many days after the start."""
    at = START + timedelta(days=day)
    return {
        "key": f"{enrolment_id}:{node}:1:1",
        "enrolment_id": enrolment_id,
        "journey": "j",
        "version_id": 1,
        "node": node,
        "visit": 1,
        "step": 1,
        "customer_id": f"c{enrolment_id // 10}",
        "shard": 0,
        "channel": "email",
        "content": "hello",
        "purpose": "marketing",
        "planned_at": at,
        "state": "accepted",
        "accepted_at": at,
        "changed_at": at,
    }


def test_a_node_counts_the_goals_that_came_after_its_messages(ledger: Ledger) -> None:
    with ledger.writing() as connection:  # 1 and 11 reached the goal on the second day, 391 never
        rows = [sent(1, "first", 1), sent(11, "first", 3), sent(391, "first", 1), sent(1, "second", 2)]
        connection.execute(insert(intent), rows)
    with ledger.reading() as connection:
        found = funnel(connection, "j")
    assert {node.node: (node.steps["exposed"], node.steps["bought"]) for node in found.nodes} == {
        "first": (3, 1),
        "second": (1, 1),
    }


def test_the_funnel_balances_and_counts_no_goal_of_the_hold_out(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        found = funnel(connection, "j")
        with pytest.raises(BadQuestion, match="no journey 'other'"):
            funnel(connection, "other")
    assert found.entered == found.active + found.finished + sum(found.exited.values()) == 62
    assert found.exited == {"held_out": 20}
    assert found.steps["bought"] == 13
