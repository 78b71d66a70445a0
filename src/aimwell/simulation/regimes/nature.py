"""The laws of a regime: what people need on a day, whether they see a message, how far it moves them, who hears of it.

One place for the market, which draws by these chances, and for the truth, which adds them up: they cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from aimwell.simulation.app.draws import uniform
from aimwell.simulation.chance import Booleans, Floats, Integers
from aimwell.simulation.regimes.people import People, Singles, Traits
from aimwell.simulation.regimes.regime import Business, Manner, Regime
from aimwell.simulation.regimes.shelf import Shelf


@dataclass(slots=True)
class State:
    """What changes from day to day; arrays with one entry per person.

    tired: level of fatigue.   left: unsubscribed from all messages.   heard: [people, lines], need that friends' talk
    has added.   heat: its sum over lines.
    """

    tired: npt.NDArray[np.int8]
    left: Booleans
    heard: Singles
    heat: Singles

    @classmethod
    def fresh(cls, people: int, lines: int) -> State:
        """Nobody is tired, has left or has heard anything."""
        return cls(
            np.zeros(people, dtype=np.int8),
            np.zeros(people, dtype=bool),
            np.zeros((people, lines), dtype=np.float32),
            np.zeros(people, dtype=np.float32),
        )

    def copy(self) -> State:
        """The same state, to go another way from here."""
        return State(self.tired.copy(), self.left.copy(), self.heard.copy(), self.heat.copy())


@dataclass(frozen=True)
class Nature:
    """The chances of everything, for the people of one market. `who` is an array of places of people."""

    seed: int
    days: int
    regime: Regime
    business: Business
    manner: Manner
    weekdays: tuple[float, ...]
    people: People
    shelf: Shelf
    before: Traits
    after: Traits | None = None

    def traits(self, day: int) -> Traits:
        """The latent traits that hold on a day."""
        return self.before if self.after is None or day < self._change else self.after

    def daily(self, day: int) -> Floats:
        """Purchases a day of a mean customer, by line; the first day is a Monday."""
        return np.asarray([line.daily for line in self.business.lines]) * self.weekdays[day % 7]

    def need(self, who: Integers, day: int) -> Singles:
        """[who, lines]: need over that of a mean customer, friends' talk apart; felt in spells."""
        manner, factor = self.manner, self.regime.spell_factor
        affinity = self.traits(day).affinity[who]
        if factor > 1:
            calm = (1 - manner.spell_share * factor) / (1 - manner.spell_share)
            spell = (day + self._phase[who]) // manner.spell_days
            for line in range(affinity.shape[1]):
                felt = uniform(self.seed, f"spell/{line}", spell, who) < manner.spell_share
                affinity[:, line] *= np.where(felt, np.float32(factor), np.float32(calm))
        return np.minimum(affinity, np.float32(manner.most_need))

    def own(self, who: Integers, day: int, need: Singles, heard: Singles) -> Floats:
        """[who, lines]: chance to buy on the day without any message."""
        base = self.traits(day).base[who][:, None]
        return np.asarray(self.daily(day) * (base * need + heard), dtype=np.float64)

    def most_own(self, day: int, count: int) -> Singles:
        """Above the chance of each of the first `count` to buy in any line, talk apart: tells who need be looked at."""
        return np.asarray(self._most[day >= self._change][0][:count] * np.float32(self.weekdays[day % 7]))

    def most_views(self, day: int, count: int) -> Singles:
        """Above the chance of each of the first `count` to look at a product of any line."""
        return np.asarray(self._most[day >= self._change][1][:count] * np.float32(self.weekdays[day % 7]))

    def seen(self, who: Integers, channel: Integers, hour: Floats, tired: npt.NDArray[np.int8], day: int) -> Floats:
        """Chance that a message which is delivered is seen."""
        regime, traits = self.regime, self.traits(day)
        rate = np.asarray([each.seen for each in self.business.channels])[channel]
        likes = np.where(traits.favourite[who] == channel, 1 + regime.habit, 1 - regime.habit / 2)
        away = np.abs(hour - traits.hour[who])
        away = np.minimum(away, 24 - away) / self.manner.hour_spread
        fits = regime.off_hour + (1 - regime.off_hour) * np.exp(-(away**2) / 2)
        return np.asarray(np.minimum(rate * likes * fits * regime.fatigue ** tired.astype(np.float64), 1.0))

    def moved(
        self, who: Integers, product: Integers, channel: Integers, depth: Floats, need: Floats, day: int
    ) -> Floats:
        """Chance that whoever sees a message buys because of it; `need` that in the product's line."""
        manner, traits = self.manner, self.traits(day)
        force = np.asarray([each.force for each in self.business.channels])[channel]
        suits = self.shelf.suits(traits.theme[who], self.people.risk[who], product)
        price = np.where(
            traits.seeker[who], manner.seeker_start * (1 + manner.seeker_slope * depth), 1 + manner.other_slope * depth
        )
        return np.asarray(np.minimum(traits.persuasion[who] * force * suits * price * need, manner.most_moved))

    def leaving(self, tired: npt.NDArray[np.int8]) -> Floats:
        """Chance to unsubscribe on getting a message."""
        return self.regime.leaving * (1.0 + tired)

    def off(self, product: Integers, depth: Floats) -> Integers:
        """What is let off the price, in whole cents."""
        return np.asarray(np.round(self.shelf.price[product] * depth), dtype=np.int64)

    @property
    def friends(self) -> int:
        """How many each customer tells; 0 where nobody talks, or where there is nobody else."""
        alone = self.people.present(0) < 2
        return self.business.friends if self.regime.word_of_mouth and not alone else 0

    def told(self, who: Integers) -> Integers:
        """[who, friends]: whom each tells of a purchase, always the same: people who had come before, never oneself."""
        first = self.people.present(0)
        columns = []
        for number in range(self.friends):
            drawn = uniform(self.seed, f"friend/{number}", who)
            among = np.where(who < first, first - 1, who)
            place = (drawn * among).astype(np.int64)
            columns.append(np.where(who < first, (who + 1 + place) % first, place))
        return np.stack(columns, axis=1) if columns else np.empty((len(who), 0), dtype=np.int64)

    @cached_property
    def talk(self) -> Floats:
        """[days, lines]: margin in cents that one purchase on a day brings through talk until the end, in the mean.

        Needs add up, everyone tells equally many, and talk adds the same to everyone's need: so the mean is exact, by
        going back from the last day (the mean of a branching process with immigration, Hawkes 1971 in discrete time).
        """
        margin = np.asarray([line.margin for line in self.business.lines]) * 100
        talk, worth = np.zeros((self.days, len(margin))), np.zeros(len(margin))
        for day in range(self.days - 1, -1, -1):
            talk[day] = self.friends * self.business.heard * worth
            worth = self.daily(day) * (margin + talk[day]) + self.business.remembered * worth
        return talk

    @cached_property
    def _phase(self) -> Integers:
        drawn = uniform(self.seed, "spell/phase", np.arange(len(self.people)))
        return np.asarray(drawn * self.manner.spell_days, dtype=np.int64)

    @property
    def _change(self) -> int:
        """The first day on which other traits hold; the end of the run if there is none."""
        change = self.regime.change_day
        return self.days if self.after is None or change is None else change

    @cached_property
    def _most(self) -> list[tuple[Singles, Singles]]:
        return [self._bounds(traits) for traits in (self.before, self.after) if traits is not None]

    def _bounds(self, traits: Traits) -> tuple[Singles, Singles]:
        felt = np.minimum(traits.affinity * np.float32(self.regime.spell_factor), np.float32(self.manner.most_need))
        rates = np.asarray([line.daily for line in self.business.lines], dtype=np.float32)
        base = traits.base * np.float32(1.001)
        views = np.float32(self.business.view_rate) * felt.sum(axis=1)
        return np.asarray(base * (felt @ rates)), np.asarray(base * views)
