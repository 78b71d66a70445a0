"""Aimwell's own policy: try by lot, learn what changes whom, price fatigue, and spend where a cent gains most."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aimwell.core.text import Text
from aimwell.science.allocation.allocate import allocate
from aimwell.science.allocation.choices import NOTHING, choices
from aimwell.science.arrays import FloatArray
from aimwell.simulation.chance import Booleans, Integers, stream
from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.changes import Changes, Tries
from aimwell.simulation.loop.exploring import drawn_products, explore, shares, suited
from aimwell.simulation.loop.features import offer_features, sight_features
from aimwell.simulation.loop.memory import Asked, Memory
from aimwell.simulation.loop.policies.plain import EVENING
from aimwell.simulation.loop.policy import Chosen
from aimwell.simulation.loop.proposals import propose
from aimwell.simulation.loop.sights import Sights
from aimwell.simulation.regimes.messages import Messages

_AIMWELL = Text("Aimwell", "Aimwell")

_FEWEST = 400
_WATCHED = 3
_WEEK = 7.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is risked.

    learning: share of a week's margin that is spent on trying by lot.   patience: the factor by which that falls each
    week as long as nothing was found.   found: the part of it that is still spent when something was.
    swap: share of chosen messages whose line is drawn by lot.   budget: share of a week's margin that may be spent.
    dear: cents from which a channel is dear; `hope`: how strong such a channel is thought to be until it was tried.
    more: by which factor tries must have grown before they are learnt from anew.   change: how many standard errors
    fewer purchases than foretold say that people have changed.
    """

    learning: float = 0.003
    patience: float = 0.9
    found: float = 0.25
    swap: float = 0.1
    budget: float = 0.1
    dear: int = 100
    hope: float = 4.0
    more: float = 1.4
    change: float = 4.0


@dataclass(frozen=True, slots=True)
class _Aimed:
    """Messages with their lines, the lines that were meant (-1: drawn by lot for everyone), and the probability."""

    messages: Messages
    line: Integers
    meant: Integers
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
    label: Text = _AIMWELL
    memory: Memory = field(default_factory=Memory)
    _sights: Sights | None = None
    _changes: Changes | None = None
    _asked: Asked | None = None
    _learnt: int = 0
    _waited: int = 0
    _usual: FloatArray = field(default_factory=lambda: np.zeros(0))

    def choose(self, book: Book) -> Chosen:
        """By lot for some, by what was learnt for the others."""
        chance = stream(self.seed, f"decision/{book.day}")
        sights, changes = self._learn(book, chance)
        share = shares(book, self._money(book, proven=changes.choice is not None))
        lot = explore(book, share, chance)
        drawn = lot.chosen.messages
        free = np.ones(book.present, dtype=bool)
        free[drawn.customer] = False
        aimed = _Aimed(drawn, lot.line, np.full(len(drawn), -1), lot.chosen.probability)
        if changes.choice is not None:
            best = self._best(book, free, sights, changes, chance)
            aimed = _both(aimed, best, 1.0 - float(share.sum()))
        self._asked = self._ask(book, aimed, changes, chance)
        return Chosen(aimed.messages, aimed.probability)

    def _money(self, book: Book, *, proven: bool) -> float:
        """Cents that may be spent on trying."""
        self._waited = 0 if proven else self._waited + 1
        part = self.settings.found if proven else self.settings.patience**self._waited
        return self.settings.learning * part * sum(book.earned)

    def _learn(self, book: Book, chance: np.random.Generator) -> tuple[Sights, Changes]:
        """What is believed this week; learnt anew when there is enough that is new, or when people have changed."""
        channels, memory, settings = len(book.company.channels), self.memory, self.settings
        sights = self._sights or Sights.unknown(channels)
        changes = self._changes or Changes.unknown(channels)
        if self._asked is not None and book.past and book.past[-1].day == self._asked.day:
            memory.add(self._asked, book.past[-1], chance)
        if memory.disappointed(_WATCHED) > settings.change:
            memory.forget(_WATCHED)
            self._learnt, changes = 0, Changes.unknown(channels)
        if memory.count >= max(_FEWEST, settings.more * self._learnt):
            self._learnt = memory.count
            hope = np.where(book.company.cost >= settings.dear, settings.hope, 1.0)
            sights = Sights.learn(*memory.all_sights(), channels, self.seed)
            changes = Changes.learn(Tries.joined(memory.tries), hope, self.seed)
        self._sights, self._changes = sights, changes
        return sights, changes

    def _best(
        self, book: Book, free: Booleans, sights: Sights, changes: Changes, chance: np.random.Generator
    ) -> _Aimed:
        """The best message of each who was not drawn, within the budget; of some the line is drawn after all."""
        company, sendable = book.company, book.sendable()
        who = np.flatnonzero(free & sendable.any(axis=1))
        hour = np.where(np.isnan(book.hour()), EVENING, book.hour())[who]
        offers = propose(book, who, hour, sights, changes)
        net = offers.gain - company.cost
        price = self._price(book, who, np.where(sendable[who], net, 0.0).max(axis=1, initial=0.0), sights)
        may = sendable[who] & (net - price[:, None] > 0)
        if not may.any():
            return _Aimed(Messages.none(), *(np.zeros(0, dtype=np.int64),) * 2, np.zeros(0))
        given = choices(net - price[:, None], company.cost.astype(np.float64), may)
        chosen = allocate(given, self.settings.budget * sum(book.earned)).chosen
        rows = np.flatnonzero(chosen != NOTHING)
        channel, people = chosen[rows], who[rows]
        product, depth = offers.product[rows, channel], offers.depth[rows, channel]
        return self._swapped(book, Messages.of(people, product, channel, hour[rows], depth), chance)

    def _price(self, book: Book, who: Integers, worth: FloatArray, sights: Sights) -> FloatArray:
        """What a message costs those after it; `worth` is what today's best would earn, remembered by halves."""
        usual = np.zeros(len(book.left))
        usual[: len(self._usual)] = self._usual
        fresh = usual[who] == 0
        usual[who] = np.where(fresh, worth, (usual[who] + worth) / 2)
        self._usual = usual
        return sights.price(usual[who], (book.company.days - book.day) / _WEEK)

    def _swapped(self, book: Book, best: Messages, chance: np.random.Generator) -> _Aimed:
        """For a share the line is drawn among all: the lot from which changes are learnt while one earns."""
        lines, swap = len(book.company.lines), self.settings.swap
        meant = book.company.catalogue.line[best.product]
        swaps = chance.random(len(best)) < swap
        line = np.where(swaps, chance.integers(lines, size=len(best)), meant)
        product = np.where(line == meant, best.product, suited(book, best.customer)[np.arange(len(best)), line])
        messages = Messages(best.customer, product, best.channel, best.hour, best.depth)
        return _Aimed(messages, line, meant, _of_line(line, meant, lines, swap))

    def _ask(self, book: Book, aimed: _Aimed, changes: Changes, chance: np.random.Generator) -> Asked:
        sent, lines = aimed.messages, len(book.company.lines)
        hour, depth = np.asarray(sent.hour, dtype=np.float64), np.asarray(sent.depth, dtype=np.float64)
        others = (aimed.line + 1 + chance.integers(lines - 1, size=len(sent))) % lines
        by_lot, _ = drawn_products(book, sent.customer, others, chance)
        usual = suited(book, sent.customer)[np.arange(len(sent)), others]
        other = np.where(aimed.meant < 0, by_lot, usual)
        own = offer_features(book, sent.customer, aimed.line, sent.product, depth)
        swap = self.settings.swap
        chances = [_of_line(line, aimed.meant, lines, swap) for line in (aimed.line, others)]
        return Asked(
            day=book.day,
            sight=sight_features(book, sent.customer, sent.channel, hour),
            own=own,
            other=offer_features(book, sent.customer, others, other, depth),
            line=aimed.line,
            other_line=others,
            chances=np.column_stack(chances),
            foretold=changes.force[sent.channel] * changes.effects(own) + changes.anyway(own),
            lines=lines,
        )


def _of_line(line: Integers, meant: Integers, lines: int, swap: float) -> FloatArray:
    """How likely a message about the line was, where one line was meant, or none."""
    aimed = np.where(line == meant, 1.0 - swap + swap / lines, swap / lines)
    return np.where(meant < 0, 1.0 / lines, aimed)


def _both(lot: _Aimed, best: _Aimed, left: float) -> _Aimed:
    """Messages by lot and messages by choice together; left: the probability not to be drawn by the lot."""
    first, second = lot.messages, best.messages
    names = ("customer", "product", "channel", "hour", "depth")
    return _Aimed(
        Messages(*(np.concatenate([getattr(first, name), getattr(second, name)]) for name in names)),
        np.r_[lot.line, best.line],
        np.r_[lot.meant, best.meant],
        np.r_[lot.probability, left * best.probability],
    )
