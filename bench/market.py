"""The answering market at size: days of a million customers played, some of them written to, by regime.

Usage: .venv/bin/python bench/market.py [--customers 1000000] [--days 30] [--share 0.1] [--regime NAME]

Each day the given share of the customers, drawn by lot, gets a message. Printed: processor seconds (one thread) to open
the market, to play the days, to compute the truth of everybody's message on the last day, and the peak of memory.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.messages import Messages
from aimwell.simulation.regimes.oracle import best_messages
from aimwell.simulation.regimes.regime import load_regimes


def main() -> None:
    """Play one regime and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--regime", default="difference_and_fatigue", choices=sorted(load_regimes().regime))
    parser.add_argument("--business", default=None, choices=("bank", "shop"))
    given = parser.parse_args()
    begun = time.process_time()
    market = Marketplace.open(given.regime, given.customers, seed=7, business=given.business)
    opened = time.process_time()
    purchases = views = seen = 0
    chance = np.random.default_rng(7)
    for _ in range(given.days):
        who = np.flatnonzero(chance.random(market.present) < given.share)
        on_sale = np.flatnonzero(market.shelf.on_sale(market.day))
        channel = chance.integers(0, len(market.business.channels), len(who))
        day = market.step(Messages.of(who, chance.choice(on_sale, len(who)), channel, 20.0, 0.1))
        purchases, views, seen = (
            purchases + len(day.purchases),
            views + len(day.views),
            seen + int(day.answers.seen.sum()),
        )
    played = time.process_time()
    truth = market.truth()
    truth.brings(Messages.of(np.arange(truth.count), 0, 0, 20.0))
    stated = time.process_time()
    best = best_messages(truth)
    done = time.process_time()
    print(f"{given.regime}, {given.customers:,} customers, {given.days} days, {given.share:.0%} written to each day")
    print(f"open               {opened - begun:7.1f} CPU s")
    print(f"play               {played - opened:7.1f} CPU s, {(played - opened) / given.days * 1000:.0f} ms a day")
    print(f"truth of a message {stated - played:7.1f} CPU s for everybody")
    print(f"best message       {done - stated:7.1f} CPU s for everybody, {len(best):,} get one")
    print(f"purchases {purchases:,}, views {views:,}, messages seen {seen:,}")
    print(f"peak memory        {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:7,.0f} MiB")


if __name__ == "__main__":
    main()
