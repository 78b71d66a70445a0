"""What a company knows of itself and its customers: prices, costs and master data; nothing of how people answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.simulation.chance import Booleans, Integers
from aimwell.simulation.regimes.marketplace import Marketplace


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is sold; arrays with one entry per product, money in cents.

    line, theme: places.   risk: 1 to 5, above a customer's own it may not be offered.   since, until: days of sale.
    """

    line: Integers
    theme: Integers
    price: Integers
    margin: Integers
    risk: Integers
    since: Integers
    until: Integers

    def on_sale(self, day: int) -> Booleans:
        """Which products are sold on a day."""
        return np.asarray((self.since <= day) & (day < self.until))

    def off(self, product: Integers, depth: FloatArray) -> Integers:
        """What is let off the price, in whole cents."""
        return np.asarray(np.round(self.price[product] * depth), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Company:
    """A company before it has sent anything. How well messages work, and on whom, is not in it.

    lines, channels: names, in the order of their places.   cost: cents a message, by channel.   days: how long it
    runs.   traits: [people, 6], age, female, income, risk, city and source as the company has them.   arrival: day of
    coming.   reached: [people, channels], whether there is an address.
    """

    lines: tuple[str, ...]
    channels: tuple[str, ...]
    cost: Integers
    catalogue: Catalogue
    depths: tuple[float, ...]
    days: int
    traits: FloatArray
    arrival: Integers
    reached: Booleans

    @classmethod
    def of(cls, market: Marketplace, depths: tuple[float, ...]) -> Company:
        """What is known of a market's company before the first day; depths: discounts that may be given."""
        people, shelf = market.people, market.shelf
        columns = (people.age, people.female, people.income, people.risk, people.city, people.source)
        sold = Catalogue(shelf.line, shelf.theme, shelf.price, shelf.margin, shelf.risk, shelf.since, shelf.until)
        return cls(
            tuple(line.name for line in market.business.lines),
            tuple(channel.name for channel in market.business.channels),
            np.asarray([round(channel.cost * 100) for channel in market.business.channels], dtype=np.int64),
            sold,
            depths,
            market.days,
            np.column_stack([np.asarray(each, dtype=np.float64) for each in columns]),
            people.arrival,
            people.reached,
        )

    @property
    def risk(self) -> Integers:
        """What each customer was tested to bear, 1 to 5."""
        return np.asarray(self.traits[:, 3], dtype=np.int64)

    def margins(self) -> FloatArray:
        """Mean margin of a sale by line, in cents."""
        lines = range(len(self.lines))
        return np.asarray([self.catalogue.margin[self.catalogue.line == line].mean() for line in lines])
