"""Contribution: a shop counted by hand, and books of any kind that every view adds up to."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.insight.features.small import local, warehouse_with

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.insight.contribution.contribution import contribution, verify_contribution
from aimwell.insight.contribution.ledgers import Books, read_books

MONEY = pa.decimal128(18, 2)
AS_OF = datetime(2026, 3, 1, tzinfo=UTC)


def bought(customer: str, product: str, quantity: float, discount: float, *moment: int) -> dict[str, object]:
    at = local(*(moment or (2026, 2, 20)))
    return {
        "order_id": f"{customer}{product}{at}",
        "line": "1",
        "customer_id": customer,
        "product_id": product,
        "occurred_at": at,
        "quantity": quantity,
        "amount": 10.0,
        "discount": discount,
    }


def touched(customer: str, number: int, cost: float, campaign: str | None = None) -> dict[str, object]:
    return {
        "touch_id": f"{customer}{number}",
        "customer_id": customer,
        "campaign": campaign,
        "occurred_at": local(2026, 2, 10),
        "cost": cost,
    }


PRODUCTS = [{"product_id": "tea", "margin": 2.0}, {"product_id": "cup", "margin": 1.0}]


def test_a_shop_counted_by_hand() -> None:
    warehouse = warehouse_with(
        product=PRODUCTS,
        purchase=[
            bought("ann", "tea", 2, 0.5),
            bought("ann", "cup", 1, 0),
            bought("bob", "cup", -1, 0),
            bought("ann", "tea", 9, 9, 2025, 1, 1),
        ],
        touch=[touched("ann", 1, 0.10), touched("cat", 1, 0.05, "spring"), touched("bob", 1, 0, "spring")],
        spend=[
            {"day": datetime(2026, 2, 11).date(), "channel": "ads", "campaign": "spring", "cost": 0.03},
            {"day": datetime(2026, 2, 11).date(), "channel": "ads", "campaign": "nobody", "cost": 1.0},
        ],
    )
    books = read_books(warehouse.history(AS_OF), 56)
    assert books.total == (400, 50, 118)
    found = contribution(books)
    rows = {row["customer_id"]: row for row in found.by_customer().to_pylist()}
    assert {name: str(row["contribution"]) for name, row in rows.items()} == {
        "": "-1.00",
        "ann": "4.40",
        "bob": "-1.02",  # 3 cents of spring among bob and cat: the odd cent goes to the first
        "cat": "-0.06",
    }
    products = {row["product_id"]: str(row["contribution"]) for row in found.by_product().to_pylist()}
    # Ann's 10 cents by her margins of 4 and 1; nobody's euro and cat's 6 cents belong to no product.
    assert products == {"": "-1.06", "cup": "-0.04", "tea": "3.42"}
    segments = found.by_segment({"new": ["ann", "bob"], "old": ["ann"]})
    assert {row["segment"]: str(row["contribution"]) for row in segments.to_pylist()} == {
        "": "-1.06",
        "new": "1.18",
        "old": "2.20",
    }


CENTS = st.integers(-(10**9), 10**9)
NAMES = st.sampled_from(["a", "b", "c", "d"])
CAMPAIGNS = st.sampled_from(["", "x", "y"])


@given(
    st.dictionaries(st.tuples(NAMES, st.sampled_from(["", "p", "q"])), st.tuples(CENTS, CENTS), max_size=12),
    st.dictionaries(st.tuples(NAMES, CAMPAIGNS), st.tuples(st.integers(1, 50), CENTS), max_size=12),
    st.dictionaries(CAMPAIGNS, CENTS, max_size=3),
    st.dictionaries(st.sampled_from(["s", "t", "u"]), st.lists(NAMES), max_size=3),
)
def test_every_view_adds_up_to_the_books_to_the_cent(
    lines: dict[tuple[str, str], tuple[int, int]],
    touches: dict[tuple[str, str], tuple[int, int]],
    spend: dict[str, int],
    members: dict[str, list[str]],
) -> None:
    books = Books(
        pa.table(
            {
                "customer_id": pa.array([customer for customer, _ in lines], pa.string()),
                "product_id": pa.array([product for _, product in lines], pa.string()),
                "margin": money([margin for margin, _ in lines.values()]),
                "incentives": money([incentive for _, incentive in lines.values()]),
            }
        ),
        pa.table(
            {
                "customer_id": pa.array([customer for customer, _ in touches], pa.string()),
                "campaign": pa.array([campaign for _, campaign in touches], pa.string()),
                "touches": pa.array([count for count, _ in touches.values()], pa.int64()),
                "cost": money([cost for _, cost in touches.values()]),
            }
        ),
        pa.table({"campaign": pa.array(list(spend), pa.string()), "cost": money(list(spend.values()))}),
    )
    found = contribution(books)
    for view in (found.by_customer(), found.by_product(), found.by_segment(members)):
        verify_contribution(view, books)
        margin, incentives, contacts = (Decimal(part).scaleb(-2) for part in books.total)
        assert sum(view.column("contribution").to_pylist(), Decimal(0)) == margin - incentives - contacts


def money(amounts: list[int]) -> pa.Array:
    return pa.array([Decimal(amount).scaleb(-2) for amount in amounts], MONEY)


def test_what_is_not_loaded_costs_nothing() -> None:
    line = bought("ann", "tea", 1, 0)
    del line["discount"]
    books = read_books(warehouse_with(product=PRODUCTS, purchase=[line]).history(AS_OF), 56)
    assert books.total == (200, 0, 0)
    empty = read_books(warehouse_with(product=PRODUCTS, purchase=[line]).history(AS_OF), 1)
    assert empty.total == (0, 0, 0)
    assert contribution(empty).by_customer().num_rows == 0


def test_bad_input_is_named() -> None:
    history = warehouse_with(product=[{"product_id": "tea"}], purchase=[bought("ann", "tea", 1, 0)]).history(AS_OF)
    with pytest.raises(NotEnoughData, match="Without margins .* saw nothing in product.margin"):
        read_books(history, 56)
    books = read_books(warehouse_with(product=PRODUCTS, purchase=[bought("ann", "tea", 1, 0)]).history(AS_OF), 56)
    with pytest.raises(BadQuestion, match="does not add up to the books"):
        verify_contribution(contribution(books).by_customer().slice(1), books)
