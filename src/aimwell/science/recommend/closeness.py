"""Closeness in time: two items count as bought together the more, the nearer in time one customer bought both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import FloatArray, IntArray, same_length, totals
from aimwell.science.recommend.neighbours import refuse_no_purchase

BLOCK_PAIRS = 1_000_000
"""Pairs of purchases of the same customer that are weighed at a time."""


def close_pairs(
    person: IntArray,
    item: IntArray,
    at: FloatArray,
    *,
    items: int,
    spans: Sequence[float],
    customer_power: float = 0.5,
) -> FloatArray:
    """How often each two items were bought by the same customer, near purchases counting more than far ones.

    person, item, at: purchases [n], one for each customer and item; times in a unit of the caller's choice.   items:
    how many there are.   Two purchases at times s and t count by the mean of exp(-|s - t| / span) over `spans`, so a
    short span hears of one visit and a long one of a year; all purchases of a customer count by
    (number of them) ** -customer_power.
    Returns a symmetric matrix [items, items], scaled so that its diagonal sums to n; with one endless span (np.inf) and
    customer_power 0 it is X.T @ X.   Its use is `regression` of `ease`.
    Raises NotEnoughData without a purchase, BadQuestion for spans that are missing or not positive.
    Cost: the sum over customers of purchases², and items² numbers; order of rows does not matter.
    Source: a product of kernels (same customer × near in time) in the normal equations of Steck, WWW (2019); weighing
    by nearness in time as in Ding and Li, CIKM (2005).

    >>> close_pairs(np.array([0, 0]), np.array([0, 1]), np.array([5.0, 5.0]), items=2, spans=[1.0])
    array([[1., 1.],
           [1., 1.]])
    """
    same_length(person=person, item=item, at=at)
    refuse_no_purchase(person.size, people=int(person.max()) + 1 if person.size else 0, items=items)
    if not len(spans) or not min(spans) > 0:
        raise BadQuestion("Closeness needs spans of time", expected="one or more, each above 0", seen=f"{list(spans)}")
    order = np.lexsort((item, person))
    who, what, when = person[order], item[order].astype(np.int64), at[order].astype(np.float64)
    starts = np.flatnonzero(np.concatenate([[True], who[1:] != who[:-1]]))
    sizes = np.diff(np.append(starts, who.size))
    weight = np.repeat(sizes.astype(np.float64) ** -customer_power, sizes)
    found = np.zeros(items * items)
    for first, second in _pairs(starts, sizes):
        apart = np.abs(when[first] - when[second])
        near = np.mean([np.exp(-apart / span) for span in spans], axis=0) * weight[first]
        found += totals(what[first] * items + what[second], near, items * items)
    scaled: FloatArray = found.reshape(items, items) * (who.size / weight.sum())
    return scaled


def _pairs(starts: IntArray, sizes: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Rows of purchases paired with all rows of the same customer, some customers at a time."""
    reached = np.cumsum(sizes * sizes)
    begin = 0
    while begin < sizes.size:
        before = int(reached[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(reached, before + BLOCK_PAIRS, side="right")))
        own, many = starts[begin:end], sizes[begin:end]
        rows = np.arange(own[0], own[-1] + many[-1])
        first = np.repeat(rows, np.repeat(many, many))
        opening = np.repeat(own, many * many)
        within = np.arange(first.size) - np.repeat(np.cumsum(many * many) - many * many, many * many)
        yield first, opening + within % np.repeat(many, many * many)
        begin = end
