"""Days of the market as the messages of the Segment specification, for the event API; each is labelled as simulated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aimwell.simulation.app.messages import Message, timestamps
from aimwell.simulation.chance import Booleans, Integers
from aimwell.simulation.regimes.day import Day
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.people import SOURCES, customer_ids
from aimwell.simulation.regimes.shelf import OFFSET

LABEL = "simulated"
ADDRESSES = {"email": "email", "app_push": "push_token", "sms": "phone", "call": "phone"}
"""The kind of address that each channel of a market sends to."""


def address(kind: str, who: int) -> str:
    """An address that belongs to nobody: e-mail to `.example`, telephone numbers of a network that does not exist.

    >>> address("email", 7)
    'm00000007@market.example'
    """
    match kind:
        case "email":
            return f"m{who:08d}@market.example"
        case "phone":
            return f"100{who:08d}"
        case _:
            return f"{LABEL}-M{who:08d}"


def introductions(market: Marketplace, who: Integers) -> Iterator[Message]:
    """One identify message of each of some customers, dated when they came: what a company imports, or hears of."""
    people, ids = market.people, customer_ids(who).to_pylist()
    first = int(np.datetime64(market.first_day, "D").astype(np.int64))
    millis = ((first + people.arrival[who]) * 86_400 + 8 * 3_600 - OFFSET) * 1_000
    for place, user, at in zip(who.tolist(), ids, timestamps(millis), strict=True):
        traits: dict[str, object] = {
            "gender": "F" if people.female[place] else "M",
            "age": int(people.age[place]),
            "income": float(people.income[place]),
            "risk_level": int(people.risk[place]),
            "source": SOURCES[int(people.source[place])],
            "timezone": "Asia/Shanghai",
        }
        for channel, there in zip(market.business.channels, people.reached[place].tolist(), strict=True):
            if there:
                kind = ADDRESSES[channel.name]
                traits[kind] = address(kind, place)
        yield _message(market, "identify", user, at, f"{place}-identify") | {"traits": traits}


def day_messages(market: Marketplace, day: Day) -> Iterator[Message]:
    """One day in the order of time, who came first: `identify`, `product_viewed`, `order_completed`.

    What became of the company's own messages is told by channels (`Day.answers`), not by the customers' app.
    """
    yield from introductions(market, day.arrived)
    views, bought = day.views, day.purchases
    who = np.r_[views.customer, bought.customer]
    second = np.r_[views.second, bought.second]
    product = np.r_[views.product, bought.product]
    orders: Booleans = np.arange(len(who)) >= len(views)
    order = np.lexsort((orders, who, second))
    begins = int(np.datetime64(day.on, "D").astype(np.int64)) * 86_400 - OFFSET
    stamps = timestamps((begins + second[order]) * 1_000)
    ids, lines = customer_ids(who[order]).to_pylist(), [line.name for line in market.business.lines]
    for row, user, at in zip(order.tolist(), ids, stamps, strict=True):
        item = int(product[row])
        properties: dict[str, object] = {
            "product_id": market.shelf.ids[item],
            "category": lines[int(market.shelf.line[item])],
            "simulated": True,
        }
        name = "product_viewed"
        if orders[row]:
            name, place = "order_completed", row - len(views)
            paid = int(bought.price[place] - bought.discount[place])
            properties |= {"amount": paid / 100, "discount": int(bought.discount[place]) / 100, "currency": "CNY"}
        ident = f"{int(who[row])}-{day.number}-{name}"
        yield _message(market, "track", user, at, ident) | {"event": name, "properties": properties}


def _message(market: Marketplace, kind: str, user: str, at: str, ident: str) -> Message:
    return {
        "type": kind,
        "messageId": f"{LABEL}-{market.name}-{market.nature.seed}-{ident}",
        "timestamp": at,
        "userId": user,
        "context": {"simulated": True},
        "integrations": {},
    }
