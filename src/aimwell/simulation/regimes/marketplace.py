"""The market that answers a policy: open it, look at what the company knows, send messages, get the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from aimwell.core.errors import BadQuestion
from aimwell.simulation.app.draws import normal, uniform
from aimwell.simulation.chance import Booleans, Floats, Integers
from aimwell.simulation.regimes.day import Answers, Day, Purchases, Views
from aimwell.simulation.regimes.messages import Messages, check_messages
from aimwell.simulation.regimes.nature import Nature, State
from aimwell.simulation.regimes.people import People, draw_people, draw_traits
from aimwell.simulation.regimes.regime import Business, BusinessName, Regime, find_regime, load_regimes
from aimwell.simulation.regimes.shelf import Shelf, draw_shelf
from aimwell.simulation.regimes.truth import Truth

_LAST_SECOND = 86_399


@dataclass(slots=True)
class Marketplace:
    """A simulated company with customers, moved on by `step`, one virtual day after another.

    Every draw depends on the seed, the customer, the day and the purpose, and on nothing else: two policies meet the
    same people with the same luck, and can be compared in pairs. What a policy may look at: `people` (what the company
    knows), `shelf`, `business`, `sendable`, and the days that came. `truth()` is for judging policies, never for
    choosing.

    day: the day that `step` will play next, counted from 0.

    >>> market = Marketplace.open("nothing_to_find", customers=100, seed=7)
    >>> played = market.step(Messages.of(np.arange(100), product=2, channel=0, hour=20))
    >>> played.number, market.day, len(played.answers.seen)
    (0, 1, 100)
    """

    name: str
    nature: Nature
    first_day: date
    state: State
    day: int = 0

    @classmethod
    def open(
        cls,
        regime: str | Regime,
        customers: int,
        seed: int,
        *,
        business: BusinessName | None = None,
        days: int | None = None,
    ) -> Marketplace:
        """A market of a frozen regime (or of one made for a test) with so many customers at the beginning.

        business: by default the regime's own.   days: how long it can run, by default the regime's; newcomers come
        until then. Raises BadQuestion for an unknown regime, fewer than 0 customers, or no days.
        Cost: some 0.3 kB per customer, and 2 s per million.
        """
        name, chosen = (regime, find_regime(regime)) if isinstance(regime, str) else ("of its own", regime)
        frozen = load_regimes()
        length = chosen.days if days is None else days
        if customers < 0 or length < 1:
            raise BadQuestion(
                "A market cannot be opened",
                expected="0 customers or more, 1 day or more",
                seen=f"{customers}, {length}",
            )
        company = frozen.business[business or chosen.business]
        people = draw_people(seed, chosen, company, customers=customers, days=length)
        changes = chosen.change_day is not None
        nature = Nature(
            seed=seed,
            days=length,
            regime=chosen,
            business=company,
            manner=frozen.manner,
            weekdays=frozen.weekdays,
            people=people,
            shelf=draw_shelf(seed, company, taste=chosen.taste, days=length),
            before=draw_traits(seed, chosen, company, people),
            after=draw_traits(seed, chosen, company, people, changed=True) if changes else None,
        )
        return cls(name, nature, frozen.first_day, State.fresh(len(people), len(company.lines)))

    @property
    def people(self) -> People:
        """What the company knows of everybody; only the first `present` have come."""
        return self.nature.people

    @property
    def shelf(self) -> Shelf:
        """The products."""
        return self.nature.shelf

    @property
    def business(self) -> Business:
        """The lines and the channels."""
        return self.nature.business

    @property
    def regime(self) -> Regime:
        """The regime; a policy that looks at it cheats."""
        return self.nature.regime

    @property
    def days(self) -> int:
        """How many days the market can be played."""
        return self.nature.days

    @property
    def present(self) -> int:
        """How many customers there are on `day`: places 0 to `present` - 1 can be sent to."""
        return self.people.present(self.day)

    @property
    def on(self) -> date:
        """The date of `day`."""
        return self.first_day + timedelta(days=self.day)

    def sendable(self, channel: int) -> Booleans:
        """For each customer present, whether a message on the channel would be delivered; the company knows that."""
        count = self.present
        return np.asarray(self.people.reached[:count, channel] & ~self.state.left[:count])

    def copy(self) -> Marketplace:
        """The same market on the same day, to try something else from here with the same luck."""
        return Marketplace(self.name, self.nature, self.first_day, self.state.copy(), self.day)

    def truth(self) -> Truth:
        """The true chances of `day`, before it is played."""
        return Truth(self.nature, self.state, self.day, self.present)

    def step(self, messages: Messages | None = None) -> Day:
        """Play the day with these messages, go on to the next, and return what came of it.

        Raises BadQuestion when the run is over, and for messages that cannot be sent (see `Messages`).
        """
        if self.day >= self.days:
            raise BadQuestion("The market's run is over", expected=f"at most {self.days} days")
        sent = Messages.none() if messages is None else messages
        check_messages(
            sent, present=self.present, on_sale=self.shelf.on_sale(self.day), channels=len(self.business.channels)
        )
        played = _Playing(self.nature, self.state, self.day, self.present, sent)
        answers = played.answer()
        purchases = played.buy(answers)
        answers.clicked[purchases.message[purchases.message >= 0]] = True
        arrived = np.flatnonzero(self.people.arrival[: self.present] == self.day)
        day = Day(self.day, self.on, sent, answers, purchases, played.look(), arrived)
        played.remember(answers, purchases)
        self.day += 1
        return day


class _Playing:
    """One day while it is being played."""

    def __init__(self, nature: Nature, state: State, day: int, count: int, messages: Messages) -> None:
        self.nature, self.state, self.day, self.count, self.messages = nature, state, day, count, messages
        self._seed = nature.seed
        self._everyone = np.arange(count)

    def _draw(self, purpose: str, who: Integers) -> Floats:
        return uniform(self._seed, purpose, self.day, who)

    def answer(self) -> Answers:
        """Whom the messages reach, who sees them, who follows them, who has enough."""
        sent, nature = self.messages, self.nature
        who = sent.customer
        tired = self.state.tired[who]
        delivered = nature.people.reached[who, sent.channel] & ~self.state.left[who]
        chance = nature.seen(who, sent.channel, sent.hour, tired, self.day)
        seen = delivered & (self._draw("seen", who) < chance)
        clicked = seen & (self._draw("curious", who) < nature.manner.curious)
        left = delivered & (self._draw("leaving", who) < nature.leaving(tired))
        cost = np.asarray([round(channel.cost * 100) for channel in nature.business.channels], dtype=np.int64)
        wait = (-1_200 * np.log(np.maximum(self._draw("wait", who), 1e-6))).astype(np.int64)
        second = np.minimum((sent.hour * 3_600).astype(np.int64) + 60 + wait, _LAST_SECOND)
        return Answers(delivered, seen, clicked, left, second, np.where(delivered, cost[sent.channel], 0))

    def buy(self, answers: Answers) -> Purchases:
        """What people buy by themselves, less what messages drive away, and what messages move them to."""
        sent, nature, shelf = self.messages, self.nature, self.nature.shelf
        draw = self._draw("buy", self._everyone)
        who, line = self._by_themselves(draw)
        message = np.full(self.count, -1, dtype=np.int64)
        message[sent.customer[answers.seen]] = np.flatnonzero(answers.seen)
        seen = message[who] >= 0
        stay = ~(seen & (self._draw("provoked", who) < nature.traits(self.day).provoked[who]))
        moved = self._moved(answers, draw, who)
        own, line = who[stay], line[stay]
        offered = np.append(sent.product, -1)[message[own]]
        redeemed = (message[own] >= 0) & (shelf.line[offered] == line)
        product = np.where(redeemed, offered, self._choose(own, line))
        customer = np.r_[own, sent.customer[moved]]
        product = np.r_[product, sent.product[moved]]
        through = np.r_[np.where(redeemed, message[own], -1), moved]
        order = np.argsort(customer, kind="stable")
        return self._bought(customer[order], product[order], through[order], answers)

    def _by_themselves(self, draw: Floats) -> tuple[Integers, Integers]:
        """Who buys in which line without any message: each line has its stretch of [0, 1) from 0 on."""
        nature, state = self.nature, self.state
        talked = np.float32(nature.daily(self.day).max()) * state.heat[: self.count]
        likely = nature.most_own(self.day, self.count) + talked
        who = np.flatnonzero(draw < likely)
        own = nature.own(who, self.day, nature.need(who, self.day), state.heard[who])
        line = (draw[who][:, None] >= np.cumsum(own, axis=1)).sum(axis=1)
        buys = line < own.shape[1]
        return who[buys], line[buys]

    def _moved(self, answers: Answers, draw: Floats, already: Integers) -> Integers:
        """Places of the messages that make somebody buy: their stretch of [0, 1) ends at 1."""
        seen = np.flatnonzero(answers.seen)
        sent = self.messages.take(seen)
        need = self.nature.need(sent.customer, self.day)[np.arange(len(seen)), self.nature.shelf.line[sent.product]]
        chance = self.nature.moved(sent.customer, sent.product, sent.channel, sent.depth, need, self.day)
        free = np.ones(self.count, dtype=bool)
        free[already] = False
        return np.asarray(seen[(draw[sent.customer] >= 1 - chance) & free[sent.customer]])

    def _choose(self, who: Integers, line: Integers) -> Integers:
        """A product of the line for each, among those on sale and within their risk, by taste."""
        nature, shelf = self.nature, self.nature.shelf
        on_sale, draw = shelf.on_sale(self.day), self._draw("choose", who)
        theme, risk = nature.traits(self.day).theme, nature.people.risk
        chosen = np.zeros(len(who), dtype=np.int64)
        for place in range(len(nature.business.lines)):
            rows = np.flatnonzero(line == place)
            products = np.flatnonzero(on_sale & (shelf.line == place))
            suits = shelf.suits(theme[who[rows], None], risk[who[rows], None], products[None, :])
            bounds = np.cumsum(suits, axis=1)
            passed = (draw[rows, None] * bounds[:, -1:] >= bounds).sum(axis=1)
            chosen[rows] = products[np.minimum(passed, len(products) - 1)]
        return chosen

    def _bought(self, customer: Integers, product: Integers, message: Integers, answers: Answers) -> Purchases:
        shelf = self.nature.shelf
        depth, after = np.append(self.messages.depth, 0.0)[message], np.append(answers.second, 0)[message]
        soon = 60 + (1_800 * self._draw("soon", customer)).astype(np.int64)
        second = np.where(message >= 0, np.minimum(after + soon, _LAST_SECOND), self._second("buy/hour", customer))
        off = self.nature.off(product, depth)
        return Purchases(customer, product, second, shelf.price[product], off, shelf.margin[product], message)

    def _second(self, purpose: str, who: Integers) -> Integers:
        """Around the favourite hour."""
        hour = self.nature.traits(self.day).hour[who] + 1.5 * normal(self._seed, purpose, self.day, who)
        return np.asarray(np.clip(hour * 3_600, 0, _LAST_SECOND), dtype=np.int64)

    def look(self) -> Views:
        """What people look at by themselves: by need, whatever is sent to them."""
        nature = self.nature
        rates = np.asarray([line.daily for line in nature.business.lines])
        draw = self._draw("view", self._everyone)
        scale = nature.business.view_rate / rates
        who = np.flatnonzero(draw < nature.most_views(self.day, self.count))
        own = nature.own(who, self.day, nature.need(who, self.day), np.zeros((1, len(rates)), dtype=np.float32))
        line = (draw[who][:, None] >= np.cumsum(own * scale, axis=1)).sum(axis=1)
        looks = line < len(rates)
        who, line = who[looks], line[looks]
        return Views(who, self._choose(who, line), self._second("view/hour", who))

    def remember(self, answers: Answers, purchases: Purchases) -> None:
        """What the day leaves behind for the next: fatigue and its recovery, who has left, what friends have heard."""
        state, nature = self.state, self.nature
        reached = self.messages.customer[answers.delivered]
        state.tired[reached] = np.minimum(state.tired[reached] + 1, nature.manner.most_tired)
        tired = np.flatnonzero(state.tired[: self.count])
        state.tired[tired] -= self._draw("recovery", tired) < nature.regime.recovery
        state.left[self.messages.customer[answers.unsubscribed]] = True
        if not nature.friends:
            return
        state.heard *= np.float32(nature.business.remembered)
        state.heat *= np.float32(nature.business.remembered)
        told = nature.told(purchases.customer)
        line = np.broadcast_to(nature.shelf.line[purchases.product][:, None], told.shape)
        np.add.at(state.heard, (told, line), np.float32(nature.business.heard))
        np.add.at(state.heat, told, np.float32(nature.business.heard))
