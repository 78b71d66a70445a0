"""Factors of customers and items by alternating least squares (the optional package `implicit`)."""

from __future__ import annotations

import importlib
import importlib.util

import numpy as np
from scipy.sparse import csr_matrix

from aimwell.core.errors import Unavailable
from aimwell.science.arrays import FloatArray
from aimwell.science.recommend.neighbours import refuse_nothing
from aimwell.science.recommend.sparse import Sparse


def available() -> bool:
    """Whether the optional package is installed."""
    return importlib.util.find_spec("implicit") is not None


def factors(
    X: Sparse, *, size: int = 32, penalty: float = 0.05, confidence: float = 5.0, rounds: int = 15, seed: int = 0
) -> tuple[FloatArray, FloatArray]:
    """Each customer and each item as `size` numbers whose product is high where somebody buys something.

    X: sparse [customers, items]; a purchase of weight x counts with confidence 1 + confidence · x.
    Returns arrays [customers, size] and [items, size]; equal seeds give equal numbers on one thread.
    Raises Unavailable without the package, NotEnoughData without a purchase.
    Source: Hu, Koren and Volinsky, ICDM (2008).
    """
    if not available():
        raise Unavailable("ALS needs the package `implicit`", remedy="Install it: pip install 'aimwell[recommend]'.")
    refuse_nothing(X)
    library = importlib.import_module("implicit.cpu.als")
    with importlib.import_module("threadpoolctl").threadpool_limits(1, "blas"):  # else BLAS threads fight with its own
        model = library.AlternatingLeastSquares(
            factors=size, regularization=penalty, alpha=confidence, iterations=rounds, random_state=seed, num_threads=1
        )
        model.fit(csr_matrix(X, dtype=np.float32), show_progress=False)
    return np.asarray(model.user_factors, dtype=np.float64), np.asarray(model.item_factors, dtype=np.float64)
