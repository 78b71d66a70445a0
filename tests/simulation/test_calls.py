"""The simulated flat file: what is shipped is what the generator writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from aimwell.simulation import calls

SHIPPED = Path(__file__).parents[2] / "examples" / "flat" / "data"


def test_the_shipped_files_are_small_and_what_the_generator_writes(tmp_path: Path) -> None:
    calls.write(tmp_path)
    for name in ("calls.csv", "to_call.csv"):
        assert (tmp_path / name).read_bytes() == (SHIPPED / name).read_bytes()
        assert (SHIPPED / name).stat().st_size <= 60_000


def test_visits_and_friends_matter_and_long_calls_only_tell_the_answer_afterwards() -> None:
    called, uncalled = calls.simulate(people=5_000)
    agreed = np.asarray(pc.equal(called["agreed"], "yes"))
    friend = np.asarray(pc.fill_null(pc.equal(called["came_by"], "friend"), False))
    assert agreed[friend].mean() > agreed[~friend].mean() + 0.1
    seconds, visits = np.asarray(called["call_seconds"]), np.asarray(called["visits_30d"])
    assert seconds[agreed].mean() > 2 * seconds[~agreed].mean()
    assert visits[agreed].mean() > visits[~agreed].mean() + 0.5
    assert not {"agreed", "call_seconds", "called_on"} & set(uncalled.column_names)
    assert not set(called["person"].to_pylist()) & set(uncalled["person"].to_pylist())
