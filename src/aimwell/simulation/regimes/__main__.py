"""`python -m aimwell.simulation.regimes FOLDER`: days of a market in a frozen regime, as files that can be loaded."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from aimwell.core.errors import AimwellError
from aimwell.simulation.regimes.lots import write_lots
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.posts import day_messages, introductions
from aimwell.simulation.regimes.regime import load_regimes
from aimwell.simulation.regimes.tables import write_run


def main(arguments: list[str] | None = None) -> int:
    """Write `data/` and `truth/`, or `data/messages.jsonl` for the event API; 0 if all went well."""
    parser = argparse.ArgumentParser(prog="python -m aimwell.simulation.regimes", description=__doc__)
    parser.add_argument("folder", type=Path, help="workspace in which data/ and truth/ are written")
    parser.add_argument("--regime", default="difference_and_fatigue", choices=sorted(load_regimes().regime))
    parser.add_argument("--business", default=None, choices=("bank", "shop"))
    parser.add_argument("--customers", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=7)
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--messages", action="store_true", help="Segment messages instead of tables")
    kinds.add_argument("--lot", type=float, metavar="SHARE", help="every week this share of the interested, by lot")
    chosen = parser.parse_args(arguments)
    try:
        market = Marketplace.open(chosen.regime, chosen.customers, chosen.seed, business=chosen.business)
        rows = _write(chosen, market)
    except AimwellError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    counts = ", ".join(f"{name} {count}" for name, count in rows.items())
    sys.stdout.write(f"Simulated (not real) {chosen.regime} in {chosen.folder / 'data'}: {counts}\n")
    return 0


def _write(chosen: argparse.Namespace, market: Marketplace) -> Mapping[str, int]:
    if chosen.lot is not None:
        return write_lots(chosen.folder, market, chosen.days, chosen.lot)
    written = _write_messages if chosen.messages else write_run
    return written(chosen.folder, market, chosen.days)


def _write_messages(folder: Path, market: Marketplace, days: int) -> dict[str, int]:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    count = 0
    with (folder / "data" / "messages.jsonl").open("w", encoding="utf-8") as lines:
        for message in introductions(market, np.arange(market.present)):
            lines.write(json.dumps(message, ensure_ascii=False) + "\n")
            count += 1
        for _ in range(days):
            for message in day_messages(market, market.step()):
                lines.write(json.dumps(message, ensure_ascii=False) + "\n")
                count += 1
    return {"messages": count}


if __name__ == "__main__":
    raise SystemExit(main())
