"""A year in the simulated shop: visits, what is looked at, baskets bought and baskets left behind, needs met or not."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aimwell.simulation.chance import Floats, Integers, happens
from aimwell.simulation.records import Records
from aimwell.simulation.shop.people import CATEGORIES, DAYS, Shoppers
from aimwell.simulation.shop.weather import Weather

PER_CATEGORY = 12  # products
NO_NEED = -1
_RAIN, _ICE = CATEGORIES.index("rainwear"), CATEGORIES.index("ice_cream")
_NEED_VISITS = 3.0
_HEAT = 26.0


@dataclass
class Year:
    """What holds for each customer at the moment: the category needed (or NO_NEED) and for how many more days."""

    shoppers: Shoppers
    weather: Weather
    prices: Floats
    near_holiday: Integers
    chance: np.random.Generator
    records: Records = field(default_factory=Records)
    truth: Records = field(default_factory=Records)

    def __post_init__(self) -> None:
        self.need = np.full(len(self.shoppers), NO_NEED, dtype=np.int64)
        self.left = np.zeros(len(self.shoppers), dtype=np.int64)
        self.orders = 0


def live(year: Year) -> None:
    """Live through all the days."""
    for day in range(DAYS):
        _feel(year, day)
        _visit(year, day)


def _feel(year: Year, day: int) -> None:
    """Now and then a category is needed that is not among the usual ones, for two to five weeks."""
    shoppers, chance = year.shoppers, year.chance
    year.left = np.maximum(year.left - 1, 0)
    year.need[year.left == 0] = NO_NEED
    begins = np.flatnonzero((year.need == NO_NEED) & shoppers.around(day) & happens(chance, 0.004, len(shoppers)))
    wanted = chance.integers(3, len(CATEGORIES), len(begins))
    year.need[begins], year.left[begins] = wanted, chance.integers(14, 36, len(begins))
    year.truth.add("need", who=begins, need=wanted, day=np.full(len(begins), day), days=year.left[begins])


def _visit(year: Year, day: int) -> None:
    """Who comes today: own pace, more on favourite days, before holidays for the festive, and with a need."""
    shoppers, chance = year.shoppers, year.chance
    weekend = (day + 2) % 7 >= 5  # 1 January 2025 is a Wednesday
    share = shoppers.habits.weekend
    rhythm = 7 * np.where(weekend, share / 2, (1 - share) / 5)
    feast = 1 + 2.5 * shoppers.festive * (0 < year.near_holiday[day] <= 7)
    rate = shoppers.pace * rhythm * feast * np.where(year.need != NO_NEED, _NEED_VISITS, 1.0)
    who = np.flatnonzero(shoppers.around(day) & happens(chance, np.minimum(rate, 0.9), len(shoppers)))
    seconds = np.minimum(shoppers.habits.seconds(chance, who), 86_400 - 3_000)
    _act(year, "app_opened", who, day, seconds, np.full(len(who), -1))
    views = 1 + chance.poisson(0.9 + 2.0 * (year.need[who] != NO_NEED))
    viewer = np.repeat(np.arange(len(who)), views)
    product = _looked_at(year, who[viewer], day)
    turn = np.arange(len(viewer)) - np.repeat(np.cumsum(views) - views, views)
    at = seconds[viewer] + 20 + 60 * turn
    _act(year, "product_viewed", who[viewer], day, at, product)
    _fill_baskets(year, day, who[viewer], at, product)


def _looked_at(year: Year, who: Integers, day: int) -> Integers:
    """A product each: mostly of the needed category if there is one, else by taste and weather."""
    shoppers, chance = year.shoppers, year.chance
    weights = shoppers.taste[who].copy()
    city = shoppers.people.city[who]
    weights[:, _RAIN] *= 1 + 8 * shoppers.rainy[who] * (year.weather.rain[city, day] > 5)
    weights[:, _ICE] *= 1 + 5 * shoppers.rainy[who] * (year.weather.temperature[city, day] > _HEAT)
    sums = np.cumsum(weights, axis=1)
    category = (chance.random(len(who))[:, None] * sums[:, -1:] > sums).sum(axis=1)
    needed = (year.need[who] != NO_NEED) & happens(chance, 0.75, len(who))
    category = np.where(needed, year.need[who], category)
    drawn: Integers = category * PER_CATEGORY + np.minimum(chance.geometric(0.25, len(who)) - 1, PER_CATEGORY - 1)
    return drawn


def _fill_baskets(year: Year, day: int, who: Integers, at: Integers, product: Integers) -> None:
    """Some of what is looked at is put in the basket; the needed category seldom, as long as the need is undecided."""
    shoppers, chance = year.shoppers, year.chance
    category = product // PER_CATEGORY
    needed = year.need[who] == category
    dear = year.prices[product] > 150
    taken = happens(chance, np.where(needed, 0.16, 0.34) - 0.1 * dear * shoppers.thrift[who], len(who))
    who, at, product, needed = who[taken], at[taken] + 15, product[taken], needed[taken]
    _act(year, "product_added", who, day, at, product)
    buyers, place = np.unique(who, return_inverse=True)
    last = np.zeros(len(buyers), dtype=np.int64)
    np.maximum.at(last, place, at)
    _act(year, "checkout_started", buyers, day, last + 120, np.full(len(buyers), -1))
    pays = happens(chance, 0.82 - 0.25 * shoppers.thrift[buyers], len(buyers))
    order = np.where(pays, year.orders + np.cumsum(pays), 0)
    year.orders += int(pays.sum())
    bought = pays[place]
    _pay(year, day, who[bought], order[place][bought], last[place][bought] + 300, product[bought])
    met = bought & needed
    year.need[who[met]], year.left[who[met]] = NO_NEED, 0
    year.truth.add("met", who=who[met], need=product[met] // PER_CATEGORY, day=np.full(int(met.sum()), day))


def _pay(year: Year, day: int, who: Integers, order: Integers, at: Integers, product: Integers) -> None:
    chance = year.chance
    quantity = 1 + (chance.random(len(who)) < 0.2).astype(np.int64)
    full = year.prices[product] * quantity
    cut = np.where(happens(chance, 0.15 + 0.3 * year.shoppers.thrift[who], len(who)), 0.1, 0.0)
    year.records.add(
        "paid",
        who=who,
        order=order,
        day=np.full(len(who), day),
        second=at,
        product=product,
        quantity=quantity,
        amount=np.round(full * (1 - cut), 2),
        discount=np.round(full * cut, 2),
    )


def _act(year: Year, name: str, who: Integers, day: int, at: Integers, product: Integers) -> None:
    year.records.add(
        "act",
        name=np.full(len(who), name, dtype=object),
        who=who,
        day=np.full(len(who), day),
        second=at,
        product=product,
    )
