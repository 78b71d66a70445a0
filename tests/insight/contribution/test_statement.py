"""Statements of contribution: the shop counted by hand again, in periods, with unknown and assumed margins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.insight.contribution.test_contribution import PRODUCTS, bought, touched
from tests.insight.features.small import SHANGHAI, warehouse_with

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.insight.contribution.statement import Statement, open_account, segments_at
from aimwell.insight.features.library import library
from aimwell.insight.predictions.workshop import Workshop

UNTIL = datetime(2026, 3, 1, tzinfo=SHANGHAI)
LINES = [
    bought("ann", "tea", 2, 0.5),
    bought("ann", "cup", 1, 0),
    bought("bob", "cup", -1, 0),
    bought("bob", "pot", 1, 2.0),
    bought("ann", "tea", 9, 9, 2025, 1, 1),
]
GOODS: list[dict[str, object]] = [{**PRODUCTS[0], "name": "Green tea"}, {**PRODUCTS[1]}, {"product_id": "pot"}]


def shop(
    folder: Path, lines: Sequence[dict[str, object]] = LINES, goods: Sequence[dict[str, object]] = GOODS
) -> Workshop:
    touches = [touched("ann", 1, 0.10), touched("cat", 1, 0.05)]
    return Workshop(warehouse_with(product=goods, purchase=lines, touch=touches), library(), folder)


def rows(found: Statement) -> dict[str, str]:
    return {row[found.key]: str(row["contribution"]) for row in found.rows.to_pylist()}


def test_the_best_come_first_with_names_and_currency_and_the_sum_is_that_of_the_tables(tmp_path: Path) -> None:
    found = open_account(shop(tmp_path), UNTIL, currency="CNY").state("product")
    # Ann's 10 cents by her margins of 4 and 1; cat's 5 cents belong to no product; the pot lost its discount.
    assert list(rows(found).items()) == [("tea", "3.42"), ("cup", "-0.02"), ("", "-0.05"), ("pot", "-2.00")]
    assert found.rows.column("name").to_pylist()[0] == "Green tea"
    assert set(found.rows.column("currency").to_pylist()) == {"CNY"}
    assert (found.shared.margin, found.shared.incentives, found.shared.contacts) == (
        Decimal("4.00"),
        Decimal("2.50"),
        Decimal("0.15"),
    )
    assert found.proven
    assert found.books.contribution == Decimal("1.35")
    assert (found.lines, found.unknown, found.assumed) == (4, 1, None)


def test_lines_without_a_margin_take_the_assumed_one_of_their_price_before_discounts(tmp_path: Path) -> None:
    found = open_account(shop(tmp_path), UNTIL, currency="CNY", assumed_percent=25).state("product")
    assert rows(found)["pot"] == "1.00"  # a quarter of 10 paid and 2 off, less the 2
    assert rows(found)["tea"] == "3.42"
    assert found.assumed == 0.25
    unknown = shop(tmp_path, goods=[{"product_id": "tea"}])
    alone = open_account(unknown, UNTIL, currency="CNY", assumed_percent=10).state("customer")
    assert alone.shared.margin == Decimal("4.25")  # of 10.50, 10, 10 and 12: 1.05, 1, 1 and 1.20
    assert (alone.lines, alone.unknown) == (4, 4)


def test_a_period_is_half_open_and_of_whole_days(tmp_path: Path) -> None:
    workshop = shop(tmp_path)
    old = open_account(
        workshop,
        datetime(2025, 1, 2, tzinfo=SHANGHAI),
        currency="CNY",
        since=datetime(2025, 1, 1, tzinfo=SHANGHAI),
    )
    assert rows(old.state("customer")) == {"ann": "9.00"}  # nine times 2, less 9
    before = datetime(2025, 1, 1, tzinfo=SHANGHAI)
    with pytest.raises(NotEnoughData, match="Nothing was bought and nobody contacted from 2024-01-03 until 2025-01-01"):
        open_account(workshop, before, currency="CNY")
    for since in (UNTIL, UNTIL.replace(day=2), datetime(2026, 2, 1, 5, tzinfo=SHANGHAI)):
        with pytest.raises(BadQuestion, match="some whole days"):
            open_account(workshop, UNTIL, currency="CNY", since=since)


def test_unknown_margins_and_impossible_ones_are_refused(tmp_path: Path) -> None:
    unknown = shop(tmp_path, goods=[{"product_id": "tea"}])
    with pytest.raises(NotEnoughData, match="--margin-percent"):
        open_account(unknown, UNTIL, currency="CNY")
    with pytest.raises(BadQuestion, match="0 to 100 per cent; saw 120"):
        open_account(unknown, UNTIL, currency="CNY", assumed_percent=120)


def test_segments_that_are_not_there_or_were_never_built_are_named(tmp_path: Path) -> None:
    workshop = shop(tmp_path)
    with pytest.raises(BadQuestion, match="There is no segment 'vip'; expected one of recent"):
        segments_at(workshop, UNTIL, ["recent"], ["vip"])
    with pytest.raises(BadQuestion, match="Nothing is recorded of the segment 'recent'"):
        segments_at(workshop, UNTIL, ["recent"], ["recent"])
    with pytest.raises(NotEnoughData, match="aimwell segment refresh"):
        segments_at(workshop, UNTIL, ["recent"])
