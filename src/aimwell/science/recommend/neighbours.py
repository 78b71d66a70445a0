"""Item to item: which items are bought by the same people (cosine), as a sparse matrix of neighbours."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, diags_array, vstack

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import FloatArray
from aimwell.science.recommend.sparse import BLOCK_CELLS, Sparse, rows_of, top


def cosine_neighbours(X: Sparse, *, count: int = 50, shrinkage: float = 0.0) -> Sparse:
    """How alike two items are by who bought them, for the `count` nearest of each item.

    X: sparse [customers, items], any weights ≥ 0.   Similarity of i and j is x_i · x_j / (|x_i| |x_j| + shrinkage).
    Returns W sparse [items, items], W[j, i] = similarity of j, one of the nearest of i; the diagonal is 0, so that
    X @ W scores every item by its neighbours that a customer bought.   An item that nobody bought has none.
    Raises NotEnoughData when there is no purchase at all.   Cost: items / block × nnz.
    Source: Sarwar, Karypis, Konstan and Riedl, WWW (2001); shrinkage as in Bell and Koren, ICDM (2007).
    """
    refuse_nothing(X)
    if shrinkage < 0:
        raise BadQuestion("Shrinkage draws towards nothing", expected="0 or more", seen=f"{shrinkage:g}")
    norms = np.sqrt(np.asarray(X.multiply(X).sum(axis=0), dtype=np.float64).ravel())
    columns = X.T.tocsr()
    parts = []
    for begin, end in blocks(X.shape[1]):
        common = (columns[begin:end] @ X).tocsr()
        parts.append(_nearest(common, norms, begin, count, shrinkage))
    return vstack(parts).T.tocsr()


def similar_rows(E: Sparse, *, count: int = 50) -> Sparse:
    """How alike two things are by what is said of them (cosine of their rows), for the `count` nearest of each.

    E: sparse [things, properties].   Returns W sparse [things, things] with W[j, i] as in `cosine_neighbours`.
    A thing of which nothing is said has no neighbours.
    """
    norms = np.sqrt(np.asarray(E.multiply(E).sum(axis=1), dtype=np.float64).ravel())
    across = E.T.tocsr()
    parts = [_nearest((E[begin:end] @ across).tocsr(), norms, begin, count, 0.0) for begin, end in blocks(E.shape[0])]
    return vstack(parts).T.tocsr() if parts else csr_array((0, 0))


def blocks(items: int) -> list[tuple[int, int]]:
    """Stretches of items such that a stretch beside all items stays below `BLOCK_CELLS`."""
    size = max(1, BLOCK_CELLS // max(items, 1))
    return [(begin, min(begin + size, items)) for begin in range(0, items, size)]


def refuse_nothing(X: Sparse) -> None:
    """Raise NotEnoughData when no customer bought anything."""
    refuse_no_purchase(X.nnz, people=X.shape[0], items=X.shape[1])


def refuse_no_purchase(purchases: int, *, people: int, items: int) -> None:
    """Raise NotEnoughData when there is no purchase."""
    if not purchases:
        raise NotEnoughData(
            "Nobody bought anything, so nothing can be recommended",
            expected="at least one purchase",
            seen=f"{people} customers, {items} items, no purchase",
            remedy="Load purchases, or take a later date.",
        )


def _nearest(common: Sparse, norms: FloatArray, begin: int, count: int, shrinkage: float) -> Sparse:
    """The nearest of the items from `begin` on, in rows."""
    here = norms[begin : begin + common.shape[0]]
    rows = rows_of(common)
    below = here[rows] * norms[common.indices] + shrinkage
    alike = np.divide(common.data, below, out=np.zeros(common.data.size), where=below > 0)
    alike[common.indices == rows + begin] = 0.0
    return top(csr_array((alike, common.indices, common.indptr), shape=common.shape), count)


def scaled_rows(X: Sparse, power: float) -> Sparse:
    """X with each customer's row divided by its sum to `power`: those who buy everything say less about each item."""
    sums = np.asarray(X.sum(axis=1), dtype=np.float64).ravel()
    weights = np.divide(1.0, np.power(sums, power), out=np.zeros(sums.size), where=sums > 0)
    return (diags_array(weights) @ X).tocsr()
