from __future__ import annotations

from dataclasses import replace

import pytest

from aimwell.core.errors import BadQuestion
from aimwell.simulation.loop.contest import LABELS, POLICIES, hold, paired_interval, season
from aimwell.simulation.loop.running import Run
from aimwell.simulation.regimes.regime import regimes_digest

BASE = Run("nothing", gained=0.0, profit=100_000_00, spent=0, messages=0, left=0)


def runs(policy: str, *gained: float) -> list[Run]:
    return [replace(BASE, policy=policy, gained=100 * each) for each in gained]


def test_a_contest_names_the_digest_of_the_regimes_and_holds_every_policy() -> None:
    told: list[tuple[str, int, str]] = []
    found = hold(
        ["random_response"],
        customers=150,
        seeds=[1, 2],
        days=15,
        ended=lambda regime, seed, run: told.append((regime, seed, run.policy)),
    )
    assert found.digest == regimes_digest()
    assert found.simulated
    (only,) = found.seasons
    assert tuple(each.policy for each in only.standings) == POLICIES == tuple(LABELS)
    assert {each.other for each in only.comparisons} == set(POLICIES) - {"aimwell"}
    assert len(told) == 2 * len(POLICIES)
    nothing = only.standings[0]
    assert (nothing.gained, nothing.share, nothing.messages) == (0.0, None, 0.0)


def test_shares_are_those_of_the_oracles_gain_over_all_seeds() -> None:
    found = season(
        "sure_things",
        {"nothing": runs("nothing", 0, 0), "aimwell": runs("aimwell", 10, 20), "oracle": runs("oracle", 40, 60)},
    )
    assert [each.share for each in found.standings] == [0.0, 0.3, 1.0]


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        ((500.0, 510.0, 505.0), "ahead"),
        ((-500.0, -510.0, -505.0), "behind"),
        ((500.0, -510.0, 5.0), "level"),
        ((-50.0, -51.0, -50.5), "level"),  # beyond chance, but less than a thousandth of a profit of 100,000
        ((500.0,), "one seed"),
    ],
)
def test_the_verdict_follows_the_paired_interval_and_what_matters(ours: tuple[float, ...], verdict: str) -> None:
    found = season("sure_things", {"nothing": [BASE] * len(ours), "aimwell": runs("aimwell", *ours)})
    assert found.comparisons[0].verdict == verdict


def test_the_interval_is_students() -> None:
    found = paired_interval([2.0, 4.0])
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((3.0, 3 - 12.7062, 3 + 12.7062), abs=1e-4)


@pytest.mark.parametrize(
    ("regimes", "seeds", "policies"),
    [([], [1], ["nothing"]), (["sure_things"], [], ["nothing"]), (["sure_things"], [1, 1], ["nothing"])],
)
def test_a_contest_of_nobody_is_refused(regimes: list[str], seeds: list[int], policies: list[str]) -> None:
    with pytest.raises(BadQuestion, match="regimes, policies and different seeds"):
        hold(regimes, customers=10, seeds=seeds, policies=policies)


def test_an_unknown_policy_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BadQuestion, match="propensity"):
        hold(["sure_things"], customers=10, seeds=[1], policies=["magic"])
