"""What the simulated sales people make of leads: taken and won, or sent back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from aimwell.core.keys import share_of
from aimwell.simulation.app.addresses import person_of
from aimwell.simulation.app.calendars import millis_of
from aimwell.simulation.app.habits import LEAD_WORTH
from aimwell.simulation.app.messages import Message, act
from aimwell.simulation.app.people import AppPeople

_HOURS = (4, 40)


@dataclass(frozen=True, slots=True)
class LeadGiven:
    """A lead on a sales person's desk: its key, whose it is (any identifier of the person), and since when."""

    key: str
    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What sales says of a lead, and when; with `done` comes the act of buying, as a message."""

    key: str
    stage: Literal["done", "rejected"]
    at: datetime
    bought: Message | None = None


def judge(seed: int, people: AppPeople, leads: Iterable[LeadGiven]) -> Iterator[Verdict]:
    """The verdict on each lead, always the same for its key; only true interest in wealth products is ever taken."""
    for lead in leads:
        who = person_of(lead.address)
        if who is None or who >= len(people):
            continue
        worth = bool(people.interested[who]) and share_of(str(seed), "lead", lead.key) < LEAD_WORTH
        first, last = _HOURS
        wait = timedelta(hours=first + (last - first) * share_of(str(seed), "lead/wait", lead.key))
        at = lead.at + wait
        bought = act(seed, who, "wealth_bought", millis_of(at), {}, ident=lead.key) if worth else None
        yield Verdict(lead.key, "done" if worth else "rejected", at, bought)
