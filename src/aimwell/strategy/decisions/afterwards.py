"""What happened after a decision, beside what was planned: told by those who were held out by lot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import BoolArray, FloatArray
from aimwell.science.experiment.adjustment import adjusted
from aimwell.science.experiment.difference import Moments, difference_of_means
from aimwell.science.metrics.interval import Estimate, normal_interval
from aimwell.store.ledger.ledger import Ledger
from aimwell.strategy.decisions.contacts import Contacts, Sendings, contacts_of, sendings
from aimwell.strategy.decisions.deciding import value_name
from aimwell.strategy.decisions.definition import NOTHING, Decision
from aimwell.strategy.decisions.measuring import LEVEL
from aimwell.strategy.decisions.past import Past, outcomes_of
from aimwell.strategy.decisions.people import Words
from aimwell.strategy.decisions.plan import joint_error
from aimwell.strategy.decisions.rows import channels_of_run, last_run, runs_before

_INSIDE = Text("实际落在计划区间内", "What happened lies within the plan's interval")
_OUTSIDE = Text("实际落在计划区间外", "What happened lies outside of the plan's interval")
_UNKNOWN = Text("没有对照组，无法说明做了多少贡献", "Nobody was held out: what it caused cannot be said")
_NO_PROOF = Text("未能证明有增益", "No gain is proven")


@dataclass(frozen=True, slots=True)
class ChannelAfterwards:
    """One channel: what was planned for it, and what came of it.

    customers: who were to be reached.   cost, planned: as planned.   assumed: whether the planned gain was measured by
    no experiment.   contacts: who was reached, and why others were not.
    happened: what everyone for whom prices pointed to this channel bought more than those of the same kind who were
    held out, in all, with its 80 % interval; None when too few were held out. compared: the latter, how many.
    """

    channel: str
    customers: int
    cost: float
    planned: Estimate
    assumed: bool
    contacts: Contacts
    happened: Estimate | None
    compared: int


@dataclass(frozen=True, slots=True)
class Afterwards:
    """Planned and happened, both in money over all customers who were not held out, with 80 % intervals.

    happened: what they bought more than if they had bought as those who were held out; None when too few were.
    people, held_out: customers.   cost: planned.   said: the verdicts in words.   channels: each by itself.
    """

    decision: str
    as_of: datetime
    until: datetime
    people: int
    held_out: int
    cost: float
    planned: Estimate
    happened: Estimate | None
    said: tuple[Text, ...]
    channels: tuple[ChannelAfterwards, ...]


def compare(definition: Decision, workshop: Workshop, until: datetime, ledger: Ledger | None = None) -> Afterwards:
    """Compare the last decision before an instant with the purchases from then until that instant.

    Whatever was decided is compared with holding out, whether or not it could be sent: that is what the plan promised.
    What customers bought before is taken off, as far as it foretells what they buy.   ledger: knows why messages were
    not sent.
    Raises BadQuestion when nothing was decided before, NotEnoughData when there are no purchases to compare with.
    """
    return _compared(definition, workshop, last_run(workshop, definition.name, until), until, ledger)


def last_compared(
    definition: Decision, workshop: Workshop, now: datetime, ledger: Ledger | None = None
) -> Afterwards | None:
    """The last decision of which everything that counts has happened, compared; None when there is none."""
    within = definition.outcome.within
    runs = runs_before(workshop, definition.name, now - within)
    if not runs:
        return None
    try:
        return _compared(definition, workshop, runs[-1], runs[-1] + within, ledger)
    except NotEnoughData:
        return None


def _compared(
    definition: Decision, workshop: Workshop, as_of: datetime, until: datetime, ledger: Ledger | None
) -> Afterwards:
    past = outcomes_of(definition, workshop, as_of, until)
    bought = adjusted(past.outcome, past.before)
    everyone = np.ones(len(past), dtype=bool)
    planned, happened = _planned(past, everyone), _happened(bought, past, everyone)
    told = _sendings(ledger, definition.name, as_of, until)
    contacts = contacts_of(workshop, definition.name, as_of, until, told)
    channel = channels_of_run(workshop, definition.name, as_of)
    return Afterwards(
        definition.name,
        as_of,
        until,
        int((~past.held_out).sum()),
        int(past.held_out.sum()),
        float(past.cost.sum()),
        planned,
        happened,
        _said(planned, happened),
        tuple(
            _channel(name, each, past, bought, np.isin(past.treatment, members), np.isin(past.aim, members))
            for name, each in contacts.items()
            for members in [[treatment for treatment, where in channel.items() if where == name]]
        ),
    )


def _sendings(ledger: Ledger | None, name: str, since: datetime, until: datetime) -> Sendings | None:
    if ledger is None:
        return None
    with ledger.reading() as connection:
        return sendings(connection, value_name(name), since, until)


def _channel(
    name: str, contacts: Contacts, past: Past, bought: FloatArray, given: BoolArray, aimed: BoolArray
) -> ChannelAfterwards:
    return ChannelAfterwards(
        name,
        int(given.sum()),
        float(past.cost[given].sum()),
        _planned(past, given),
        bool(past.assumed[given].any()),
        contacts,
        _happened(bought, past, aimed),
        int((aimed & past.held_out).sum()),
    )


def _planned(past: Past, rows: BoolArray) -> Estimate:
    """The gain that the rows promise, with the interval of their declared errors."""
    parts = [
        (float(past.gain[here].sum()), float(past.error[here][0]), bool(past.assumed[here][0]))
        for here in _each(past.treatment, rows & (past.treatment != NOTHING))
    ]
    return normal_interval(float(past.gain[rows].sum()), joint_error(parts), LEVEL)


def _happened(bought: FloatArray, past: Past, rows: BoolArray) -> Estimate | None:
    """What those not held out bought more than the others, in all."""
    ours, theirs = rows & ~past.held_out, rows & past.held_out
    found = difference_of_means(Moments.of(bought[ours]), Moments.of(bought[theirs]), LEVEL)
    people = int(ours.sum())
    return Estimate(found.value * people, found.low * people, found.high * people, LEVEL) if found else None


def _each(treatment: Words, rows: BoolArray) -> list[BoolArray]:
    """Who got each treatment; all of them have the same error."""
    return [rows & (treatment == each) for each in np.unique(treatment[rows])]


def _said(planned: Estimate, happened: Estimate | None) -> tuple[Text, ...]:
    if happened is None:
        return (_UNKNOWN,)
    verdict = _INSIDE if planned.low <= happened.value <= planned.high else _OUTSIDE
    return (verdict,) if happened.low > 0 else (verdict, _NO_PROOF)
