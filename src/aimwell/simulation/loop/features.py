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
    """[messages, 15]: the customer, how they stand to the line, and what is offered; channel and hour left out.

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
            company.traits[customer][:, 3] - company.catalogue.risk[product],
            liked,
            company.catalogue.price[product] / 100.0,
            depth,
            line,
        ]
    ).astype(np.float64)


LINE_COLUMN = 14
"""Where the line is among `offer_features`: a code, not a number."""


def sight_features(book: Book, customer: Integers, channel: Integers, hour: FloatArray) -> FloatArray:
    """[messages, 8]: what says whether a message is seen, apart from other messages: customer, hour and channel."""
    company = book.company
    got, saw = book.got[customer, channel], book.saw[customer, channel]
    own = book.hour()[customer]
    return np.column_stack(
        [
            company.traits[customer][:, :3],
            book.times[customer],
            np.abs(hour - own),
            hour,
            (saw + 0.5) / (got + 3.0),
            channel,
        ]
    ).astype(np.float64)


CHANNEL_COLUMN = 7
"""Where the channel is among `sight_features`: a code, not a number."""
WINDOWS = (14, 28, 84)
"""Days within which messages are counted that may have tired somebody."""


def recent_features(book: Book, customer: Integers) -> FloatArray:
    """[messages, 3]: messages that the customer was given up to 14 days ago, then up to 28, then up to 84."""
    counted = np.column_stack([book.recent(days)[customer] for days in WINDOWS]).astype(np.float64)
    return np.diff(counted, axis=1, prepend=0.0)
