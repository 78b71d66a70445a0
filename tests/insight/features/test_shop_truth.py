"""Feature values on a shop so small that each can be counted by hand; the cut is midnight of 1 November in New York."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from tests.store.warehouse.shop import AS_OF, NEW_YORK, instant, purchase, rows, shop

from aimwell.insight.features.build import Features
from aimwell.insight.features.library import library
from aimwell.store.warehouse.macros import Setting
from aimwell.store.warehouse.warehouse import Warehouse

Row = dict[str, object]
CUT = instant("2017-11-01T04:00:00")


def ago(customer: str, days: float, amount: str, order: str | None = None, **more: object) -> Row:
    """A purchase so many days of 24 hours before the cut (all after the clocks went forward)."""
    return purchase(customer, (CUT - timedelta(days=days)).isoformat(), amount, order=order, **more)


def values(
    warehouse: Warehouse, *names: str, given: Mapping[str, str] | None = None, customers: tuple[str, ...] = ("ann",)
) -> list[Any]:
    """The values of some features, of one customer after the other."""
    warehouse.refresh()
    warehouse.engine.write("people", pa.table({"customer_id": list(customers)}))
    features = Features(warehouse.history(AS_OF), library(), given=given or {})
    return [row[name] for row in features.to_arrow("people", names).to_pylist() for name in names]


def bought(*lines: Row, settings: Mapping[str, Setting] | None = None, **tables: pa.Table) -> Warehouse:
    opened = shop(purchase=rows("purchase", *lines), **tables)
    return Warehouse(opened.engine, NEW_YORK, settings or {})


def test_a_window_begins_at_the_same_time_of_day_and_ends_before_the_cut() -> None:
    warehouse = bought(
        ago("ann", 28, "1"),
        ago("ann", 28.001, "10"),
        ago("ann", 0.001, "100"),
        ago("ann", 0, "1000"),
    )
    assert values(warehouse, "spend_28d", "spend_56d", "visits_28d", "days_since_order") == [
        Decimal("101.00"),
        Decimal("111.00"),
        2,
        0,
    ]


def test_windows_count_local_days_when_the_clocks_change() -> None:
    """On 1 November at midnight, 364 days ago was 2 November 2016 at midnight: both in summer time, 04:00 UTC."""
    warehouse = bought(
        purchase("ann", "2016-11-02T04:00:00", "1"),
        purchase("ann", "2016-11-02T03:59:59", "10"),
    )
    assert values(warehouse, "spend_364d", "spend_ever") == [Decimal("1.00"), Decimal("11.00")]


def test_customers_without_orders_spend_nothing_and_have_no_average() -> None:
    warehouse = bought(ago("ann", 3, "5"))
    names = ("spend_28d", "visits_28d", "basket_28d", "days_since_order", "active_weeks_4w", "favourite_weekday")
    assert values(warehouse, *names, customers=("bob",)) == [Decimal("0.00"), 0, None, None, 0.0, None]


def test_goods_given_back_lower_the_spend_and_are_no_visit() -> None:
    warehouse = bought(
        ago("ann", 5, "20", order="one", line="1"),
        ago("ann", 5, "10", order="one", line="2"),
        ago("ann", 2, "-10", order="back", quantity=-1.0),
    )
    assert values(
        warehouse,
        "spend_28d",
        "visits_28d",
        "basket_28d",
        "days_since_order",
        "returned_lines_84d",
        "returned_share_ever",
    ) == [Decimal("20.00"), 1, Decimal("30.00"), 5, 1, pytest.approx(1 / 3, abs=1e-6)]


def test_trends_compare_a_stretch_with_the_one_before() -> None:
    warehouse = bought(ago("ann", 5, "30"), ago("ann", 40, "10"), ago("ann", 100, "60"))
    # 30 against 10 before; 28 days of 30 against 112 days of 100: (120 - 100) / 220.
    assert values(warehouse, "spend_trend_28d", "spend_pace", "spend_year_on_year") == [
        0.5,
        pytest.approx(20 / 220, abs=1e-6),
        None,
    ]


def test_weeks_count_back_from_the_day_of_the_cut() -> None:
    # 1 and 7 days ago: week 0; 8 days ago: week 1; 36 days ago: week 5, so weeks 2, 3 and 4 are a pause.
    warehouse = bought(ago("ann", 0.5, "2"), ago("ann", 6.5, "3"), ago("ann", 7.5, "5"), ago("ann", 35.5, "10"))
    found = values(warehouse, "active_weeks_4w", "active_weeks_8w", "longest_pause_16w", "best_week", "weekly_spend")
    assert found == [0.5, 0.375, 3, Decimal("10.00"), Decimal("1.25")]


def test_the_slope_of_equal_weeks_is_flat_and_of_growing_weeks_up() -> None:
    flat = [ago("ann", 7 * week + 0.5, "10") for week in range(8)]
    growing = [ago("bob", 7 * week + 0.5, str(80 - 10 * week)) for week in range(8)]
    found = values(bought(*flat, *growing), "spend_slope_8w", "visit_slope_8w", customers=("ann", "bob"))
    # Growing by 10 a week at a mean of 45.
    assert found == [0.0, 0.0, pytest.approx(10 / 45, abs=1e-6), 0.0]


def test_rhythm_is_that_of_days_and_silence_is_measured_against_it() -> None:
    # Days 40, 30, 20 and 10 before the cut, two orders on one of them: three gaps of ten days, silent for ten.
    warehouse = bought(*[ago("ann", days - 0.5, "5") for days in (10, 20, 30, 40)], ago("ann", 19.6, "5"))
    names = ("gap_mean", "gap_median", "gap_longest", "gap_variation", "silence_against_mean", "days_overdue")
    assert values(warehouse, *names) == [10.0, 10.0, 10.0, 0.0, 1.0, 0.0]
    assert values(warehouse, "silence_outlasted_share", "gaps_over_14d", "visit_days_28d") == [1.0, 0, 2]


def test_who_bought_on_one_day_has_no_rhythm_yet() -> None:
    warehouse = bought(ago("ann", 3, "5"))
    assert values(warehouse, "gap_mean", "silence_against_mean", "alive_chance", "cadence_days") == [None] * 4


def test_recent_orders_count_half_after_a_half_life() -> None:
    warehouse = bought(ago("ann", 28, "8"), ago("ann", 0.5, "4"))
    assert values(warehouse, "recent_visits_28h", "recent_spend_28h") == [1.5, Decimal("8.00")]


PRODUCTS = rows(
    "product",
    {"product_id": "rye", "department": "bakery", "category": "bread", "brand": "north", "own_brand": True},
    {"product_id": "oat", "department": "bakery", "category": "bread", "brand": "south", "own_brand": False},
    {"product_id": "ale", "department": "drinks", "category": "beer", "brand": "north", "own_brand": False},
)


def test_favourites_go_by_spend_and_equal_ones_by_name() -> None:
    warehouse = bought(
        ago("ann", 3, "6", product_id="rye"),
        ago("ann", 2, "3", product_id="oat"),
        ago("ann", 1, "1", product_id="ale"),
        product=PRODUCTS,
    )
    assert values(warehouse, "top_category", "top_category_share", "top_brand", "top_department") == [
        "bread",
        0.9,
        "north",
        "bakery",
    ]
    assert values(warehouse, "own_brand_share_112d", "products_28d", "categories_28d", "category_variety") == [
        0.6,
        3,
        2,
        pytest.approx(100 / 82, abs=1e-6),
    ]


def test_breadth_tells_new_products_from_old_ones() -> None:
    warehouse = bought(
        ago("ann", 200, "1", product_id="rye"),
        ago("ann", 20, "1", product_id="rye"),
        ago("ann", 10, "1", product_id="oat"),
        ago("bob", 10, "1", product_id="oat"),
        product=PRODUCTS,
    )
    names = ("new_product_share", "repeat_product_share", "favourite_product_lines")
    assert values(warehouse, *names, customers=("ann", "bob")) == [0.5, 0.5, 2, None, 0.0, 1]


def test_loyalty_to_a_brand_is_weighed_by_spend_within_each_category() -> None:
    warehouse = bought(
        *[ago("ann", days, "2", product_id="rye") for days in (1, 2, 3)],
        ago("ann", 4, "2", product_id="oat"),
        ago("ann", 5, "9", product_id="ale"),
        product=PRODUCTS,
    )
    # Bread: 6 of 8 for north. Beer has one line only and does not count.
    assert values(warehouse, "brand_loyalty") == [0.75]


def test_lost_categories_are_those_bought_regularly_before_and_not_of_late() -> None:
    beer = [ago("ann", days, "5", product_id="ale") for days in (60, 70, 80)]
    bread = [ago("ann", days, "1", product_id="rye") for days in (1, 15, 29)]
    warehouse = bought(*beer, *bread, product=PRODUCTS)
    found = values(warehouse, "lost_categories", "lost_category_share", "lost_category_spend_share")
    assert found == [1, 0.5, pytest.approx(15 / 18, abs=1e-6)]
    assert values(warehouse, "most_missed_category", "overdue_category_share") == ["beer", 0.5]


def test_a_category_is_due_when_its_own_gap_has_nearly_passed() -> None:
    bread = [ago("ann", days, "4", product_id="rye") for days in (12, 24, 36)]
    beer = [ago("ann", days, "9", product_id="ale") for days in (1, 21, 41)]
    warehouse = bought(*bread, *beer, product=PRODUCTS)
    assert values(warehouse, "due_categories", "most_due_category", "due_spend") == [1, "bread", Decimal("4.00")]


def test_the_most_popular_category_never_bought_is_named() -> None:
    warehouse = bought(
        ago("ann", 3, "1", product_id="ale"),
        ago("bob", 3, "1", product_id="rye"),
        ago("cat", 3, "1", product_id="rye"),
        product=PRODUCTS,
    )
    assert values(warehouse, "next_popular_category", "popular_never_bought") == ["bread", 1]


def test_price_level_compares_with_the_category() -> None:
    warehouse = bought(
        ago("ann", 3, "8", product_id="rye", quantity=2.0),
        ago("bob", 3, "1", product_id="oat", quantity=1.0),
        product=PRODUCTS,
    )
    # 4 and 1 per unit; their geometric mean is 2.
    assert values(warehouse, "price_level", customers=("ann", "bob")) == [2.0, 0.5]


def test_times_are_those_of_the_local_clock() -> None:
    # 29 October 2017 is a Sunday; 03:30 UTC on Monday is still Sunday, 23:30, in New York.
    warehouse = bought(purchase("ann", "2017-10-30T03:30:00", "1"), purchase("ann", "2017-10-25T16:00:00", "1"))
    names = ("weekend_share", "night_share", "midday_share", "favourite_weekday", "month_start_share")
    assert values(warehouse, *names) == [0.5, 0.5, 0.5, "3", 0.0]


def test_places_are_counted_and_the_latest_of_equals_is_the_favourite() -> None:
    warehouse = bought(ago("ann", 100, "1", place="a"), ago("ann", 3, "1", place="b"))
    assert values(warehouse, "favourite_place", "favourite_place_share", "places_84d", "places_ever") == [
        "b",
        0.5,
        1,
        2,
    ]


def test_discounts_are_a_share_of_the_price_before_them() -> None:
    warehouse = bought(ago("ann", 3, "8", discount=Decimal("2")), ago("ann", 2, "10", discount=Decimal(0)))
    found = values(warehouse, "discount_share_28d", "discounted_visit_share_84d", "days_since_discount")
    assert found == [0.1, 0.5, 3]


def test_scores_rank_everyone_and_ties_go_to_the_smaller_id() -> None:
    people = [ago(name, 10, "5") for name in ("a", "b", "c", "d")] + [ago("e", 1, "50"), ago("e", 2, "50")]
    warehouse = bought(*people)
    names = ("recency_score", "frequency_score", "monetary_score")
    found = values(warehouse, *names, customers=("a", "d", "e"))
    assert found == [4, 4, 4, 1, 1, 1, 5, 5, 5]
    assert values(warehouse, "rfm_score", "rfm_group", customers=("d", "e")) == [3, "lll", 15, "hhh"]


def test_tiers_follow_the_thresholds_of_the_workspace() -> None:
    lines = [ago(name, 10, amount) for name, amount in zip("abcd", ("70", "20", "9", "1"), strict=True)]
    by_default = values(bought(*lines), "value_tier", customers=tuple("abcd"))
    assert by_default == ["top", "middle", "low", "low"]
    wider = values(bought(*lines, settings={"value_tier_top_percent": 50}), "value_tier", customers=tuple("abcd"))
    assert wider == ["top", "top", "low", "low"]
    found = values(bought(*lines), "pareto_class", "spend_percentile", "spend_contribution", customers=("b", "d"))
    assert found == ["A", 0.75, 200_000.0, "C", 0.25, 10_000.0]


def test_basket_sizes_follow_the_thresholds_of_the_workspace() -> None:
    lines = [ago("ann", 3, "1", order="big", line=str(number)) for number in range(3)] + [ago("ann", 1, "1")]
    warehouse = bought(*lines, settings={"large_basket_lines": 3, "small_basket_lines": 1})
    names = (
        "large_basket_share",
        "small_basket_share",
        "basket_class",
        "days_since_large_basket",
        "lines_per_order_84d",
    )
    assert values(warehouse, *names) == [0.5, 0.5, "stocks_up", 3, 2.0]


def test_the_response_rate_leans_on_everybodys() -> None:
    touches = [{"touch_id": f"t{n}", "customer_id": c, "occurred_at": CUT - timedelta(days=n)}
               for n, c in ((1, "ann"), (2, "ann"), (3, "bob"), (4, "bob"))]  # fmt: skip
    answers = [{"outcome_id": "x", "touch_id": "t1", "customer_id": "ann", "kind": "clicked",
                "occurred_at": CUT - timedelta(hours=1)}]  # fmt: skip
    warehouse = bought(ago("ann", 3, "1"), touch=rows("touch", *touches), outcome=rows("outcome", *answers))
    # Everybody: one of four. Ann: (1 + 5 / 4) / (2 + 5), Bob: (0 + 5 / 4) / (2 + 5).
    found = values(
        warehouse, "response_rate", "responded_touches_ever", "last_touch_answered", customers=("ann", "bob")
    )
    assert found == [pytest.approx(2.25 / 7, abs=1e-6), 1, True, pytest.approx(1.25 / 7, abs=1e-6), 0, False]


def test_a_campaign_fits_who_buys_its_goods() -> None:
    warehouse = bought(
        ago("ann", 3, "6", product_id="rye"),
        ago("ann", 40, "2", product_id="rye"),
        ago("ann", 50, "12", product_id="ale"),
        ago("bob", 3, "5", product_id="ale"),
        product=PRODUCTS,
    )
    goods = pa.table({"code": ["k1", "k1", "k2"], "product_id": ["rye", "oat", "oat"]})
    warehouse.engine.write("goods_of_18", goods)
    names = ("campaign_lines_28d", "campaign_lines_112d", "campaign_spend", "campaign_spend_share", "campaign_codes")
    found = values(warehouse, *names, given={"campaign_goods": "goods_of_18"}, customers=("ann", "bob"))
    assert found == [1, 2, Decimal("8.00"), 0.4, 1, 0, 0, Decimal("0.00"), 0.0, 0]
    assert values(warehouse, *names) == [None] * 5


def test_stretches_of_28_days_lie_beside_each_other() -> None:
    warehouse = bought(ago("ann", 5, "10"), ago("ann", 30, "20"), ago("ann", 90, "40"))
    names = ("usual_28d_spend", "worst_28d_spend", "best_28d_spend", "empty_28d")
    assert values(warehouse, *names) == [Decimal("15.00"), Decimal("0.00"), Decimal("40.00"), 1]


def test_value_to_come_is_foretold_from_days_with_orders() -> None:
    regular = [ago("ann", 7 * week + 0.5, "10") for week in range(20)]
    gone = [ago("bob", 7 * week + 100.5, "10") for week in range(20)]
    once = [ago("cat", 50, "30")]
    names = ("alive_chance", "expected_orders_28d", "expected_order_value")
    found = values(bought(*regular, *gone, *once), *names, customers=("ann", "bob", "cat"))
    alive, orders, value = (found[place::3] for place in range(3))
    assert alive[0] > 0.9 > 0.5 > alive[1]
    assert 3 < orders[0] < 5
    assert value[0] == pytest.approx(Decimal(10), abs=Decimal(2))
    assert Decimal(10) < value[2] <= Decimal(30)
