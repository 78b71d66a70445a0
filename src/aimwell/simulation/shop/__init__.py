"""A simulated shop with an app: cities, languages, weather, visits, baskets, e-mails and pushes, devices, a survey.

The year 2025, in CNY, on the clock of Asia/Shanghai. Everything is synthetic; latent needs and true rates stand in the
truth, which no company would have.
"""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np
import pyarrow as pa

from aimwell.simulation.chance import Floats, Integers, happens, some, stream
from aimwell.simulation.market import Market
from aimwell.simulation.records import canonical, ids
from aimwell.simulation.shop.contacts import device_table, feedback_table, moment, touch_tables
from aimwell.simulation.shop.people import CATEGORIES, DAYS, START, Shoppers, draw_shoppers
from aimwell.simulation.shop.truth import truth_tables
from aimwell.simulation.shop.visits import PER_CATEGORY, Year, live
from aimwell.simulation.shop.weather import context_table, draw_weather

CUSTOMERS = 2_000
SEED = 7
# First days of the long holidays of 2025 in China; people of the simulation look forward to them.
_HOLIDAYS = ("2025-01-01", "2025-01-28", "2025-04-04", "2025-05-01", "2025-05-31", "2025-10-01", "2026-01-01")
_TYPICAL = np.asarray([25.0, 120.0, 15.0, 180.0, 260.0, 90.0, 900.0, 45.0, 130.0])


@lru_cache(maxsize=4)
def simulate(seed: int = SEED, customers: int = CUSTOMERS) -> Market:
    """The whole simulated shop: canonical tables and truth; equal seeds and numbers give equal rows."""
    shoppers = draw_shoppers(stream(seed, "shop/people"), customers)
    weather = draw_weather(stream(seed, "shop/weather"))
    prices = _prices(stream(seed, "shop/prices"))
    year = Year(shoppers, weather, prices, _near_holiday(), stream(seed, "shop/visits"))
    live(year)
    touches, outcomes = touch_tables(shoppers, stream(seed, "shop/touches"))
    held = {
        "customer": _customer_table(shoppers, stream(seed, "shop/master")),
        "product": _product_table(prices),
        "purchase": _purchase_table(year),
        "event": _event_table(year, stream(seed, "shop/events")),
        "touch": touches,
        "outcome": outcomes,
        "feedback": feedback_table(shoppers, stream(seed, "shop/survey")),
        "device": device_table(shoppers, stream(seed, "shop/devices")),
        "relation": _relation_table(),
        "context": context_table(stream(seed, "shop/forecasts"), weather),
    }
    return Market(held, truth_tables(year))


def tables(seed: int = SEED, customers: int = CUSTOMERS) -> dict[str, pa.Table]:
    """The canonical tables of the simulated shop."""
    return dict(simulate(seed, customers).tables)


def truth(seed: int = SEED, customers: int = CUSTOMERS) -> dict[str, pa.Table]:
    """The truth behind them: `customers` and `needs`; for tests alone, never loaded."""
    return dict(simulate(seed, customers).truth)


def _near_holiday() -> Integers:
    """For each day, the days until the next long holiday begins."""
    begins = np.asarray([np.datetime64(day) for day in _HOLIDAYS])
    days = START + np.arange(DAYS).astype("timedelta64[D]")
    place = np.searchsorted(begins, days, side="left")
    return np.asarray((begins[place] - days).astype(np.int64))


def _prices(chance: np.random.Generator) -> Floats:
    typical = np.repeat(_TYPICAL, PER_CATEGORY)
    return np.round(typical * chance.lognormal(0, 0.4, len(typical)), 1)


def _product_table(prices: Floats) -> pa.Table:
    count = len(prices)
    return canonical(
        "product",
        {
            "product_id": ids("G", count),
            "name": np.asarray(
                [f"{CATEGORIES[i // PER_CATEGORY]} {i % PER_CATEGORY + 1}" for i in range(count)], dtype=object
            ),
            "category": np.repeat(np.asarray(CATEGORIES, dtype=object), PER_CATEGORY),
            "department": np.repeat(np.asarray(["food", "wear", "food", *["general"] * 6], dtype=object), PER_CATEGORY),
            "brand": np.asarray([f"brand_{i % 5 + 1}" for i in range(count)], dtype=object),
            "price": prices,
            "margin": np.round(prices * 0.25, 2),
        },
    )


def _relation_table() -> pa.Table:
    """What the company says its categories stand for, for inferred ways of life."""
    ways = ("cook", None, None, "beauty", "active", "home", "tech", "reader", "family")
    known = [place for place, way in enumerate(ways) if way]
    return canonical(
        "relation",
        {
            "head": np.asarray([CATEGORIES[place] for place in known], dtype=object),
            "relation": np.full(len(known), "lifestyle", dtype=object),
            "tail": np.asarray([ways[place] for place in known], dtype=object),
            "weight": np.ones(len(known)),
        },
    )


def _customer_table(shoppers: Shoppers, chance: np.random.Generator) -> pa.Table:
    people = shoppers.people
    born = np.where(happens(chance, 0.4, len(people)), np.datetime64("NaT"), people.birth_date.astype("datetime64[D]"))
    return canonical(
        "customer",
        {
            "customer_id": people.ids,
            "created_at": shoppers.known_at,
            "birth_date": born,
            "gender": some(chance, people.gender, 0.35),
            "city": people.city_texts("name"),
            "region": people.city_texts("region"),
            "language": shoppers.language,
            "timezone": people.city_texts("timezone"),
            "source": shoppers.source,
            "known_at": shoppers.known_at,
        },
    )


def _purchase_table(year: Year) -> pa.Table:
    paid = year.records.of("paid")
    who, order = paid["who"].astype(np.int64), paid["order"].astype(np.int64)
    turn = np.argsort(order, kind="stable")
    line = np.empty(len(order), dtype=np.int64)
    starts = np.r_[True, np.diff(order[turn]) != 0]
    line[turn] = np.arange(len(order)) - np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
    return canonical(
        "purchase",
        {
            "order_id": np.asarray([f"R{number:06d}" for number in order], dtype=object),
            "line": (line + 1).astype(str),
            "customer_id": year.shoppers.people.ids[who],
            "product_id": ids("G", len(year.prices))[paid["product"].astype(np.int64)],
            "occurred_at": moment(year.shoppers, who, paid["day"].astype(np.int64), paid["second"]),
            "quantity": paid["quantity"].astype(np.float64),
            "amount": paid["amount"],
            "discount": paid["discount"],
            "channel": np.full(len(order), "app", dtype=object),
        },
    )


def _event_table(year: Year, chance: np.random.Generator) -> pa.Table:
    acts, people = year.records.of("act"), year.shoppers.people
    who, day, product = (acts[name].astype(np.int64) for name in ("who", "day", "product"))
    when = moment(year.shoppers, who, day, acts["second"])
    order = np.lexsort((acts["name"].astype(str), who, when))
    who, day, product, when = who[order], day[order], product[order], when[order]
    shown = [
        json.dumps({"product_id": f"G{i + 1:06d}", "category": CATEGORIES[i // PER_CATEGORY]})
        for i in range(len(year.prices))
    ]
    count = len(order)
    late = np.where(
        happens(chance, 0.03, count), chance.integers(3_600, 30 * 3_600, count), chance.integers(0, 5, count)
    )
    return canonical(
        "event",
        {
            "event_id": ids("E", count),
            "customer_id": people.ids[who],
            "name": acts["name"][order],
            "occurred_at": when,
            "channel": np.full(count, "app", dtype=object),
            "session_id": np.asarray(
                [f"{person}-{on}" for person, on in zip(people.ids[who], day, strict=True)], dtype=object
            ),
            "properties": np.asarray([shown[i] if i >= 0 else None for i in product], dtype=object),
            "received_at": when + late.astype("timedelta64[s]"),
        },
    )
