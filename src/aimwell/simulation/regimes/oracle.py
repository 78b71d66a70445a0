"""The oracle: who knows the truth, and the best that anybody could do with it; what regrets are measured from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.core.errors import BadQuestion
from aimwell.simulation.chance import Floats, Integers
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.messages import Messages
from aimwell.simulation.regimes.nature import Nature, State
from aimwell.simulation.regimes.people import RISKS, THEMES, Singles
from aimwell.simulation.regimes.regime import load_regimes
from aimwell.simulation.regimes.truth import Truth

_BLOCK = 16_384


@dataclass(frozen=True, slots=True)
class Best:
    """For each customer present: the best message on each channel, and what it brings if seen (cents).

    worth: [customers, channels], 0 or more.   product: [customers, channels].   depth: the same.
    """

    worth: Floats
    product: Integers
    depth: Floats


def best_offers(truth: Truth) -> Best:
    """The best product and depth for each customer and channel; ties go to the lower depth, then to the earlier line.

    Depths are those of the frozen file. Exact: within a line only the cheapest product and the cheapest of those that
    suit best can be best, since what is brought rises with how a product suits and falls with its price; and a message
    brings nothing with who cannot be moved. People go in blocks that fit into the processor's memory.
    """
    channels = truth.nature.business.channels
    forces = [channel.force for channel in channels]
    shape = (truth.count, len(channels))
    best = Best(np.zeros(shape), np.zeros(shape, dtype=np.int64), np.zeros(shape))
    movable = _movable(truth)
    theme, risk = truth.nature.traits(truth.day).theme, truth.nature.people.risk
    candidates = _candidates(truth.nature, truth.day)
    for who in np.split(movable, range(_BLOCK, len(movable), _BLOCK)):
        offered = candidates[:, theme[who], risk[who] - 1]
        for force in sorted(set(forces)):
            same = [place for place, each in enumerate(forces) if each == force]
            worth, product, depth = _best_of(truth, who, offered, same[0])
            for place in same:
                best.worth[who, place], best.product[who, place], best.depth[who, place] = worth, product, depth
    return best


def _movable(truth: Truth) -> Integers:
    """Places of those whom a message can move at all."""
    return np.flatnonzero(truth.nature.traits(truth.day).persuasion[: truth.count] > 0)


def _best_of(truth: Truth, who: Integers, candidates: Integers, channel: int) -> tuple[Floats, Integers, Floats]:
    """candidates: [2, customers, lines]."""
    worth, chosen = np.zeros(len(who)), np.zeros(len(who), dtype=np.int64)
    deep = np.zeros(len(who))
    for depth in load_regimes().depths:
        for line in range(candidates.shape[2]):
            for kind in range(2 if depth else 1):
                product = candidates[kind, :, line]
                found = truth.if_seen(Messages.of(who, product, channel, 0.0, depth))
                better = found > worth
                worth[better], chosen[better], deep[better] = found[better], product[better], depth
    return worth, chosen, deep


def _candidates(nature: Nature, day: int) -> Integers:
    """[2, themes, risks, lines]: of what may be offered, the cheapest of the best suited, and the cheapest."""
    shelf, on_sale = nature.shelf, nature.shelf.on_sale(day)
    found = np.zeros((2, THEMES, RISKS, len(nature.business.lines)), dtype=np.int64)
    for line in range(len(nature.business.lines)):
        for risk in range(1, RISKS + 1):
            products = np.flatnonzero(on_sale & (shelf.line == line) & (shelf.risk <= risk))
            found[1, :, risk - 1, line] = products[np.argmin(shelf.price[products])]
            for theme in range(THEMES):
                order = np.lexsort((shelf.price[products], -shelf.fit[theme, products]))
                found[0, theme, risk - 1, line] = products[order[0]]
    return found


def best_messages(truth: Truth, reserve: Floats | None = None) -> Messages:
    """For each customer the message that brings most, at the favourite hour, if it brings more than the reserve.

    reserve: [customers], cents that a message must bring at least, by default 0: the best of today as if there were no
    tomorrow. Where messages neither tire nor drive away, that is the best of all days.
    """
    best, nature, who = best_offers(truth), truth.nature, np.arange(truth.count)
    hour = _hours(nature, who, truth.day)
    brought = np.stack(
        [
            truth.seen(sent) * best.worth[:, place] - truth.cost(sent)
            for place in range(len(nature.business.channels))
            for sent in [Messages.of(who, best.product[:, place], place, hour)]
        ],
        axis=1,
    )
    channel = np.argmax(brought, axis=1)
    most = brought[who, channel]
    sent = who[most > (0.0 if reserve is None else np.maximum(reserve, 0.0))]
    place = channel[sent]
    return Messages.of(sent, best.product[sent, place], place, hour[sent], best.depth[sent, place])


def _hours(nature: Nature, who: Integers, day: int) -> Floats:
    return np.clip(nature.traits(day).hour[who].astype(np.float64), 0.0, 24.0)


@dataclass(frozen=True, slots=True)
class Oracle:
    """A plan for the whole run by somebody who knows everything but the luck: whom to spare today for tomorrow.

    every: messages may be sent on each so-manieth day.   ceiling: cents that no policy can bring more than, in the
    mean, above sending nothing.   reserves: [decision days, people, levels of fatigue], what a message must bring to be
    worth the answers that it costs later.
    """

    every: int
    ceiling: float
    reserves: Singles

    @classmethod
    def plan(cls, market: Marketplace, *, every: int = 7) -> Oracle:
        """The plan from the first day on. Raises BadQuestion if `every` is less than a day.

        For each person by themselves, going back from the last day over the levels of fatigue (Bellman 1957): exact but
        for one thing, that it does not know what friends will have said. Talk only raises what people buy anyway, which
        makes messages worth less, so that what it foresees is an upper bound, the `ceiling`; what it then earns is a
        lower bound of the best. Memory: 4 bytes per decision day, person and level.
        """
        if every < 1:
            raise BadQuestion("An oracle decides every day or less often", expected="1 or more", seen=str(every))
        nature = market.nature
        people, levels = len(nature.people), nature.manner.most_tired + 1
        value: Floats = np.zeros((people, levels))
        reserves = np.zeros((1 + (nature.days - 1) // every, people, levels), dtype=np.float32)
        for day in range(nature.days - 1, -1, -1):
            rested = _recovered(value, nature.regime.recovery)
            value = rested
            if day % every == 0:
                count = nature.people.present(day)
                reserve, value = _decide(nature, day, count, rested)
                reserves[day // every, :count] = reserve
        return cls(every, float(value[:, 0].sum()), reserves)

    def choose(self, market: Marketplace) -> Messages:
        """What to send on the market's day."""
        if market.day % self.every:
            return Messages.none()
        truth = market.truth()
        reserve = self.reserves[market.day // self.every, np.arange(truth.count), market.state.tired[: truth.count]]
        return best_messages(truth, reserve.astype(np.float64))


def _recovered(value: Floats, recovery: float) -> Floats:
    """What a level at the end of a day is worth, before the night in which some lose a level."""
    lower = np.concatenate([value[:, :1], value[:, :-1]], axis=1)
    return np.asarray((1 - recovery) * value + recovery * lower)


def _decide(nature: Nature, day: int, count: int, later: Floats) -> tuple[Floats, Floats]:
    """What a message must bring at each level, and what each level is worth if sending is decided by that."""
    truth = Truth(nature, State.fresh(len(nature.people), len(nature.business.lines)), day, count)
    best, who = best_offers(truth), _movable(truth)
    hour, levels = _hours(nature, who, day), later.shape[1]
    reserve, value = np.zeros((count, levels)), later.copy()
    for level in range(levels):
        tired = np.full(len(who), level, dtype=np.int8)
        stays = 1 - nature.leaving(tired)
        kept = later[who, level] - stays * later[who, min(level + 1, levels - 1)]
        most = np.zeros(len(who))
        for place in range(len(nature.business.channels)):
            sent = Messages.of(who, best.product[who, place], place, hour)
            seen = nature.people.reached[who, place] * nature.seen(who, sent.channel, hour, tired, day)
            most = np.maximum(most, seen * best.worth[who, place] - truth.cost(sent))
        value[who, level] += np.maximum(most - kept, 0.0)
        reserve[who, level] = kept
    return reserve, value
