"""Pareto/NBD: customers buy at their own steady rate and may leave for good at any moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, exprel, gammaln, psi

from aimwell.science.arrays import FloatArray
from aimwell.science.btyd.departure import sum_departures
from aimwell.science.btyd.fitting import fit_four
from aimwell.science.btyd.histories import Columns, Histories, checked, per_count
from aimwell.science.btyd.posterior import Prior


@dataclass(frozen=True, slots=True)
class ParetoNbd:
    """What the customers are like: rates of buying are Gamma(r, alpha), rates of leaving Gamma(s, beta).

    Source: Schmittlein, Morrison and Colombo, Management Science 33 (1987); likelihood as in Fader and Hardie, "A note
    on deriving the Pareto/NBD model" (2005), note 009 on brucehardie.com.
    """

    r: float
    alpha: float
    s: float
    beta: float

    def log_likelihood(self, histories: Histories) -> float:
        """How well the model explains these customers."""
        return float(histories.people @ log_likelihood(np.log([self.r, self.alpha, self.s, self.beta]), histories)[0])

    def slopes(self, histories: Histories) -> FloatArray:
        """How the log-likelihood of these customers changes with the log-parameters, [4]."""
        theta = np.log([self.r, self.alpha, self.s, self.beta])
        found: FloatArray = log_likelihood(theta, histories)[1] @ histories.people
        return found

    def probability_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> FloatArray:
        """Chance that each customer has not left, [n].

        frequency, recency, age: as in `Histories`.
        """
        x, t_x, T = checked(frequency, recency, age)
        left = np.log(self.s) + sum_departures(t_x, T, self.alpha, self.beta, self.r + x, self.s + 1).log
        stayed = -(self.r + x) * np.log(self.alpha + T) - self.s * np.log(self.beta + T)
        alive: FloatArray = expit(stayed - left)
        return alive

    def expected_purchases(
        self, horizon: float, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> FloatArray:
        """Expected purchases of each customer in the time to come, [n] (equation 41 of note 009).

        horizon: length of that time, in the unit of `age`.
        """
        x, t_x, T = checked(frequency, recency, age)
        growth = np.log1p(horizon / (self.beta + T))
        stay = (self.beta + T) * growth * exprel(-(self.s - 1) * growth)
        expected: FloatArray = (self.r + x) / (self.alpha + T) * stay * self.probability_alive(x, t_x, T)
        return expected

    def expected_of_new(self, horizon: float) -> float:
        """Expected repeat purchases of a new customer in the time after his first."""
        return float(self.expected_purchases(horizon, [0], [0], [0])[0])

    def draw_purchases(
        self, horizon: float, histories: Columns, draws: int, generator: np.random.Generator
    ) -> FloatArray:
        """Possible futures of each customer: how often he buys within the horizon, [draws, n].

        histories: frequency, recency and age, checked already.   He buys a Poisson number of times while he stays.
        """
        x, t_x, T = histories
        shape = (draws, x.size)
        alive = generator.random(shape) < self.probability_alive(x, t_x, T)
        leaving = np.maximum(generator.gamma(self.s, size=shape) / (self.beta + T), 1e-300)
        stay = np.minimum(generator.exponential(size=shape) / leaving, horizon)
        rate = generator.gamma(self.r + x, size=shape) / (self.alpha + T)
        drawn: FloatArray = np.where(alive, generator.poisson(rate * stay), 0).astype(np.float64)
        return drawn


def fit_pareto_nbd(histories: Histories, *, prior: float = 1.0) -> ParetoNbd:
    """The Pareto/NBD that explains these customers best; terms as for `fit_bg_nbd`.

    Cost: some 40 passes over the distinct histories, each thirty times as dear as one of BG/NBD.

    >>> from aimwell.science.btyd.histories import group
    >>> model = fit_pareto_nbd(group([2, 0, 1], [3.0, 0, 2.0], [9.0, 9.0, 9.0]))
    >>> bool(model.probability_alive([0], [0], [9.0])[0] < 1)
    True
    """
    weak = Prior((0.0, 0.0, 0.0, 0.0), weight=prior)
    return ParetoNbd(*fit_four(log_likelihood, histories, weak, (False, True, False, True)))


def log_likelihood(theta: FloatArray, histories: Histories) -> tuple[FloatArray, FloatArray]:
    """Log-likelihood of each history [m] and its slopes in the log-parameters [4, m]."""
    r, alpha, s, beta = np.exp(theta).tolist()
    x, t_x, T = histories.frequency, histories.recency, histories.age
    gone = sum_departures(t_x, T, alpha, beta, r + x, s + 1)
    log_active, log_present = np.log(alpha + T), np.log(beta + T)
    stayed = -(r + x) * log_active - s * log_present
    ways = np.logaddexp(stayed, np.log(s) + gone.log)
    stay = np.exp(stayed - ways)
    leave = 1 - stay
    base, slope_r = per_count(lambda k: np.array([gammaln(r + k) - gammaln(r), psi(r + k) - psi(r)]), x)
    slopes = np.array(
        [
            r * (slope_r + np.log(alpha) - stay * log_active - leave * gone.log_alpha),
            r - alpha * (r + x) * (stay / (alpha + T) + leave * gone.over_alpha),
            s * (np.log(beta) - stay * log_present - leave * gone.log_beta) + leave,
            s - beta * (s * stay / (beta + T) + (s + 1) * leave * gone.over_beta),
        ]
    )
    return base + r * np.log(alpha) + s * np.log(beta) + ways, slopes
