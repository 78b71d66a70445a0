"""What models learn from: customers as the book shows them on a morning, alone and beside a line of products."""

from __future__ import annotations

import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.simulation.chance import Integers
from aimwell.simulation.loop.book import Book


def customer_features(book: Book) -> FloatArray:
    """[present, 14 + lines]: master data, and what each has done so far."""
    company, present = book.company, book.present
    views, bought = book.views[:present], book.bought[:present]
    return np.column_stack(
        [
            company.traits[:present],
            book.day - company.arrival[:present],
            views.sum(axis=1),
            bought.sum(axis=1),
            book.orders[:present],
            book.times[:present],
            book.redeemed[:present],
            book.recent(14),
            book.recent(28),
            views,
        ]
    ).astype(np.float64)


def offer_features(book: Book, customer: Integers, line: Integers, product: Integers, depth: FloatArray) -> FloatArray:
    """[messages, 17]: the customer, how they stand to the line, and what is offered; channel and hour left out.

    They say what a message does with somebody who sees it. Whether it is seen is another question.
    """
    company = book.company
    views, bought, themes = book.views[customer], book.bought[customer], book.themes[customer]
    rows = np.arange(len(customer))
    liked = (themes[rows, company.catalogue.theme[product]] + 0.25) / (themes.sum(axis=1) + 1.0)
    return np.column_stack(
        [
            company.traits[customer][:, :4],
            book.day - company.arrival[customer],
            views[rows, line],
            views.sum(axis=1),
            bought[rows, line],
            book.orders[customer],
            book.redeemed[customer],
            book.looked[customer],
            book.answered[customer],
            company.traits[customer][:, 3] - company.catalogue.risk[product],
            liked,
            company.catalogue.price[product] / 100.0,
            depth,
            line,
        ]
    ).astype(np.float64)


LINE_COLUMN = 16
"""Where the line is among `offer_features`: a code, not a number."""


def sight_features(book: Book, customer: Integers, channel: Integers, hour: FloatArray) -> FloatArray:
    """[messages, 8 + channels]: what says whether a message is seen, apart from other messages.

    Customer, hour and channel, and how much each saw of what they got: on this channel, then on each.
    """
    company, rows = book.company, np.arange(len(customer))
    rates = (book.saw[customer] + 0.5) / (book.got[customer] + 3.0)
    own = book.hour()[customer]
    return np.column_stack(
        [
            company.traits[customer][:, :3],
            book.times[customer],
            np.abs(hour - own),
            hour,
            rates[rows, channel],
            channel,
            rates,
        ]
    ).astype(np.float64)


TIMES_COLUMN, AWAY_COLUMN, RATE_COLUMN, CHANNEL_COLUMN = 3, 4, 6, 7
"""Where some of `sight_features` are: visits, hours from the own hour, rate of seeing, and the channel, a code."""
