"""The world of the simulated app: two faces, what people do by themselves and what they make of messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from functools import lru_cache

import numpy as np
import pyarrow as pa

from aimwell.core.errors import BadQuestion
from aimwell.core.time import require_aware
from aimwell.simulation.app.answers import Answering, Answers, Delivery
from aimwell.simulation.app.calendars import Calendar, millis_of
from aimwell.simulation.app.days import ACTS, SPILL, Life, Rows, joined
from aimwell.simulation.app.messages import Message, Writer
from aimwell.simulation.app.people import draw_app_people
from aimwell.simulation.app.sales import LeadGiven, Verdict, judge
from aimwell.simulation.app.truth import truth_tables

CUSTOMERS = 2_000
SEED = 7
FIRST_DAY = date(2026, 1, 1)
_KEPT_DAYS = 2 * SPILL + 4


class World:
    """A seeded world of an app's customers; equal seeds give equal people, events and answers.

    customers: how many people.   first_day: half of them have signed up before it, the others do in 180 days after.
    Cost: some 10 bytes per person and array; a day of 100,000 people is drawn in about a tenth of a second.

    >>> world = World(seed=7, customers=50)
    >>> from datetime import UTC
    >>> first = next(iter(world.events(datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 8, tzinfo=UTC))))
    >>> first["context"]["simulated"]
    True
    """

    def __init__(self, seed: int = SEED, customers: int = CUSTOMERS, first_day: date = FIRST_DAY) -> None:
        if customers < 1:
            raise BadQuestion("A world has at least one customer", seen=str(customers))
        self.seed = seed
        start = np.datetime64(first_day)
        self.people = draw_app_people(seed, customers, start)
        self.life = Life(seed, self.people, Calendar(start))
        self._writer = Writer(seed, self.people, self.life.calendar)
        self._answering = Answering(self.life)
        self._day = lru_cache(maxsize=_KEPT_DAYS)(self.life.of_day)

    def known(self, at: datetime) -> Iterator[Message]:
        """One identify message of everybody who signed up before an instant, in that order: what a company imports.

        Dated when each signed up, which may be long before the world's first day.
        """
        everyone = np.arange(len(self.people))
        day = self.people.signup_day
        second = self.life.second(everyone, day) - 60
        millis = self.life.calendar.millis(self.people.zone, day, second)
        which = np.zeros(len(everyone), dtype=np.int64)
        rows = Rows(millis, everyone, which + ACTS.index("identify"), which, day, which)
        yield from self._writer.messages(rows.take(millis < millis_of(require_aware(at))).ordered())

    def events(self, since: datetime, until: datetime) -> Iterator[Message]:
        """What people do by themselves in the half-open period, as Segment messages in the order of time.

        However a period is cut into slices, the same messages come, with the same ids. What messages of the workspace
        made people do is not among them: `answer` tells that.
        """
        for rows in self._rows(since, until):
            yield from self._writer.messages(rows)

    def acts(self, since: datetime, until: datetime) -> pa.Table:
        """The same as columns: act, customer_id (the user id), occurred_at (naive UTC); without the words."""
        rows = joined(list(self._rows(since, until)))
        names = pa.array(list(ACTS)).take(pa.array(rows.act))
        customers = pa.array([f"A{who:08}" for who in rows.who.tolist()], pa.string())
        return pa.table(
            {"name": names, "customer_id": customers, "occurred_at": pa.array(rows.at.astype("datetime64[ms]"))}
        )

    def answer(self, deliveries: Iterable[Delivery], now: datetime) -> Answers:
        """What has come of messages by an instant: reports of channels, and what people did because of them.

        The same key gets the same answer however often it is asked for. People tire of messages, in the order in which
        these are first told here.
        """
        return self.foresee(deliveries).until(require_aware(now))

    def foresee(self, deliveries: Iterable[Delivery]) -> Answers:
        """As `answer`, with all that is still to come: for loops that keep it until its time."""
        return self._answering.answer(deliveries)

    def judge(self, leads: Iterable[LeadGiven]) -> Iterator[Verdict]:
        """What sales makes of leads, and when."""
        return judge(self.seed, self.people, leads)

    def truth(self) -> dict[str, pa.Table]:
        """The true habits and effects, never loaded: `customers` and `effects`."""
        return truth_tables(self.life)

    def _rows(self, since: datetime, until: datetime) -> Iterator[Rows]:
        """The acts of a period, one UTC day after another."""
        first, last = millis_of(require_aware(since)), millis_of(require_aware(until))
        day = self.life.calendar.day_of(since)
        while first < last:
            ends = min(last, _utc_day(self.life.calendar, day + 1))
            # The local days that touch a UTC day are its neighbours; baskets of earlier days are still bought in it.
            parts = [self._day(each).between(first, ends) for each in range(day - 1 - SPILL, day + 2)]
            yield joined(parts).ordered()
            first, day = ends, day + 1


def _utc_day(calendar: Calendar, day: int) -> int:
    """The beginning of a UTC day, in milliseconds since 1970."""
    begins = calendar.first_day.astype("datetime64[D]").astype("datetime64[ms]").astype(np.int64)
    return int(begins) + day * 86_400_000
