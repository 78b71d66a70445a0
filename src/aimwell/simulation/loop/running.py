"""One run: a policy decides week by week on one market, the market answers, and both are added up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from aimwell.core.errors import BadQuestion
from aimwell.core.progress import Progress, silent
from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.company import Company
from aimwell.simulation.loop.policy import Chosen, Policy
from aimwell.simulation.regimes.day import Day
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.regime import load_regimes

WEEKLY = 7


class Carrier(Protocol):
    """How decisions reach the market, and how what came of them is heard."""

    def carry(self, market: Marketplace, chosen: Chosen) -> Chosen:
        """On the morning of each day, before it is played: what really leaves of what was chosen."""
        ...

    def hear(self, market: Marketplace, day: Day) -> None:
        """After each day: what people did."""
        ...


class Straight:
    """Whatever is chosen leaves at once."""

    def carry(self, market: Marketplace, chosen: Chosen) -> Chosen:
        """All of it."""
        return chosen

    def hear(self, market: Marketplace, day: Day) -> None:
        """There is nobody to tell."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a policy on one market; money in cents.

    gained: the mean of profit above that of sending nothing, luck of purchases taken out (`Truth.brings`, summed).
    profit: what came, with luck.   spent: on messages.   messages: delivered.   left: who unsubscribed.
    """

    policy: str
    gained: float
    profit: int
    spent: int
    messages: int
    left: int


def play(
    market: Marketplace,
    policy: Policy,
    *,
    every: int = WEEKLY,
    carrier: Carrier | None = None,
    progress: Progress = silent,
) -> Run:
    """Play a market to its end; the policy decides on day 0 and then every so many days.

    carrier: by which decisions reach the market, for instance the ledger's journeys; by default straight.
    The market must be on its first day; it is played, so hand over a copy to play it again.
    Raises BadQuestion for a market that has begun, or days that are none.
    """
    if market.day or every < 1:
        raise BadQuestion(
            "A run begins on the first day and decides every so many days",
            expected="day 0, every 1 day or more",
            seen=f"day {market.day}, every {every}",
        )
    way = carrier or Straight()
    book = Book.empty(Company.of(market, load_regimes().depths), market.present)
    gained, profit, spent, messages = 0.0, 0, 0, 0
    while market.day < market.days:
        chosen = way.carry(market, Chosen.nothing() if market.day % every else policy.choose(book))
        if len(chosen.messages):
            gained += float(market.truth().brings(chosen.messages).sum())
        day = market.step(chosen.messages)
        way.hear(market, day)
        book.write(day, chosen.probability, market.present if market.day < market.days else book.present)
        profit, spent = profit + day.profit, spent + day.spent
        messages += int(day.answers.delivered.sum())
        progress(policy.name, market.day / market.days)
    return Run(policy.name, gained, profit, spent, messages, int(book.left.sum()))
