"""Gamma-Gamma: what a customer spends per purchase, held against what customers spend in general."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, psi

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import FloatArray, numbers, same_length, totals
from aimwell.science.btyd.posterior import Prior, most_plausible


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """What the customers are like: a purchase is Gamma(p, ν), and the rate ν differs between them as Gamma(q, v).

    q is above 1, so that the mean of all customers exists.   Assumes that how often somebody buys says nothing about
    how much; look at the rank correlation of the two before trusting it.
    Source: Fader and Hardie, "The gamma-gamma model of monetary value" (2013), note 025 on brucehardie.com.
    """

    p: float
    q: float
    v: float

    @property
    def mean(self) -> float:
        """Mean value of a purchase over all customers, v · p / (q - 1)."""
        return self.p * self.v / (self.q - 1)

    def log_likelihood(self, frequency: ArrayLike, mean_value: ArrayLike) -> float:
        """How well the model explains customers with repeat purchases."""
        x, z = _repeats(frequency, mean_value)
        return _total(np.log([self.p, self.q - 1, self.v]), x, z)[0]

    def expected_value(self, frequency: ArrayLike, mean_value: ArrayLike) -> FloatArray:
        """Expected value of a customer's next purchase, [n]: his own mean, drawn towards that of all customers.

        frequency: purchases of known value [n].   mean_value: their mean [n], not looked at where frequency is 0;
        such customers get the mean of all.
        """
        x, z = _pairs(frequency, mean_value)
        spent = np.where(x > 0, x * z, 0.0)
        value: FloatArray = self.p * (self.v + spent) / (self.p * x + self.q - 1)
        return value

    def draw_spend(
        self, purchases: FloatArray, known: tuple[FloatArray, FloatArray], generator: np.random.Generator
    ) -> FloatArray:
        """Possible amounts that customers spend in so many purchases to come, [draws, n].

        purchases: [draws, n].   known: number and mean value of each customer's purchases so far, [n] each.
        """
        x, z = _pairs(*known)
        spent = np.where(x > 0, x * z, 0.0)
        rate = generator.gamma(self.q + self.p * x, size=purchases.shape) / (self.v + spent)
        drawn: FloatArray = generator.standard_gamma(self.p * purchases) / np.maximum(rate, 1e-300)
        return drawn


def fit_gamma_gamma(frequency: ArrayLike, mean_value: ArrayLike, *, prior: float = 1.0) -> GammaGamma:
    """The Gamma-Gamma that explains the purchase values of these customers best.

    frequency, mean_value: as in `expected_value`; only customers with purchases of positive value count.
    prior: weight of the weak prior (see `Prior`), 0 for plain maximum likelihood.   The currency does not matter.
    Raises NotEnoughData when no customer is left.   Cost: about 40 passes over the customers.

    >>> model = fit_gamma_gamma([3, 1, 2, 5], [20.0, 40.0, 30.0, 25.0])
    >>> 20 < model.expected_value([1], [20.0])[0] < model.mean
    np.True_
    """
    x, z = _repeats(frequency, mean_value)
    unit = float(z.mean())
    theta = most_plausible(
        lambda theta: _total(theta, x, z / unit), Prior((0.0, 0.0, 0.0), weight=prior), float(x.size)
    )
    p, above, v = np.exp(theta)
    return GammaGamma(float(p), 1 + float(above), float(v) * unit)


def _total(theta: FloatArray, x: FloatArray, z: FloatArray) -> tuple[float, FloatArray]:
    """Log-likelihood and its slope in (ln p, ln(q - 1), ln v); the costly functions once per distinct frequency."""
    p, above, v = np.exp(theta)
    q = 1 + above
    counts, places = np.unique(x, return_inverse=True)
    people = np.bincount(places).astype(np.float64)
    logs = np.log(z)
    reach = np.log(v + x * z)
    shared = 1 / (v + x * z)
    log_sum, reach_sum = totals(places, logs, counts.size), totals(places, reach, counts.size)
    total = people @ (gammaln(p * counts + q) - gammaln(p * counts) + p * counts * np.log(counts))
    total += x.size * (q * np.log(v) - gammaln(q)) + p * counts @ log_sum - logs.sum() - (p * counts + q) @ reach_sum
    slope_p = counts @ (people * (psi(p * counts + q) - psi(p * counts) + np.log(counts)) + log_sum - reach_sum)
    slope_q = people @ psi(p * counts + q) + x.size * (np.log(v) - psi(q)) - reach_sum.sum()
    slope_v = x.size * q / v - (p * x + q) @ shared
    return float(total), np.array([p * slope_p, above * slope_q, v * slope_v])


def _pairs(frequency: ArrayLike, mean_value: ArrayLike) -> tuple[FloatArray, FloatArray]:
    x = numbers(frequency, "frequency")
    z = np.asarray(mean_value, dtype=np.float64)
    same_length(frequency=x, mean_value=z)
    if x.min() < 0:
        raise BadQuestion("Purchases are counted from 0", expected="0 or more", seen=f"{x.min():g}")
    known = z[x > 0]
    if known.size and (not np.isfinite(known).all() or known.min() < 0):
        raise BadQuestion(
            "The mean value of a customer's purchases must be known and not negative",
            expected="amounts from 0",
            seen=f"{known[~(np.isfinite(known) & (known >= 0))][0]:g}",
            remedy="Leave cancelled orders out.",
        )
    return x, z


def _repeats(frequency: ArrayLike, mean_value: ArrayLike) -> tuple[FloatArray, FloatArray]:
    x, z = _pairs(frequency, mean_value)
    kept = (x > 0) & (np.where(x > 0, z, 0.0) > 0)
    if not kept.any():
        raise NotEnoughData("Nobody has a purchase of known value", expected="at least one customer", seen="none")
    return x[kept], z[kept]
