"""A simulated flat file: people who were called about an offer, one row each, and whether they agreed.

`python -m aimwell.simulation.calls examples/flat/data` writes it, and a file of people whom nobody has called yet.
Visits and how a person came truly matter, age a little; the length of the call is known only afterwards.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from aimwell.simulation.chance import happens, pick, some, stream

PEOPLE, UNCALLED = 1_300, 60
SEED = 7
_FIRST_DAY = np.datetime64("2024-01-08")
_CAME = ("search", "friend", "advert", "event")
_CAME_ODDS = (0.0, 1.5, -1.2, 0.3)


def simulate(seed: int = SEED, people: int = PEOPLE, uncalled: int = UNCALLED) -> tuple[pa.Table, pa.Table]:
    """Those who were called, in the order of their calls, and those who were not yet: the same columns but two."""
    chance, count = stream(seed, "calls"), people + uncalled
    visits = chance.poisson(2.5, count)
    came = pick(chance, _CAME, (40, 20, 30, 10), count)
    age = np.clip(np.round(chance.normal(43, 12, count)), 18, 80)
    came_odds = np.asarray(_CAME_ODDS)[[_CAME.index(each) for each in came]]
    odds = -2.3 + 0.42 * visits + came_odds - 0.0012 * (age - 40) ** 2
    agreed = happens(chance, 1 / (1 + np.exp(-odds)), count)
    seconds = np.round(chance.gamma(2.0, 40, count) + agreed * chance.gamma(4.0, 70, count))
    known_age = np.where(happens(chance, 0.08, count), np.nan, age)
    table = pa.table(
        {
            "person": [f"P{number:04d}" for number in range(1, count + 1)],
            "called_on": pa.array(_FIRST_DAY + np.arange(count) // 10),
            "age": pa.array(known_age, from_pandas=True).cast(pa.int64()),
            "came_by": pa.array(some(chance, came, 0.05), pa.string()),
            "visits_30d": visits,
            "household": chance.integers(1, 6, count),
            "call_seconds": seconds.astype(np.int64),
            "agreed": np.where(agreed, "yes", "no").tolist(),
        }
    )
    return table.slice(0, people), table.slice(people).drop_columns(["called_on", "call_seconds", "agreed"])


def write(folder: Path, seed: int = SEED) -> None:
    """Write both files as CSV; equal seeds give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = pcsv.WriteOptions(quoting_style="needed")
    for name, table in zip(("calls.csv", "to_call.csv"), simulate(seed), strict=True):
        pcsv.write_csv(table, folder / name, plain)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
