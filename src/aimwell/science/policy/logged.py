"""What was chosen, with which probability, and what came of it: the log by which other ways of choosing are judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import FloatArray, IntArray, codes, numbers, same_length


@dataclass(frozen=True, slots=True, eq=False)
class Logged:
    """n choices that were made by chance; made by `logged`.

    option: 0 … options-1 [n].   probability: with which it was chosen, in (0, 1] [n].   outcome: what came of it [n].
    options: how many there are.   groups: customer of each row, or None when each row is another customer.
    """

    option: IntArray
    probability: FloatArray
    outcome: FloatArray
    options: int
    groups: IntArray | None = None

    def __len__(self) -> int:
        return int(self.outcome.size)

    def take(self, rows: IntArray) -> Logged:
        """Some of the choices."""
        groups = None if self.groups is None else self.groups[rows]
        return Logged(self.option[rows], self.probability[rows], self.outcome[rows], self.options, groups)


def logged(
    option: ArrayLike, probability: ArrayLike, outcome: ArrayLike, *, options: int, groups: ArrayLike | None = None
) -> Logged:
    """A log of choices, checked.

    Raises BadQuestion for options that do not exist, and for probabilities of 0 (what was chosen cannot have been
    impossible), above 1 or missing. A probability of 1 is allowed: there nothing was explored, and only a policy that
    would have chosen the same can be judged by that row.
    """
    chosen, chance = numbers(option, "options"), numbers(probability, "logged probabilities")
    came = numbers(outcome, "outcomes")
    same_length(options=chosen, probabilities=chance, outcomes=came)
    wrong = (chance <= 0) | (chance > 1)
    if wrong.any():
        raise BadQuestion(
            f"{int(wrong.sum())} logged probabilities cannot be",
            expected="above 0 and at most 1: what was chosen was possible",
            seen=f"{float(chance[wrong][0]):g}",
            remedy="Log the probability of the option that was chosen, or leave these rows out.",
        )
    odd = ~np.isin(chosen, np.arange(options))
    if odd.any():
        seen = f"{float(chosen[odd][0]):g}"
        raise BadQuestion("The log names an option that does not exist", expected=f"0 to {options - 1}", seen=seen)
    members = None if groups is None else codes(groups, "customers")
    if members is not None:
        same_length(outcomes=came, customers=members)
    return Logged(chosen.astype(np.int64), chance, came, options, members)


def option_scores(log: Logged, expected: ArrayLike | None = None) -> FloatArray:
    """What each option would have brought in each row: noisy, but right on average [n, options].

    expected: outcome of each option as foretold by a model that has not seen the row [n, options]; nothing is foretold
    by default. The expected outcome is corrected by what was seen, weighted by the known probability (augmented inverse
    probability weighting; J. Robins, A. Rotnitzky, L. Zhao, JASA 89 (1994) 846-866). The score of an option less that
    of "nothing" measures its effect, as the gain-versus-spend curve needs it.

    >>> option_scores(logged([0, 1], [0.5, 0.25], [2.0, 1.0], options=2)).tolist()
    [[4.0, 0.0], [0.0, 4.0]]
    """
    scores = foretold(log, expected).copy()
    rows = np.arange(len(log))
    scores[rows, log.option] += (log.outcome - scores[rows, log.option]) / log.probability
    return scores


def foretold(log: Logged, expected: ArrayLike | None) -> FloatArray:
    """Expected outcomes of all options, checked; zeros when there are none [n, options]."""
    if expected is None:
        return np.zeros((len(log), log.options))
    found = np.asarray(expected, dtype=np.float64)
    if found.shape != (len(log), log.options) or not np.isfinite(found).all():
        raise BadQuestion(
            "Expected outcomes do not fit the log",
            expected=f"finite numbers, {len(log)} rows × {log.options} options",
            seen=f"shape {found.shape}",
        )
    return found
