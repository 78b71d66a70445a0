"""What could have been chosen in a log of decisions, and what a definition makes of the same customers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import BoolArray, FloatArray, IntArray
from aimwell.strategy.decisions.definition import NOTHING, Decision
from aimwell.strategy.decisions.past import Past
from aimwell.strategy.decisions.people import People, Words, people_of

MOST_LOST = 0.05
"""A policy is judged as long as no larger share of the customers had no chance of what it would give them."""


@dataclass(frozen=True, slots=True, eq=False)
class Then:
    """The customers of one run as a definition sees them at its instant.

    rows: of the log.   place: of each of them among `people`, -1 for those who are not in the definition's audience.
    """

    rows: IntArray
    place: IntArray
    people: People


def seen_then(definition: Decision, workshop: Workshop, past: Past, run: int) -> Then:
    """Gains, costs and eligibility as they would have been foretold at the instant of a run.

    Raises what `people_of` raises: a prediction that had no scores then cannot foretell.
    """
    people = people_of(definition, workshop, past.runs[run])
    rows = np.flatnonzero(past.run == run).astype(np.int64)
    wanted = past.customers[rows]
    place = np.minimum(np.searchsorted(people.customers, wanted), people.customers.size - 1).astype(np.int64)
    return Then(rows, np.where(people.customers[place] == wanted, place, -1), people)


def possible(past: Past, names: Words) -> BoolArray:
    """Whether each row could have got each option, and whether by chance: [n, names].

    Where lots were drawn, what they dealt and nothing; where none were, only what was chosen. It follows from what was
    known of the customer and never from the luck of the draw.
    """
    kinds, kind = np.unique(past.dealt, return_inverse=True)
    dealt = np.array(
        [np.isin(names, [*each.split(), NOTHING]) if each else np.zeros(names.size, dtype=bool) for each in kinds]
    )
    chosen = past.treatment[:, None] == names[None, :]
    found: BoolArray = np.where((past.dealt != "")[:, None], dealt[kind.ravel()], chosen)
    return found


def known_before(past: Past) -> FloatArray:
    """What foretells the outcome: what was counted before the decision, as it is, flattened, and whether any [n, 3]."""
    before = np.maximum(past.before, 0.0)
    return np.column_stack([before, np.log1p(before), before > 0]).astype(np.float64)
