"""The backtest: in order of time, beside a baseline, the same numbers every time."""

from __future__ import annotations

from datetime import datetime

from aimwell.insight.predictions.backtest import backtest
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.workshop import Workshop


def test_churn_is_foretold_better_than_chance_and_nothing_is_learnt_after_the_held_out_date(
    churn: Prediction, workshop: Workshop, now: datetime
) -> None:
    found = backtest(churn, workshop, now)
    order = found.everybody.metric("auc")
    assert order is not None
    assert order.model.low > 0.7
    assert found.held_out == ("2023-11-06",)
    roles = {period.cut_off: period.role for period in found.periods}
    # A window of 56 days that opens on 9 October closes only after 6 November, so its answers were not known.
    assert "2023-10-09" not in roles
    assert roles["2023-09-11"] == "chosen_on"
    assert not [finding for finding in found.findings if finding.check == "overlap"]
