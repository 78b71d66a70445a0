"""`aimwell simulate` says what was played, by which regimes, and who is ahead."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run

from aimwell.simulation.regimes.regime import regimes_digest

SMALL = ("simulate", "--customers", "60", "--days", "8", "--regime", "random_response")


def test_the_table_names_regimes_seeds_and_policies_in_both_languages(run: Run) -> None:
    english, chinese = run(*SMALL, "--seeds", "2"), run(*SMALL, "--language", "zh")
    assert english.code == chinese.code == 0
    assert "Simulated market (not real): 60 customers, 8 days, seeds 1, 2" in english.out
    assert regimes_digest()[:12] in english.out
    assert "Expert rule" in english.out
    assert "random response" in english.out
    assert "模拟市场（非真实数据）" in chinese.out
    assert "纯属偶然" in chinese.out


def test_programs_get_every_standing_and_comparison(run: Run) -> None:
    found = run(*SMALL, "--seeds", "2", "--json").json
    assert isinstance(found, dict)
    assert found["digest"] == regimes_digest()
    assert found["simulated"] is True
    (season,) = found["seasons"]
    assert season["standings"][0]["policy"] == "nothing"
    assert {each["verdict"] for each in season["comparisons"]} <= {"ahead", "level", "behind"}
    assert season["comparisons"][0]["interval"]["level"] == 0.95


def test_decisions_go_through_a_ledger_and_all_that_was_accepted_reaches_the_market(run: Run, tmp_path: Path) -> None:
    words = ("simulate", "--customers", "60", "--days", "9", "--regime", "nothing_to_find")
    found = run(*words, "--ledger", str(tmp_path / "new"), "--json").json
    assert isinstance(found, dict)
    assert found["accepted"] == found["run"]["messages"] > 5
    refused = run(*words, "--ledger", str(tmp_path / "new"))
    assert refused.code == 2
    assert "not empty" in refused.err


def test_an_unknown_regime_is_refused_with_those_that_there_are(run: Run) -> None:
    said = run("simulate", "--regime", "utopia")
    assert said.code == 2
    assert "sure_things" in said.err
