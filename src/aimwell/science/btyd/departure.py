"""When did a customer leave, if he did: sums over all the days between his last purchase and today."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.science.arrays import FloatArray

NODES = 24
FADED = 36.0
"""A part of the sum that is e^-36 times the first is left out: it lies below the last digit of a double."""
_ROOTS, _TWICE = np.polynomial.legendre.leggauss(NODES)
_STEPS, _WEIGHTS = (1 + _ROOTS) / 2, _TWICE / 2


@dataclass(frozen=True, slots=True)
class Departures:
    """The integral of (α + t)^-p (β + t)^-q over the time t of leaving, and means over t that its slopes need [m].

    log: of the integral; minus infinity where no time has passed.   log_alpha, log_beta: means of ln(α + t) and
    ln(β + t).   over_alpha, over_beta: means of 1 / (α + t) and 1 / (β + t).
    """

    log: FloatArray
    log_alpha: FloatArray
    log_beta: FloatArray
    over_alpha: FloatArray
    over_beta: FloatArray


def sum_departures(
    since: FloatArray, until: FloatArray, alpha: float, beta: float, p: FloatArray, q: float
) -> Departures:
    """The departures of customers who bought last at `since` and are looked at `until` [m].

    alpha, beta, p, q: above 0.   In the variable u = ln(t + the smaller of α and β) the integrand is log-concave and
    has no singularity nearer than π, so a Gauss-Legendre sum up to where it has faded holds ten digits in practice;
    Gauss's hypergeometric function, by which papers write it, loses them for long histories, and costs more.
    Cost: O(m · 24).
    """
    if alpha <= beta:
        return _summed(since, until, (alpha, beta), (p, np.full_like(p, q)))
    found = _summed(since, until, (beta, alpha), (np.full_like(p, q), p))
    return Departures(found.log, found.log_beta, found.log_alpha, found.over_beta, found.over_alpha)


def _summed(
    since: FloatArray, until: FloatArray, places: tuple[float, float], powers: tuple[FloatArray, FloatArray]
) -> Departures:
    """The sums, `places` in ascending order, `powers` in the same one; the first place plays α."""
    near, far = places
    first, second = powers
    start = since + near
    log_start = np.log(start)
    reach = _reach(np.log1p((until - since) / start), start, far - near, (first, second))
    steps = _STEPS[:, None] * reach
    time = start * np.exp(steps)
    log_near, beyond = log_start + steps, time + (far - near)
    log_far = np.log(beyond)
    height = (1 - first) * log_near - second * log_far
    top = height.max(axis=0)
    parts = np.exp(height - top)
    parts *= _WEIGHTS[:, None]
    whole = parts.sum(axis=0)
    with np.errstate(divide="ignore"):
        log = top + np.log(whole * reach)
    parts /= whole
    return Departures(
        log,
        np.einsum("km,km->m", parts, log_near),
        np.einsum("km,km->m", parts, log_far),
        np.einsum("km,km->m", parts, 1 / time),
        np.einsum("km,km->m", parts, 1 / beyond),
    )


def _reach(whole: FloatArray, start: FloatArray, apart: float, powers: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Up to which u (from 0 at the start) the integrand has not faded [m].

    It is log-concave, so Newton's steps from the far end come down towards the point and never jump over it.
    """
    first, second = powers
    reach = whole.copy()
    slope = 1 - first - second * start / (start + apart)
    falls = slope < 0
    reach[falls] = np.minimum(reach[falls], FADED / -slope[falls])
    for _ in range(3):
        time = start * np.exp(reach)
        drop = (1 - first) * reach - second * (np.log(time + apart) - np.log(start + apart))
        slope = 1 - first - second * time / (time + apart)
        gone = drop < -FADED
        reach[gone] -= ((drop + FADED) / slope)[gone]
    return reach
