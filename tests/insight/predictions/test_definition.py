"""Definitions of predictions: what may be said, and every mistake at once with its line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from aimwell.core.definitions import parse_definitions, read_definitions
from aimwell.core.errors import BadDefinition
from aimwell.insight.predictions.definition import Prediction

EXAMPLES = Path(__file__).parents[3] / "examples"

FIVE_MISTAKES = """\
kind: happens
population: {purchasez: {within: 56d}}
target: {happens: {not: {purchases: {}}}}
horizon_days: 0
model: {trees: {leave: 3}}
baseline: {last_period: true, rank_by: [recency]}
horizn: 3
"""


def test_five_mistakes_are_reported_at_once_each_with_its_line() -> None:
    with pytest.raises(BadDefinition) as caught:
        parse_definitions(FIVE_MISTAKES, "predictions/churn.yaml", Prediction, name="churn")
    places = {(problem.line, problem.path) for problem in caught.value.problems}
    assert places == {
        (2, "population"),
        (4, "horizon_days"),
        (5, "model.trees.leave"),
        (6, "baseline"),
        (7, "horizn"),
    }
    assert "did you mean 'horizon_days'?" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "comes"), [("which", "recommender"), ("effect", "uplift"), ("when", "survival"), ("maybe", "happens")]
)
def test_a_kind_that_is_not_there_says_what_is(kind: str, comes: str) -> None:
    with pytest.raises(BadDefinition, match=comes):
        parse_definitions(f"kind: {kind}\nflat: {{path: a.csv, label: b}}", "p.yaml", Prediction, name="p")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: happens", "say target and horizon_days"),
        ("kind: happens\ntarget: {happens: {purchases: {}}, outcome: redeemed}\nhorizon_days: 7", "exactly one of"),
        ("kind: how_much\ntarget: {happens: {purchases: {}}}\nhorizon_days: 7", "foretells an amount"),
        ("kind: happens\ntarget: {outcome: redeemed}\nhorizon_days: 7", "by: campaign"),
        ("kind: happens\nhorizon_days: 7\nflat: {path: a.csv, label: b}", "leave out horizon_days"),
        ("kind: how_much\ntarget: {amount: {}}\nhorizon_days: 7", "either of purchases or of balances"),
    ],
)
def test_what_does_not_fit_together_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadDefinition, match=message):
        parse_definitions(text, "p.yaml", Prediction, name="p")


def test_an_alternative_says_only_what_differs(define: Callable[..., Prediction]) -> None:
    settings = define(
        """
        kind: happens
        flat: {path: a.csv, label: b}
        model:
          trees: {leaves: 6, l2: 3}
          alternatives: [{trees: {leaves: 12}}, {linear: {share: 1}}]
        """
    ).model
    assert [(option.trees.leaves, option.trees.l2, option.linear.share) for option in settings.options()] == [
        (6, 3, "auto"),
        (12, 3, "auto"),
        (6, 3, 1),
    ]


def test_a_wrong_alternative_is_a_mistake_of_the_definition() -> None:
    text = "kind: happens\nflat: {path: a.csv, label: b}\nmodel: {alternatives: [{trees: {leaves: 1}}]}"
    with pytest.raises(BadDefinition, match="leaves"):
        parse_definitions(text, "p.yaml", Prediction, name="p")


def test_the_refit_may_be_given_in_days(define: Callable[..., Prediction]) -> None:
    assert define("kind: happens\nflat: {path: a.csv, label: b}\nrefit: 7").refit == timedelta(days=7)


@pytest.mark.parametrize(
    "workspace", sorted(path.parent for path in EXAMPLES.glob("*/predictions")), ids=lambda p: p.name
)
def test_the_shipped_definitions_can_be_read_and_carry_both_languages(workspace: Path) -> None:
    found = read_definitions(workspace, Prediction)
    assert found
    assert all(definition.label is not None for definition in found.values())
