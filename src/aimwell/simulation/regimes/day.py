"""What came of one day of the market: as the company sees it, in arrays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from aimwell.simulation.chance import Booleans, Integers
from aimwell.simulation.regimes.messages import Messages


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of each message, in the order of the messages; cost in cents.

    A message is delivered unless the customer cannot be reached on the channel or has unsubscribed; only delivered ones
    cost. second: of the day, when it was seen.
    """

    delivered: Booleans
    seen: Booleans
    clicked: Booleans
    unsubscribed: Booleans
    second: Integers
    cost: Integers


@dataclass(frozen=True, slots=True)
class Purchases:
    """One entry per purchase, by customer; money in cents; the customer paid `price - discount`.

    message: the place of the message whose product was bought, with its discount, -1 for none. That somebody saw a
    message and bought does not say that the message was why.
    """

    customer: Integers
    product: Integers
    second: Integers
    price: Integers
    discount: Integers
    margin: Integers
    message: Integers

    def __len__(self) -> int:
        return len(self.customer)

    @property
    def earned(self) -> Integers:
        """Margin less discount."""
        return self.margin - self.discount


@dataclass(frozen=True, slots=True)
class Views:
    """One entry per product looked at."""

    customer: Integers
    product: Integers
    second: Integers

    def __len__(self) -> int:
        return len(self.customer)


@dataclass(frozen=True, slots=True)
class Day:
    """One day as the company sees it; simulated.

    number: days since the first.   arrived: places of those who became customers on this day.
    """

    number: int
    on: date
    messages: Messages
    answers: Answers
    purchases: Purchases
    views: Views
    arrived: Integers

    @property
    def spent(self) -> int:
        """Cents that messages cost."""
        return int(self.answers.cost.sum())

    @property
    def earned(self) -> int:
        """Cents of margin, discounts taken off."""
        return int(self.purchases.earned.sum())

    @property
    def profit(self) -> int:
        """Cents earned less cents spent."""
        return self.earned - self.spent
