"""The choice itself: who is held out, who is drawn by lot, and the best within the limits for everyone else.

What is drawn by lot is dealt in fixed numbers, and its money and places are set aside first, so that budget and
capacities hold for certain. Minima hold for what is chosen as best; a few of these may then be drawn by lot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aimwell.core.errors import BadQuestion
from aimwell.core.keys import number_of, shares_of
from aimwell.science.allocation.allocate import allocate
from aimwell.science.allocation.allocation import BUDGET, Allocation
from aimwell.science.allocation.choices import Choices, choices
from aimwell.science.allocation.limits import Limit
from aimwell.science.arrays import BoolArray, FloatArray, IntArray
from aimwell.science.policy.lots import Lots, dealt, lots
from aimwell.strategy.decisions.definition import Decision, Treatment
from aimwell.strategy.decisions.people import People

_SLACK = 1e-9
_TIE = 1e-9
"""Worth is counted as equal within so small a share of the gain."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Everyone's choice, and how it came about.

    option: -1 nothing, else the number of the treatment [n].   probability: of this choice, given whether the customer
    was held out; of being held out for those who are [n].   held_out, by_lot: [n].   best: the allocation behind it, of
    those who are not held out.   inside: their rows.   given: what could be chosen for them.
    aim: what the prices of money and places point to, for those held out as for the others: -1 nothing, else the number
    of the treatment [n].   dealt: what lots deal out to customers like this one, beside nothing [n, treatments].
    """

    option: IntArray
    aim: IntArray
    dealt: BoolArray
    probability: FloatArray
    held_out: BoolArray
    by_lot: BoolArray
    best: Allocation
    inside: IntArray
    given: Choices


def choose(definition: Decision, people: People, mark: str) -> Chosen:
    """Choose for everyone.

    mark: tells this run from others (the instant), so that other people explore next time; who is held out stays so.
    Raises ContradictoryLimits, which names them; BadQuestion when exploring alone is more than there is.
    """
    shares = shares_of("decision-hold-out", definition.name, of=people.customers.tolist())
    held_out = np.array(shares) < definition.hold_out
    inside = np.flatnonzero(~held_out).astype(np.int64)
    if not inside.size:
        raise BadQuestion(f"{definition.name}: everybody in the audience is held out", remedy="Lower hold_out.")
    allowed = people.allowed[inside]
    open_now = allowed & _open(definition)
    plan = lots(np.column_stack([np.ones(inside.size, dtype=bool), open_now]), definition.explore)
    given = choices(people.net[inside], np.where(allowed, people.cost[inside], 0.0), allowed)
    money = _money_left(definition, given, plan)
    best = allocate(given, money, _limits(definition, plan))
    option, drawn = dealt(plan, best.chosen + 1, number_of(definition.name, mark) % 2**32)
    chances = plan.chances(best.chosen + 1)[np.arange(inside.size), option]
    every = np.full(people.customers.size, -1, dtype=np.int64)
    probability = np.full(people.customers.size, definition.hold_out)
    by_lot = np.zeros(people.customers.size, dtype=bool)
    every[inside], probability[inside], by_lot[inside] = option - 1, chances, drawn
    aim = _aims(definition, people, best.prices)
    dealt_out = _dealt_out(people.allowed & _open(definition), inside, plan)
    return Chosen(every, aim, dealt_out, probability, held_out, by_lot, best, inside, given)


def _open(definition: Decision) -> BoolArray:
    """Which treatments may be given at all: none that costs money when there is none, or whose places are 0."""
    places = [
        0 not in (each.at_most, definition.channels.get(each.channel)) and not (definition.budget == 0 and _costs(each))
        for each in definition.treatments.values()
    ]
    return np.array(places, dtype=bool)


def _costs(treatment: Treatment) -> bool:
    return treatment.cost > 0 or treatment.cost_tag is not None


def _aims(definition: Decision, people: People, prices: Mapping[str, float]) -> IntArray:
    """What each customer would choose at the prices, by the same rule for everyone; at equal worth the treatment.

    The sum of prices over what a treatment uses is its toll; a minimum has a negative price, and pays for itself.
    """
    money = prices.get(BUDGET, 0.0)
    best = np.zeros(people.customers.size)
    aim = np.full(people.customers.size, -1, dtype=np.int64)
    net, can = people.net, people.allowed & _open(definition)
    for place, (name, each) in enumerate(definition.treatments.items()):
        toll = prices.get(f"treatment {name}", 0.0) + prices.get(f"channel {each.channel}", 0.0)
        paid = money * np.nan_to_num(people.cost[:, place]) + toll
        worth = net[:, place] - paid
        tie = np.where((aim < 0) & (paid > 0), _TIE * (1.0 + np.abs(net[:, place])), 0.0)
        better = can[:, place] & (worth > best - tie)
        best, aim = np.where(better, worth, best), np.where(better, place, aim)
    return aim.astype(np.int64)


def _dealt_out(open_now: BoolArray, inside: IntArray, plan: Lots) -> BoolArray:
    """What lots deal to customers like each one; those held out are alike to those inside who may get the same."""
    found = np.zeros(open_now.shape, dtype=bool)
    bits = open_now @ (1 << np.arange(open_now.shape[1], dtype=np.int64))
    explored = np.unique(bits[inside[plan.counts[plan.kind].sum(axis=1) > 0]])
    rows = np.isin(bits, explored)
    found[rows] = open_now[rows]
    return found


def _money_left(definition: Decision, given: Choices, plan: Lots) -> float | None:
    """The budget less the most that lots can spend; raises BadQuestion when they may spend more than there is."""
    if definition.budget is None:
        return None
    dearest = given.costs.max(axis=1)
    aside = float(plan.used[1:] @ dearest)
    left = definition.budget - aside
    if left < -_SLACK * max(1.0, aside):
        raise BadQuestion(
            f"{definition.name}: exploring alone may cost more than the budget",
            expected=f"{definition.budget:,.2f} at most",
            seen=f"{aside:,.2f} for a share of {definition.explore:g}",
            remedy="Explore less, or raise the budget.",
        )
    return max(left, 0.0)


def _limits(definition: Decision, plan: Lots) -> list[Limit]:
    """Limits of treatments and channels, what lots use taken off."""
    used = plan.used[1:]
    found = []
    for place, (name, each) in enumerate(definition.treatments.items()):
        if each.at_most is not None or each.at_least:
            most = _less(f"treatment {name}", each.at_most, int(used[place]))
            found.append(Limit(f"treatment {name}", (place,), most, each.at_least))
    for channel, most in definition.channels.items():
        members = tuple(place for place, each in enumerate(definition.treatments.values()) if each.channel == channel)
        left = _less(f"channel {channel}", most, int(used[list(members)].sum()))
        found.append(Limit(f"channel {channel}", members, left))
    return found


def _less(name: str, most: int | None, used: int) -> int | None:
    if most is None:
        return None
    if used > most:
        raise BadQuestion(
            f"Exploring alone takes more places than {name} has",
            expected=f"{most} at most",
            seen=f"{used}",
            remedy="Explore less, or raise the limit.",
        )
    return most - used
