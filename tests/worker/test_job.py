"""The whole job on a small simulated bank: what it leaves, that it repeats nothing, and that one failure stays one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aimwell.insight import predictions
from aimwell.insight.opening import open_workshop
from aimwell.simulation.markets import write_market
from aimwell.store.workspace import Workspace, open_workspace
from aimwell.worker.job import Results, run

BANK = Path(__file__).parents[2] / "examples" / "bank"
SMALL = """
label: {zh: 理财需求, en: Demand for wealth products}
kind: happens
target: {happens: {purchases: {department: wealth}}}
horizon_days: 28
cut_offs: {every_days: 56, count: 6, test: 1}
features: {include: [deposit_now, wealth_demand, age, days_known]}
model: {trees: {rounds: 20, bags: 1}, folds: 2}
lists: [20]
"""
IMPOSSIBLE = SMALL.replace("department: wealth", "department: submarines")
SEGMENT = """
label: {zh: 理财意向客户, en: Keen on wealth products}
kind: behavioural
rule: {score: wealth, top: 10%}
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Results, Results]:
    folder = tmp_path_factory.mktemp("bank") / "bank"
    shutil.copytree(BANK, folder, ignore=shutil.ignore_patterns("predictions"))
    write_market("bank", folder, customers=400)
    for kind, name, text in (
        ("predictions", "wealth", SMALL),
        ("predictions", "submarines", IMPOSSIBLE),
        ("segments", "keen", SEGMENT),
    ):
        place = folder / kind / f"{name}.yaml"
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")
    workspace = open_workspace(folder)
    return workspace, run(workspace), run(workspace)


@pytest.mark.slow
def test_a_prediction_that_fails_is_told_and_the_others_go_on(story: tuple[Workspace, Results, Results]) -> None:
    _, first, _ = story
    assert first.predicted.learnt == ("wealth",)
    assert list(first.scorings) == ["wealth"]
    assert "nobody's answer was yes" in first.predicted.failures["submarines"]
    assert first.predictions["wealth"].backtest.everybody.metric("auc") is not None


@pytest.mark.slow
def test_a_second_run_on_the_same_data_learns_only_what_failed_and_finds_the_same(
    story: tuple[Workspace, Results, Results],
) -> None:
    _, first, second = story
    assert not second.load.changed
    assert second.predicted.learnt == ()
    assert set(second.predicted.failures) == {"submarines"}
    assert second.predictions["wealth"].to_dict() == first.predictions["wealth"].to_dict()
    assert second.scorings["wealth"].audience == first.scorings["wealth"].audience
    [kept] = second.segments
    assert (kept.entered, kept.left) == (0, 0)


@pytest.mark.slow
def test_the_segment_of_a_score_holds_the_best_of_the_list(story: tuple[Workspace, Results, Results]) -> None:
    _, first, _ = story
    [keen] = first.segments
    people = first.scorings["wealth"].people
    assert abs(keen.members - people / 10) <= 1


@pytest.mark.slow
def test_a_changed_definition_is_learnt_anew_and_everything_is_on_record(
    story: tuple[Workspace, Results, Results],
) -> None:
    workspace, first, _ = story
    file = workspace.folder / "predictions" / "wealth.yaml"
    file.write_text(SMALL.replace("rounds: 20", "rounds: 30"), encoding="utf-8")
    again = run(open_workspace(workspace.folder))
    assert again.predicted.learnt == ("wealth",)
    assert again.predictions["wealth"].version != first.predictions["wealth"].version
    with open_workshop(workspace) as workshop:
        events = [(event.action, event.version) for event in predictions.life(workshop, "wealth")]
        failures = [event.why for event in predictions.life(workshop, "submarines")]
    assert events[:2] == [("trained", first.predictions["wealth"].version), ("promoted", events[0][1])]
    assert len(events) == 4
    assert len(failures) == 3
