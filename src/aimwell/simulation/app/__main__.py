"""`python -m aimwell.simulation.app FOLDER`: what people of the simulated app do, as files that can be imported."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

from aimwell.core.errors import AimwellError
from aimwell.simulation.app.messages import Message
from aimwell.simulation.app.world import CUSTOMERS, FIRST_DAY, SEED, World
from aimwell.simulation.files import write_truth


def main(arguments: list[str] | None = None) -> int:
    """Write `data/messages.jsonl`, one Segment message a line, and `truth/`; 0 if all went well."""
    parser = argparse.ArgumentParser(prog="python -m aimwell.simulation.app", description=__doc__)
    parser.add_argument("folder", type=Path, help="workspace in which data/ and truth/ are written")
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--days", type=int, default=30, help="days from the world's first day on")
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args(arguments)
    try:
        world = World(chosen.seed, chosen.customers)
    except AimwellError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    begins = datetime.combine(FIRST_DAY, datetime.min.time(), UTC)
    file = chosen.folder / "data" / "messages.jsonl"
    lines = _write(file, chain(world.known(begins), world.events(begins, begins + timedelta(days=chosen.days))))
    write_truth(chosen.folder / "truth", world.truth())
    sys.stdout.write(f"Simulated (not real) app in {file}: {lines} messages of {chosen.customers} customers\n")
    return 0


def _write(file: Path, messages: Iterable[Message]) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with file.open("w", encoding="utf-8") as stream:
        for message in messages:
            stream.write(json.dumps(message, ensure_ascii=False) + "\n")
            count += 1
    return count


if __name__ == "__main__":
    raise SystemExit(main())
