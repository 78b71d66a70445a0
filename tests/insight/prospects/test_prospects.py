"""What customers may bring, where half of them are known to come every week or so and half to have left."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.insight.features.small import SHANGHAI, warehouse_with

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.time import to_store
from aimwell.insight.features.library import library
from aimwell.insight.predictions.workshop import Workshop
from aimwell.insight.prospects.prospects import Prospects, foretell_prospects

NOW = datetime(2025, 10, 1, tzinfo=SHANGHAI)
EACH = 100
KNOWN, STAYED = 270, 70


def row(customer: str, number: int, day: int, amount: float = 10.0) -> dict[str, object]:
    at = to_store(NOW - timedelta(days=KNOWN - day) + timedelta(hours=12))
    return {"order_id": f"{customer}-{number}", "customer_id": customer, "occurred_at": at, "amount": amount}


def workshop(folder: Path, rows: list[dict[str, object]], **settings: float) -> Workshop:
    warehouse = warehouse_with(purchase=rows)
    warehouse.settings = settings
    return Workshop(warehouse, library(), folder)


def visits() -> list[dict[str, object]]:
    """Everybody comes on a seventh of the days by lot, `stay` all the time, `gone` in the first 70 days alone."""
    chance = np.random.default_rng(4)
    rows = []
    for name, until in (("stay", KNOWN), ("gone", STAYED)):
        for number in range(EACH):
            days = [0, *(np.flatnonzero(chance.random(until - 1) < 1 / 7) + 1).tolist()]
            rows += [row(f"{name}{number:03d}", place, day) for place, day in enumerate(days)]
    return rows


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Prospects:
    return foretell_prospects(workshop(tmp_path_factory.mktemp("prospects"), visits()), NOW, days=84)


def test_those_who_left_are_told_from_those_who_stay_and_the_totals_are_near_the_truth(found: Prospects) -> None:
    rows = found.rows.to_pylist()
    stay = [each for each in rows if each["customer_id"].startswith("stay")]
    gone = [each for each in rows if each["customer_id"].startswith("gone")]
    assert (len(stay), len(gone)) == (EACH, EACH)
    assert np.mean([each["alive_chance"] for each in stay]) > 0.9
    assert max(each["alive_chance"] for each in gone) < 0.05
    assert {each["place"] for each in stay} == set(range(1, EACH + 1))
    assert found.orders == pytest.approx(EACH * 84 / 7, rel=0.15)
    assert found.spend == pytest.approx(10 * found.orders, rel=0.02)
    assert not found.learnt  # fewer than 500 buyers


def test_rows_add_up_to_totals_and_lie_within_their_ranges(found: Prospects) -> None:
    value = np.array(found.rows.column("lifetime_value").to_pylist())
    low, high = (np.array(found.rows.column(name).to_pylist()) for name in ("value_low", "value_high"))
    assert found.value.value == pytest.approx(value.sum(), abs=1)
    assert found.value.low < found.value.value < found.value.high
    assert (low <= high).all()
    assert (low[:EACH] < high[:EACH]).all()
    # The luck of many evens out: the interval of the total is far narrower than the ranges together.
    assert found.value.high - found.value.low < (high - low).sum() / 2
    assert np.all(np.diff(value) <= 0)


def test_rfm_groups_hold_everybody_once(found: Prospects) -> None:
    assert sum(cell.people for cell in found.cells) == 2 * EACH
    assert sum(cell.held for cell in found.cells) == pytest.approx(1, abs=1e-6)
    assert [cell.value for cell in found.cells] == sorted((cell.value for cell in found.cells), reverse=True)


def test_one_customer_is_found_by_id_and_a_stranger_is_named(found: Prospects) -> None:
    assert found.of("gone007")["customer_id"] == "gone007"
    with pytest.raises(BadQuestion, match="'nobody' may bring; expected one of the 200 customers"):
        found.of("nobody")


def test_margin_and_discount_are_those_of_the_workspace(found: Prospects, tmp_path: Path) -> None:
    half = workshop(tmp_path, visits(), lifetime_margin_percent=50, lifetime_discount_percent=10)
    other = foretell_prospects(half, NOW, days=84)
    assert other.value.value == pytest.approx(found.value.value / 2, rel=1e-6)
    assert other.spend == pytest.approx(found.spend)
    assert other.kept == 50


def test_what_happens_after_the_instant_is_not_looked_at(found: Prospects, tmp_path: Path) -> None:
    later = [*visits(), *(row(f"gone{number:03d}", 900, KNOWN + 3) for number in range(EACH))]
    assert foretell_prospects(workshop(tmp_path, later), NOW, days=84).rows.equals(found.rows)


def test_books_that_say_nothing_are_refused(tmp_path: Path) -> None:
    once = [row("ann", 1, 3), row("bob", 1, 5)]
    with pytest.raises(NotEnoughData):
        foretell_prospects(workshop(tmp_path, once), NOW)
    with pytest.raises(NotEnoughData, match="Nobody had bought anything yet"):
        foretell_prospects(workshop(tmp_path, once), NOW - timedelta(days=400))
    with pytest.raises(NotEnoughData, match="nothing in it"):
        foretell_prospects(workshop(tmp_path, [{k: v for k, v in once[0].items() if k != "amount"}]), NOW)
    with pytest.raises(BadQuestion, match="at least one day"):
        foretell_prospects(workshop(tmp_path, once), NOW, days=0)
