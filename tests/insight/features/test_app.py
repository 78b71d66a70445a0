"""Features of the shop and app, on customers whose rows can be counted by hand."""

from __future__ import annotations

import json
from datetime import date

from tests.insight.features.small import local, values, warehouse_with

CUT = local(2025, 6, 1)
PEOPLE = [{"customer_id": who, "city": city} for who, city in (("ann", "A"), ("bob", "A"), ("cid", "B"), ("dan", None))]


def _event(number: int, who: str, name: str, *when: int, **more: object) -> dict[str, object]:
    product = more.pop("product", None)
    details = {"properties": json.dumps({"product_id": product})} if product else {}
    at = local(*when)
    return {"event_id": str(number), "customer_id": who, "name": name, "occurred_at": at, **details, **more}


def test_sessions_are_counted_once_and_their_hours_are_local() -> None:
    events = [
        _event(1, "ann", "app_opened", 2025, 5, 30, 20, channel="app", session_id="s1"),
        _event(2, "ann", "product_viewed", 2025, 5, 30, 20, 5, channel="app", session_id="s1"),
        _event(3, "ann", "app_opened", 2025, 5, 10, 21, channel="app", session_id="s2"),
        _event(4, "ann", "app_opened", 2025, 5, 11, 8, channel="web", session_id="s3"),
        _event(5, "ann", "app_opened", 2025, 4, 20, 20, channel="app", session_id="s4"),
    ]
    with warehouse_with(customer=PEOPLE, event=events) as warehouse:
        names = ("app_sessions_7d", "app_sessions_28d", "app_sessions_84d", "app_days_28d", "app_depth_84d")
        found = values(warehouse, CUT, *names, "app_last_days", "app_trend_28d")
        assert list(found["ann"].values()) == [1, 3, 4, 3, 1.25, 1, 0.5]
        assert list(found["bob"].values()) == [0, 0, 0, 0, None, None, None]
        habits = values(warehouse, CUT, "app_hour", "app_weekday", "app_channel", "app_weekend_share")["ann"]
        assert habits == {"app_hour": 20, "app_weekday": 7, "app_channel": "app", "app_weekend_share": 0.75}


def test_rates_of_few_messages_are_drawn_to_the_average() -> None:
    touches, outcomes = [], []
    for who, opened in (("ann", 8), ("bob", 0)):
        for number in range(10):
            key = f"{who}{number}"
            day = 1 + number
            touches.append(
                {"touch_id": key, "customer_id": who, "channel": "email", "occurred_at": local(2025, 5, day, 9)}
            )
            if number < opened:
                answer = {"touch_id": key, "customer_id": who, "kind": "opened", "occurred_at": local(2025, 5, day, 20)}
                outcomes.append({"outcome_id": key, **answer})
    # Sent yesterday: too fresh to count against anyone.
    touches.append({"touch_id": "x", "customer_id": "ann", "channel": "email", "occurred_at": local(2025, 5, 31, 9)})
    with warehouse_with(customer=PEOPLE, touch=touches, outcome=outcomes) as warehouse:
        names = ("mail_open_rate", "mail_sent_84d", "mail_last_open_days", "open_hour")
        found = values(warehouse, CUT, *names)
        assert list(found["ann"].values()) == [0.666667, 11, 23, 20]
        assert list(found["bob"].values()) == [0.133333, 10, None, None]
        assert found["cid"]["mail_open_rate"] is None


def test_of_several_forecasts_the_last_one_that_was_issued_counts() -> None:
    weather = [
        {"day": date(2025, 5, 30), "place": "A", "kind": "temperature", "value": 20.0, "issued_at": None},
        {"day": date(2025, 5, 31), "place": "A", "kind": "temperature", "value": 22.0, "issued_at": None},
        {"day": date(2025, 6, 1), "place": "A", "kind": "temperature", "value": 40.0, "issued_at": None},
        {
            "day": date(2025, 6, 1),
            "place": "A",
            "kind": "temperature",
            "value": 25.0,
            "issued_at": local(2025, 5, 30, 6),
        },
        {
            "day": date(2025, 6, 1),
            "place": "A",
            "kind": "temperature",
            "value": 27.0,
            "issued_at": local(2025, 5, 31, 6),
        },
        {
            "day": date(2025, 6, 2),
            "place": "A",
            "kind": "temperature",
            "value": 29.0,
            "issued_at": local(2025, 5, 31, 6),
        },
        {
            "day": date(2025, 6, 2),
            "place": "A",
            "kind": "temperature",
            "value": 99.0,
            "issued_at": local(2025, 6, 1, 6),
        },
    ]
    with warehouse_with(customer=PEOPLE, context=weather) as warehouse:
        names = ("temperature_seen_7d", "temperature_ahead_3d", "temperature_change_ahead")
        found = values(warehouse, CUT, *names)
        assert list(found["ann"].values()) == [21.0, 28.0, 7.0]
        assert list(found["cid"].values()) == [None, None, None]


def test_devices_tell_the_latest_phone_and_whether_a_push_arrives() -> None:
    devices: list[dict[str, object]] = [
        {
            "device_id": "1",
            "customer_id": "ann",
            "kind": "android",
            "push_token": None,
            "first_seen": local(2024, 1, 1),
        },
        {"device_id": "2", "customer_id": "ann", "kind": "ios", "push_token": "t", "first_seen": local(2025, 1, 1)},
        {"device_id": "3", "customer_id": "ann", "kind": "android", "push_token": "u", "first_seen": local(2025, 7, 1)},
        {"device_id": "4", "customer_id": "bob", "kind": "web", "push_token": None, "first_seen": local(2025, 1, 1)},
    ]
    with warehouse_with(customer=PEOPLE, device=devices) as warehouse:
        found = values(warehouse, CUT, "devices", "phone_system", "push_reachable", "uses_web")
        assert list(found["ann"].values()) == [2, "ios", True, False]
        assert list(found["bob"].values()) == [1, None, False, True]
        assert list(found["cid"].values()) == [0, None, False, False]


def test_the_last_answer_to_each_question_counts() -> None:
    def answer(number: int, question: str, day: int, **what: object) -> dict[str, object]:
        when = local(2025, 5, day)
        return {"feedback_id": str(number), "customer_id": "ann", "source": question, "occurred_at": when, **what}

    answers = [
        answer(1, "survey:motive", 1, text="price"),
        answer(2, "survey:motive", 9, text="quality"),
        answer(3, "survey:recommend", 9, rating=9.0),
        answer(4, "review", 20, text="{broken", rating=1.0),
    ]
    with warehouse_with(customer=PEOPLE, feedback=answers) as warehouse:
        found = values(warehouse, CUT, "stated_motive", "recommends", "recommends_group", "survey_last_days")
        assert list(found["ann"].values()) == ["quality", 9.0, "promoter", 23]
        assert list(found["bob"].values()) == [None, None, None, None]


def test_how_many_live_in_the_same_city() -> None:
    with warehouse_with(customer=PEOPLE) as warehouse:
        found = values(warehouse, CUT, "city_customers", "city_share")
        assert list(found["ann"].values()) == [2, 0.666667]
        assert list(found["dan"].values()) == [None, None]


def test_looked_at_and_not_bought_and_baskets_left_behind() -> None:
    products = [{"product_id": name, "category": name} for name in ("tea", "cup")]
    events = [
        *[_event(n, "ann", "product_viewed", 2025, 5, 10 + n, product="tea") for n in range(3)],
        *[_event(10 + n, "ann", "product_viewed", 2025, 5, 10 + n, product="cup") for n in range(5)],
        _event(20, "bob", "product_viewed", 2025, 5, 10, product="tea"),
        _event(21, "bob", "product_added", 2025, 5, 10, product="tea"),
        _event(22, "ann", "product_added", 2025, 5, 14, product="cup"),
    ]
    bought = {"order_id": "1", "line": "1", "customer_id": "ann", "product_id": "cup", "amount": 10, "quantity": 1.0}
    purchases = [bought | {"occurred_at": local(2025, 5, 14, 12)}]
    with warehouse_with(customer=PEOPLE, product=products, event=events, purchase=purchases) as warehouse:
        names = ("browsed_category", "browsed_views", "browsed_categories", "baskets_left_28d", "basket_left_last_days")
        found = values(warehouse, CUT, *names)
        assert list(found["ann"].values()) == ["tea", 3, 1, 0, None]
        assert list(found["bob"].values()) == [None, 0, 1, 1, 22]


def test_a_way_of_life_is_inferred_from_categories_above_the_average() -> None:
    products = [{"product_id": name, "category": name} for name in ("shoes", "bread")]
    ties = [
        {"head": "shoes", "relation": "lifestyle", "tail": "active"},
        {"head": "bread", "relation": "kin", "tail": "x"},
    ]
    bought = [("ann", "shoes")] * 4 + [("bob", "bread")] * 6 + [("bob", "shoes")] * 2
    purchases = [
        {
            "order_id": str(number),
            "line": "1",
            "customer_id": who,
            "product_id": what,
            "amount": 5,
            "occurred_at": local(2025, 5, 1 + number),
        }
        for number, (who, what) in enumerate(bought)
    ]
    with warehouse_with(customer=PEOPLE, product=products, relation=ties, purchase=purchases) as warehouse:
        found = values(warehouse, CUT, "lifestyle", "lifestyle_strength")
        assert list(found["ann"].values()) == ["active", 2.0]
        assert list(found["bob"].values()) == [None, None]
