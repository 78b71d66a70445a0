"""The state of the simulated bank while it runs: what each customer holds and needs, and what is recorded.

Flows and actions are recorded on their days, balances as they stand at the end of a Sunday.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aimwell.simulation.bank.campaigns import Campaign
from aimwell.simulation.bank.people import Customers
from aimwell.simulation.bank.products import Shelf
from aimwell.simulation.chance import Booleans, Floats, Integers, happens
from aimwell.simulation.records import Records

NEVER_TESTED = -9_999
NO_PRODUCT = -1


@dataclass(slots=True)
class Holding:
    """Money bound until a day since START: a term deposit (NO_PRODUCT) or a wealth product; `shown`: in the books."""

    who: int
    account: str
    product: int
    amount: float
    matures: int
    shown: bool = False

    @property
    def kind(self) -> str:
        return "term_deposit" if self.product == NO_PRODUCT else "wealth"


@dataclass
class Course:
    """What holds for each customer at the moment; `records` keeps what the bank sees, `truth` what it does not."""

    customers: Customers
    shelf: Shelf
    campaigns: tuple[Campaign, ...]
    chance: np.random.Generator
    records: Records = field(default_factory=Records)
    truth: Records = field(default_factory=Records)

    def __post_init__(self) -> None:
        people, chance, count = self.customers, self.chance, len(self.customers)
        here = people.opens <= 0
        self.income = people.people.income.copy()
        self.deposit = np.where(here, people.wealth * chance.uniform(0.3, 1.0, count), 0.0)
        has_fund = here & happens(chance, 0.1 + 0.1 * (people.risk >= 4), count)
        self.fund = np.where(has_fund, people.wealth * chance.uniform(0.1, 0.8, count), 0.0)
        self.had_fund = has_fund
        self.loan = np.where(here & happens(chance, 0.12, count), self.income * chance.uniform(10, 40, count), 0.0)
        self.had_loan = self.loan > 0
        has_card = here & happens(chance, 0.5, count)
        self.limit = np.where(has_card, np.round(self.income * chance.uniform(1.5, 5, count), -3), 0.0)
        self.owed = self.limit * chance.beta(1.5, 4, count)
        self.overdue = np.zeros(count, dtype=np.int64)
        self.wealth_need = np.zeros(count, dtype=np.int64)
        self.loan_need = np.zeros(count, dtype=np.int64)
        self.tested = np.where(here & happens(chance, 0.7, count), chance.integers(-300, 0, count), NEVER_TESTED)
        self.bound = np.zeros(count)
        self.closed = np.zeros(count, dtype=bool)
        self.holdings: list[Holding] = []
        self.ended: list[Holding] = []
        self.contracts = 0

    def active(self, week: int) -> Booleans:
        """Who holds an account and has not left."""
        return (self.customers.opens <= week) & (week < self.customers.leaves)

    def around(self, week: int) -> Booleans:
        """Who is known, with an account or not, and has not left."""
        return (self.customers.joins <= week) & (week < self.customers.leaves)

    @property
    def assets(self) -> Floats:
        """All that each customer holds with the bank."""
        return self.deposit + self.fund + self.bound

    def hold(self, who: int, product: int, amount: float, matures: int) -> str:
        """Bind money until a day; returns the account under which it stands in the books."""
        self.contracts += 1
        account = f"{'T' if product == NO_PRODUCT else 'P'}{self.contracts:06d}"
        self.holdings.append(Holding(who, account, product, amount, matures))
        self.bound[who] += amount
        return account

    def act(self, name: str, week: int, who: Integers, *, detail: Integers) -> None:
        """Record what people did at some hour of the week, as their habits are; `detail` is told by the name."""
        habits = self.customers.habits
        self.records.add(
            "act",
            name=np.full(len(who), name, dtype=object),
            who=who,
            day=7 * week + habits.days_of_week(self.chance, who),
            second=habits.seconds(self.chance, who),
            detail=detail,
        )
