"""Cut-offs: on a grid back from the last answer, or on the eve of each campaign."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.insight.predictions.cutoffs import cut_offs_before, held_out
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.rows import CutOff
from aimwell.insight.predictions.workshop import Workshop

Defined = Callable[..., Prediction]

SPEND = """
kind: how_much
target: {{amount: {{purchases: {{}}}}}}
horizon_days: 28
cut_offs: {cut_offs}
"""


def names(definition: Prediction, workshop: Workshop, as_of: datetime) -> list[str]:
    history = workshop.history(as_of)
    return [cut.name for cut in cut_offs_before(definition, history, workshop.warehouse.last_instant())]


def test_dates_are_counted_back_from_the_last_whose_answer_is_known(
    define: Defined, workshop: Workshop, now: datetime
) -> None:
    found = names(define(SPEND.format(cut_offs="{every_days: 14, count: 3}")), workshop, now)
    assert found == ["2023-11-06", "2023-11-20", "2023-12-04"]


def test_an_answer_counts_as_known_only_when_the_data_reach_to_its_end(
    define: Defined, workshop: Workshop, now: datetime
) -> None:
    months_later = now + timedelta(days=90)
    found = names(define(SPEND.format(cut_offs="{count: 1}")), workshop, months_later)
    # The last purchase is on the local 1 January, so that is where knowledge ends, whatever day it is asked on.
    assert found == ["2023-12-05"]


def test_a_day_to_judge_by_lies_on_the_grid_and_later_days_follow(
    define: Defined, workshop: Workshop, now: datetime
) -> None:
    definition = define(SPEND.format(cut_offs="{count: 3, test: 2023-10-10}"))
    found = names(definition, workshop, now)
    assert found == ["2023-09-12", "2023-10-10", "2023-11-07"]
    cuts = tuple(CutOff(name, place, place + 1) for place, name in enumerate(found))
    assert held_out(definition, cuts) == [1]


def test_nothing_before_the_earliest_day_and_by_default_a_horizon_after_the_first_fact(
    define: Defined, workshop: Workshop, now: datetime
) -> None:
    given = names(define(SPEND.format(cut_offs="{count: 99, earliest: 2023-06-01}")), workshop, now)
    assert given[0] == "2023-06-19"
    assert names(define(SPEND.format(cut_offs="{count: 99}")), workshop, now)[0] == "2023-01-30"


def test_a_history_that_is_too_short_says_how_much_is_needed(
    define: Defined, workshop: Workshop, now: datetime
) -> None:
    definition = define(SPEND.format(cut_offs="{count: 3}"))
    with pytest.raises(NotEnoughData, match="28 days before"):
        names(definition, workshop, now - timedelta(days=340))


def test_a_day_that_is_not_there_cannot_be_judged_by(define: Defined) -> None:
    definition = define(SPEND.format(cut_offs="{test: [2023-10-10]}"))
    with pytest.raises(BadQuestion, match="2023-10-10.*is not there"):
        held_out(definition, (CutOff("2023-10-09", 0, 1),))


@pytest.fixture
def mailed(workshop: Workshop) -> Workshop:
    """Three campaigns: in March, in June (two mailings, the first late in the evening), in December (still open)."""
    touches = [
        ("spring", datetime(2023, 3, 10, 2), "c0001"),
        ("spring", datetime(2023, 3, 12, 2), "c0002"),
        ("summer", datetime(2023, 6, 1, 15, 30), "c0001"),
        ("summer", datetime(2023, 6, 1, 16, 30), "c0002"),
        ("winter", datetime(2023, 12, 20, 2), "c0003"),
    ]
    table = pa.table(
        {
            "touch_id": [f"t{place}" for place in range(len(touches))],
            "customer_id": [customer for _, _, customer in touches],
            "campaign": [campaign for campaign, _, _ in touches],
            "occurred_at": pa.array([at for _, at, _ in touches], pa.timestamp("us")),
        }
    )
    workshop.warehouse.engine.write("touch", table)
    workshop.warehouse.refresh()
    return workshop


def test_a_campaign_is_foretold_from_the_midnight_before_its_first_contact(
    define: Defined, mailed: Workshop, now: datetime
) -> None:
    definition = define(
        "kind: happens\ntarget: {outcome: redeemed}\nhorizon_days: 30\ncut_offs: {by: campaign, count: 9}"
    )
    found = cut_offs_before(definition, mailed.history(now), mailed.warehouse.last_instant())
    assert [cut.name for cut in found] == ["spring", "summer"]
    # 15:30 UTC on 1 June is 23:30 in Shanghai, still 1 June there.
    assert [cut.as_of and cut.as_of.isoformat() for cut in found] == [
        "2023-03-10T00:00:00+08:00",
        "2023-06-01T00:00:00+08:00",
    ]


def test_campaigns_are_chosen_by_pattern_and_size(define: Defined, mailed: Workshop, now: datetime) -> None:
    text = "kind: happens\ntarget: {outcome: redeemed}\nhorizon_days: 30\ncut_offs: {by: campaign, %s}"
    assert names(define(text % "campaigns: [s*m*]"), mailed, now) == ["summer"]
    with pytest.raises(NotEnoughData):
        names(define(text % "fewest_people: 3"), mailed, now)


def test_campaigns_need_touches(define: Defined, workshop: Workshop, now: datetime) -> None:
    text = "kind: happens\ntarget: {outcome: redeemed}\nhorizon_days: 30\ncut_offs: {by: campaign}"
    with pytest.raises(BadQuestion, match=r"touch\.campaign"):
        names(define(text), workshop, now)
