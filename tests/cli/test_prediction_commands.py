"""Predictions by command: of a flat file alone, and of customers with life stages and a scheduled re-fit."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run

_SPEND = """\
label: {zh: 未来28天消费, en: Next 28 days}
kind: how_much
population: {purchases: {}}
target: {amount: {purchases: {}}}
horizon_days: 28
cut_offs: {every_days: 14, count: 4}
features: {include: [spend_28d, spend_84d, visits_84d, days_since_order]}
model: {trees: {bags: 1, rounds: 20}, amount_trees: {bags: 1, rounds: 20}, linear: {share: 0}, folds: 1}
minimum_positives: 10
lists: [10]
"""


@pytest.fixture
def flat(tmp_path: Path, run: Run) -> Path:
    """The example of a flat file; nothing is loaded into its warehouse."""
    folder = tmp_path / "flat"
    assert run("init", str(folder), "--example", "flat").code == 0
    return folder


def test_a_flat_file_is_judged_learnt_and_described_from_a_definition_alone(run: Run, flat: Path) -> None:
    def told(*words: str) -> dict[str, Any]:
        said = run("--json", "--workspace", str(flat), "prediction", *words)
        assert said.code == 0, said.err
        assert isinstance(said.json, dict)
        return said.json

    judged = told("backtest", "agrees")
    assert judged["held_out"] == ["last rows"]
    trained = told("train", "agrees")
    assert trained["in_use"] == trained["version"]
    card = told("card", "agrees")
    assert card["version"] == trained["version"]
    assert {column["name"] for column in card["columns"]} == {"visits_30d", "came_by", "age", "household"}
    order = card["backtest"]["everybody"]["metrics"][0]
    assert order["name"] == "auc"
    assert order["difference"]["low"] > 0
    assert card["backtest"]["findings"] == []
    listed = run("--json", "--workspace", str(flat), "prediction", "list")
    assert isinstance(listed.json, list)
    assert [(row["in_use"], row["due"]) for row in listed.json] == [(trained["version"], False)]
    lived = run("--json", "--workspace", str(flat), "prediction", "life", "agrees")
    assert isinstance(lived.json, list)
    assert [event["action"] for event in lived.json] == ["trained", "promoted"]


def test_a_column_of_a_flat_file_that_is_known_only_afterwards_raises_an_alarm(run: Run, flat: Path) -> None:
    definition = flat / "predictions" / "agrees.yaml"
    text = definition.read_text(encoding="utf-8").replace("exclude: [call_seconds]", "exclude: [called_on]")
    definition.write_text(text, encoding="utf-8")
    said = run("--json", "--workspace", str(flat), "prediction", "backtest", "agrees")
    assert isinstance(said.json, dict)
    found = [(each["check"], each["column"]) for each in said.json["findings"]]
    assert ("too_good", "call_seconds") in found


def test_new_rows_of_a_flat_file_are_scored_into_a_list_that_is_safe_to_open(run: Run, flat: Path) -> None:
    assert run("--workspace", str(flat), "prediction", "train", "agrees").code == 0
    new, out = flat / "new.csv", flat / "scored.csv"
    rows = [
        "extra,household,visits_30d,came_by,age,person",
        "x,2,9,friend,41,=1+1",
        ",2,0,advert,,P2",
        "y,3,4,mars,39,P3",
    ]
    new.write_text("\n".join(rows) + "\n", encoding="utf-8")
    said = run("--workspace", str(flat), "prediction", "score", "agrees", "--file", "new.csv", "--out", str(out))
    assert said.code == 0, said.err
    with out.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["person"] for row in found] == ["'=1+1", "P3", "P2"]
    values = [float(row["value"]) for row in found]
    assert values == sorted(values, reverse=True)
    assert 0 < values[2] < 0.2 < values[0] < 1
    assert all(row["reason_1"] for row in found)
    told = run("--json", "--workspace", str(flat), "prediction", "score", "agrees", "--file", str(new), "--top", "1")
    assert isinstance(told.json, dict)
    assert (told.json["people"], len(told.json["audience"])) == (3, 1)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("person,age,came_by\nP1,40,friend\n", "no column 'visits_30d', 'household'"),
        ("person,age,came_by,visits_30d,household\nP1,old,friend,3,2\n", "'age' holds words such as 'old'"),
        ("person,age,came_by,visits_30d,household\n", "no rows"),
    ],
)
def test_what_a_file_to_score_lacks_is_said(run: Run, flat: Path, rows: str, message: str) -> None:
    assert run("--workspace", str(flat), "prediction", "train", "agrees").code == 0
    (flat / "bad.csv").write_text(rows, encoding="utf-8")
    said = run("--workspace", str(flat), "prediction", "score", "agrees", "--file", "bad.csv")
    assert said.code in {1, 2}
    assert message in " ".join(said.err.split())


@pytest.mark.parametrize(
    "words", [("score", "agrees"), ("explain", "agrees", "P0001"), ("drift", "agrees", "--before", "2024-01-01")]
)
def test_what_makes_no_sense_for_a_flat_file_says_what_does(run: Run, flat: Path, words: tuple[str, ...]) -> None:
    said = run("--workspace", str(flat), "prediction", *words)
    assert said.code == 2
    assert "--file NEW.csv" in said.err


def test_an_untrained_flat_file_cannot_be_scored(run: Run, flat: Path) -> None:
    said = run("--workspace", str(flat), "prediction", "score", "agrees", "--file", "data/to_call.csv")
    assert said.code == 2
    assert "Train it first" in said.err


def test_what_is_due_is_learnt_anew_and_the_rest_says_when(run: Run, flat: Path) -> None:
    def refit() -> dict[str, Any]:
        said = run("--json", "--workspace", str(flat), "prediction", "refit")
        assert said.code == 0, said.err
        assert isinstance(said.json, list)
        found: dict[str, Any] = said.json[0]
        return found

    first, second = refit(), refit()
    assert (first["done"], second["done"]) == ("promoted", "not_due")
    assert second["in_use"] == first["version"]
    assert second["following"] == first["following"] is not None
    definition = flat / "predictions" / "agrees.yaml"
    text = definition.read_text(encoding="utf-8").replace("rounds: 80", "rounds: 60")
    definition.write_text(text, encoding="utf-8")
    third = refit()
    assert third["version"] != first["version"]
    assert "definition" in third["why"]["en"]


@pytest.mark.slow
def test_customers_are_counted_by_life_stage_and_course_of_value_and_shown_it(run: Run, shop: Path) -> None:
    (shop / "predictions" / "spend.yaml").write_text(_SPEND, encoding="utf-8")
    settings, own = shop / "aimwell.toml", 'value_prediction = "spend"\nvalue_rising = 1.1\nvalue_fading = 0.9'
    text = settings.read_text(encoding="utf-8").replace("[settings]", f"[settings]\n{own}")
    settings.write_text(text, encoding="utf-8")
    place = ("--json", "--workspace", str(shop))
    for words in (["source", "load"], ["prediction", "refit"], ["prediction", "score", "spend"], ["profile"]):
        said = run(*place, *words)
        assert said.code == 0, said.err
    stages = run(*place, "prediction", "stages", "spend")
    assert stages.code == 0, stages.err
    assert isinstance(stages.json, dict)
    cells = stages.json["cells"]
    assert {cell["direction"] for cell in cells} >= {"rising", "fading"}
    assert sum(cell["people"] for cell in cells) == 60
    page = run("--workspace", str(shop), "--language", "en", "explain", "c1")
    assert "Course of value*: " in page.out
    (shop / "segments" / "rising.yaml").write_text(
        "label: {zh: 上升, en: Rising}\nkind: value\nrule: {tag: value_course, is: rising}\n", encoding="utf-8"
    )
    built = run(*place, "segment", "refresh", "rising")
    assert built.code == 0, built.err
    assert isinstance(built.json, list)
    assert built.json[0]["members"] == sum(cell["people"] for cell in cells if cell["direction"] == "rising") > 0
