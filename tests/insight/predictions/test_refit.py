"""The scheduled re-fit: what is due is learnt anew, everything is said and recorded, and failures stay alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from aimwell.insight.predictions import Prediction, Refit, Workshop, champion, life, refit

Defined = Callable[..., Prediction]


@pytest.fixture(scope="module")
def visits(define: Defined) -> Prediction:
    return define(
        """
        kind: happens
        target: {happens: {purchases: {}}}
        horizon_days: 28
        cut_offs: {every_days: 28, count: 4}
        model: {trees: {bags: 1, rounds: 20}, linear: {share: 0}, folds: 1}
        minimum_positives: 20
        refit: 28d
        """,
        "visits",
    )


def one(found: tuple[Refit, ...]) -> Refit:
    assert len(found) == 1
    return found[0]


def test_a_prediction_is_learnt_first_when_never_and_again_when_its_days_are_over(
    visits: Prediction, workshop: Workshop, now: datetime
) -> None:
    start = now - timedelta(days=84)
    first = one(refit({"visits": visits}, workshop, start))
    assert (first.done, first.version) == ("promoted", first.in_use)
    assert first.following == start + timedelta(days=28)
    assert "never learnt" in first.why.en
    early = one(refit({"visits": visits}, workshop, start + timedelta(days=27)))
    assert (early.done, early.version, early.in_use) == ("not_due", "", first.in_use)
    assert "2023-11-06" in early.why.zh
    assert len(life(workshop, "visits")) == 2
    late = one(refit({"visits": visits}, workshop, now))
    assert late.done in {"promoted", "kept"}
    assert late.version != first.version
    assert late.last == now
    assert "every 28 days" in late.why.en
    assert "2023-10-09" in late.why.zh
    assert [event.action for event in life(workshop, "visits")][2:] == ["trained", late.done]
    assert champion(workshop, "visits") == late.in_use


def test_a_changed_definition_is_learnt_anew_before_its_time(
    visits: Prediction, workshop: Workshop, now: datetime
) -> None:
    refit({"visits": visits}, workshop, now)
    changed = visits.model_copy(update={"horizon_days": 14})
    found = one(refit({"visits": changed}, workshop, now + timedelta(days=1)))
    assert found.done in {"promoted", "kept"}
    assert "definition or files have changed" in found.why.en


def test_one_that_fails_is_recorded_keeps_its_model_and_does_not_stop_the_others(
    visits: Prediction, churn: Prediction, workshop: Workshop, now: datetime
) -> None:
    standing = one(refit({"churn": churn}, workshop, now - timedelta(days=30))).in_use
    broken = churn.model_copy(update={"horizon_days": 3_000})
    failed, made = refit({"churn": broken, "visits": visits}, workshop, now)
    assert (failed.done, failed.version, failed.in_use) == ("failed", "", standing)
    assert "no cut-off" in failed.why.en
    assert life(workshop, "churn")[-1].action == "failed"
    assert made.done == "promoted"
    # A failed attempt does not count: it is tried again.
    assert refit({"churn": churn}, workshop, now)[0].done in {"promoted", "kept"}
