"""Who is sent something by lot, so that effects can be learnt: a small part of the margin is spent on knowing more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.simulation.chance import Booleans, Integers
from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.policy import Chosen
from aimwell.simulation.regimes.messages import Messages

_MOST, _CERTAIN = 0.5, 0.9
_EVEN, _SOME_VIEWS = 0.3, 0.3
_FIRST_HOUR, _LAST_HOUR = 8.0, 21.0


@dataclass(frozen=True, slots=True)
class Explored:
    """What the lot decided: the messages with their probabilities.

    line: that each is about.   other: the line that a fair coin decided against.
    """

    chosen: Chosen
    line: Integers
    other: Integers


def shares(book: Book, money: FloatArray, dear: Booleans) -> FloatArray:
    """[present, channels]: the probability that each is drawn for each channel; 0 where nobody is reached.

    money: [channels], cents that may be spent.   dear: [channels]: there, who looks at what earns much is likelier to
    be drawn, up to nine in ten for one person. No more than half of the customers are drawn in all.
    """
    sendable, cost = book.sendable(), np.maximum(book.company.cost, 1)
    reached = np.maximum(sendable.sum(axis=0), 1)
    share = np.minimum(money / cost / reached, _MOST / len(cost))
    tilt = np.where(dear, _promise(book)[:, None], 1.0) * sendable
    tilt = tilt * reached / np.maximum(tilt.sum(axis=0), 1e-300)
    found = share * tilt
    return np.asarray(found * np.minimum(1.0, _CERTAIN / np.maximum(found.sum(axis=1, keepdims=True), 1e-300)))


def _promise(book: Book) -> FloatArray:
    """[present]: margin of the lines that each looks at, over that of a mean customer, and a part that all have."""
    looked = book.views[: book.present] @ book.company.margins()
    mean = float(looked.mean()) if len(looked) else 0.0
    return np.asarray(_EVEN + (1 - _EVEN) * looked / mean) if mean > 0 else np.ones(book.present)


def line_odds(book: Book, who: Integers, dear: Booleans | None = None) -> FloatArray:
    """[customers, lines]: how likely the lot takes each line: what somebody looks at is likelier, nothing is ruled out.

    Three tenths are spread evenly, the rest follows the views of the last weeks; for those who are `dear` to reach,
    views of lines that earn more count for more.
    """
    views = book.views[who] + _SOME_VIEWS
    if dear is not None:
        views = views * np.where(dear[:, None], book.company.margins(), 1.0)
    lines = views.shape[1]
    return np.asarray(_EVEN / lines + (1 - _EVEN) * views / views.sum(axis=1, keepdims=True))


def drawn_lines(odds: FloatArray, chance: np.random.Generator) -> Integers:
    """A line for each, by lot."""
    ends = np.cumsum(odds, axis=1)[:, :-1]
    point = chance.random(len(odds)) * odds.sum(axis=1)
    return np.asarray((point[:, None] >= ends).sum(axis=1), dtype=np.int64)


def other_odds(odds: FloatArray, line: Integers) -> FloatArray:
    """The same chances among all lines but one, which differs from row to row."""
    left = odds.copy()
    left[np.arange(len(line)), line] = 0.0
    return np.asarray(left / left.sum(axis=1, keepdims=True))


def coin_odds(odds: FloatArray) -> FloatArray:
    """[customers, lines]: how likely a line is taken when two lines are drawn and a fair coin decides between them.

    >>> coin_odds(np.asarray([[0.5, 0.5], [0.9, 0.1]])).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    ratio = odds / (1 - odds)
    second = odds * (ratio.sum(axis=1, keepdims=True) - ratio)
    return np.asarray((odds + second) / 2)


def explore(book: Book, share: FloatArray, dear: Booleans, chance: np.random.Generator) -> Explored:
    """Draw customers, and for each of them line, product, depth and hour: all by lot, all logged.

    share: see `shares`.   Two lines are drawn, and a coin decides between them: so for both it is known what the other
    would have done. Each depth but none has an equal part of one half. Half of the hours are the customer's own, where
    they are known.
    """
    company, present = book.company, book.present
    point = chance.random(present)
    channel = (point[:, None] >= np.cumsum(share, axis=1)).sum(axis=1)
    who = np.flatnonzero(channel < share.shape[1])
    lines = line_odds(book, who, dear[channel[who]])
    line = drawn_lines(lines, chance)
    other = drawn_lines(other_odds(lines, line), chance)
    heads = chance.random(len(who)) < 0.5
    line, other = np.where(heads, line, other), np.where(heads, other, line)
    product, many = drawn_products(book, who, line, chance)
    depths = np.asarray(company.depths)
    odds = np.where(depths == 0, 0.5, 0.5 / max(len(depths) - 1, 1))
    odds = odds / odds.sum()
    depth = chance.choice(len(depths), size=len(who), p=odds)
    own = book.hour()[who]
    any_hour = chance.uniform(_FIRST_HOUR, _LAST_HOUR, size=len(who))
    hour = np.where((chance.random(len(who)) < 0.5) & ~np.isnan(own), own, any_hour)
    probability = share[who, channel[who]] * odds[depth] * coin_odds(lines)[np.arange(len(who)), line] / many
    messages = Messages.of(who, product, channel[who], hour, depths[depth])
    return Explored(Chosen(messages, probability), line, other)


def drawn_products(book: Book, who: Integers, line: Integers, chance: np.random.Generator) -> tuple[Integers, Integers]:
    """A product of the line for each, by lot among those on sale and within the customer's risk; and among how many."""
    sold, company = book.company.catalogue, book.company
    product, many = np.zeros(len(who), dtype=np.int64), np.ones(len(who), dtype=np.int64)
    point = chance.random(len(who))
    for place in range(len(company.lines)):
        for risk in np.unique(company.risk[who]):
            rows = np.flatnonzero((line == place) & (company.risk[who] == risk))
            may = np.flatnonzero(sold.on_sale(book.day) & (sold.line == place) & (sold.risk <= risk))
            product[rows] = may[(point[rows] * len(may)).astype(np.int64)]
            many[rows] = len(may)
    return product, many


def suited(book: Book, who: Integers) -> Integers:
    """[customers, lines]: of each line the product whose theme the customer looked at most; ties to the best seller."""
    company, sold = book.company, book.company.catalogue
    liked = book.themes[who]
    weight = 1e-3 * book.sold / max(int(book.sold.max(initial=0)), 1)
    found = np.zeros((len(who), len(company.lines)), dtype=np.int64)
    for place in range(len(company.lines)):
        may = np.flatnonzero(sold.on_sale(book.day) & (sold.line == place))
        score = liked[:, sold.theme[may]] + weight[may][None, :]
        score = np.where(sold.risk[may][None, :] <= company.risk[who][:, None], score, -np.inf)
        found[:, place] = may[np.argmax(score, axis=1)]
    return found
