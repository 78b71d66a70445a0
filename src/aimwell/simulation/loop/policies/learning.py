"""Aimwell's own policy: try by lot, learn what changes whom, price fatigue, and spend where a cent gains most."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from aimwell.science.allocation.allocate import allocate
from aimwell.science.allocation.choices import NOTHING, choices
from aimwell.science.allocation.limits import Limit
from aimwell.science.arrays import FloatArray
from aimwell.simulation.chance import Booleans, Integers, stream
from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.changes import Changes
from aimwell.simulation.loop.exploring import (
    drawn_lines,
    drawn_products,
    explore,
    line_odds,
    other_odds,
    shares,
    suited,
)
from aimwell.simulation.loop.features import offer_features, sight_features
from aimwell.simulation.loop.memory import Asked, Memory
from aimwell.simulation.loop.policies.plain import EVENING
from aimwell.simulation.loop.policy import Chosen
from aimwell.simulation.loop.proposals import propose
from aimwell.simulation.loop.sights import Sights
from aimwell.simulation.regimes.messages import Messages

_FEWEST, _MOST_TRIES = 400, 80_000
_BEFORE, _SEASON, _TRIED = 8, 8, 13


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is risked.

    learning: share of a week's margin that is spent on trying by lot.   patience: the factor by which that falls each
    week as long as nothing is seen; with signs of something (1.5 errors) it rises as fast, up to `eager` times.
    found: the part of it that is still spent when something was found.   asking: share of a week's margin that is spent
    on trying a dear channel, less what is already known of it; it falls each week by the factor `persistence`.
    swap: share of chosen messages that go out about another line, drawn by lot.   budget: share of a week's margin that
    may be spent.
    dear: cents from which a channel is dear; `hope`: how strong such a channel is thought to be until it was tried.
    doubt: what part of a forecast gain counts there, since whoever is chosen for a high forecast disappoints.
    more: by which factor tries must have grown before they are learnt from anew.
    """

    learning: float = 0.003
    asking: float = 0.01
    persistence: float = 0.9
    patience: float = 0.8
    eager: float = 4.0
    found: float = 0.25
    swap: float = 0.1
    budget: float = 0.1
    dear: int = 100
    hope: float = 4.0
    doubt: float = 0.8
    more: float = 1.4


@dataclass(frozen=True, slots=True)
class _Aimed:
    """Messages with their lines and the probability of each.

    other: the line that a coin decided against, or that would have been sent instead.   coin: how likely the coin was
    to fall on `line`.
    """

    messages: Messages
    line: Integers
    other: Integers
    coin: FloatArray
    probability: FloatArray


@dataclass(slots=True)
class Learning:
    """Profiles, predicts, decides, sends and learns.

    Each week a part of the customers gets messages by lot. From those who saw one it is learnt what seeing a message
    about a line changes (`changes.py`), by the automatic choice of learners; from all messages, whether they are seen
    and how they tire (`sights.py`). Everybody else gets the message that gains most beyond its cost and its price in
    fatigue, within the budget; and as long as nothing shows that messages sell anything, nothing.
    """

    seed: int = 0
    settings: Settings = field(default_factory=Settings)
    name: str = "aimwell"
    memory: Memory = field(default_factory=Memory)
    _sights: Sights | None = None
    _changes: Changes | None = None
    _asked: Asked | None = None
    _learnt: int = 0
    _sighted: int = 0
    _part: float = 1.0
    _asking: float = 1.0
    _usual: FloatArray = field(default_factory=lambda: np.zeros(0))

    def choose(self, book: Book) -> Chosen:
        """By lot for some, by what was learnt for the others."""
        chance = stream(self.seed, f"decision/{book.day}")
        sights, changes = self._learn(book, chance)
        dear = book.company.cost >= self.settings.dear
        share = shares(book, self._money(book, changes), dear)
        lot = explore(book, share, dear, chance)
        drawn = lot.chosen.messages
        free = np.ones(book.present, dtype=bool)
        free[drawn.customer] = False
        aimed = _Aimed(drawn, lot.line, lot.other, np.full(len(drawn), 0.5), lot.chosen.probability)
        if changes.choice is not None:
            best = self._best(book, free, sights, changes, chance)
            aimed = _both(aimed, best, 1.0 - share.sum(axis=1)[best.messages.customer])
        self._asked = self._ask(book, aimed, len(drawn), changes, chance)
        return Chosen(aimed.messages, aimed.probability)

    def _money(self, book: Book, changes: Changes) -> FloatArray:
        """[channels]: cents that may be spent on trying."""
        settings, dear = self.settings, book.company.cost >= self.settings.dear
        if changes.choice is not None:
            self._part = settings.found
        elif changes.signs > 1.5:
            self._part = min(self._part / settings.patience, settings.eager)
        else:
            self._part *= settings.patience
        self._asking *= settings.persistence
        cheap = settings.learning * self._part / len(dear)
        asked = np.maximum(settings.asking * self._asking * (1 - changes.trust), cheap)
        return np.asarray(np.where(dear, asked, cheap) * sum(book.earned))

    def _learn(self, book: Book, chance: np.random.Generator) -> tuple[Sights, Changes]:
        """What is believed this week; learnt anew when there is enough that is new, from the last weeks alone."""
        channels, memory, settings = len(book.company.channels), self.memory, self.settings
        sights = self._sights or Sights.unknown(channels)
        changes = self._changes or Changes.unknown(channels)
        if self._asked is not None and book.past and book.past[-1].day == self._asked.day:
            memory.add(self._asked, book.past[-1], chance)
        if memory.sighted >= max(_FEWEST, settings.more * self._sighted):
            self._sighted = memory.sighted
            sights = Sights.learn(*memory.latest_sights(_SEASON), channels, self.seed)
        if memory.count >= max(_FEWEST, settings.more * self._learnt):
            self._learnt, memory.believed = memory.count, len(memory.surprises)
            hope = np.where(book.company.cost >= settings.dear, settings.hope, 1.0)
            known = changes.choice is not None
            changes = Changes.learn(memory.latest_tries(_TRIED, _MOST_TRIES), hope, self.seed, known=known)
        self._sights, self._changes = sights, changes
        return sights, changes

    def _best(
        self, book: Book, free: Booleans, sights: Sights, changes: Changes, chance: np.random.Generator
    ) -> _Aimed:
        """The best message of each who was not drawn, within the budget; of some the line is drawn after all."""
        company, sendable = book.company, book.sendable()
        who = np.flatnonzero(free & sendable.any(axis=1))
        hour = np.where(np.isnan(book.hour()), EVENING, book.hour())[who]
        force = changes.force * self.memory.came_true(_BEFORE, len(company.channels))
        offers = propose(book, who, hour, sights, replace(changes, force=force))
        gain = offers.gain * np.where(company.cost >= self.settings.dear, self.settings.doubt, 1.0)
        net = gain - company.cost
        rested = gain * np.exp(sights.weariness(book, who))[:, None] - company.cost
        price = self._price(book, who, np.where(sendable[who], rested, 0.0).max(axis=1, initial=0.0), sights)
        may = sendable[who] & (net - price[:, None] > 0)
        if not may.any():
            none = np.zeros(0, dtype=np.int64)
            return _Aimed(Messages.none(), none, none, np.zeros(0), np.zeros(0))
        given = choices(net - price[:, None], company.cost.astype(np.float64), may)
        chosen = allocate(given, self.settings.budget * sum(book.earned), self._limits(book, changes)).chosen
        rows = np.flatnonzero(chosen != NOTHING)
        channel, people = chosen[rows], who[rows]
        product, depth = offers.product[rows, channel], offers.depth[rows, channel]
        return self._swapped(book, Messages.of(people, product, channel, hour[rows], depth), chance)

    def _price(self, book: Book, who: Integers, worth: FloatArray, sights: Sights) -> FloatArray:
        """What a message costs those after it; worth: of today's best, were they rested; remembered by halves."""
        usual = np.zeros(len(book.left))
        usual[: len(self._usual)] = self._usual
        fresh = usual[who] == 0
        usual[who] = np.where(fresh, worth, (usual[who] + worth) / 2)
        self._usual = usual
        return sights.price(usual[who], book.burden[who], book.company.days - book.day)

    def _limits(self, book: Book, changes: Changes) -> list[Limit]:
        """A dear channel gets no more of the budget than what was found of it can be trusted."""
        company, settings, earned = book.company, self.settings, sum(book.earned)
        return [
            Limit(
                company.channels[place],
                (place,),
                at_most=int(max(settings.learning, settings.budget * changes.trust[place]) * earned / cost),
            )
            for place, cost in enumerate(company.cost.tolist())
            if cost >= settings.dear
        ]

    def _swapped(self, book: Book, best: Messages, chance: np.random.Generator) -> _Aimed:
        """For a share another line, drawn by lot, is sent instead: so that changes are learnt while one earns.

        Not on dear channels: what they add to a change is learnt from what was meant.
        """
        rows = np.arange(len(best))
        swap = np.where(book.company.cost[best.channel] >= self.settings.dear, 0.0, self.settings.swap)
        meant = book.company.catalogue.line[best.product]
        odds = other_odds(line_odds(book, best.customer), meant)
        instead = drawn_lines(odds, chance)
        swapped = chance.random(len(best)) < swap
        line, other = np.where(swapped, instead, meant), np.where(swapped, meant, instead)
        product = np.where(swapped, suited(book, best.customer)[rows, line], best.product)
        messages = Messages(best.customer, product, best.channel, best.hour, best.depth)
        probability = np.where(swapped, swap * odds[rows, instead], 1.0 - swap)
        return _Aimed(messages, line, other, np.where(swapped, swap, 1.0 - swap), probability)

    def _ask(self, book: Book, aimed: _Aimed, by_lot: int, changes: Changes, chance: np.random.Generator) -> Asked:
        """What to keep of the messages, of which the first `by_lot` were drawn altogether."""
        sent, others, rows = aimed.messages, aimed.other, np.arange(len(aimed.messages))
        hour, depth = np.asarray(sent.hour, dtype=np.float64), np.asarray(sent.depth, dtype=np.float64)
        drawn, _ = drawn_products(book, sent.customer, others, chance)
        other = np.where(rows < by_lot, drawn, suited(book, sent.customer)[rows, others])
        own = offer_features(book, sent.customer, aimed.line, sent.product, depth)
        return Asked(
            day=book.day,
            customer=sent.customer,
            sight=sight_features(book, sent.customer, sent.channel, hour),
            burden=book.burden[sent.customer],
            own=own,
            other=offer_features(book, sent.customer, others, other, depth),
            line=aimed.line,
            other_line=others,
            coin=aimed.coin,
            foretold=changes.force[sent.channel] * changes.effects(own) + changes.anyway(own),
            channels=len(book.company.channels),
        )


def _both(lot: _Aimed, best: _Aimed, left: FloatArray) -> _Aimed:
    """Messages by lot and messages by choice together; left: the probability not to be drawn by the lot."""
    first, second = lot.messages, best.messages
    names = ("customer", "product", "channel", "hour", "depth")
    return _Aimed(
        Messages(*(np.concatenate([getattr(first, name), getattr(second, name)]) for name in names)),
        np.r_[lot.line, best.line],
        np.r_[lot.other, best.other],
        np.r_[lot.coin, best.coin],
        np.r_[lot.probability, left * best.probability],
    )
