"""What everybody does by themselves on one local day, messages apart; any day can be asked for alone."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args

import numpy as np

from aimwell.simulation.app.calendars import DAY_SECONDS, Calendar
from aimwell.simulation.app.draws import normal, uniform, whole
from aimwell.simulation.app.habits import BASKETS, WEALTH_BOUGHT
from aimwell.simulation.app.people import AppPeople
from aimwell.simulation.chance import Booleans, Integers

Act = Literal[
    "home",
    "identify",
    "signed_up",
    "app_opened",
    "product_viewed",
    "product_added",
    "checkout_started",
    "order_completed",
    "limit_granted",
    "loan_calculator_used",
    "loan_taken",
    "salary_received",
    "deposit_matured",
    "wealth_viewed",
    "brochure_requested",
    "account_closed",
    "wealth_bought",
]
ACTS: tuple[Act, ...] = get_args(Act)
PRODUCTS = 40
SPILL = 4
"""What begins on one day may go on so many days after it: baskets that people come back to."""
FADING = 30
"""Days before leaving in which people come ever more rarely."""
_OUTCOMES = tuple(BASKETS)


@dataclass(frozen=True, slots=True)
class Rows:
    """Acts as columns: when (milliseconds since 1970), who, what (place in ACTS), on what, and which of the day."""

    at: Integers
    who: Integers
    act: Integers
    item: Integers
    day: Integers
    turn: Integers

    def __len__(self) -> int:
        return len(self.at)

    def take(self, which: Integers | Booleans) -> Rows:
        """Some of the rows, in that order."""
        return Rows(*(getattr(self, field.name)[which] for field in fields(self)))

    def between(self, since: int, until: int) -> Rows:
        """The rows of a half-open period."""
        return self.take((self.at >= since) & (self.at < until))

    def ordered(self) -> Rows:
        """In the order of time; at one instant by person, then in the order of ACTS."""
        return self.take(np.lexsort((self.turn, self.act, self.who, self.at)))


def joined(parts: list[Rows]) -> Rows:
    """Several sets of rows as one."""
    if not parts:
        return Rows(*(np.empty(0, dtype=np.int64) for _ in fields(Rows)))
    return Rows(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Rows)))


@dataclass(frozen=True, slots=True)
class Baskets:
    """For some people on one day each: whether they fill a basket, with what, and what becomes of it."""

    filled: Booleans
    item: Integers
    outcome: Integers

    def meant(self, outcome: str) -> Booleans:
        return np.asarray(self.filled & (self.outcome == _OUTCOMES.index(outcome)))


@dataclass(frozen=True, slots=True)
class Life:
    """What people do on a day, drawn for each person and day by itself."""

    seed: int
    people: AppPeople
    calendar: Calendar

    def second(self, who: Integers, day: Integers) -> Integers:
        """The second of the day at which each comes, around the favourite hour."""
        hours = self.people.hours
        hour = hours.hour[who] + normal(self.seed, "hour", who, day + DAY_SECONDS) * hours.spread[who]
        return np.asarray((np.clip(hour, 0.3, 23.0) * 3_600).astype(np.int64))

    def visits(self, who: Integers, day: Integers) -> Booleans:
        """Whether each opens the app: certainly on the day of signing up, ever more rarely before leaving."""
        people = self.people
        weekday = (self.calendar.first_day.astype("datetime64[D]").astype(np.int64) + day + 3) % 7
        weekend = np.where(weekday >= 5, 0.6 + 0.8 * people.hours.weekend[who], 1.0)
        fading = np.clip((people.leaves_day[who] - day) / FADING, 0.0, 1.0)
        chance = np.where(people.signup_day[who] == day, 1.0, people.pace[who] * weekend * fading)
        return self.stays(who, day) & (uniform(self.seed, "visit", who, day + DAY_SECONDS) < chance)

    def stays(self, who: Integers, day: Integers) -> Booleans:
        """Whether each is a customer on the day."""
        return np.asarray((self.people.signup_day[who] <= day) & (day < self.people.leaves_day[who]))

    def baskets(self, who: Integers, day: Integers) -> Baskets:
        """What each puts into the basket on the day, if anything."""
        draw = uniform(self.seed, "basket", who, day + DAY_SECONDS)
        filled = self.visits(who, day) & (draw < self.people.shopping[who])
        end = uniform(self.seed, "basket/end", who, day + DAY_SECONDS)
        bounds = np.cumsum(list(BASKETS.values()))
        item = whole(uniform(self.seed, "basket/item", who, day + DAY_SECONDS), PRODUCTS)
        outcome = np.minimum(np.searchsorted(bounds, end, side="right"), len(_OUTCOMES) - 1)
        return Baskets(filled, item, np.asarray(outcome))

    def of_day(self, day: int) -> Rows:
        """Everything that begins on one local day, wherever people are."""
        everyone = np.arange(len(self.people))
        parts = [*self._arriving(everyone, day), *self._visiting(everyone, day), *self._banking(everyone, day)]
        return joined(parts).ordered()

    def rows(self, act: Act, who: Integers, day: int, second: Integers, **more: Integers | int) -> Rows:
        """One act of some people at seconds of a day; `item` and `turn` by default 0, `later` days after."""
        later = np.broadcast_to(np.asarray(more.get("later", 0)), who.shape)
        at = self.calendar.millis(self.people.zone[who], day + later, second)
        columns = (np.full(len(who), ACTS.index(act)), more.get("item", 0), day, more.get("turn", 0))
        return Rows(at, who, *(np.array(np.broadcast_to(np.asarray(each), who.shape)) for each in columns))

    def _arriving(self, everyone: Integers, day: int) -> list[Rows]:
        """Visitors in the three days before they sign up, and those who sign up."""
        until = self.people.signup_day - day
        draw = uniform(self.seed, "stranger", everyone, day + DAY_SECONDS)
        strangers = everyone[((until > 0) & (until <= 3) & (draw < 0.4)) | (until == 0)]
        new = everyone[until == 0]
        second = self.second(strangers, np.full(len(strangers), day))
        signing = self.second(new, np.full(len(new), day))
        return [
            self.rows("home", strangers, day, second - 180),
            self.rows("identify", new, day, signing - 60),
            self.rows("signed_up", new, day, signing - 59),
        ]

    def _visiting(self, everyone: Integers, day: int) -> list[Rows]:
        """Opening the app, looking at products, filling baskets and what becomes of these."""
        days = np.full(len(everyone), day)
        who = everyone[self.visits(everyone, days)]
        days = days[: len(who)]
        second = self.second(who, days)
        found = [self.rows("app_opened", who, day, second)]
        views = whole(uniform(self.seed, "views", who, days + DAY_SECONDS), 3)
        for turn in (1, 2):
            seeing = views >= turn
            item = whole(uniform(self.seed, f"view/{turn}", who[seeing], day + DAY_SECONDS), PRODUCTS)
            found.append(
                self.rows("product_viewed", who[seeing], day, second[seeing] + 40 * turn, item=item, turn=turn)
            )
        baskets = self.baskets(who, days)
        full, bought, returned = baskets.filled, baskets.meant("bought"), baskets.meant("returned")
        later = 1 + whole(uniform(self.seed, "basket/later", who, days + DAY_SECONDS), SPILL - 1)
        started = full & (uniform(self.seed, "checkout", who, days + DAY_SECONDS) < 0.5) | bought
        for act, which, after, wait in (
            ("product_added", full, 150, 0),
            ("checkout_started", started, 220, 0),
            ("order_completed", bought, 300, 0),
            ("order_completed", returned, 0, later[returned]),
        ):
            found.append(self.rows(act, who[which], day, second[which] + after, item=baskets.item[which], later=wait))  # type: ignore[arg-type] # mypy takes the words of the tuple for any text
        return [*found, *self._considering(who, day, second)]

    def _considering(self, who: Integers, day: int, second: Integers) -> list[Rows]:
        """Those with an interest in wealth products look at them, sometimes ask for a brochure or buy."""
        draw = uniform(self.seed, "wealth", who, day + DAY_SECONDS)
        looking = draw < np.where(self.people.interested[who], 0.5, 0.04)
        buying = draw < np.where(self.people.interested[who], WEALTH_BOUGHT, 0.0)
        asking = draw < np.where(self.people.interested[who], 0.10, 0.005)
        return [
            self.rows("wealth_viewed", who[looking], day, second[looking] + 95),
            self.rows("brochure_requested", who[asking], day, second[asking] + 130),
            self.rows("wealth_bought", who[buying], day, second[buying] + 600),
        ]

    def _banking(self, everyone: Integers, day: int) -> list[Rows]:
        """Limits granted, loans taken by themselves, salaries, deposits that mature, accounts closed."""
        people, date = self.people, self.calendar.first_day.astype("datetime64[D]") + day
        stays = self.stays(everyone, np.full(len(everyone), day)) & (people.signup_day < day)
        of_month = int((date - date.astype("datetime64[M]")).astype(np.int64)) + 1
        borrowing = everyone[stays & (people.loan_day == day)]
        evening = np.full(len(borrowing), 20 * 3_600)
        leaving = everyone[(people.leaves_day == day) & people.closes]
        granted = everyone[stays & (people.limit_day == day)]
        paid = everyone[stays & (people.salary > 0) & (people.payday == of_month)]
        maturing = everyone[stays & (people.deposit > 0) & ((day + people.phase) % people.term == 0)]
        return [
            self.rows("limit_granted", granted, day, np.full(len(granted), 9 * 3_600)),
            self.rows("loan_calculator_used", borrowing, day, evening - 900),
            self.rows("loan_taken", borrowing, day, evening),
            self.rows("salary_received", paid, day, np.full(len(paid), 10 * 3_600)),
            self.rows("deposit_matured", maturing, day, np.full(len(maturing), 8 * 3_600)),
            self.rows("account_closed", leaving, day, np.full(len(leaving), 15 * 3_600)),
        ]
