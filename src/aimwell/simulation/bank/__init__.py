"""A simulated bank: accounts, salaries, deposits that mature, wealth products, credit, leads, and campaigns by lot.

Seventy-eight weeks from 1 July 2024, in CNY, on the clock of Asia/Shanghai. Everything is synthetic; latent needs and
true effects stand in the truth, which no company would have.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa

from aimwell.simulation.bank.campaigns import draw_campaigns
from aimwell.simulation.bank.contacts import event_table, moment, touch_tables
from aimwell.simulation.bank.course import Course
from aimwell.simulation.bank.customers import customer_table, note_old_tests
from aimwell.simulation.bank.money import (
    borrow,
    earn,
    leave,
    lock_away,
    mature,
    open_old_deposits,
    show_balances,
    spend,
    use_card,
)
from aimwell.simulation.bank.needs import buy, feel, show
from aimwell.simulation.bank.people import START, WEEKS, draw_customers
from aimwell.simulation.bank.products import draw_shelf
from aimwell.simulation.bank.truth import truth_tables
from aimwell.simulation.chance import Integers, stream
from aimwell.simulation.market import Market
from aimwell.simulation.records import canonical, ids

CUSTOMERS = 3_000
SEED = 7


@lru_cache(maxsize=4)
def simulate(seed: int = SEED, customers: int = CUSTOMERS) -> Market:
    """The whole simulated bank: canonical tables and truth; equal seeds and numbers give equal rows."""
    course = _lived(seed, customers)
    touches, outcomes = touch_tables(course, stream(seed, "bank/touches"))
    held = {
        "customer": customer_table(course, stream(seed, "bank/master")),
        "product": course.shelf.table(),
        "balance": _balance_table(course),
        "purchase": _purchase_table(course),
        "event": event_table(course, stream(seed, "bank/events")),
        "offer": _offer_table(),
        "touch": touches,
        "outcome": outcomes,
    }
    return Market(held, truth_tables(course))


def tables(seed: int = SEED, customers: int = CUSTOMERS) -> dict[str, pa.Table]:
    """The canonical tables of the simulated bank."""
    return dict(simulate(seed, customers).tables)


def truth(seed: int = SEED, customers: int = CUSTOMERS) -> dict[str, pa.Table]:
    """The truth behind them: `customers`, `needs` and `effects`; for tests alone, never loaded."""
    return dict(simulate(seed, customers).truth)


def _lived(seed: int, customers: int) -> Course:
    people = draw_customers(stream(seed, "bank/people"), customers)
    shelf = draw_shelf(stream(seed, "bank/shelf"))
    campaigns = draw_campaigns(stream(seed, "bank/campaigns"), people)
    course = Course(people, shelf, campaigns, stream(seed, "bank/course"))
    open_old_deposits(course)
    note_old_tests(course)
    for week in range(WEEKS):
        raised = earn(course, week)
        spend(course, week)
        freed = mature(course, week)
        feel(course, week, freed, raised)
        show(course, week)
        buy(course, week)
        lock_away(course, week)
        borrow(course, week)
        use_card(course, week)
        leave(course, week)
        show_balances(course, week)
    return course


def _dates(days: Integers) -> np.ndarray[tuple[int, ...], np.dtype[np.datetime64]]:
    return np.asarray(START + days.astype("timedelta64[D]"))


def _balance_table(course: Course) -> pa.Table:
    """Balances and salary flows in one table, by day, customer and account."""
    stood, paid = course.records.of("balance"), course.records.of("salary")
    whose = course.customers.people.ids
    matures = stood["matures"].astype(np.float64)
    bound = np.where(np.isnan(matures), 0, matures).astype(np.int64)
    balances = canonical(
        "balance",
        {
            "customer_id": whose[stood["who"].astype(np.int64)],
            "account": stood["account"],
            "kind": stood["kind"],
            "day": _dates(stood["day"].astype(np.int64)),
            "amount": stood["amount"],
            "matures_on": np.where(np.isnan(matures), np.datetime64("NaT"), _dates(bound)),
            "credit_limit": stood["limit"],
            "overdue_days": stood["overdue"],
        },
    )
    flows = canonical(
        "balance",
        {
            "customer_id": whose[paid["who"].astype(np.int64)],
            "account": "D" + whose[paid["who"].astype(np.int64)],
            "kind": np.full(len(paid["who"]), "salary", dtype=object),
            "day": _dates(paid["day"].astype(np.int64)),
            "amount": paid["amount"],
        },
    )
    joined = pa.concat_tables([balances, flows], promote_options="default")
    return joined.sort_by([(name, "ascending") for name in ("day", "customer_id", "account", "kind")])


def _purchase_table(course: Course) -> pa.Table:
    signed = course.records.of("contract")
    who, product = signed["who"].astype(np.int64), signed["product"].astype(np.int64)
    count = len(who)
    return canonical(
        "purchase",
        {
            "order_id": ids("K", count),
            "line": np.full(count, "1", dtype=object),
            "customer_id": course.customers.people.ids[who],
            "product_id": course.shelf.ids[product],
            "occurred_at": moment(signed["day"].astype(np.int64), signed["second"]),
            "quantity": np.ones(count),
            "amount": signed["amount"],
            "discount": np.zeros(count),
            "channel": np.where(signed["digital"], "app", "branch").astype(object),
        },
    )


def _offer_table() -> pa.Table:
    return canonical(
        "offer",
        {
            "offer_id": np.asarray(["O_RATE", "O_GOLD"], dtype=object),
            "kind": np.asarray(["rate_bonus", "benefit"], dtype=object),
            "scope": np.asarray(["wealth", "wealth"], dtype=object),
            "cost": np.asarray([10.0, 120.0]),
        },
    )
