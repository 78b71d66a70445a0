"""What could be proposed to each customer: for each channel the offer that gains most, with its gain and its cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.simulation.chance import Integers
from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.changes import Changes
from aimwell.simulation.loop.exploring import suited
from aimwell.simulation.loop.features import offer_features
from aimwell.simulation.loop.sights import Sights

_LINES = 2
"""Discounts are looked at for so many lines, those that gain most at full price, and for the likelier half."""


@dataclass(frozen=True, slots=True)
class Proposals:
    """[customers, channels]: the best offer on each channel, and what it gains before cost and fatigue, in cents."""

    gain: FloatArray
    product: Integers
    depth: FloatArray


def propose(book: Book, who: Integers, hour: FloatArray, sights: Sights, changes: Changes) -> Proposals:
    """The best offers for some customers; gain = chance to be seen × what is gained then.

    Gained is the margin less the discount, as often as the message sells; lost is the discount, as often as they
    would have bought anyway.
    """
    offers = _offers(book, who, changes)
    channels = len(book.company.channels)
    gain = np.zeros((len(who), channels))
    product, depth = np.zeros((len(who), channels), dtype=np.int64), np.zeros((len(who), channels))
    rows = np.arange(len(who))
    for channel in range(channels):
        worth = changes.force[channel] * offers.sold - offers.given_away
        best = np.argmax(worth, axis=1)
        seen = sights.chance(book, who, np.full(len(who), channel), hour)
        gain[:, channel] = seen * worth[rows, best]
        product[:, channel], depth[:, channel] = offers.product[rows, best], offers.depth[rows, best]
    return Proposals(gain, product, depth)


@dataclass(frozen=True, slots=True)
class _Offers:
    """[customers, offers]: cents that seeing an offer sells (margin less discount), and gives away, in the mean."""

    sold: FloatArray
    given_away: FloatArray
    product: Integers
    depth: FloatArray


def _offers(book: Book, who: Integers, changes: Changes) -> _Offers:
    products, company = suited(book, who), book.company
    full = [_offer(book, who, products[:, line], 0.0, changes) for line in range(products.shape[1])]
    sold = np.column_stack([each[0] for each in full])
    found = [(each[0], each[1], products[:, line], 0.0) for line, each in enumerate(full)]
    order, best = np.argsort(-sold, axis=1, kind="stable"), sold.max(axis=1, initial=0.0)
    likely = np.flatnonzero(best >= np.median(best))
    for place in range(min(_LINES, products.shape[1])):
        product = products[np.arange(len(who)), order[:, place]]
        for depth in (depth for depth in company.depths if depth > 0):
            gains = np.zeros(len(who)), np.zeros(len(who))
            gains[0][likely], gains[1][likely] = _offer(book, who[likely], product[likely], depth, changes)
            found.append((*gains, product, depth))
    return _Offers(
        np.column_stack([each[0] for each in found]),
        np.column_stack([each[1] for each in found]),
        np.column_stack([each[2] for each in found]),
        np.column_stack([np.full(len(who), each[3]) for each in found]),
    )


def _offer(
    book: Book, who: Integers, product: Integers, depth: float, changes: Changes
) -> tuple[FloatArray, FloatArray]:
    catalogue = book.company.catalogue
    told = offer_features(book, who, catalogue.line[product], product, np.full(len(who), depth))
    off = catalogue.off(product, np.full(len(who), depth))
    sold = changes.effects(told) * (catalogue.margin[product] - off)
    return sold, changes.anyway(told) * off if depth > 0 else np.zeros(len(who))
