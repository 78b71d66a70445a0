"""The plan for the company's own channels: how many, at which cost, and what is expected of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from aimwell.core.text import Text
from aimwell.science.allocation.path import gain_path
from aimwell.science.metrics.interval import Estimate, normal_interval
from aimwell.strategy.decisions.cells import CellTable, cell_table
from aimwell.strategy.decisions.choosing import Chosen
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.decisions.gains import Basis, basis_of
from aimwell.strategy.decisions.measuring import LEVEL, MeasuredCurve
from aimwell.strategy.decisions.people import People
from aimwell.strategy.decisions.rows import REASONS, reasons, version_of

_POINTS = 21
_NOBODY = Text("受众中没有人可以获得 {name}", "Nobody in the audience may get {name}")


@dataclass(frozen=True, slots=True)
class Line:
    """What is planned of one treatment or channel.

    customers: who get it, `by_lot` of them drawn.   cost: in all.   value: expected added value in all, cost not taken
    off, with its 80 % interval from the measured errors of the gains.   basis: of a treatment, on what its gain rests:
    an experiment that measured it, an error that is stated, or an assumption; None of several together.   error: of its
    mean gain, as a share.   told: what the experiment says.
    """

    name: str
    label: Text
    customers: int
    by_lot: int
    cost: float
    value: Estimate
    basis: Basis | None = None
    error: float | None = None
    told: Text | None = None


@dataclass(frozen=True, slots=True)
class DecisionPlan:
    """What was decided, as a plan that can be looked at before anything is sent.

    people: in the audience.   held_out: of them.   untreated: get nothing though they are not held out.   total: as a
    line.   bound: what net gain no choice within the limits exceeds; gap: how far the chosen one is below it, before
    lots.   prices: what one more unit of money, or one place more, would gain.   reasons: customers by reason.
    curve: spend and net gain expected of the best choice at that budget, no other limits.   cells: None without any.
    measured: the curve as earlier choices measure it; None where they do not, `unmeasured` then says why.
    warnings: treatments that nobody may get.
    """

    decision: str
    version: str
    as_of: datetime
    currency: str
    people: int
    held_out: int
    untreated: int
    budget: float | None
    total: Line
    treatments: tuple[Line, ...]
    channels: tuple[Line, ...]
    net: float
    bound: float
    gap: float
    prices: Mapping[str, float]
    reasons: Mapping[str, int]
    curve: tuple[tuple[float, float], ...]
    cells: CellTable | None
    measured: MeasuredCurve | None = None
    unmeasured: Text | None = None
    warnings: tuple[Text, ...] = ()


def plan_of(definition: Decision, people: People, chosen: Chosen, as_of: datetime, currency: str) -> DecisionPlan:
    """The plan behind everyone's choice."""
    names = list(definition.treatments)
    labels = [each.label.text if each.label else Text(name, name) for name, each in definition.treatments.items()]
    channel = [each.channel for each in definition.treatments.values()]
    single = [_line(definition, people, chosen, [place], names[place], labels[place]) for place in range(len(names))]
    by_channel = [
        _line(definition, people, chosen, [p for p, each in enumerate(channel) if each == name], name, Text(name, name))
        for name in dict.fromkeys(channel)
    ]
    total = _line(definition, people, chosen, range(len(names)), "total", Text("合计", "Total"))
    rows = np.flatnonzero(chosen.option >= 0)
    counts = np.bincount(reasons(people, chosen), minlength=len(REASONS)).tolist()
    return DecisionPlan(
        definition.name,
        version_of(definition),
        as_of,
        currency,
        people.customers.size,
        int(chosen.held_out.sum()),
        int(((chosen.option < 0) & ~chosen.held_out).sum()),
        definition.budget,
        total,
        tuple(single),
        tuple(by_channel),
        float(people.net[rows, chosen.option[rows]].sum()),
        chosen.best.bound,
        chosen.best.gap,
        chosen.best.prices,
        {name: people for name, people in zip(REASONS, counts, strict=True) if people},
        _curve(chosen),
        cell_table(definition, people, chosen) if definition.cells else None,
        warnings=tuple(
            _NOBODY.format(name=name) for name, may in zip(names, people.allowed.T, strict=True) if not may.any()
        ),
    )


def _line(definition: Decision, people: People, chosen: Chosen, places: Sequence[int], name: str, label: Text) -> Line:
    """Treatments together; each treatment's error is that of all its customers."""
    customers, by_lot, cost, value = 0, 0, 0.0, 0.0
    parts: list[tuple[float, float, bool]] = []
    given = [basis_of(each.gain) for each in definition.treatments.values()]
    for place in places:
        rows = np.flatnonzero(chosen.option == place)
        gained = math.fsum(people.gain[rows, place])
        customers, by_lot = customers + rows.size, by_lot + int(chosen.by_lot[rows].sum())
        cost, value = cost + math.fsum(people.cost[rows, place]), value + gained
        parts.append((gained, people.errors[place], given[place] == "assumed"))
        parts.append((people.unproven[place] * rows.size, 1.0, False))
    estimate = normal_interval(value, joint_error(parts), LEVEL)
    if len(places) != 1 or name not in definition.treatments:
        return Line(name, label, customers, by_lot, cost, estimate)
    place = places[0]
    return Line(name, label, customers, by_lot, cost, estimate, given[place], people.errors[place], people.told[place])


def joint_error(gains: Sequence[tuple[float, float, bool]]) -> float:
    """Standard error of gains together, each with its error as a share of it, and whether it is assumed.

    What experiments measured errs independently, however large its error is. What is assumed may be wrong all at once:
    the same person made it up. So those errors add up, and assumptions do not become sure by being many.

    >>> joint_error([(30.0, 1.0, False), (40.0, 1.0, False)]), joint_error([(30.0, 1.0, True), (40.0, 1.0, True)])
    (50.0, 70.0)
    """
    made_up = sum(abs(gain) * error for gain, error, assumed in gains if assumed)
    return math.hypot(made_up, *(gain * error for gain, error, assumed in gains if not assumed))


def _curve(chosen: Chosen) -> tuple[tuple[float, float], ...]:
    path = gain_path(chosen.given)
    spends = np.linspace(0.0, float(path.spent[-1]), _POINTS)
    return tuple((float(spend), path.gain_at(float(spend))) for spend in spends)
