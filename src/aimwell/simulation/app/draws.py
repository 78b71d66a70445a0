"""Draws that depend on what they are for and on nothing else: any day of any person can be drawn alone, in any order.

Counters go through the finaliser of SplitMix64 (Steele, Lea and Flood 2014), one after another.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from aimwell.simulation.chance import Floats, Integers

Hashes = npt.NDArray[np.uint64]
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def uniform(seed: int, part: str, *counters: npt.NDArray[Any] | int) -> Floats:
    """Shares in [0, 1), one for each element of the counters (arrays of one length, or single numbers).

    >>> people = np.arange(3)
    >>> bool((uniform(7, "visit", people, 40)[1:] == uniform(7, "visit", people[1:], 40)).all())
    True
    """
    mixed = _mix(np.asarray([seed % 2**63], dtype=np.uint64) * _STEP + np.uint64(zlib.crc32(part.encode())))
    for counter in counters:
        mixed = _mix(mixed + (np.atleast_1d(np.asarray(counter)).astype(np.uint64) + np.uint64(1)) * _STEP)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(seed: int, part: str, *counters: npt.NDArray[Any] | int) -> Floats:
    """Standard normal draws, by the method of Box and Muller."""
    one = np.maximum(uniform(seed, part, *counters), 1e-12)
    other = uniform(seed, f"{part}/turn", *counters)
    return np.asarray(np.sqrt(-2 * np.log(one)) * np.cos(2 * np.pi * other))


def whole(share: Floats, choices: int) -> Integers:
    """Whole numbers in [0, choices) from shares."""
    return np.asarray((share * choices).astype(np.int64))


def _mix(value: Hashes) -> Hashes:
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return value ^ (value >> np.uint64(31))
