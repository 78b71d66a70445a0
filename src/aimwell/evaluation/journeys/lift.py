"""What a journey changed: those who were let in against those held out at the same door, for the goal and for money.

Chance alone decides who is held out, at the moment of entry, so that the two groups differ in nothing else. Everybody
who came in counts, whether or not a message reached them (the effect of the journey as it runs, and no selection by
who could be reached). Only enrolments whose time for the goal is over count, so that both groups had the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aimwell.evaluation.journeys.entries import Entry
from aimwell.evaluation.journeys.money import Spending
from aimwell.science.experiment.difference import Moments, difference_of_means, difference_of_shares
from aimwell.science.metrics.interval import Estimate
from aimwell.store.ledger.columns import length, micros


@dataclass(frozen=True, slots=True)
class Group:
    """One side: people whose time is over, how many of them reached the goal, and what they spent in that time.

    money: of those alone whose spending is known for the whole of their time.
    """

    people: int
    reached: int
    money: Moments

    @property
    def share(self) -> float | None:
        """Share who reached the goal; None for nobody."""
        return self.reached / self.people if self.people else None


@dataclass(frozen=True, slots=True)
class Lift:
    """The effect per person let in: `goal` as a difference of shares, `money` in the currency; None where unknown.

    pending: enrolments whose time is not over.   within: the time that each had.   spent_until: up to when spending is
    known; None where nothing is known of it.
    """

    journey: str
    within: timedelta
    treated: Group
    held_out: Group
    pending: int
    goal: Estimate | None
    money: Estimate | None
    spent_until: datetime | None = None

    @property
    def proven(self) -> bool:
        """Whether the goal's interval leaves out zero."""
        return self.goal is not None and self.goal.excludes_zero

    @property
    def money_proven(self) -> bool:
        """Whether the interval of the money leaves out zero."""
        return self.money is not None and self.money.excludes_zero


def lift(
    people: Sequence[Entry], journey: str, within: timedelta, now: datetime, *, spending: Spending | None = None
) -> Lift:
    """The effect of a journey on its goal, and on money if it is known what was spent.

    people: see `entries`; the goals of ended enrolments must have been settled (`strategy.journeys.goals`).
    within: how long after entry the goal counts.
    """
    over = [each for each in people if each.entered_at + length(within) <= micros(now)]
    treated, control = (_group(over, within, spending, held_out=held_out) for held_out in (False, True))
    return Lift(
        journey=journey,
        within=within,
        treated=treated,
        held_out=control,
        pending=len(people) - len(over),
        goal=difference_of_shares(treated.reached, treated.people, control.reached, control.people),
        money=difference_of_means(treated.money, control.money) if spending is not None else None,
        spent_until=spending.until if spending is not None else None,
    )


def _group(over: Sequence[Entry], within: timedelta, spending: Spending | None, *, held_out: bool) -> Group:
    mine = [each for each in over if each.held_out == held_out]
    known = [
        spending.amounts.get(each.id, 0.0)
        for each in mine
        if spending is not None and each.entered_at + length(within) <= micros(spending.until)
    ]
    return Group(len(mine), sum(each.goal_at is not None for each in mine), Moments.of(known))
