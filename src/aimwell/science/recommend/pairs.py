"""AUC and log loss over pairs of customer and item, where most pairs were never scored and count as one row."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from aimwell.core.errors import NotEnoughData
from aimwell.science.arrays import BoolArray, FloatArray, codes, same_length, totals
from aimwell.science.metrics.interval import Estimate, normal_interval, quantile_of_normal, standard_error
from aimwell.science.metrics.probability import SMALLEST


def pair_auc(score: FloatArray, bought: BoolArray, weight: FloatArray, person: ArrayLike) -> Estimate:
    """Probability that a pair that was bought is scored above one that was not, with its interval.

    score, bought, weight, person: one entry per pair, or per group of equally scored pairs of one customer that
    counts `weight` times [n].   Ties count one half.   The interval is DeLong's in log-odds, with customers, not pairs,
    taken as independent.   Raises NotEnoughData unless some pairs were bought and some were not.
    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988); Obuchowski, Biometrics 53 (1997).

    >>> one = np.ones(4)
    >>> pair_auc(np.array([1.0, 2, 3, 4]), np.array([False, True, False, True]), one, np.arange(4)).value
    0.75
    """
    value, influence = pair_influence(score, bought, weight)
    people = codes(person, "customers")
    error = standard_error(influence, people) if people.max() > 0 else 0.0
    if value in (0.0, 1.0) or error == 0.0:
        return Estimate(value, value, value)
    reach = quantile_of_normal(0.95) * error / (value * (1 - value))
    middle = float(logit(value))
    return Estimate(value, float(expit(middle - reach)), float(expit(middle + reach)))


def pair_auc_difference(
    first: FloatArray, second: FloatArray, bought: BoolArray, weight: FloatArray, person: ArrayLike
) -> Estimate:
    """How much better the first score ranks the same pairs than the second, with the paired interval."""
    one, influence_one = pair_influence(first, bought, weight)
    two, influence_two = pair_influence(second, bought, weight)
    people = codes(person, "customers")
    return normal_interval(one - two, standard_error(influence_one - influence_two, people))


def pair_influence(score: FloatArray, bought: BoolArray, weight: FloatArray) -> tuple[float, FloatArray]:
    """The AUC of weighted pairs, and what each entry adds to it [n]."""
    same_length(score=score, bought=bought, weight=weight)
    wanted, others = float(weight[bought].sum()), float(weight[~bought].sum())
    if wanted <= 0 or others <= 0:
        raise NotEnoughData(
            "Pairs can only be told apart when some were bought and some were not",
            seen=f"{wanted:.0f} bought, {others:.0f} not",
        )
    _, level = np.unique(score, return_inverse=True)
    levels = int(level.max()) + 1
    good, bad = totals(level, weight * bought, levels), totals(level, weight * ~bought, levels)
    bad_below = (np.cumsum(bad) - bad / 2)[level] / others
    good_above = 1 - (np.cumsum(good) - good / 2)[level] / wanted
    placed = np.where(bought, bad_below, good_above)
    value = float((weight * bad_below)[bought].sum() / wanted)
    return value, weight * (placed - value) / np.where(bought, wanted, others)


def pair_log_loss(probability: FloatArray, bought: BoolArray, weight: FloatArray, person: ArrayLike) -> Estimate:
    """Mean surprise at what was bought and what was not, over weighted pairs; lower is better."""
    likely = np.clip(probability, SMALLEST, 1 - SMALLEST)
    surprise = -np.log(np.where(bought, likely, 1 - likely))
    total = float(weight.sum())
    value = float((weight * surprise).sum() / total)
    people = codes(person, "customers")
    if people.max() < 1:
        return Estimate(value, value, value)
    return normal_interval(value, standard_error(weight * (surprise - value) / total, people))
