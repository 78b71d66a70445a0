"""Arrays as callers hand them over, checked once at the door: clear errors instead of silent NaN."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aimwell.core.errors import BadQuestion, NotEnoughData

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def numbers(values: ArrayLike, what: str) -> FloatArray:
    """One finite number per customer, as a float array [n].

    what: the name that an error message uses.   Booleans count as 0 and 1.
    Raises NotEnoughData when empty, BadQuestion when it is no list of finite numbers.

    >>> numbers([1, 2.5], "amounts")
    array([1. , 2.5])
    """
    array = _floats(values, what)
    if array.ndim != 1:
        raise BadQuestion(f"{what} must be one list of numbers", expected="one dimension", seen=f"{array.ndim}")
    _refuse_empty(array, what)
    _refuse_unknown(array, what)
    return array


def matrix(values: ArrayLike, what: str) -> FloatArray:
    """Customers in rows, columns of finite numbers, as a float array [n, d].

    Raises NotEnoughData when there are no rows or no columns, BadQuestion when it is no table of finite numbers.
    """
    array = table(values, what)
    _refuse_unknown(array, what)
    return array


def table(values: ArrayLike, what: str) -> FloatArray:
    """Like `matrix`, but NaN is allowed and means unknown; infinity is still refused."""
    array = _floats(values, what)
    if array.ndim != 2:
        raise BadQuestion(f"{what} must be a table", expected="rows and columns", seen=f"{array.ndim} dimension(s)")
    _refuse_empty(array, what)
    infinite = int(np.isinf(array).sum())
    if infinite:
        raise BadQuestion(f"{what} hold infinite numbers", seen=f"{infinite}", remedy="Replace or remove them.")
    return array


def truths(values: ArrayLike, what: str) -> BoolArray:
    """One yes or no per customer, as a bool array [n]; numbers must be 0 or 1.

    >>> truths([1, 0], "bought")
    array([ True, False])
    """
    array = numbers(values, what)
    if not np.all((array == 0) | (array == 1)):
        odd = float(array[(array != 0) & (array != 1)][0])
        raise BadQuestion(f"{what} must be yes or no", expected="true/false or 1/0", seen=f"{odd:g}")
    found: BoolArray = array == 1
    return found


def both_kinds(values: ArrayLike, what: str) -> BoolArray:
    """Like `truths`, but both yes and no must occur, since nothing can be told apart otherwise.

    Raises NotEnoughData when everybody is alike.
    """
    array = truths(values, what)
    yes = int(array.sum())
    if yes == 0 or yes == array.size:
        raise NotEnoughData(
            f"{what}: everybody is alike, so nothing can be told apart",
            expected="some with and some without",
            seen=f"{yes} of {array.size} with",
            remedy="Take more customers, a longer horizon or another label.",
        )
    return array


def shares(values: ArrayLike, what: str) -> FloatArray:
    """One probability per customer, in [0, 1]."""
    array = numbers(values, what)
    if array.min() < 0 or array.max() > 1:
        outside = float(array.min() if array.min() < 0 else array.max())
        raise BadQuestion(f"{what} must be probabilities", expected="numbers from 0 to 1", seen=f"{outside:g}")
    return array


def share(value: float, what: str) -> float:
    """One share in [0, 1], or BadQuestion."""
    if not 0 <= value <= 1:
        raise BadQuestion(f"{what} must be a share", expected="a number from 0 to 1", seen=f"{value:g}")
    return float(value)


def codes(values: ArrayLike, what: str) -> IntArray:
    """Any ids (text or numbers) as whole numbers 0 … g-1 in sorted order of the ids, [n].

    >>> codes(["b", "a", "b"], "customers")
    array([1, 0, 1])
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise BadQuestion(f"{what} must be one list of ids", expected="one dimension", seen=f"{array.ndim}")
    _refuse_empty(array, what)
    found: IntArray = np.unique(array, return_inverse=True)[1].astype(np.int64)
    return found


def totals(places: IntArray, weights: NDArray[np.generic], size: int) -> FloatArray:
    """Sum of the weights at each place 0 … size-1.

    >>> totals(np.array([0, 2, 2]), np.array([1.0, 2.0, 3.0]), 3)
    array([1., 0., 5.])
    """
    summed: FloatArray = np.bincount(places, weights=weights, minlength=size).astype(np.float64, copy=False)
    return summed


def mean_ranks(values: NDArray[np.generic]) -> FloatArray:
    """The place of each value in ascending order, from 1; equal values share the mean of their places [n].

    The same as `scipy.stats.rankdata`, without what surrounds it there: resampling asks thousands of times.

    >>> mean_ranks(np.array([10, 30, 10]))
    array([1.5, 3. , 1.5])
    """
    order = values.argsort(kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))[: values.size]
    sizes = np.diff(np.append(starts, values.size))
    ranks = np.empty(values.size, dtype=np.float64)
    ranks[order] = np.repeat(starts + (sizes + 1) / 2, sizes)
    return ranks


def same_length(**arrays: NDArray[np.generic]) -> None:
    """Raises BadQuestion unless all arrays speak about the same number of customers."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        seen = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise BadQuestion("The lists differ in length", expected="one entry per customer in each", seen=seen)


def _floats(values: ArrayLike, what: str) -> FloatArray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadQuestion(f"{what} must be numbers", seen=str(error)) from error


def _refuse_empty(array: NDArray[np.generic], what: str) -> None:
    if array.size == 0:
        raise NotEnoughData(f"{what}: there is nobody to look at", expected="at least one customer", seen="none")


def _refuse_unknown(array: FloatArray, what: str) -> None:
    unknown = int(array.size - np.isfinite(array).sum())
    if unknown:
        raise BadQuestion(
            f"{what} hold missing or infinite numbers",
            expected="finite numbers",
            seen=f"{unknown} of {array.size}",
            remedy="Fill or leave out these customers first.",
        )
