"""The calendar: swapped days as another package has them, known when they were published; what it says of people."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import chinese_calendar
import pytest
from tests.insight.features.small import local, values, warehouse_with

from aimwell.core.errors import BadDefinition, BadQuestion
from aimwell.store.calendar import calendar_rows, last_published
from aimwell.store.sources.load import load
from aimwell.store.workspace import open_workspace

CHINA = calendar_rows("CN", date(2024, 1, 1), date(2027, 1, 1)).to_pylist()
PEOPLE = [{"customer_id": "ann"}, {"customer_id": "bob"}]


def days_off(country: str, since: date, until: date) -> set[date]:
    """The days on which most people are off, as last issued."""
    last: dict[date, tuple[datetime, float]] = {}
    for row in calendar_rows(country, since, until).to_pylist():
        if row["kind"] == "day_off":
            last[row["day"]] = max(last.get(row["day"], (datetime(1900, 1, 1), 0.0)), (row["issued_at"], row["value"]))
    return {day for day, (_, value) in last.items() if value}


def test_days_off_in_china_are_those_of_another_package_swaps_included() -> None:
    since, until = date(2010, 1, 1), date(2027, 1, 1)
    found = days_off("CN", since, until)
    days = [since + timedelta(days=number) for number in range((until - since).days)]
    assert found == {day for day in days if not chinese_calendar.is_workday(day)}


def test_the_spring_festival_of_2025_with_its_swaps() -> None:
    rows = {(row["day"], row["kind"], row["issued_at"]): row for row in CHINA}
    eve = rows[date(2025, 1, 28), "holiday", datetime(2023, 1, 1)]
    assert (eve["label"], eve["value"]) == ("农历除夕", 1.0)
    assert rows[date(2025, 1, 26), "day_off", datetime(2023, 1, 1)]["value"] == 1.0
    worked = rows[date(2025, 1, 26), "day_off", datetime(2024, 12, 20)]
    assert (worked["value"], worked["label"]) == (0.0, "调休上班")
    assert rows[date(2025, 2, 4), "day_off", datetime(2024, 12, 20)]["value"] == 1.0


def test_what_was_announced_late_was_known_late() -> None:
    longer = calendar_rows("CN", date(2020, 1, 31), date(2020, 2, 1)).to_pylist()
    assert {row["issued_at"] for row in longer} == {datetime(2020, 1, 27)}


def test_beyond_the_last_published_year_the_moon_is_known_and_swaps_are_not() -> None:
    published = last_published("CN")
    assert published is not None
    year = published + 2
    rows = calendar_rows("CN", date(year, 1, 1), date(year + 1, 1, 1)).to_pylist()
    assert any(row["label"] == "春节" for row in rows)
    assert not any(row["kind"] == "day_off" and row["value"] == 0 for row in rows)


def test_countries_without_swaps_and_names_in_english() -> None:
    rows = calendar_rows("US", date(2017, 11, 1), date(2017, 12, 1), language="en").to_pylist()
    holidays = [(row["day"], row["label"]) for row in rows if row["kind"] == "holiday"]
    assert (date(2017, 11, 23), "Thanksgiving Day") in holidays
    assert last_published("US", until=2030) is None
    with pytest.raises(BadQuestion, match="no calendar for the country 'QQ'"):
        calendar_rows("QQ", date(2025, 1, 1), date(2025, 1, 2))
    with pytest.raises(BadQuestion, match="has no days"):
        calendar_rows("CN", date(2025, 1, 1), date(2025, 1, 1))


def test_the_next_holiday_and_days_off_ahead() -> None:
    with warehouse_with(customer=PEOPLE, context=CHINA) as warehouse:
        names = ("days_to_holiday", "next_holiday", "holidays_28d", "days_off_28d", "days_since_holiday")
        found = values(warehouse, local(2025, 1, 20), *names)
        ahead = [date(2025, 1, 20) + timedelta(days=number) for number in range(28)]
        off = sum(not chinese_calendar.is_workday(day) for day in ahead)
        assert list(found["ann"].values()) == [8, "农历除夕", 4, off, 19]
        assert found["bob"] == found["ann"]


def test_a_swap_counts_only_once_it_is_published() -> None:
    """4 January 2026 is a Sunday that is worked for 2 January; both became known in the plan for 2026."""
    with warehouse_with(customer=PEOPLE, context=CHINA) as warehouse:
        before = values(warehouse, local(2025, 12, 15), "days_off_28d", "days_to_holiday")["ann"]
        after = values(warehouse, local(2025, 12, 22), "days_off_28d")["ann"]
        assert before == {"days_off_28d": 8 + 1, "days_to_holiday": 17}
        assert after == {"days_off_28d": 8 + 1 + 1 - 1}
        rows = warehouse.history(datetime.fromisoformat("2025-12-15T00:00+08:00")).to_arrow(
            "SELECT day FROM context WHERE kind = 'day_off' AND value = 0 AND day >= as_of_day()"
        )
        assert rows.num_rows == 0


def test_who_buys_before_holidays_has_a_lift_and_who_buys_at_other_times_has_not() -> None:
    def order(who: str, day: date) -> dict[str, object]:
        when = local(day.year, day.month, day.day, 12)
        key = f"{who}{day}"
        return {"order_id": key, "line": "1", "customer_id": who, "product_id": "p", "amount": 5, "occurred_at": when}

    # ann buys in the week before the two festivals only, bob every other day of the spring.
    ann = [date(2025, 4, number) for number in (1, 2, 3, 29, 30)] + [
        date(2025, 4, 28),
        date(2025, 3, 31),
        date(2025, 3, 30),
    ]
    bob = [date(2025, 3, 1) + timedelta(days=number) for number in range(90)]
    orders = [order("ann", day) for day in ann] + [order("bob", day) for day in bob]
    with warehouse_with(customer=PEOPLE, context=CHINA, purchase=orders) as warehouse:
        found = values(warehouse, local(2025, 6, 1), "holiday_lift", "day_off_share")
        assert found["ann"]["holiday_lift"] == pytest.approx(2.1, abs=0.6)
        assert found["bob"]["holiday_lift"] == pytest.approx(1.0, abs=0.01)


def test_a_workspace_loads_the_calendar_of_its_country_by_configuration_alone(tmp_path: Path) -> None:
    (tmp_path / "aimwell.toml").write_text(
        'name = "t"\ncurrency = "CNY"\ntimezone = "Asia/Shanghai"\n', encoding="utf-8"
    )
    (tmp_path / "sources").mkdir()
    file = tmp_path / "sources" / "calendar.yaml"
    text = """\
read: {format: calendar, country: CN, since: 2025-01-01, until: 2026-01-01}
tables:
  - table: context
    columns: {day: day, place: place, kind: kind, value: value, label: label, issued_at: issued_at}
"""
    file.write_text(text, encoding="utf-8")
    workspace = open_workspace(tmp_path)
    with workspace.warehouse() as warehouse:
        load(workspace, warehouse)
        cut = datetime.fromisoformat("2025-01-20T00:00+08:00")
        rows = warehouse.history(cut).to_arrow("SELECT day, kind, value, label, issued_at FROM context").to_pylist()
        expected = calendar_rows("CN", date(2025, 1, 1), date(2026, 1, 1)).drop_columns("place").to_pylist()
        assert sorted(map(str, rows)) == sorted(str(row) for row in expected if row["issued_at"] < local(2025, 1, 20))
    file.write_text(text.replace("until: 2026", "until: 2024"), encoding="utf-8")
    with pytest.raises(BadDefinition, match="has no days"), open_workspace(tmp_path).warehouse() as warehouse:
        load(open_workspace(tmp_path), warehouse)
