"""The curve of what money gains, measured: it finds the town's truth, whatever was promised."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.strategy.decisions.town import LATER, NOW, buy, decision, town

from aimwell.core.errors import NotEnoughData
from aimwell.insight.predictions.workshop import Workshop
from aimwell.strategy.decisions.deciding import decide
from aimwell.strategy.decisions.measuring import measured_curve

PEOPLE = 6000


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with town(tmp_path, PEOPLE) as opened:
        yield opened


def effect(number: int, treatment: str) -> float:
    """Letters bring half of what is promised; calls, which promise 1.5 to everyone, nothing."""
    return {"letter": 2 * number / PEOPLE}.get(treatment, 0.0)


def truth(spend: float) -> float:
    """Who is treated first, and what they gain in truth less the cost: first letters to those who promise most."""
    promised = np.sort(4 * np.arange(PEOPLE) / PEOPLE)[::-1]
    letters = promised > 1.5
    return float(np.where(letters, promised / 2, 0.0)[: int(spend)].sum() - spend)


@pytest.mark.parametrize("hold_out", [0.2, 0.0])
def test_the_measured_curve_holds_the_truth_and_not_the_promise(workshop: Workshop, hold_out: float) -> None:
    autumn = decision(hold_out=hold_out, budget=2500)
    decide(autumn, workshop, NOW, currency="GBP")
    buy(workshop, effect)
    found = measured_curve(autumn, workshop, LATER, people=PEOPLE, spend=1500)
    assert found.runs == (NOW,)
    assert found.choices == PEOPLE
    assert found.points[-1][0] == pytest.approx(PEOPLE, rel=0.01)
    inside = [each.low - 60 <= truth(spend) <= each.high + 60 for spend, each in found.points]
    assert np.mean(inside) > 0.9
    promise = sum(4 * number / PEOPLE - 1 for number in range(PEOPLE - 1500, PEOPLE))
    assert found.here.low - 60 < truth(1500) < found.here.high + 60
    assert found.here.high < promise / 2
    assert found.ahead.low > 0
    assert found.here.level == 0.8


def test_where_nothing_was_drawn_by_lot_nothing_is_measured(workshop: Workshop) -> None:
    decide(decision(explore=0), workshop, NOW, currency="GBP")
    buy(workshop, effect)
    with pytest.raises(NotEnoughData, match="cannot be measured by earlier decisions"):
        measured_curve(decision(), workshop, LATER, people=PEOPLE, spend=500)
    with pytest.raises(NotEnoughData, match="no choice is old enough"):
        measured_curve(decision(), workshop, LATER - timedelta(days=1), people=PEOPLE, spend=500)


def test_a_treatment_that_is_new_cannot_be_measured_and_one_that_is_gone_does_no_harm(workshop: Workshop) -> None:
    autumn = decision(budget=2500)
    decide(autumn, workshop, NOW, currency="GBP")
    buy(workshop, effect)
    letter = {"channel": "mail", "cost": 1, "gain": {"tag": "promise"}}
    alone = measured_curve(decision(treatments={"letter": letter}), workshop, LATER, people=PEOPLE, spend=1500)
    assert alone.here.low - 60 < truth(1500) < alone.here.high + 60
    visit = {"channel": "branch", "cost": 1, "gain": {"amount": 2}}
    with pytest.raises(NotEnoughData, match="chance by lot of every treatment"):
        measured_curve(decision(treatments={"letter": letter, "visit": visit}), workshop, LATER, people=10, spend=5)
