"""The simulated markets by name, and how their files are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aimwell.core.errors import BadQuestion
from aimwell.simulation import bank, shop
from aimwell.simulation.bank.files import write_bank
from aimwell.simulation.market import Market
from aimwell.simulation.shop.files import write_shop


@dataclass(frozen=True, slots=True)
class Simulator:
    """One market: how many customers it has by default, how it is simulated, and how its files are written."""

    customers: int
    simulate: Callable[[int, int], Market]
    write: Callable[[Path, Market], None]


MARKETS: Mapping[str, Simulator] = {
    "bank": Simulator(bank.CUSTOMERS, bank.simulate, write_bank),
    "shop": Simulator(shop.CUSTOMERS, shop.simulate, write_shop),
}


def write_market(name: str, folder: Path, *, seed: int = 7, customers: int | None = None) -> Market:
    """Simulate a market and write its files into a folder: `data/` to load, `truth/` to compare with.

    Raises BadQuestion for a market that does not exist, and for fewer than one customer.
    """
    if name not in MARKETS:
        raise BadQuestion(f"There is no simulated market {name!r}", expected=f"one of {', '.join(MARKETS)}")
    simulator = MARKETS[name]
    count = simulator.customers if customers is None else customers
    if count < 1:
        raise BadQuestion("A market has at least one customer", seen=str(count))
    market = simulator.simulate(seed, count)
    simulator.write(folder, market)
    return market
