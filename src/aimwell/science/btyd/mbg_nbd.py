"""MBG/NBD: like BG/NBD, but a customer may leave right after his very first purchase."""

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
class MbgNbd:
    """What the customers are like: rates are Gamma(r, alpha), chances to leave after any purchase Beta(a, b).

    Source: Batislam, Denizel and Filiztekin, International Journal of Research in Marketing 24 (2007); Hoppe and
    Wagner, Marketing JRM 3 (2007).
    """

    r: float
    alpha: float
    a: float
    b: float

    def log_likelihood(self, histories: Histories) -> float:
        """How well the model explains these customers."""
        return float(histories.people @ log_likelihood(np.log([self.r, self.alpha, self.a, self.b]), histories)[0])

    def slopes(self, histories: Histories) -> FloatArray:
        """How the log-likelihood of these customers changes with the log-parameters, [4]."""
        theta = np.log([self.r, self.alpha, self.a, self.b])
        found: FloatArray = log_likelihood(theta, histories)[1] @ histories.people
        return found

    def probability_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> FloatArray:
        """Chance that each customer has not left, [n].

        frequency, recency, age: as in `Histories`.
        """
        x, t_x, T = checked(frequency, recency, age)
        left = np.log(self.a / (self.b + x)) + (self.r + x) * np.log((self.alpha + T) / (self.alpha + t_x))
        alive: FloatArray = expit(-left)
        return alive

    def expected_purchases(
        self, horizon: float, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> FloatArray:
        """Expected purchases of each customer in the time to come, [n].

        horizon: length of that time, in the unit of `age`.
        """
        x, t_x, T = checked(frequency, recency, age)
        times = np.full(x.size, float(horizon))
        alive = expected_when_alive(times, self.r + x, self.alpha + T, self.a, self.b + x + 1)
        return alive * self.probability_alive(x, t_x, T)

    def expected_of_new(self, horizon: float) -> float:
        """Expected repeat purchases of a new customer in the time after his first."""
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
        leaving = np.clip(generator.beta(self.a, self.b + x + 1, size=shape), 1e-12, 1.0)
        drawn: FloatArray = np.where(alive, np.minimum(wished, generator.geometric(leaving)), 0).astype(np.float64)
        return drawn


def fit_mbg_nbd(histories: Histories, *, prior: float = 1.0) -> MbgNbd:
    """The MBG/NBD that explains these customers best; terms as for `fit_bg_nbd`.

    >>> from aimwell.science.btyd.histories import group
    >>> model = fit_mbg_nbd(group([2, 0, 1], [3.0, 0, 2.0], [9.0, 9.0, 9.0]))
    >>> bool(model.probability_alive([0], [0], [9.0])[0] < 1)
    True
    """
    weak = Prior((0.0, 0.0, 0.0, 1.0), weight=prior)
    return MbgNbd(*fit_four(log_likelihood, histories, weak, (False, True, False, False)))


def log_likelihood(theta: FloatArray, histories: Histories) -> tuple[FloatArray, FloatArray]:
    """Log-likelihood of each history [m] and its slopes in the log-parameters [4, m]."""
    r, alpha, a, b = np.exp(theta)
    x, t_x, T = histories.frequency, histories.recency, histories.age
    log_whole, log_active = np.log(alpha + T), np.log(alpha + t_x)
    stayed = -(r + x) * log_whole
    left = np.log(a / (b + x)) - (r + x) * log_active
    ways = np.logaddexp(stayed, left)
    stay = np.exp(stayed - ways)
    leave = 1 - stay

    def of_count(k: FloatArray) -> FloatArray:
        faith = gammaln(a + b) + gammaln(b + k + 1) - gammaln(b) - gammaln(a + b + k + 1)
        lost = psi(a + b) - psi(a + b + k + 1)
        return np.array(
            [gammaln(r + k) - gammaln(r) + faith, psi(r + k) - psi(r), lost, lost + psi(b + k + 1) - psi(b)]
        )

    base, slope_r, slope_a, slope_b = per_count(of_count, x)
    slopes = np.array(
        [
            r * (slope_r + np.log(alpha) - stay * log_whole - leave * log_active),
            r - alpha * (r + x) * (stay / (alpha + T) + leave / (alpha + t_x)),
            a * slope_a + leave,
            b * (slope_b - leave / (b + x)),
        ]
    )
    return base + r * np.log(alpha) + ways, slopes
