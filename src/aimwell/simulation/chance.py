"""Seeded chance: every part of a simulated market draws from its own stream, and so disturbs no other."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]
Instants = npt.NDArray[np.datetime64]


def stream(seed: int, part: str) -> np.random.Generator:
    """The generator of one named part; equal seeds and names give equal draws.

    >>> bool(stream(7, "people").integers(1000) == stream(7, "people").integers(1000))
    True
    """
    return np.random.default_rng([seed, zlib.crc32(part.encode())])


def happens(chance: np.random.Generator, probability: Floats | float, count: int) -> Booleans:
    """One independent yes or no each, with the given probabilities."""
    return np.asarray(chance.random(count) < probability)


def pick(chance: np.random.Generator, choices: tuple[str, ...], weights: tuple[float, ...], count: int) -> Texts:
    """So many texts, drawn with the given weights (which need not add up to one)."""
    shares = np.asarray(weights) / np.sum(weights)
    return np.asarray(choices, dtype=object)[chance.choice(len(choices), size=count, p=shares)]


def some(chance: np.random.Generator, values: Texts, missing: float) -> Texts:
    """The values with a share of them missing, as in every real customer file."""
    kept = values.copy()
    kept[happens(chance, missing, len(kept))] = None
    return kept
