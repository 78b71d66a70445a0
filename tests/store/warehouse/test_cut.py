"""A cut shows what was known strictly before an instant: facts by two clocks, states by their last known values."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.warehouse.shop import AS_OF, instant, purchase, rows, shop, small_shop

from aimwell.core.errors import BadQuestion, NotEnoughData

LATE = instant("2017-11-01T04:00:00")
EARLY = instant("2017-10-01")


def test_a_row_exactly_at_the_cut_is_not_yet_known() -> None:
    history = small_shop().history(AS_OF)
    assert history.to_arrow("SELECT count(*) AS n FROM purchase").to_pylist() == [{"n": 3}]


def test_a_late_event_is_unknown_until_it_was_received() -> None:
    event = {"customer_id": "ann", "name": "open"}
    warehouse = shop(
        event=rows(
            "event",
            {**event, "event_id": "1", "occurred_at": EARLY, "received_at": LATE},
            {**event, "event_id": "2", "occurred_at": EARLY, "received_at": EARLY},
            {**event, "event_id": "3", "occurred_at": EARLY},
        )
    )
    found = warehouse.history(AS_OF).to_arrow("SELECT event_id FROM event ORDER BY event_id").to_pylist()
    assert [row["event_id"] for row in found] == ["2", "3"]


def test_a_state_is_merged_by_key_from_what_was_known() -> None:
    found = small_shop().history(AS_OF).to_arrow("SELECT product_id, category, price FROM product ORDER BY product_id")
    assert found.to_pylist() == [
        {"product_id": "cup", "category": "ware", "price": Decimal("8.00")},
        {"product_id": "tea", "category": "drinks", "price": Decimal("4.00")},
    ]


def test_masked_instants_after_the_cut_are_unknown() -> None:
    product = rows(
        "product",
        {"product_id": "a", "available_since": EARLY, "available_until": LATE},
        {"product_id": "b", "available_since": EARLY, "available_until": EARLY},
        {"product_id": "c", "available_since": LATE},
    )
    found = (
        shop(product=product)
        .history(AS_OF)
        .to_arrow("SELECT product_id, available_until FROM product ORDER BY product_id")
    )
    assert found.to_pylist() == [
        {"product_id": "a", "available_until": None},
        {"product_id": "b", "available_until": EARLY},
    ]


def test_a_day_counts_when_it_has_ended_on_the_local_clock() -> None:
    balance = rows(
        "balance",
        *[
            {"customer_id": "ann", "kind": "deposit", "day": day, "amount": Decimal(1)}
            for day in (date(2017, 10, 30), date(2017, 10, 31), date(2017, 11, 1))
        ],
    )
    found = shop(balance=balance).history(AS_OF).to_arrow("SELECT max(day) AS day FROM balance").to_pylist()
    assert found == [{"day": date(2017, 10, 31)}]


def test_a_forecast_is_known_when_issued_and_weather_when_its_day_has_ended() -> None:
    context = rows(
        "context",
        {"day": date(2017, 12, 25), "kind": "holiday", "issued_at": EARLY},
        {"day": date(2017, 11, 2), "kind": "rain", "issued_at": LATE},
        {"day": date(2017, 10, 31), "kind": "seen"},
        {"day": date(2017, 11, 1), "kind": "seen today"},
    )
    found = shop(context=context).history(AS_OF).to_arrow("SELECT kind FROM context ORDER BY kind").to_pylist()
    assert [row["kind"] for row in found] == ["holiday", "seen"]


def test_a_horizon_sees_its_window_and_nothing_else() -> None:
    warehouse = shop(
        purchase=rows(
            "purchase",
            purchase("a", "2017-11-01T03:59:59", "1"),
            purchase("b", "2017-11-01T04:00:00", "1"),
            purchase(
                "c", "2017-11-29T04:59:59", "1"
            ),  # daylight saving ended in between: 28 local days are an hour longer
            purchase("d", "2017-11-29T05:00:00", "1"),
        )
    )
    found = warehouse.history(AS_OF).horizon(28).to_arrow("SELECT customer_id FROM purchase ORDER BY customer_id")
    assert found.column("customer_id").to_pylist() == ["b", "c"]


def test_a_cut_needs_an_aware_instant() -> None:
    with pytest.raises(BadQuestion, match="no timezone"):
        small_shop().history(datetime(2017, 11, 1)).bind("SELECT 1 AS x")


def test_an_empty_warehouse_says_that_nothing_has_happened() -> None:
    with pytest.raises(NotEnoughData, match="Nothing has happened"):
        shop().last_instant()


def test_timeless_tables_are_named() -> None:
    warehouse = shop(customer=rows("customer", {"customer_id": "a", "gender": "f"}), purchase=rows("purchase"))
    assert warehouse.history(AS_OF).timeless == ["customer"]


_VERSION = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from("ab"),
        "known_at": st.none() | st.sampled_from([datetime(2017, month, 1) for month in range(1, 13)]),
        "city": st.none() | st.sampled_from(["Paris", "上海"]),
        "tier": st.none() | st.sampled_from(["gold", "silver"]),
    }
)


@settings(max_examples=25)
@given(st.lists(_VERSION, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_loading_never_changes_a_state(versions: list[dict[str, object]], chance: object) -> None:
    shuffled = list(versions)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    query = "SELECT customer_id, city, tier FROM customer ORDER BY customer_id"
    first, second = (
        shop(customer=rows("customer", *given)).history(AS_OF).to_arrow(query).to_pylist()
        for given in (versions, shuffled)
    )
    assert first == second


@settings(max_examples=25)
@given(st.lists(_VERSION, min_size=1, max_size=8))
def test_a_state_is_the_last_known_value_of_each_column(versions: list[dict[str, object]]) -> None:
    bound = LATE
    expected: dict[str, dict[str, object]] = {}
    dated = [version for version in versions if version["known_at"] is None or version["known_at"] < bound]  # type: ignore[operator]
    for version in sorted(dated, key=lambda v: (v["known_at"] or datetime.min, str(v["city"]))):  # noqa: DTZ901
        expected.setdefault(str(version["customer_id"]), {"city": None, "tier": None})
    for column in ("city", "tier"):
        for customer, values in expected.items():
            known = [
                (version["known_at"] or datetime(1900, 1, 1), version[column])
                for version in dated
                if version["customer_id"] == customer and version[column] is not None
            ]
            values[column] = max(known)[1] if known else None
    found = shop(customer=rows("customer", *versions)).history(AS_OF)
    seen = found.to_arrow("SELECT customer_id, city, tier FROM customer").to_pylist()
    assert {row.pop("customer_id"): row for row in seen} == expected
