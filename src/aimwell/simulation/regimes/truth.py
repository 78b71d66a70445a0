"""The truth of one day of a simulated market: what each message would bring; to compare with, never to learn from."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa

from aimwell.core.errors import BadQuestion
from aimwell.simulation.chance import Floats, Integers
from aimwell.simulation.regimes.messages import Messages
from aimwell.simulation.regimes.nature import Nature, State
from aimwell.simulation.regimes.people import Singles, customer_ids


class Truth:
    """The true chances of a day before it is played, in the state that the market is in; simulated. Money in cents.

    What a message *brings* is the mean of profit with it, less the mean without it, from this day to the end of the
    run if nothing else were ever sent: today's purchases that it causes, less the discounts given to those who buy
    anyway, less the purchases that it drives away, all with what friends then buy, less its cost. It is the advantage
    of sending over never sending. Who is never sent to again is hurt by no fatigue, so fatigue has no price in it; and
    still:

    *The sum, over the days of a run, of what each day's messages bring in the state of that day is, in the mean,
    exactly what the policy earned above sending nothing* (performance difference lemma, Kakade and Langford 2002),
    fatigue, leaving and word of mouth included. So regrets are computed with the luck of purchases taken out.
    """

    def __init__(self, nature: Nature, state: State, day: int, count: int) -> None:
        if day >= nature.days:
            raise BadQuestion("There is no truth after the last day", expected=f"a day before {nature.days}")
        self.nature, self.state, self.day, self.count = nature, state.copy(), day, count

    @cached_property
    def need(self) -> Singles:
        """[customers, lines]: need on this day over that of a mean customer, friends' talk apart."""
        return self.nature.need(np.arange(self.count), self.day)

    @cached_property
    def own(self) -> Floats:
        """[customers, lines]: chance to buy on this day if nothing is sent."""
        heard = self.state.heard[: self.count]
        return self.nature.own(np.arange(self.count), self.day, self.need, heard)

    @cached_property
    def worth(self) -> Floats:
        """[lines]: a purchase on this day: its margin, and in the mean the margin of what friends buy for it."""
        margin = np.asarray([line.margin for line in self.nature.business.lines]) * 100
        return np.asarray(margin + self.nature.talk[self.day])

    @cached_property
    def baseline(self) -> Floats:
        """[customers]: mean margin of this day if nothing is sent."""
        margin = np.asarray([line.margin for line in self.nature.business.lines]) * 100
        return np.asarray(self.own @ margin)

    def seen(self, messages: Messages) -> Floats:
        """Chance that each message is delivered and seen."""
        who = messages.customer
        reached = self.nature.people.reached[who, messages.channel] & ~self.state.left[who]
        tired = self.state.tired[who]
        return reached * self.nature.seen(who, messages.channel, messages.hour, tired, self.day)

    def moved(self, messages: Messages) -> Floats:
        """Chance that each customer, having seen the message, buys because of it."""
        need = self.need[messages.customer, self.nature.shelf.line[messages.product]]
        return self.nature.moved(messages.customer, messages.product, messages.channel, messages.depth, need, self.day)

    def cost(self, messages: Messages) -> Integers:
        """What each message costs: nothing if it cannot be delivered."""
        cost = np.asarray([round(channel.cost * 100) for channel in self.nature.business.channels], dtype=np.int64)
        reached = self.nature.people.reached[messages.customer, messages.channel] & ~self.state.left[messages.customer]
        return np.where(reached, cost[messages.channel], 0)

    def brings(self, messages: Messages, *, talk: bool = True) -> Floats:
        """What each message brings, by itself; a customer may occur many times, for many possible messages.

        talk: with what friends buy later; without it, the effect on this day's profit alone.
        """
        return self.if_seen(messages, talk=talk) * self.seen(messages) - self.cost(messages)

    def if_seen(self, messages: Messages, *, talk: bool = True) -> Floats:
        """What each message brings if it is seen, its cost apart."""
        nature, who = self.nature, messages.customer
        line = nature.shelf.line[messages.product]
        off = nature.off(messages.product, messages.depth)
        worth = self.worth if talk else self.worth - nature.talk[self.day]
        given_away = self.own[who, line] * (1 - nature.traits(self.day).provoked[who]) * off
        driven_away = (self._driven_away if talk else self._driven_away_today)[who]
        return np.asarray(self.moved(messages) * (worth[line] - off) - given_away - driven_away)

    @cached_property
    def _driven_away(self) -> Floats:
        """[customers]: what seeing any message drives away, with what friends would have bought."""
        return np.asarray(self.nature.traits(self.day).provoked[: self.count] * (self.own @ self.worth))

    @cached_property
    def _driven_away_today(self) -> Floats:
        return np.asarray(self.nature.traits(self.day).provoked[: self.count] * self.baseline)

    def profits(self, customers: Integers, treatments: Messages, *, talk: bool = True) -> Floats:
        """[customers, treatments]: what each of some treatments would bring with each of some customers.

        treatments: product, channel, hour and depth count; their customers do not.
        """
        rows, columns = np.repeat(customers, len(treatments)), np.tile(np.arange(len(treatments)), len(customers))
        like = treatments.take(columns)
        asked = Messages(rows.astype(np.int64), like.product, like.channel, like.hour, like.depth)
        return self.brings(asked, talk=talk).reshape(len(customers), len(treatments))

    def table(self, messages: Messages) -> pa.Table:
        """Both potential outcomes of each message as columns, money in CNY; labelled as simulated truth.

        buys_without, buys_with: chance to buy in the product's line on this day.   brings: see the class.
        """
        who, line = messages.customer, self.nature.shelf.line[messages.product]
        own, provoked = self.own[who, line], self.nature.traits(self.day).provoked[who]
        kinds = [kind.name for kind in self.nature.regime.strata]
        seen = self.seen(messages)
        table = pa.table(
            {
                "customer_id": customer_ids(who),
                "product_id": pa.array(self.nature.shelf.ids[messages.product], pa.string()),
                "channel": pa.array(
                    [self.nature.business.channels[each].name for each in messages.channel], pa.string()
                ),
                "hour": messages.hour,
                "depth": messages.depth,
                "kind": pa.array(
                    np.asarray(kinds, dtype=object)[self.nature.traits(self.day).stratum[who]], pa.string()
                ),
                "seen": seen,
                "buys_without": own,
                "buys_with": own * (1 - seen * provoked) + seen * self.moved(messages),
                "brings": self.brings(messages) / 100,
            }
        )
        return table.replace_schema_metadata({"simulated": "true", "truth": "true", "day": str(self.day)})
