"""The customers of the simulated bank: prospects and account holders, their means and their hidden inclinations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.simulation.chance import Booleans, Floats, Instants, Integers, Texts, happens, pick
from aimwell.simulation.habits import Habits, draw_habits
from aimwell.simulation.population import People, draw_people

START = np.datetime64("2024-07-01")  # a Monday
WEEKS = 78
END = START + np.timedelta64(7 * WEEKS, "D")
OFFSET = 8 * 3600  # the bank's clock, Asia/Shanghai
PAYDAYS = (5, 8, 10, 15, 20, 25)
NEVER = 10_000  # a week that does not come
_SOURCES = ("branch", "web", "referral", "advertising")


@dataclass(frozen=True, slots=True)
class Customers:
    """Arrays with one entry per customer of the bank.

    Weeks count from START. `joins` is the week in which a customer becomes known (negative: before the simulation),
    `opens` the week from which on there is an account (prospects: when won; NEVER if never). Inclinations between 0 and
    1 say how readily a need arises; `stress` how easily payments fall behind; `leaves` is the week of leaving.
    """

    people: People
    habits: Habits
    prospect: Booleans
    joins: Integers
    opens: Integers
    quality: Floats
    source: Texts
    salaried: Booleans
    payday: Integers
    wealth: Floats
    saves: Floats
    risk: Integers
    term: Integers
    wants_wealth: Floats
    wants_loan: Floats
    stress: Floats
    leaves: Integers

    def __len__(self) -> int:
        return len(self.people)

    @property
    def created_at(self) -> Instants:
        """The local instant at which each customer became known: the Sunday evening before the week of joining."""
        days = START + (self.joins * 7 - 1).astype("timedelta64[D]")
        return np.asarray(days.astype("datetime64[s]") + np.timedelta64(20 * 3600, "s"))

    @property
    def known_at(self) -> Instants:
        """The same instant in naive UTC."""
        return np.asarray((self.created_at - np.timedelta64(OFFSET, "s")).astype("datetime64[us]"))


def draw_customers(chance: np.random.Generator, count: int) -> Customers:
    """Seven in eight hold accounts from before; the others are prospects who turn up over time and may be won."""
    people = draw_people(chance, count, prefix="B", today=START)
    prospect = happens(chance, 0.125, count)
    joins = np.where(prospect, chance.integers(2, WEEKS - 3, count), -chance.integers(10, 520, count))
    quality = np.clip(chance.beta(2, 3, count) + 0.15 * (people.income > 12_000), 0, 1)
    won = prospect & happens(chance, 0.05 + 0.55 * quality, count)
    opens = np.where(prospect, np.where(won, joins + chance.integers(1, 8, count), NEVER), joins)
    leaving = happens(chance, 0.14, count) & ~prospect
    age = (START - people.birth_date.astype("datetime64[D]")).astype(np.int64) / 365.25
    return Customers(
        people=people,
        habits=draw_habits(chance, count),
        prospect=prospect,
        joins=joins.astype(np.int64),
        opens=opens.astype(np.int64),
        quality=quality,
        source=pick(chance, _SOURCES, (45, 20, 20, 15), count),
        salaried=happens(chance, 0.55, count) & (age < 61),
        payday=chance.choice(PAYDAYS, size=count).astype(np.int64),
        wealth=np.round(people.income * np.exp(chance.normal(1.3, 1.1, count)), 2),
        saves=chance.uniform(0.02, 0.25, count),
        risk=np.clip(np.round(chance.normal(3.3 - (age - 40) / 40, 1.0)), 1, 5).astype(np.int64),
        term=chance.choice([30, 90, 180, 365], size=count, p=[0.2, 0.35, 0.25, 0.2]).astype(np.int64),
        wants_wealth=chance.beta(1.2, 3, count),
        wants_loan=chance.beta(1.2, 5, count) * np.where(age < 55, 1.0, 0.2),
        stress=chance.beta(1, 8, count),
        leaves=np.where(leaving, chance.integers(8, WEEKS + 10, count), NEVER).astype(np.int64),
    )
