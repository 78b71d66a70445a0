"""`aimwell funnel`: people by step, messages by node, and what a journey changed for its goal and for money."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.cli.conftest import Run
from tests.cli.test_rehearsal import SINCE, make_workspace

from aimwell.cli.rehearsal import rehearse_here
from aimwell.core.time import to_store
from aimwell.store.ledger.schema.enrolments import cursor
from aimwell.store.workspace import Workspace


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = make_workspace(tmp_path_factory.mktemp("funnel") / "w", 40)
    rehearse_here(workspace, SINCE)
    return workspace


def forget_that_it_was_played(workspace: Workspace) -> None:
    """From now on the ledger is as one of real people, whose time is long over."""
    with workspace.ledger() as ledger, ledger.writing() as connection:
        connection.execute(cursor.delete().where(cursor.c.consumer == "simulation"))


def test_the_funnel_is_shown_by_step_and_node_with_what_the_journey_changed(played: Workspace, run: Run) -> None:
    said = run("funnel", "wake", "-w", str(played.folder))
    assert said.code == 0
    assert "Simulated answers" in said.out
    assert "40 entered" in said.out
    assert "Messages by node" in said.out
    assert "nothing proven" in said.out
    assert "Spent within 10 days: ¥" in said.out
    chinese = run("funnel", "wake", "--language", "zh", "-w", str(played.folder)).out
    for words in ("模拟的回应", "各节点的消息", "差异未获证实", "10 天内人均消费"):
        assert words in chinese


def test_programs_get_the_funnel_of_each_node_and_both_lifts(played: Workspace, run: Run) -> None:
    found = json.loads(run("funnel", "wake", "--json", "-w", str(played.folder)).out)
    (node,) = found["nodes"]
    assert (node["node"], node["channel"]) == ("offer", "push")
    assert set(node["steps"]) == set(found["steps"])
    assert node["steps"]["exposed"] == found["steps"]["exposed"] > 0
    for which in ("goal", "money"):
        interval = found["lift"][which]
        assert found["proven"][which] == (interval["low"] > 0 or interval["high"] < 0)
        assert found["said"][which]["en"]
    assert found["lift"]["treated"]["people"] + found["lift"]["held_out"]["people"] == 40


def test_money_comes_from_the_warehouse_unless_it_is_not_there_or_held(tmp_path: Path, run: Run) -> None:
    workspace = make_workspace(tmp_path / "w", 20)
    rehearse_here(workspace, SINCE)
    forget_that_it_was_played(workspace)
    without = run("funnel", "wake", "-w", str(workspace.folder)).out
    assert "Simulated" not in without
    assert "no purchases can be read" in without
    ids = [f"c{number:05}" for number in range(20)]
    with workspace.warehouse() as warehouse:
        bought = [to_store(SINCE + timedelta(days=day)) for day in range(20)]
        warehouse.engine.write("purchase", pa.table({"customer_id": ids, "occurred_at": bought, "amount": [10.0] * 20}))
    told = json.loads(run("funnel", "wake", "--json", "-w", str(workspace.folder)).out)["lift"]
    assert told["treated"]["money"]["total"] + told["held_out"]["money"]["total"] == 100.0  # ten days
    assert told["spent_until"].startswith((SINCE + timedelta(days=19)).date().isoformat())
