"""What messages cost besides money: how tired a customer is of us, and how many more may come."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import BoolArray, FloatArray, numbers, same_length


def fatigue(recent: ArrayLike, messages: ArrayLike, price: float) -> FloatArray:
    """What is lost by another message to a customer who has had many lately, to be taken from the gain.

    Each message costs the price for every message that came before it, so the first to a rested customer is free and
    the tenth costs nine times the price. It is a price on patience, not money: the budget does not know it.

    recent: messages of late [customers], from 0.   messages: of each treatment [treatments], from 0; 1 for most.
    price: in the unit of the gains, from 0.   Returns [customers, treatments].
    >>> fatigue([0, 3], [1, 2], 0.5).tolist()
    [[0.0, 0.5], [1.5, 3.5]]
    """
    before, more = _counts(recent, "recent messages"), _counts(messages, "messages of a treatment")
    if not price >= 0:
        raise BadQuestion("The price of fatigue must not be negative", expected="0 or more", seen=f"{price:g}")
    lost: FloatArray = price * (before[:, None] * more + (more * (more - 1) / 2)[None, :])
    return lost


def within_caps(recent: ArrayLike, messages: ArrayLike, cap: ArrayLike) -> BoolArray:
    """Which treatments leave a customer within the cap on messages.

    recent, messages: as for `fatigue`.   cap: one number for all, or one for each customer [customers].
    Returns [customers, treatments].
    """
    before, more = _counts(recent, "recent messages"), _counts(messages, "messages of a treatment")
    most = _counts(np.atleast_1d(np.asarray(cap, dtype=np.float64)), "caps")
    if most.size > 1:
        same_length(recent=before, cap=most)
    found: BoolArray = before[:, None] + more <= most.reshape(-1, 1)
    return found


def _counts(values: ArrayLike, what: str) -> FloatArray:
    counted = numbers(values, what)
    if counted.min() < 0:
        raise BadQuestion(f"{what} cannot be negative", expected="counts from 0", seen=f"{counted.min():g}")
    return counted
