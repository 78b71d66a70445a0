"""The book of a company: what its customers did and what it sent them, day by day; all that a policy may look at."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.simulation.chance import Booleans, Integers
from aimwell.simulation.loop.company import Company
from aimwell.simulation.regimes.day import Day
from aimwell.simulation.regimes.messages import Messages

THEMES = 4
RESTS = (5, 10, 20, 40)
"""Days in which a customer may recover from a message, one message after the other; which is true is to be learnt."""
_VIEWS_LAST, _SALES_LAST = 0.5 ** (1 / 14), 0.5 ** (1 / 60)
"""What is left a day later of a view (half in two weeks) and of a purchase or an answer (half in two months)."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The messages of one decision day with what came of them; arrays with one entry per message.

    probability: with which the customer was given this very message.   bought: margin is not in it, only whether the
    customer bought in the message's line on that day.   bought_lines: [messages, lines], the same for every line.
    """

    day: int
    messages: Messages
    probability: FloatArray
    delivered: Booleans
    seen: Booleans
    unsubscribed: Booleans
    bought_lines: Booleans


@dataclass(slots=True)
class Book:
    """What is known on the morning of `day`; arrays by place of customer, `present` of them have come.

    left: unsubscribed.   views, bought: [people, lines], fading counts.   themes: [people, themes] looked at or bought.
    sold: purchases by product.   times, hours: how often and at which hours in all somebody was there.   orders: all
    purchases.   earned: margin of the last seven days, cents.   got, saw: [people, channels] messages delivered and
    seen.   looked, answered: fading counts of messages seen, and of those on whose day their line was bought.
    burden: [people, rests], messages not yet recovered from, for each of `RESTS`.   past: what was sent, one entry per
    decision day with messages.
    """

    company: Company
    present: int
    left: Booleans
    views: FloatArray
    bought: FloatArray
    themes: FloatArray
    sold: Integers
    times: Integers
    hours: FloatArray
    orders: Integers
    redeemed: Integers
    got: Integers
    saw: Integers
    looked: FloatArray
    answered: FloatArray
    burden: FloatArray
    day: int = 0
    earned: list[int] = field(default_factory=list)
    past: list[Sent] = field(default_factory=list)

    @classmethod
    def empty(cls, company: Company, present: int) -> Book:
        """Before the first day."""
        people, lines, channels = len(company.arrival), len(company.lines), len(company.channels)
        whole = np.int64
        return cls(
            company,
            present,
            left=np.zeros(people, dtype=bool),
            views=np.zeros((people, lines)),
            bought=np.zeros((people, lines)),
            themes=np.zeros((people, THEMES)),
            sold=np.zeros(len(company.catalogue.line), dtype=whole),
            times=np.zeros(people, dtype=whole),
            hours=np.zeros(people),
            orders=np.zeros(people, dtype=whole),
            redeemed=np.zeros(people, dtype=whole),
            got=np.zeros((people, channels), dtype=whole),
            saw=np.zeros((people, channels), dtype=whole),
            looked=np.zeros(people),
            answered=np.zeros(people),
            burden=np.zeros((people, len(RESTS))),
        )

    def sendable(self) -> Booleans:
        """[present, channels]: to whom a message would be delivered."""
        return np.asarray(self.company.reached[: self.present] & ~self.left[: self.present, None])

    def recent(self, days: int) -> Integers:
        """[present]: messages that each was given in the last so many days, today not included."""
        found = np.zeros(len(self.left), dtype=np.int64)
        for sent in reversed(self.past):
            if sent.day <= self.day - days:
                break
            found[sent.messages.customer[sent.delivered]] += 1
        return found[: self.present]

    def hour(self) -> FloatArray:
        """[present]: the hour at which each was there in the mean; not a number for who never was."""
        times = self.times[: self.present]
        return np.where(times > 0, self.hours[: self.present] / np.maximum(times, 1), np.nan)

    def write(self, day: Day, probability: FloatArray, present: int) -> None:
        """Add a day that was played; probability: of each message, as logged.   present: customers tomorrow."""
        self.looked *= _SALES_LAST
        self.answered *= _SALES_LAST
        self.burden = np.maximum(self.burden - 1.0 / np.asarray(RESTS), 0.0)
        self._write_visits(day)
        if len(day.messages):
            self._write_messages(day, probability)
        self.earned = [*self.earned[-6:], day.earned]
        self.day, self.present = day.number + 1, present

    def _write_visits(self, day: Day) -> None:
        sold, catalogue = day.purchases, self.company.catalogue
        self.views *= _VIEWS_LAST
        self.bought *= _SALES_LAST
        np.add.at(self.views, (day.views.customer, catalogue.line[day.views.product]), 1.0)
        np.add.at(self.bought, (sold.customer, catalogue.line[sold.product]), 1.0)
        np.add.at(self.sold, sold.product, 1)
        np.add.at(self.orders, sold.customer, 1)
        np.add.at(self.redeemed, sold.customer[sold.message >= 0], 1)
        own = sold.message < 0  # whoever follows a message comes at the message's hour, not at their own
        who = np.r_[day.views.customer, sold.customer[own]]
        product = np.r_[day.views.product, sold.product[own]]
        second = np.r_[day.views.second, sold.second[own]]
        np.add.at(self.themes, (who, catalogue.theme[product]), 1.0)
        np.add.at(self.times, who, 1)
        np.add.at(self.hours, who, second / 3_600)

    def _write_messages(self, day: Day, probability: FloatArray) -> None:
        sent, answers = day.messages, day.answers
        lines = np.zeros(self.views.shape, dtype=bool)
        lines[day.purchases.customer, self.company.catalogue.line[day.purchases.product]] = True
        np.add.at(self.got, (sent.customer[answers.delivered], sent.channel[answers.delivered]), 1)
        np.add.at(self.saw, (sent.customer[answers.seen], sent.channel[answers.seen]), 1)
        self.left[sent.customer[answers.unsubscribed]] = True
        there, seen = sent.customer[answers.delivered], sent.customer[answers.seen]
        self.burden[there] += 1.0
        self.looked[seen] += 1.0
        self.answered[seen] += lines[seen, self.company.catalogue.line[sent.product[answers.seen]]]
        self.past.append(
            Sent(
                day.number,
                sent,
                probability,
                answers.delivered,
                answers.seen,
                answers.unsubscribed,
                lines[sent.customer],
            )
        )
