"""Campaigns of the simulated bank: two drawn by lot, one of them without any effect, and one sent to the richest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.simulation.bank.people import Customers
from aimwell.simulation.chance import Booleans, Floats, happens

WEEKS_OF_EFFECT = 2


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign: who could be contacted, who was, and what the contact adds to the weekly chance of buying.

    The contact happens on the evening before its first week. `share` is the chance with which people were drawn; None
    for a campaign that was aimed, so that contacted and others must not be compared.
    """

    number: int
    name: str
    channel: str
    offer: str
    week: int
    share: float | None
    cost: float
    population: Booleans
    contacted: Booleans
    lift: float

    def runs(self, week: int) -> bool:
        """Whether the contact still works in that week."""
        return self.week <= week < self.week + WEEKS_OF_EFFECT

    def moved(self, plain: Floats, needing: Booleans, week: int) -> Floats:
        """The chance of buying if contacted; those who need something are moved four times as much, others hardly."""
        if not self.runs(week):
            return plain
        return np.asarray(np.where(self.population & (plain > 0), plain + self.lift * (1 + 3 * needing), plain))


def draw_campaigns(chance: np.random.Generator, customers: Customers) -> tuple[Campaign, ...]:
    """An autumn mailing by lot (half), a placebo by lot (three in ten), and a call campaign to the richest tenth."""
    return (
        _by_lot(chance, customers, 0, "wealth_autumn", week=18, share=0.5, lift=0.03, channel="sms"),
        _to_the_richest(customers, 1, "private_calls", week=36),
        _by_lot(chance, customers, 2, "service_notice", week=52, share=0.3, lift=0.0, channel="app_push"),
        _by_lot(chance, customers, 3, "wealth_summer", week=66, share=0.5, lift=0.03, channel="sms"),
    )


def _by_lot(
    chance: np.random.Generator,
    customers: Customers,
    number: int,
    name: str,
    *,
    week: int,
    share: float,
    lift: float,
    channel: str,
) -> Campaign:
    population = (customers.opens <= week - 1) & (week < customers.leaves)
    contacted = population & happens(chance, share, len(customers))
    cost = 0.05 if channel == "sms" else 0.01
    return Campaign(number, name, channel, "O_RATE", week, share, cost, population, contacted, lift)


def _to_the_richest(customers: Customers, number: int, name: str, *, week: int) -> Campaign:
    population = (customers.opens <= week - 1) & (week < customers.leaves)
    rich = population & (customers.wealth >= np.quantile(customers.wealth, 0.9))
    return Campaign(number, name, "phone", "O_GOLD", week, None, 15.0, population, rich, 0.02)
