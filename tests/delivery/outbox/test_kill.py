"""A sender killed at any instant repeats nobody and loses nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.delivery.outbox.kills import Trial, fill, torment

from aimwell.store.ledger.ledger import open_ledger

PEOPLE, KILLS = 250, 12


@pytest.mark.kill
@pytest.mark.parametrize("provider", ["plain", "tells", "idempotent"])
def test_killed_at_random_instants_nobody_is_lost_and_nobody_gets_it_twice(
    ledger_place: Path | str, tmp_path: Path, provider: str
) -> None:
    trial = Trial(ledger_place, tmp_path / "provider", idempotent=provider == "idempotent", tells=provider == "tells")
    ledger = open_ledger(trial.place)
    fill(ledger, PEOPLE)
    ledger.close()
    killed, seen = torment(trial, KILLS, span=250, seed=7, looks=range(1, KILLS + 1))
    assert killed == KILLS
    assert sum(seen.states.values()) == PEOPLE
    assert set(seen.states) <= {"accepted", "not_sent", "unknown"}
    if provider == "plain":
        assert 0 < seen.states["unknown"] < PEOPLE / 2  # listed for people to decide
    else:
        assert seen.states["unknown"] == 0
