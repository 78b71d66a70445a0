"""Shares out what belongs to several, to the last cent: nothing is lost in rounding and nothing is invented."""

from __future__ import annotations

import numpy as np

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import IntArray

_SAFE = 2**62


def share_out(amounts: IntArray, owner: IntArray, weights: IntArray) -> IntArray:
    """Whole units (cents) of each amount, shared among its rows in proportion to their weights, [k].

    Each row gets its proportion rounded down; the units that are left go one by one to the rows with the largest
    remainders (Hamilton's method), to the earlier row among equal ones. Amounts below 0 are shared like those above.
    Where all weights of an amount are 0, its rows share alike.

    amounts: whole units [g].   owner: to which amount a row belongs, 0 … g-1 [k].   weights: whole numbers from 0 [k].
    Raises BadQuestion for weights below 0, and for an amount that is not 0 and has no row.   Cost: O(k log k).

    >>> share_out(np.array([100, -5]), np.array([0, 0, 0, 1, 1]), np.array([1, 1, 1, 3, 1])).tolist()
    [34, 33, 33, -4, -1]
    """
    if weights.size and int(weights.min()) < 0:
        raise BadQuestion("Shares are taken by weights from 0", expected="0 or more", seen=f"{int(weights.min())}")
    rows = np.bincount(owner, minlength=amounts.size)
    if np.any((rows == 0) & (amounts != 0)):
        lost = int(amounts[(rows == 0) & (amounts != 0)][0])
        raise BadQuestion("An amount belongs to nobody", expected="at least one row for each amount", seen=f"{lost}")
    counted = np.where(_summed(weights, owner, amounts.size)[owner] > 0, weights, 1)
    whole = _summed(counted, owner, amounts.size)
    exact = _exact(amounts, counted)
    product = np.abs(exact[owner]) * counted
    share, rest = product // whole[owner], product % whole[owner]
    left = np.abs(amounts) - _summed(share.astype(np.int64), owner, amounts.size)
    order = np.lexsort((np.arange(owner.size), -rest.astype(np.int64), owner))
    place = np.empty(owner.size, dtype=np.int64)
    place[order] = np.arange(owner.size) - (np.cumsum(rows) - rows)[owner[order]]
    found: IntArray = (share.astype(np.int64) + (place < left[owner])) * np.sign(amounts)[owner]
    return found


def _summed(values: IntArray, owner: IntArray, size: int) -> IntArray:
    """Exact sums by owner; floats, as `bincount` makes them, would lose cents of very large sums."""
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, owner, values)
    return total


def _exact(amounts: IntArray, weights: IntArray) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
    """The amounts in a type in which their products with the weights are exact."""
    largest = max((abs(int(amount)) for amount in (amounts.min(), amounts.max())), default=0) if amounts.size else 0
    heavy = int(weights.max()) if weights.size else 0
    return amounts.astype(object) if largest * heavy >= _SAFE else amounts
