"""One day of the past: who bought on it, their candidates as known at its beginning, and what they bought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from aimwell.core.errors import NotEnoughData
from aimwell.core.time import add_days, local_day, parse_instant
from aimwell.insight.predictions.rows import Names
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import BoolArray, FloatArray, IntArray, totals
from aimwell.strategy.recommenders.candidates import Pairs, candidates
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.features import Sheet, Sight, sheet
from aimwell.strategy.recommenders.learning import Lesson, sampled
from aimwell.strategy.recommenders.past import Bought, buyers_by_day, read_bought
from aimwell.strategy.recommenders.purchases import Purchases
from aimwell.strategy.recommenders.sayings import pins
from aimwell.strategy.recommenders.stand import Stand, stand_at
from aimwell.strategy.recommenders.traits import SLICES, slices

_CELLS = 2_000_000


@dataclass(frozen=True)
class Day:
    """The buyers of one day.

    as_of: its beginning.   buyers: their places in the past, in order [b].   row: the buyer of each pair, as a place in
    `buyers` [n].   bought: whether the pair was bought [n].   inside: which pairs belong to which slice [n].
    wanted, choices: items of each slice that each buyer bought, and could have been recommended [b].
    """

    as_of: datetime
    stand: Stand
    sight: Sight
    buyers: IntArray
    pairs: Pairs
    row: IntArray
    features: Sheet
    bought: BoolArray
    inside: Mapping[str, BoolArray]
    wanted: Mapping[str, FloatArray]
    choices: Mapping[str, FloatArray]

    @property
    def customers(self) -> Names:
        """The ids of the buyers [b]."""
        return self.stand.past.customers[self.buyers]

    def lesson(self, others: int, seed: int) -> Lesson:
        """What can be learnt of the day."""
        rows, weights = sampled(self.bought, others, seed)
        rest = float(self.choices["all"].sum()) - len(self.pairs)
        missed = float(self.wanted["all"].sum()) - float(self.bought.sum())
        unseen = (missed + 0.5) / (max(rest, missed) + 1.0)
        return Lesson(
            self.features.matrix[rows], self.bought[rows], weights, self.features.names, self.features.groups, unseen
        )


def busy_days(
    definition: Recommender, workshop: Workshop, as_of: datetime, wanted: int
) -> tuple[list[datetime], list[datetime]]:
    """The beginnings of the last days on which somebody bought and before which somebody had; and those passed over.

    The horizon of each has ended by `as_of`.   Raises NotEnoughData when there are fewer than wanted.
    """
    zone = workshop.warehouse.zone
    counts = buyers_by_day(workshop.history(as_of))
    if not counts:
        raise NotEnoughData(
            f"{definition.name}: nobody bought anything before {local_day(as_of, zone)}",
            expected="purchases that name a product",
            remedy="Load purchases, or take a later date.",
        )
    begin = add_days(parse_instant(local_day(as_of, zone), zone), -definition.horizon_days, zone)
    busy: list[datetime] = []
    silent: list[datetime] = []
    while len(busy) < wanted and (day := local_day(begin, zone)) > min(counts):
        (busy if day in counts else silent).append(begin)
        begin = add_days(begin, -1, zone)
    if len(busy) < wanted:
        raise NotEnoughData(
            f"{definition.name}: too few days have buyers, with purchases before them",
            expected=f"{wanted} days, to learn from (learn.days) and to judge",
            seen=f"{len(busy)} before {local_day(as_of, zone)}",
            remedy="Take fewer days, or load a longer history.",
        )
    return busy[::-1], silent[::-1]


def day_at(
    definition: Recommender,
    workshop: Workshop,
    begin: datetime,
    *,
    purchases: Purchases | None = None,
    most_people: int | None = None,
    heed_say: bool = True,
    seed: int = 0,
) -> Day:
    """The buyers of the horizon that begins at an instant, with their candidates as known then.

    purchases: lines read at this instant or a later one, which are read where they are not given.
    most_people: more buyers are sampled.   Raises NotEnoughData when nobody bought anything then, or before it.
    """
    history = workshop.history(begin)
    truth = read_bought(history, definition.level, definition.horizon_days)
    if not truth.person.size:
        raise NotEnoughData(f"Nobody bought anything on {local_day(begin, history.zone)}", expected="buyers")
    stand = stand_at(definition, history, customers=truth.customers, purchases=purchases, heed_say=heed_say, seed=seed)
    buyers = _buyers(truth, stand, most_people, seed)
    sight = Sight(stand)
    held = np.array(sorted(pins(definition, stand.shelf, local_day(begin, history.zone))), dtype=np.int64)
    pairs, features = seen(sight, buyers, held)
    person, item = _asked(truth, stand, buyers)
    width = stand.past.width
    bought = np.isin(pairs.person * width + pairs.item, (person * width + item)[item >= 0])
    row = np.searchsorted(buyers, person)
    wanted = {
        name: totals(row, inside, buyers.size) for name, inside in slices(sight, person, item).items() if name in SLICES
    }
    return Day(
        begin,
        stand,
        sight,
        buyers,
        pairs,
        np.searchsorted(buyers, pairs.person),
        features,
        bought,
        slices(sight, pairs.person, pairs.item),
        wanted,
        _choices(sight, buyers),
    )


def day_to_learn(definition: Recommender, workshop: Workshop, begin: datetime, purchases: Purchases, seed: int) -> Day:
    """A day as boosters learn from it and are judged on it: no more buyers than are learnt from, nothing pinned."""
    most = definition.learn.most_people
    return day_at(definition, workshop, begin, purchases=purchases, most_people=most, heed_say=False, seed=seed)


def seen(sight: Sight, people: IntArray, also: IntArray | None = None) -> tuple[Pairs, Sheet]:
    """The candidates of some customers with their features, all together; for as many as fit into memory."""
    parts = list(candidates(sight.stand, people, also))
    sheets = [sheet(sight, part) for part in parts]
    joined = Pairs(
        np.concatenate([part.person for part in parts]),
        np.concatenate([part.item for part in parts]),
        np.concatenate([part.held for part in parts]),
        {name: np.concatenate([part.scores[name] for part in parts]) for name in parts[0].scores},
        {name: np.concatenate([part.places[name] for part in parts]) for name in parts[0].places},
    )
    return joined, Sheet(np.concatenate([each.matrix for each in sheets]), sheets[0].names, sheets[0].groups)


def _buyers(truth: Bought, stand: Stand, most: int | None, seed: int) -> IntArray:
    buyers = np.unique(truth.placed(stand.past)[0])
    if most is not None and buyers.size > most:
        buyers = np.sort(np.random.default_rng(seed).choice(buyers, size=most, replace=False))
    return buyers


def _asked(truth: Bought, stand: Stand, buyers: IntArray) -> tuple[IntArray, IntArray]:
    """What the buyers bought, without what must not be recommended to them; what was not on sale yet stays."""
    person, item = truth.placed(stand.past)
    here = np.isin(person, buyers)
    person, item = person[here], item[here]
    refused = stand.eligibility.refusals(person, np.maximum(item, 0))
    kept = (item < 0) | (refused <= 1)
    return person[kept], item[kept]


def _choices(sight: Sight, buyers: IntArray) -> dict[str, FloatArray]:
    """How many items of each slice may be recommended to each buyer, counted block by block."""
    stand = sight.stand
    every = np.arange(stand.past.width)
    found = {name: np.zeros(buyers.size) for name in SLICES}
    size = max(1, _CELLS // every.size)
    for begin in range(0, buyers.size, size):
        block = buyers[begin : begin + size]
        row, item = np.repeat(np.arange(block.size), every.size), np.tile(every, block.size)
        allowed = stand.eligibility.allows(block[row], item)
        row, item = row[allowed], item[allowed]
        for name, inside in slices(sight, block[row], item).items():
            found[name][begin : begin + block.size] = totals(row, inside, block.size)
    return found
