"""EASE: each item foretold from all others by one ridge regression in closed form."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import FloatArray
from aimwell.science.recommend.neighbours import refuse_nothing, scaled_rows
from aimwell.science.recommend.sparse import Sparse


def ease(X: Sparse, *, penalty: float, customer_power: float = 0.0, item_power: float = 0.0) -> FloatArray:
    """Weights with which what a customer bought speaks for every other item; a very strong and simple recommender.

    X: sparse [customers, items].   penalty λ > 0: larger for fewer customers.   customer_power: each customer counts
    by (number of items) ** -customer_power.   item_power: the penalty of an item grows with how often it was
    bought, as (count / mean count) ** item_power.
    Returns B [items, items] with a diagonal of 0, so that X @ B scores; weights may be negative.
    Raises NotEnoughData when there is no purchase, BadQuestion for a penalty that is not positive.
    Cost: items³ / 3 operations and 2 items² numbers, whatever the number of customers.
    Source: Steck, WWW (2019), equation 8; weights of rows and penalties by the same derivation.
    """
    refuse_nothing(X)
    weighted = scaled_rows(X, customer_power) if customer_power else X
    gram: FloatArray = (weighted.T @ X).toarray().astype(np.float64)
    return regression(gram, np.asarray(X.sum(axis=0), dtype=np.float64).ravel(), penalty=penalty, item_power=item_power)


def regression(gram: FloatArray, bought: FloatArray, *, penalty: float, item_power: float = 0.0) -> FloatArray:
    """The weights of EASE from how often each two items were bought together, however that was counted.

    gram: symmetric, without negative eigenvalues [items, items], as X.T @ X or `close_pairs`; it is not changed.
    bought: how often each item was bought [items].   penalty, item_power, the result and the source: as in `ease`.
    """
    if penalty <= 0:
        raise BadQuestion("EASE needs a penalty", expected="more than 0", seen=f"{penalty:g}")
    relative = np.maximum(bought, 1.0) / max(float(bought.mean()), 1.0)
    ridge = gram.copy()
    ridge[np.diag_indices_from(ridge)] += penalty * np.power(relative, item_power)
    inverse: FloatArray = cho_solve(cho_factor(ridge, overwrite_a=True), np.eye(gram.shape[0]), overwrite_b=True)
    weights: FloatArray = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights


def pruned(weights: FloatArray, count: int) -> Sparse:
    """The `count` weights of each item (column) that are largest in size, as a sparse matrix of the same shape."""
    items = weights.shape[0]
    if count >= items:
        return csr_array(weights)
    least = np.partition(np.abs(weights), items - count, axis=0)[items - count]
    return csr_array(np.where(np.abs(weights) >= np.maximum(least, np.finfo(np.float64).tiny), weights, 0.0))
