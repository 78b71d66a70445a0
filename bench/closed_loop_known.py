"""How much of the oracle's gain could be known from the book: trees that were taught the truth of another market.

    python bench/closed_loop_known.py --customers 20000

Boosted trees learn the true chance that a message moves somebody from what the company's book shows of the customers of
one market. Then they play another one with the same features, by the dearest channel alone: whoever gains more than so
many cents is called, and whether a call is answered is told to them by the truth. No policy has such a teacher. What
they earn says how much the book can tell of whom to call; the rest of the oracle's gain is hidden.
"""

from __future__ import annotations

import argparse

import lightgbm
import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.exploring import suited
from aimwell.simulation.loop.features import LINE_COLUMN, offer_features
from aimwell.simulation.loop.policies.knowing import Knowing
from aimwell.simulation.loop.policies.plain import EVENING, Nothing
from aimwell.simulation.loop.policy import Chosen
from aimwell.simulation.loop.running import WEEKLY, play
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.messages import Messages

_LOOKS = 28
_TREES = {"objective": "poisson", "num_leaves": 63, "learning_rate": 0.05, "min_data_in_leaf": 500, "verbosity": -1}


def told(book: Book, who: np.ndarray, product: np.ndarray) -> FloatArray:
    """[customers, lines, features]: what the book says of each customer beside each line's product at full price."""
    lines, free = range(product.shape[1]), np.zeros(len(who))
    return np.stack(
        [offer_features(book, who, np.full(len(who), line), product[:, line], free) for line in lines], axis=1
    )


class Teacher:
    """Sends nothing, and looks at the truth now and then: what moves whom on a channel of force 1."""

    name = "teacher"

    def __init__(self, market: Marketplace) -> None:
        self.market = market
        self.shown: list[FloatArray] = []
        self.true: list[FloatArray] = []

    def choose(self, book: Book) -> Chosen:
        """Nothing."""
        if book.day and book.day % _LOOKS == 0:
            who = np.arange(book.present)
            product, truth = suited(book, who), self.market.truth()
            self.shown.append(told(book, who, product).reshape(-1, LINE_COLUMN + 1))
            moved = [truth.moved(Messages.of(who, each, 0, EVENING, 0.0)) for each in product.T]
            self.true.append(np.stack(moved, axis=1).ravel().astype(np.float64))
        return Chosen.nothing()

    def taught(self) -> lightgbm.Booster:
        """Trees for the mean of what is true, given what is shown."""
        data = lightgbm.Dataset(np.concatenate(self.shown), np.concatenate(self.true))
        return lightgbm.train(_TREES, data, 300)


class Taught:
    """Calls everyone for whom the trees foretell a gain beyond `least` cents."""

    name = "taught"

    def __init__(self, market: Marketplace, trees: lightgbm.Booster, least: float) -> None:
        self.market, self.trees, self.least = market, trees, least

    def choose(self, book: Book) -> Chosen:
        """The line that gains most, at the customer's own hour."""
        if not book.day:
            return Chosen.nothing()
        company, channel = book.company, int(np.argmax(book.company.cost))
        force = self.market.business.channels[channel].force
        who = np.flatnonzero(book.sendable()[:, channel])
        hour, product = np.where(np.isnan(book.hour()), EVENING, book.hour())[who], suited(book, who)
        seen = self.market.truth().seen(Messages.of(who, 0, channel, hour, 0.0))
        chance = np.asarray(self.trees.predict(told(book, who, product).reshape(-1, LINE_COLUMN + 1)))
        worth = chance.reshape(product.shape) * company.catalogue.margin[product]
        best = np.argmax(worth, axis=1)
        gain = worth[np.arange(len(who)), best] * force * seen - company.cost[channel]
        rows = np.flatnonzero(gain > self.least)
        return Chosen.surely(Messages.of(who[rows], product[rows, best[rows]], channel, hour[rows]))


def main() -> None:
    """Teach on one seed, play on another, beside nothing and the oracle."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--regime", default="difference_and_fatigue")
    parser.add_argument("--seed", type=int, default=101)
    parser.add_argument("--least", type=float, nargs="*", default=[200.0, 600.0], help="cents")
    chosen = parser.parse_args()
    school = Marketplace.open(chosen.regime, chosen.customers, chosen.seed + 1_000)
    teacher = Teacher(school)
    play(school, teacher)
    trees = teacher.taught()
    opened = Marketplace.open(chosen.regime, chosen.customers, chosen.seed)
    market = opened.copy()
    oracle = play(market, Knowing.of(market, WEEKLY))
    nothing = play(opened.copy(), Nothing())
    print(f"nothing: profit {nothing.profit / 100:,.0f}; oracle: gained {oracle.gained / 100:,.0f}")
    for least in chosen.least:
        market = opened.copy()
        run = play(market, Taught(market, trees, least))
        print(
            f"taught the truth, calls alone, gain above {least / 100:.0f}: gained {run.gained / 100:,.0f},"
            f" {run.gained / oracle.gained:.1%} of the oracle's, {run.messages:,} calls"
        )


if __name__ == "__main__":
    main()
