"""BG/NBD: customers buy at their own steady rate and may leave for good right after any repeat purchase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, gammaln, psi

from aimwell.science.arrays import FloatArray
from aimwell.science.btyd.expectation import expected_when_alive
from aimwell.science.btyd.fitting import fit_four
from aimwell.science.btyd.histories import Columns, Histories, checked, per_count
from aimwell.science.btyd.posterior import Prior


@dataclass(frozen=True, slots=True)
class BgNbd:
    """What the customers are like: rates are Gamma(r, alpha), chances to leave after a purchase Beta(a, b).

    Somebody without a repeat purchase cannot have left; where that is wrong, MBG/NBD fits better.
    Source: Fader, Hardie and Lee, Marketing Science 24 (2005).
    """

    r: float
    alpha: float
    a: float
    b: float

    def log_likelihood(self, histories: Histories) -> float:
        """How well the model explains these customers (equation 6 of the source)."""
        return float(histories.people @ log_likelihood(np.log([self.r, self.alpha, self.a, self.b]), histories)[0])

    def slopes(self, histories: Histories) -> FloatArray:
        """How the log-likelihood of these customers changes with the log-parameters, [4]."""
        theta = np.log([self.r, self.alpha, self.a, self.b])
        found: FloatArray = log_likelihood(theta, histories)[1] @ histories.people
        return found

    def probability_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> FloatArray:
        """Chance that each customer has not left, [n]; 1 without repeat purchases.

        frequency, recency, age: as in `Histories`.
        """
        x, t_x, T = checked(frequency, recency, age)
        bought = np.maximum(x, 1)
        left = np.log(self.a / (self.b + bought - 1)) + (self.r + x) * np.log((self.alpha + T) / (self.alpha + t_x))
        return np.where(x > 0, expit(-left), 1.0)

    def expected_purchases(
        self, horizon: float, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> FloatArray:
        """Expected purchases of each customer in the time to come, [n] (equation 10 of the source).

        horizon: length of that time, in the unit of `age`.
        """
        x, t_x, T = checked(frequency, recency, age)
        times = np.full(x.size, float(horizon))
        alive = expected_when_alive(times, self.r + x, self.alpha + T, self.a, self.b + x)
        return alive * self.probability_alive(x, t_x, T)

    def expected_of_new(self, horizon: float) -> float:
        """Expected repeat purchases of a new customer in the time after his first (equation 9 of the source)."""
        return float(self.expected_purchases(horizon, [0], [0], [0])[0])

    def draw_purchases(
        self, horizon: float, histories: Columns, draws: int, generator: np.random.Generator
    ) -> FloatArray:
        """Possible futures of each customer: how often he buys within the horizon, [draws, n].

        histories: frequency, recency and age, checked already.   Without leaving he would make a Poisson number of
        purchases; he leaves after one of them, a geometric number of purchases from now.
        """
        x, t_x, T = histories
        shape = (draws, x.size)
        alive = generator.random(shape) < self.probability_alive(x, t_x, T)
        wished = generator.poisson(generator.gamma(self.r + x, size=shape) * (horizon / (self.alpha + T)))
        leaving = np.clip(generator.beta(self.a, self.b + x, size=shape), 1e-12, 1.0)
        drawn: FloatArray = np.where(alive, np.minimum(wished, generator.geometric(leaving)), 0).astype(np.float64)
        return drawn


def fit_bg_nbd(histories: Histories, *, prior: float = 1.0) -> BgNbd:
    """The BG/NBD that explains these customers best.

    prior: weight of the weak prior (see `Prior`), 0 for plain maximum likelihood.   Times are measured against the
    customers' mean age, so the unit does not matter.   Raises NotEnoughData when nobody bought twice.
    Cost: about 30 passes over the distinct histories; a million customers fit in seconds.

    >>> from aimwell.science.btyd.histories import group
    >>> fit_bg_nbd(group([2, 0, 1], [3.0, 0, 2.0], [9.0, 9.0, 9.0])).probability_alive([0], [0], [9.0])
    array([1.])
    """
    weak = Prior((0.0, 0.0, 0.0, 1.0), weight=prior)
    return BgNbd(*fit_four(log_likelihood, histories, weak, (False, True, False, False)))


def log_likelihood(theta: FloatArray, histories: Histories) -> tuple[FloatArray, FloatArray]:
    """Log-likelihood of each history [m] and its slopes in the log-parameters [4, m]."""
    r, alpha, a, b = np.exp(theta)
    x, t_x, T = histories.frequency, histories.recency, histories.age
    repeats = x > 0
    before = b + np.maximum(x, 1) - 1
    log_whole, log_active = np.log(alpha + T), np.log(alpha + t_x)
    stayed = -(r + x) * log_whole
    left = np.where(repeats, np.log(a / before) - (r + x) * log_active, -np.inf)
    ways = np.logaddexp(stayed, left)
    stay = np.exp(stayed - ways)
    leave = 1 - stay

    def of_count(k: FloatArray) -> FloatArray:
        faith = gammaln(a + b) + gammaln(b + k) - gammaln(b) - gammaln(a + b + k)
        lost = psi(a + b) - psi(a + b + k)
        return np.array([gammaln(r + k) - gammaln(r) + faith, psi(r + k) - psi(r), lost, lost + psi(b + k) - psi(b)])

    base, slope_r, slope_a, slope_b = per_count(of_count, x)
    slopes = np.array(
        [
            r * (slope_r + np.log(alpha) - stay * log_whole - leave * log_active),
            r - alpha * (r + x) * (stay / (alpha + T) + leave / (alpha + t_x)),
            a * slope_a + leave,
            b * (slope_b - leave / before),
        ]
    )
    return base + r * np.log(alpha) + ways, slopes
