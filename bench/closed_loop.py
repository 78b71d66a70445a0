"""The closed loop: Aimwell's policy against everyone, an expert's rule, propensity and an oracle, on frozen regimes.

    python bench/closed_loop.py --customers 100000 --days 180 --seeds 5
    python bench/closed_loop.py --customers 5000 --seeds 2 --regimes sure_things random_response

Each regime and seed is one market; all policies meet the same people with the same luck. Printed after each run: what
it gained (above sending nothing, luck taken out), profit, messages, people who left, processor seconds. At the end, by
regime: means, share of the oracle's gain, and Aimwell's lead over each with a paired 95 % interval over seeds.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aimwell.simulation.loop.contest import POLICIES, Contest, hold
from aimwell.simulation.loop.running import Run
from aimwell.simulation.regimes.regime import load_regimes


@dataclass
class Clock:
    """Processor seconds of each run."""

    begun: float = field(default_factory=time.process_time)

    def ended(self, regime: str, seed: int, run: Run) -> None:
        """Print a run."""
        now = time.process_time()
        print(
            f"{regime:22} seed {seed} {run.policy:10} gained {run.gained / 100:12,.0f} profit {run.profit / 100:14,.0f}"
            f" spent {run.spent / 100:10,.0f} messages {run.messages:10,} left {run.left:6,} {now - self.begun:6.1f} s",
            flush=True,
        )
        self.begun = now


def show(found: Contest) -> None:
    """Print the table."""
    print(f"\nregimes version {found.version}, digest {found.digest}")
    for season in found.seasons:
        print(f"\n{season.regime} ({season.business}), {found.customers:,} customers, {found.days} days, {found.seeds}")
        ahead = {each.other: each for each in season.comparisons}
        for each in season.standings:
            share = "" if each.share is None else f"{each.share:6.1%}"
            line = f"  {each.policy:10} gained {each.gained:12,.0f} {share:7} messages {each.messages:12,.0f}"
            lead = ahead.get(each.policy)
            if lead is not None:
                bounds = "" if lead.interval is None else f" [{lead.interval.low:+,.0f}, {lead.interval.high:+,.0f}]"
                line += f"  aimwell {lead.ahead:+,.0f}{bounds} {lead.verdict}"
            print(line)


def main() -> None:
    """Hold the contest and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--seeds", type=int, default=5, help="so many markets of each regime")
    parser.add_argument("--first", type=int, default=101, help="the first seed, the others follow")
    parser.add_argument("--regimes", nargs="*", default=list(load_regimes().regime))
    parser.add_argument("--policies", nargs="*", default=list(POLICIES))
    parser.add_argument("--json", type=Path, default=None, help="file for the result")
    chosen = parser.parse_args()
    found = hold(
        chosen.regimes,
        customers=chosen.customers,
        days=chosen.days,
        seeds=range(chosen.first, chosen.first + chosen.seeds),
        policies=chosen.policies,
        ended=Clock().ended,
    )
    show(found)
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(asdict(found), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
