"""What a ranking by effect is worth: how much more is gained by treating the best of a list first.

All figures come from an experiment: who was treated was drawn by lot, with a known probability. One definition each:

- **Qini curve** g(φ): the best share φ of the list is treated; g(φ) = share of all treated who are in it × (mean
  outcome of the treated in it − mean outcome of the others in it). It ends at the average effect, and a random list
  goes there in a straight line. (Radcliffe 2007; times the number of treated, the curve of scikit-uplift.)
- **Qini coefficient**: the area between that curve and the straight line; 0 for a random list, in the outcome's unit
  per customer of the list. **Normalised**: divided by the same area of the ranking that hindsight would give (treated
  buyers first, untreated buyers last); for yes/no outcomes only.
- **AUUC**: the area under the uplift curve u(φ) = φ × (mean of the treated − mean of the others in the best share φ);
  a random list has half the average effect.
- **Uplift in the best share** k: mean of the treated − mean of the others, both arms ranked together.

Ties: customers of equal score come together; inside a tie the curves are straight lines, and a list that ends inside a
tie takes the same share of all who are in it. Where one arm is not yet seen, its mean counts as 0.
Unequal probabilities: every row weighs 1 / probability of what it was given, in the means and in the share of treated.
Sources: Radcliffe, Using Control Groups to Target on Predicted Lift (2007); Devriendt and others, Learning to Rank for
Uplift Modeling (2020), which compares the definitions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import BoolArray, FloatArray, IntArray, numbers, same_length, share, truths
from aimwell.science.metrics.gains import ROUNDING

_Points = Callable[["Walked"], FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class UpliftCurve:
    """What is gained per customer of the whole list when only its best share is treated.

    contacted: shares [m+1] from 0 to 1, a point wherever the score changes.   gained: outcome per customer [m+1].
    effect: the average effect, where the curve ends.   people: how many there are.
    """

    contacted: FloatArray
    gained: FloatArray
    effect: float
    people: int

    def gained_at(self, contacted: float) -> float:
        """What treating this share of the list, best first, gains per customer of the whole list."""
        return float(np.interp(share(contacted, "the share contacted"), self.contacted, self.gained))

    def thinned(self, points: int = 201) -> UpliftCurve:
        """The same curve at evenly spaced shares, for drawing; end points are kept."""
        contacted = np.linspace(0.0, 1.0, points)
        return UpliftCurve(contacted, np.interp(contacted, self.contacted, self.gained), self.effect, self.people)


@dataclass(frozen=True, slots=True, eq=False)
class Lots:
    """The outcome of an experiment with one treatment and a control group, checked; all [n].

    weights: 1 / probability of what each was given; 1 where all had the same chance.
    """

    outcome: FloatArray
    treated: BoolArray
    weights: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """A list worked through from the best: sums up to every point where the score changes, all [m+1] from 0.

    contacted: share of the list.   treated, untreated: weight.   treated_total, untreated_total: weighted outcome.
    """

    contacted: FloatArray
    treated: FloatArray
    untreated: FloatArray
    treated_total: FloatArray
    untreated_total: FloatArray


class Walk:
    """A ranking of an experiment, sorted once and walked as often as resamples ask."""

    def __init__(self, scores: FloatArray, lots: Lots) -> None:
        self._order: IntArray = np.argsort(-scores, kind="stable").astype(np.int64, copy=False)
        ordered = scores[self._order]
        self._ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), scores.size - 1)
        weights = lots.weights[self._order]
        chosen = lots.treated[self._order]
        totals = weights * lots.outcome[self._order]
        parts = (weights * chosen, weights * ~chosen, totals * chosen, totals * ~chosen)
        self._parts = np.stack((np.ones(scores.size), *parts))

    def walked(self, rows: IntArray | None = None) -> Walked:
        """The sums over everybody, or over a resample of rows (which may repeat).

        Raises NotEnoughData when nobody in it was treated, or everybody.
        """
        parts = self._parts
        if rows is not None:
            drawn = np.bincount(rows, minlength=self._order.size)[self._order].astype(np.float64)
            parts = parts * drawn
        sums = np.concatenate([np.zeros((5, 1)), np.cumsum(parts, axis=1)[:, self._ends]], axis=1)
        if sums[1, -1] <= 0 or sums[2, -1] <= 0:
            raise NotEnoughData(
                "An effect needs people with and without the treatment",
                expected="some of each",
                seen="only one of the two",
                remedy="Keep a random control group.",
            )
        return Walked(sums[0] / sums[0, -1], sums[1], sums[2], sums[3], sums[4])


def lots_of(outcome: ArrayLike, treated: ArrayLike, probability: ArrayLike | None = None) -> Lots:
    """The experiment, checked: numbers for outcomes, yes or no for treated, probabilities strictly between 0 and 1.

    probability: with which each was given what he or she was given [n]; None when all had the same chance.
    Raises NotEnoughData when one arm is empty, BadQuestion for probabilities of 0 or 1.
    """
    gained, chosen = numbers(outcome, "outcomes"), truths(treated, "treated")
    same_length(outcomes=gained, treated=chosen)
    if chosen.all() or not chosen.any():
        raise NotEnoughData(
            "An effect needs people with and without the treatment",
            expected="some of each",
            seen=f"{int(chosen.sum())} of {chosen.size} treated",
            remedy="Keep a random control group, or check how the arms are named.",
        )
    if probability is None:
        return Lots(gained, chosen, np.ones(gained.size))
    drawn = numbers(probability, "probabilities")
    same_length(outcomes=gained, probabilities=drawn)
    if drawn.min() <= 0 or drawn.max() >= 1:
        odd = float(drawn.min() if drawn.min() <= 0 else drawn.max())
        raise BadQuestion(
            "Who had no other choice tells nothing about an effect",
            expected="probabilities above 0 and below 1",
            seen=f"{odd:g}",
            remedy="Leave out customers whose treatment was certain; keep a random share for each arm next time.",
        )
    return Lots(gained, chosen, 1.0 / drawn)


def qini_curve(
    scores: ArrayLike, outcome: ArrayLike, treated: ArrayLike, *, probability: ArrayLike | None = None
) -> UpliftCurve:
    """What is gained when the best-scored part of a list is treated (Qini curve; definition at the top of this file).

    scores: [n], any scale, higher is treated first.   outcome: [n], yes or no, or money.   treated: [n] by lot.
    Cost: O(n log n).

    >>> qini_curve([0.9, 0.8, 0.2, 0.1], [1, 0, 0, 0], [True, False, True, False]).gained.tolist()
    [0.0, 0.5, 0.5, 0.5, 0.5]
    """
    ranked, lots = _checked(scores, outcome, treated, probability)
    return _curve(qini_points, Walk(ranked, lots).walked(), ranked.size)


def uplift_curve(
    scores: ArrayLike, outcome: ArrayLike, treated: ArrayLike, *, probability: ArrayLike | None = None
) -> UpliftCurve:
    """Share treated × effect among them, along the list (uplift curve; its area is the AUUC)."""
    ranked, lots = _checked(scores, outcome, treated, probability)
    return _curve(uplift_points, Walk(ranked, lots).walked(), ranked.size)


def qini(scores: ArrayLike, outcome: ArrayLike, treated: ArrayLike, *, probability: ArrayLike | None = None) -> float:
    """How much more a list gains than a random one, on average over its length, per customer (Qini coefficient).

    >>> qini([0.9, 0.8, 0.2, 0.1], [1, 0, 0, 0], [True, False, True, False])
    0.1875
    """
    ranked, lots = _checked(scores, outcome, treated, probability)
    return qini_area(Walk(ranked, lots).walked())


def normalised_qini(
    scores: ArrayLike, outcome: ArrayLike, treated: ArrayLike, *, probability: ArrayLike | None = None
) -> float:
    """The Qini coefficient as a share of the best that hindsight allows; 0 random, 1 perfect; yes/no outcomes only.

    Raises BadQuestion for money (hindsight has no one best order then), NotEnoughData when nobody answered.
    """
    ranked, lots = _checked(scores, outcome, treated, probability)
    best = qini_area(Walk(hindsight(lots), lots).walked())
    return normalised(qini_area(Walk(ranked, lots).walked()), best)


def auuc(scores: ArrayLike, outcome: ArrayLike, treated: ArrayLike, *, probability: ArrayLike | None = None) -> float:
    """Area under the uplift curve, in the outcome's unit per customer; a random list has half the average effect."""
    ranked, lots = _checked(scores, outcome, treated, probability)
    return auuc_area(Walk(ranked, lots).walked())


def uplift_at(
    scores: ArrayLike,
    outcome: ArrayLike,
    treated: ArrayLike,
    contacted: float,
    *,
    probability: ArrayLike | None = None,
) -> float:
    """The effect among the best-scored share of a list: mean of the treated minus mean of the others in it.

    contacted: share in (0, 1], rounded down to whole people, at least one.
    Raises BadQuestion for 0 (nobody has no effect), NotEnoughData when the share holds only one of the arms.

    >>> uplift_at([0.9, 0.8, 0.2, 0.1], [1, 0, 0, 0], [True, False, True, False], 0.5)
    1.0
    """
    ranked, lots = _checked(scores, outcome, treated, probability)
    return effect_in_best(Walk(ranked, lots).walked(), best_share(contacted, ranked.size))


def best_share(contacted: float, people: int) -> float:
    """A share of a list as whole people, at least one of them; raises BadQuestion for a list of nobody."""
    if share(contacted, "the share contacted") <= 0:
        raise BadQuestion("An effect needs a list with somebody on it", expected="a share above 0", seen="0")
    return max(1.0, float(np.floor(contacted * people + ROUNDING))) / people


def qini_points(walked: Walked) -> FloatArray:
    """The Qini curve at every point of a walk [m+1]."""
    elsewhere = _ratio(walked.untreated_total, walked.untreated)
    found: FloatArray = (walked.treated_total - elsewhere * walked.treated) / walked.treated[-1]
    return found


def uplift_points(walked: Walked) -> FloatArray:
    """The uplift curve at every point of a walk [m+1]."""
    gap = _ratio(walked.treated_total, walked.treated) - _ratio(walked.untreated_total, walked.untreated)
    return walked.contacted * gap


def qini_area(walked: Walked) -> float:
    """Area between the Qini curve and the straight line to its end."""
    points = qini_points(walked)
    return _area(walked.contacted, points) - float(points[-1]) / 2


def auuc_area(walked: Walked) -> float:
    """Area under the uplift curve."""
    return _area(walked.contacted, uplift_points(walked))


def effect_in_best(walked: Walked, contacted: float) -> float:
    """Mean of the treated minus mean of the others in the best share."""
    sums = [
        float(np.interp(contacted, walked.contacted, part))
        for part in (walked.treated_total, walked.treated, walked.untreated_total, walked.untreated)
    ]
    if sums[1] <= 0 or sums[3] <= 0:
        raise NotEnoughData(
            "The best of the list hold only one arm of the experiment",
            expected="some treated and some not",
            seen=f"the best {contacted:.1%} of the list",
            remedy="Look at a larger share of the list.",
        )
    return sums[0] / sums[1] - sums[2] / sums[3]


def hindsight(lots: Lots) -> FloatArray:
    """The ranking that the normalised Qini is measured by: treated buyers first, untreated buyers last [n].

    Raises BadQuestion unless outcomes are yes or no.
    """
    if not np.all((lots.outcome == 0) | (lots.outcome == 1)):
        raise BadQuestion(
            "The normalised Qini is for yes/no outcomes",
            expected="outcomes of 0 and 1",
            seen="amounts",
            remedy="Take the Qini coefficient itself: it is in the amount's own unit.",
        )
    found: FloatArray = np.where(lots.treated, lots.outcome, -lots.outcome)
    return found


def normalised(area: float, best: float) -> float:
    """An area as a share of the best; raises NotEnoughData when the best is nothing, since nobody answered."""
    if best <= 0:
        raise NotEnoughData(
            "No ranking can be better than another",
            expected="outcomes of both kinds",
            seen="all alike",
            remedy="Take a longer horizon, more customers or another outcome.",
        )
    return area / best


def checked_scores(scores: ArrayLike, lots: Lots) -> FloatArray:
    """Scores of an experiment's people, as many as there are outcomes."""
    ranked = numbers(scores, "scores")
    same_length(scores=ranked, outcomes=lots.outcome)
    return ranked


def _checked(
    scores: ArrayLike, outcome: ArrayLike, treated: ArrayLike, probability: ArrayLike | None
) -> tuple[FloatArray, Lots]:
    lots = lots_of(outcome, treated, probability)
    return checked_scores(scores, lots), lots


def _curve(points: _Points, walked: Walked, people: int) -> UpliftCurve:
    gained = points(walked)
    return UpliftCurve(walked.contacted, gained, float(gained[-1]), people)


def _ratio(total: FloatArray, weight: FloatArray) -> FloatArray:
    return np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)


def _area(x: FloatArray, y: FloatArray) -> float:
    return float(np.sum((y[1:] + y[:-1]) * np.diff(x)) / 2)
