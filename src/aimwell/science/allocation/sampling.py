"""First prices for very many customers, from a sample in which every kind of customer has its share."""

from __future__ import annotations

import numpy as np

from aimwell.science.allocation.choices import Choices
from aimwell.science.allocation.limits import kinds_of_customers
from aimwell.science.allocation.prices import Shortage
from aimwell.science.allocation.programme import relaxed
from aimwell.science.arrays import FloatArray, IntArray

_ATTEMPTS = 60
_SHORT = 65_536


def first_prices(given: Choices, shortage: Shortage, size: int, seed: int) -> FloatArray:
    """Prices of the relaxed optimum of about `size` customers who stand for all [1 + limits].

    Those who may get the same treatments are drawn together, at least some of each kind, so that what the limits allow
    for all they allow for the sample. Only the money may be too little for whom was drawn: then it is raised.
    """
    rows, weights = _drawn(given, size, seed)
    sample = given.take(rows)
    money = shortage.money
    for _ in range(_ATTEMPTS):
        found = relaxed(sample, Shortage(money, shortage.rows), weights)
        if found is not None:
            return found.prices
        money = 1.25 * money + float((sample.costs * weights).max())
    return np.zeros(1 + len(shortage.rows.names))


def _drawn(given: Choices, size: int, seed: int) -> tuple[IntArray, FloatArray]:
    """Rows of a sample by kind, and how many customers each stands for."""
    kinds = kinds_of_customers(given)
    counts = kinds.people.astype(np.int64)
    some = min(50, size // counts.size + 1)
    wanted = np.minimum(counts, np.maximum(np.ceil(size * counts / given.people), some)).astype(np.int64)
    shuffled = np.random.default_rng(seed).permutation(given.people)
    small = kinds.kind[shuffled].astype(np.uint16 if counts.size <= _SHORT else np.int64)  # short numbers sort faster
    order = shuffled[np.argsort(small, kind="stable")]
    place = np.arange(given.people) - np.repeat(np.cumsum(counts) - counts, counts)
    taken = np.sort(order[place < np.repeat(wanted, counts)]).astype(np.int64)
    return taken, (counts / wanted)[kinds.kind[taken]]
