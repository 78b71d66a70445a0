"""Simple policies for tests: they send by lot, with a generator of their own."""

from __future__ import annotations

import numpy as np

from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.messages import Messages
from aimwell.simulation.regimes.truth import Truth


def by_lot(market: Marketplace, chance: np.random.Generator, *, share: float = 1.0) -> Messages:
    """To a share of the customers present, anything that is on sale, on any channel, at any hour and depth."""
    who = np.flatnonzero(chance.random(market.present) < share)
    on_sale = np.flatnonzero(market.shelf.on_sale(market.day))
    return Messages.of(
        who,
        chance.choice(on_sale, len(who)),
        chance.integers(0, len(market.business.channels), len(who)),
        chance.uniform(0, 24, len(who)),
        chance.choice([0.0, 0.1, 0.2], len(who)),
    )


def to_everyone(
    market: Marketplace, line: str, *, channel: int = 0, depth: float = 0.0, hour: float = 20.0
) -> Messages:
    """The first product of a line, which everybody may buy, to everyone."""
    product = int(np.flatnonzero(market.shelf.line == market.business.line(line))[0])
    return Messages.of(np.arange(market.present), product, channel, hour, depth)


def earned_by_customer(market: Marketplace, messages: Messages) -> tuple[np.ndarray, Truth]:
    """Cents that each customer brings on the day, contacts paid, and the truth of the day before."""
    truth = market.truth()
    day = market.step(messages)
    cents = np.zeros(truth.count)
    np.add.at(cents, day.purchases.customer, day.purchases.earned)
    np.subtract.at(cents, messages.customer, day.answers.cost)
    return cents, truth
