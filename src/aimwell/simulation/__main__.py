"""`python -m aimwell.simulation bank examples/bank`: write the files of a simulated market into a workspace."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from aimwell.core.errors import AimwellError
from aimwell.simulation.markets import MARKETS, write_market


def main(arguments: list[str] | None = None) -> int:
    """Write the files; 0 if all went well."""
    parser = argparse.ArgumentParser(prog="python -m aimwell.simulation", description=__doc__)
    parser.add_argument("market", choices=sorted(MARKETS))
    parser.add_argument("folder", type=Path, help="workspace in which data/ and truth/ are written")
    parser.add_argument("--customers", type=int, default=None)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args(arguments)
    try:
        market = write_market(chosen.market, chosen.folder, seed=chosen.seed, customers=chosen.customers)
    except AimwellError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    rows = ", ".join(f"{name} {table.num_rows}" for name, table in market.tables.items())
    sys.stdout.write(f"Simulated (not real) {chosen.market} in {chosen.folder / 'data'}: {rows}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
