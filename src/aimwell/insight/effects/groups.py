"""Groups of customers by one feature: its words, or bands of its numbers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa

from aimwell.insight.predictions.encoding import is_text
from aimwell.insight.predictions.rows import as_floats
from aimwell.science.uplift.dispersion import UNKNOWN

BANDS = 4
"""A feature of numbers is shown in so many groups of equal size."""


def groups_of(column: pa.ChunkedArray) -> list[str]:
    """The group of each value: its words, or the quarter in which its number lies; empty for unknown."""
    if is_text(column):
        return [str(value) if value is not None else "" for value in column.to_pylist()]
    values = as_floats(column)
    known = values[np.isfinite(values)]
    if not known.size:
        return [UNKNOWN] * len(values)
    if np.unique(known).size <= BANDS:
        return [f"{value:g}" if np.isfinite(value) else "" for value in values]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BANDS + 1)))
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, edges.size - 2)
    names = [f"{low:g} – {high:g}" for low, high in pairwise(edges)]
    return [names[place] if np.isfinite(value) else "" for place, value in zip(places, values, strict=True)]
