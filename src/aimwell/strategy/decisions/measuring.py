"""What money really gains: the curve of a decision, measured on choices of the past that chance had a part in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from aimwell.core.errors import NotEnoughData
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.allocation.choices import choices
from aimwell.science.allocation.path import gain_path
from aimwell.science.allocation.worth import Band, SpendCurve, spend_curve
from aimwell.science.arrays import BoolArray, FloatArray, IntArray
from aimwell.science.metrics.interval import Estimate
from aimwell.science.policy.expected import expected_outcomes
from aimwell.science.policy.logged import logged
from aimwell.strategy.decisions.definition import NOTHING, Decision
from aimwell.strategy.decisions.past import Past, past_of
from aimwell.strategy.decisions.people import People
from aimwell.strategy.decisions.support import MOST_LOST, Then, known_before, possible, seen_then

LEVEL = 0.8
"""Of the intervals of a plan: four times of five, what happens should lie inside."""
MOST = 200_000
"""So many past choices measure the curve at most, drawn by a fixed seed."""
_RUNS = 4
_POINTS, _RESAMPLES = 21, 200


@dataclass(frozen=True, slots=True)
class MeasuredCurve:
    """Net gain by spend as measured, for as many customers as the plan is about, with 80 % intervals.

    runs: instants whose choices measured it.   choices: how many.   points: spend and net gain of the customers in the
    order in which the decision would treat them.   by_lot: spend and net gain of the same treatments for customers
    drawn by lot.   here, ahead: the net gain at the plan's own spend, and how much more that is than by lot.
    """

    runs: tuple[datetime, ...]
    choices: int
    points: tuple[tuple[float, Estimate], ...]
    by_lot: tuple[tuple[float, Estimate], ...]
    here: Estimate
    ahead: Estimate


def measured_curve(
    definition: Decision, workshop: Workshop, known: datetime, *, people: int, spend: float
) -> MeasuredCurve:
    """Measure the curve of a decision by choices of its past whose time was up at an instant.

    people: customers whom the plan is about, to whom the curve is scaled.   spend: of the plan.
    Who would be treated at which spend follows from gains as they would have been foretold at each past run; what they
    gain is measured by doubly robust scores: treatments by what lots dealt, nothing by who was held out (by lots where
    nobody was). Customers, not rows, are resampled.   Budget alone: capacities and minima are not in the curve.
    Raises NotEnoughData when no run is old enough, nobody was held out or drawn by lot, or a treatment had no chance.
    """
    past = past_of(definition, workshop, known)
    past = past.take(np.flatnonzero(past.run >= len(past.runs) - _RUNS).astype(np.int64))
    runs = sorted(set(past.run.tolist()))
    seen = [seen_then(definition, workshop, past, run) for run in runs]
    rows, given = _rows(past, seen)
    past = past.take(rows)
    usable = _usable(definition, past, given)
    past, given = past.take(usable), _take(given, usable)
    scores = _scores(definition, past) - given.cost
    path = gain_path(choices(given.net, np.where(given.allowed, given.cost, 0.0), given.allowed))
    scores = np.where(given.allowed, scores, np.nan)
    curve = spend_curve(path, scores, groups=past.customers, points=_POINTS, resamples=_RESAMPLES, level=LEVEL)
    each = spend / people
    return MeasuredCurve(
        tuple(past.runs[run] for run in runs),
        len(past),
        _scaled(curve, curve.gain, people),
        _scaled(curve, curve.by_lot, people),
        _times(curve.gain_at(each), people),
        _times(curve.ahead_at(each), people),
    )


def _rows(past: Past, seen: list[Then]) -> tuple[IntArray, People]:
    """The rows of the log whose customers are in the audience, and what the definition foretells of them."""
    rows = [each.rows[each.place >= 0] for each in seen]
    parts = [_take(each.people, each.place[each.place >= 0]) for each in seen]
    together, every = _together(parts), np.concatenate(rows)
    if every.size > MOST:
        kept = np.sort(np.random.default_rng(0).choice(every.size, MOST, replace=False)).astype(np.int64)
        return every[kept], _take(together, kept)
    return every, together


def _together(parts: list[People]) -> People:
    return replace(
        parts[0],
        customers=np.concatenate([part.customers for part in parts]),
        gain=np.concatenate([part.gain for part in parts]),
        cost=np.concatenate([part.cost for part in parts]),
        weary=np.concatenate([part.weary for part in parts]),
        allowed=np.concatenate([part.allowed for part in parts]),
    )


def _take(people: People, rows: IntArray) -> People:
    return replace(
        people,
        customers=people.customers[rows],
        gain=people.gain[rows],
        cost=people.cost[rows],
        weary=people.weary[rows],
        allowed=people.allowed[rows],
        cells=None,
    )


def _usable(definition: Decision, past: Past, given: People) -> IntArray:
    """Rows whose customers had a chance of all that they may get now, and of nothing; refused when many had not."""
    names = np.array(list(definition.treatments))
    able: BoolArray = (past.dealt != "") & (possible(past, names) | ~given.allowed).all(axis=1)
    if not len(past) or float(able.mean()) < 1 - MOST_LOST:
        raise NotEnoughData(
            f"{definition.name}: what money gains cannot be measured by earlier decisions",
            expected="a chance by lot of every treatment, for nearly everyone who may get it (explore)",
            seen=f"{int(able.sum())} of {len(past)} customers had one",
            remedy="Let lots decide for a small share from now on.",
        )
    return np.flatnonzero(able).astype(np.int64)


def _scores(definition: Decision, past: Past) -> FloatArray:
    """What each treatment did to each customer, noisy but right on average [n, treatments].

    Being held out has its own chance, the same for everybody in a run, so that it measures nothing for anybody; a
    treatment has the chance of not being held out, times that of the lot.
    """
    names = np.array([NOTHING, *definition.treatments])
    held_out = _chance_held_out(past)
    option = (past.treatment[:, None] == names).argmax(axis=1)
    option[~np.isin(past.treatment, names)] = -1  # a treatment that is no longer there tells nothing of the others
    chance = np.where(past.held_out, held_out, (1 - held_out) * past.probability)
    log = logged(np.maximum(option, 0), chance, past.outcome, options=names.size, groups=past.customers)
    scores = expected_outcomes(log, known_before(past))
    left = past.outcome - scores[np.arange(len(past)), np.maximum(option, 0)]
    tells = (option > 0) | ((option == 0) & (past.held_out | (held_out == 0)))
    here = np.flatnonzero(tells)
    scores[here, option[here]] += left[here] / chance[here]
    effects: FloatArray = scores[:, 1:] - scores[:, :1]
    return effects


def _chance_held_out(past: Past) -> FloatArray:
    """The share of each row's run that was to be held out; 0 where nobody was."""
    share = np.zeros(len(past.runs))
    share[past.run[past.held_out]] = past.probability[past.held_out]
    return share[past.run]


def _scaled(curve: SpendCurve, band: Band, people: int) -> tuple[tuple[float, Estimate], ...]:
    points = zip(curve.spend.tolist(), band.value.tolist(), band.low.tolist(), band.high.tolist(), strict=True)
    return tuple(
        (spend * people, _times(Estimate(value, low, high, curve.level), people)) for spend, value, low, high in points
    )


def _times(estimate: Estimate, people: int) -> Estimate:
    return Estimate(estimate.value * people, estimate.low * people, estimate.high * people, estimate.level)
