"""What is odd about loaded data is said, with figures that can be counted by hand, and stops nothing."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from tests.store.sources.workbench import ORDERS, load, source, write

from aimwell.store.sources.days import odd_days
from aimwell.store.sources.report import Oddity, TableQuality
from aimwell.store.sources.words import summary
from aimwell.store.warehouse.duck import DuckEngine

HEAD = "order,line,customer,at,paid\n"


def quality(folder: Path, body: str, *more: str) -> TableQuality:
    write(folder, "orders.csv", HEAD + body)
    sources = [source(ORDERS), *(source(each, f"more{n}") for n, each in enumerate(more))]
    report = load(DuckEngine(), folder, *sources)
    return next(each for each in report.quality if each.table == "purchase")


def kinds(found: TableQuality) -> dict[tuple[str, str], Oddity]:
    return {(each.kind, each.column): each for each in found.oddities}


def test_future_and_long_past_dates_zeros_negatives_and_blanks_are_counted(tmp_path: Path) -> None:
    found = kinds(quality(tmp_path, "1,1,a,2027-01-01,1\n2,1,b,1970-01-01,0\n3,,c,2024-01-01,-5\n4,1,d,2024-01-01,2\n"))
    assert found["future", "occurred_at"].rows == 1
    assert found["future", "occurred_at"].examples == ("2027-01-01 00:00:00",)
    assert found["long_past", "occurred_at"].rows == 1
    assert (found["zero", "amount"].rows, found["negative", "amount"].share) == (1, 0.25)
    assert found["unknown", "line"].said.en == "line: no value in 25.0%"
    assert found["unknown", "line"].said.zh == "line:25.0% 没有值"
    assert ("constant", "line") not in found  # not every row has it


def test_constant_columns_and_extreme_values_are_shown(tmp_path: Path) -> None:
    body = "".join(f"{n},1,c{n},2024-01-01,{1 + n % 3}\n" for n in range(400)) + "x,1,y,2024-01-01,90000\n"
    found = kinds(quality(tmp_path, body))
    assert found["constant", "occurred_at"].examples == ("2024-01-01 00:00:00",)
    assert ("constant", "line") not in found  # ids are many by nature
    assert (found["extreme", "amount"].rows, found["extreme", "amount"].examples) == (1, ("90000.00",))


def test_a_state_knows_what_any_of_its_rows_knows(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "id,city\n1,Berlin\n2,\n3,\n")
    write(tmp_path, "b.csv", "id,city,vip\n2,Paris,x\n")
    text = "read: {{path: {0}.csv}}\ntables: [{{table: customer, columns: {{customer_id: id, city: city}}}}]\n"
    report = load(DuckEngine(), tmp_path, source(text.format("a"), "a"), source(text.format("b"), "b"))
    found = kinds(report.quality[0])
    assert (report.quality[0].rows, found["unknown", "city"].rows) == (4, 1)
    assert found["unknown", "city"].said.en == "city: no value in 33.3%"


def test_a_constant_that_was_written_on_purpose_is_no_surprise(tmp_path: Path) -> None:
    write(tmp_path, "orders.csv", HEAD + "1,1,a,2024-01-01,1\n2,1,b,2024-01-01,2\n")
    for mapped, surprising in (("{constant: web}", False), ("{expression: lower('WEB')}", True)):
        orders = source(ORDERS.replace("amount: paid", f"amount: paid, channel: {mapped}"))
        report = load(DuckEngine(), tmp_path, orders)
        assert (("constant", "channel") in kinds(report.quality[0])) is surprising


def test_keys_that_point_nowhere_are_counted_by_row_and_value(tmp_path: Path) -> None:
    write(tmp_path, "people.csv", "id\nann\n")
    people = "read: {path: people.csv}\ntables: [{table: customer, columns: {customer_id: id}}]\n"
    found = quality(
        tmp_path, "1,1,ann,2024-01-01,1\n2,1,bob,2024-01-01,1\n3,1,bob,2024-01-01,1\n4,1,c,2024-01-01,1\n", people
    )
    assert [(o.column, o.references, o.rows, o.values, o.examples) for o in found.orphans] == [
        ("customer_id", "customer", 3, 2, ("bob", "c"))
    ]


def test_days_without_rows_or_with_unusual_ones_stand_out() -> None:
    first = date(2024, 1, 1)
    counts = {first + timedelta(days=n): 100 for n in range(28)}
    del counts[date(2024, 1, 10)]
    counts[date(2024, 1, 16)] = 3
    counts[date(2024, 1, 17)] = 900
    missing, unusual = odd_days("occurred_at", counts)
    assert (missing.kind, missing.examples) == ("missing_days", ("2024-01-10",))
    assert (unusual.rows, unusual.examples) == (2, ("2024-01-16", "2024-01-17"))


def test_a_shop_that_is_closed_on_sundays_misses_no_day() -> None:
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(140)]
    assert odd_days("occurred_at", {day: 50 for day in days if day.weekday() != 6 or day.day == 7}) == []


def test_few_days_or_sparse_ones_say_nothing() -> None:
    assert odd_days("d", {}) == []
    assert odd_days("d", {date(2024, 1, 1): 5, date(2024, 1, 9): 5}) == []
    assert odd_days("d", {date(2024, 1, 1) + timedelta(days=7 * n): 5 for n in range(20)}) == []


def test_the_first_and_last_day_may_be_partial() -> None:
    counts = {date(2024, 1, 1) + timedelta(days=n): 100 for n in range(20)}
    counts[date(2024, 1, 1)] = counts[date(2024, 1, 20)] = 1
    assert odd_days("d", counts) == []


def test_a_report_is_said_in_both_languages(tmp_path: Path) -> None:
    write(tmp_path, "orders.csv", HEAD + "1,1,a,2024-01-01,0\n2,1,,2024-01-01,1\n")
    report = load(DuckEngine(), tmp_path, source(ORDERS))
    english, chinese = "\n".join(summary(report, "en")), "\n".join(summary(report, "zh"))
    assert "purchase: 2 read = 1 kept + 1 rejected + 0 filtered + 0 duplicates" in english
    assert "1 × customer_id is missing  (orders.csv:2)" in english
    assert "读入 2 = 保留 1 + 拒绝 1 + 过滤 0 + 重复 0" in chinese
    assert "缺少 customer_id" in chinese
