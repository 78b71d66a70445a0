"""What a policy sends on a day: who gets what, on which channel, at which hour, how deep a discount."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from aimwell.core.errors import BadQuestion
from aimwell.simulation.chance import Booleans, Floats, Integers

DEEPEST = 0.3


@dataclass(frozen=True, slots=True)
class Messages:
    """Arrays with one entry per message: places of customer, product and channel; hour 0 to 24; depth 0 to 0.3.

    depth: the share of the price that whoever sees the message is let off, on any purchase in the product's line on
    that day; at most one message a day for each customer.

    >>> len(Messages.of([3, 5], product=2, channel=0, hour=20.5))
    2
    """

    customer: Integers
    product: Integers
    channel: Integers
    hour: Floats
    depth: Floats

    @classmethod
    def of(
        cls,
        customer: npt.ArrayLike,
        product: npt.ArrayLike,
        channel: npt.ArrayLike,
        hour: npt.ArrayLike = 12.0,
        depth: npt.ArrayLike = 0.0,
    ) -> Messages:
        """Messages from arrays, or from single values that hold for all."""
        who = np.atleast_1d(np.asarray(customer, dtype=np.int64))
        return cls(
            who,
            np.broadcast_to(np.asarray(product, dtype=np.int64), who.shape),
            np.broadcast_to(np.asarray(channel, dtype=np.int64), who.shape),
            np.broadcast_to(np.asarray(hour, dtype=np.float64), who.shape),
            np.broadcast_to(np.asarray(depth, dtype=np.float64), who.shape),
        )

    @classmethod
    def none(cls) -> Messages:
        """Nothing to anybody."""
        return cls.of(np.empty(0, dtype=np.int64), 0, 0)

    def __len__(self) -> int:
        return len(self.customer)

    def take(self, which: Integers | Booleans) -> Messages:
        """Some of the messages, in that order."""
        return Messages(*(getattr(self, field.name)[which] for field in fields(self)))


def check_messages(messages: Messages, *, present: int, on_sale: Booleans, channels: int) -> None:
    """Raises BadQuestion for the first thing that cannot be sent, with the message that asks for it."""
    if not len(messages):
        return
    _within("customer", messages.customer, 0, present - 1, "who has come by this day")
    _within("product", messages.product, 0, len(on_sale) - 1, "of the shelf")
    _within("channel", messages.channel, 0, channels - 1, "of the business")
    _within("hour", messages.hour, 0.0, 24.0, "on the market's clock")
    _within("depth", messages.depth, 0.0, DEEPEST, "of the price")
    if not on_sale[messages.product].all():
        first = int(messages.product[np.flatnonzero(~on_sale[messages.product])[0]])
        raise BadQuestion(
            f"Product {first} is not on sale on this day", remedy="Offer what `market.shelf.on_sale(market.day)` names."
        )
    order = np.sort(messages.customer)
    twice = order[1:][order[1:] == order[:-1]]
    if len(twice):
        raise BadQuestion(
            f"Customer {int(twice[0])} would get more than one message on a day",
            remedy="Send the second on another day.",
        )


def _within(name: str, values: npt.NDArray[Any], least: float, most: float, of: str) -> None:
    wrong = np.flatnonzero(~((values >= least) & (values <= most)))
    if len(wrong):
        raise BadQuestion(
            f"Message {int(wrong[0])} has a {name} that there is not",
            expected=f"one from {least} to {most}, {of}",
            seen=str(values[wrong[0]]),
        )
