"""Sparse matrices of customers and items: built from pairs, cut to the best of each row, looked up by pair."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array, vstack

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import BoolArray, FloatArray, IntArray

Sparse = Any
"""A `scipy.sparse.csr_array` of floats; SciPy ships no types."""


BLOCK_CELLS = 4_000_000
"""What has to be written out in full for a moment is written out in blocks of so many cells at most (32 MB)."""
FULL = 0.02
"""From this share of filled cells on, going through all cells is faster than sorting the filled ones (measured)."""


def sparse(rows: IntArray, columns: IntArray, values: FloatArray, shape: tuple[int, int]) -> Sparse:
    """A sparse matrix of the given entries; equal places are added, columns are sorted within each row.

    >>> sparse(np.array([0, 0]), np.array([1, 1]), np.array([1.0, 2.0]), (1, 2)).toarray()
    array([[0., 3.]])
    """
    found = csr_array((values, (rows, columns)), shape=shape)
    found.sum_duplicates()
    return found


def rows_of(matrix: Sparse) -> IntArray:
    """The row of each stored entry [nnz]."""
    return np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))


def places_within(groups: IntArray, scores: FloatArray, ties: IntArray) -> IntArray:
    """The place of each entry in its group, from 0, best score first, lower `ties` first among equals [n].

    >>> places_within(np.array([0, 0, 1]), np.array([1.0, 5.0, 2.0]), np.array([0, 1, 2])).tolist()
    [1, 0, 0]
    """
    order = np.lexsort((ties, -scores, groups))
    ordered = groups[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))[: ordered.size]
    sizes = np.diff(np.append(starts, ordered.size))
    places = np.empty(groups.size, dtype=np.int64)
    places[order] = np.arange(ordered.size) - np.repeat(starts, sizes)
    return places


def top(matrix: Sparse, count: int) -> Sparse:
    """The `count` largest positive entries of each row; among equals the lower column stays.

    Raises BadQuestion for a count below 1.   Cost: O(nnz log nnz), or O(cells) where many cells are filled.

    >>> top(csr_array(np.array([[3.0, 1.0, 3.0]])), 2).toarray()
    array([[3., 0., 3.]])
    """
    if count < 1:
        raise BadQuestion("A list has at least one place", expected="1 or more", seen=f"{count}")
    rows, width = matrix.shape
    if count < width and matrix.nnz > FULL * rows * width:
        size = max(1, BLOCK_CELLS // width)
        parts = [_top_of_full(matrix[begin : begin + size].toarray(), count) for begin in range(0, rows, size)]
        return vstack(parts).tocsr()
    places, columns, values = rows_of(matrix), matrix.indices.astype(np.int64), matrix.data.astype(np.float64)
    positive = values > 0
    places, columns, values = places[positive], columns[positive], values[positive]
    kept = places_within(places, values, columns) < count
    return sparse(places[kept], columns[kept], values[kept], matrix.shape)


def _top_of_full(cells: FloatArray, count: int) -> Sparse:
    """The same for rows in which many cells are filled: no sorting, the least value that stays is found instead."""
    least = np.maximum(np.partition(cells, -count, axis=1)[:, -count], 0.0)[:, None]
    above = cells > least
    level = (cells == least) & (least > 0)
    left = count - above.sum(axis=1, keepdims=True)
    return csr_array(np.where(above | (level & (np.cumsum(level, axis=1) <= left)), cells, 0.0))


def entries(matrix: Sparse, rows: IntArray, columns: IntArray) -> FloatArray:
    """The values at the given places, 0 where nothing is stored [n].   Cost: O(n log nnz).

    >>> entries(csr_array(np.array([[0.0, 2.0]])), np.array([0, 0]), np.array([1, 0])).tolist()
    [2.0, 0.0]
    """
    width = matrix.shape[1]
    keys = rows_of(matrix) * width + matrix.indices
    values, found = lookup(keys, matrix.data.astype(np.float64), rows * width + columns)
    return np.where(found, values, 0.0)


def lookup(keys: IntArray, values: FloatArray | IntArray, wanted: IntArray) -> tuple[FloatArray, BoolArray]:
    """The value under each wanted key of a sorted list of keys, NaN where there is none, and whether there was one."""
    if not keys.size:
        return np.full(wanted.size, np.nan), np.zeros(wanted.size, dtype=np.bool_)
    places = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    found: BoolArray = keys[places] == wanted
    return np.where(found, values[places], np.nan), found
