"""What values are is told from all of them; what could be two things is left open, to be asked."""

from __future__ import annotations

import pytest

from aimwell.store.sources.proposing.values import Guess, guess, looks_like_data


def seen(*values: object) -> Guess:
    return guess("text", values)


@pytest.mark.parametrize(
    ("values", "meaning", "formats"),
    [
        (("2024-05-01", "2024-05-02"), "day", ()),
        (("2024-05-01 08:30", "2024-05-02"), "instant", ()),
        (("2024-05-01T08:30:00Z", "2024-05-02T08:30:00+08:00"), "instant", ()),
        (("2024年5月1日", "2024年12月31日"), "day", ("%Y年%m月%d日",)),
        (("20240501", "20241231"), "day", ("%Y%m%d",)),
        (("20240501083000", "20241231235959"), "instant", ("%Y%m%d%H%M%S",)),
        (("31/12/2023 08:30", "01/02/2024 09:00"), "instant", ("%d/%m/%Y %H:%M",)),
        (("12/31/2023", "01/02/2024"), "day", ("%m/%d/%Y",)),
        (("31.12.2023", "01.02.2024 10:00"), "instant", ("%d.%m.%Y", "%d.%m.%Y %H:%M")),
        (("3 May 2024", "31 Dec 2023"), "day", ("%d %b %Y",)),
        (("1/2/2024 9:05 AM", "1/31/2024 10:05 PM"), "instant", ("%m/%d/%Y %I:%M %p",)),
    ],
)
def test_dates_are_recognised_with_the_formats_that_fit(
    values: tuple[str, ...], meaning: str, formats: tuple[str, ...]
) -> None:
    found = seen(*values)
    assert (found.meaning, found.formats, found.either) == (meaning, formats, None)


def test_day_and_month_that_could_be_either_are_left_open() -> None:
    found = seen("03/04/2024", "05/06/2024 10:00")
    assert found.either == (("%d/%m/%Y", "%d/%m/%Y %H:%M"), ("%m/%d/%Y", "%m/%d/%Y %H:%M"))
    assert found.formats == ()
    assert seen("03/04/2024", "13/06/2024").either is None


def test_a_few_mistakes_do_not_hide_what_a_column_is() -> None:
    assert seen(*["31/12/2023"] * 50, "32/13/2024").formats == ("%d/%m/%Y",)
    assert seen(*["12"] * 50, "twelve").meaning == "integer"
    assert seen(*["12"] * 5, *["twelve"] * 5).meaning == "text"


@pytest.mark.parametrize(
    ("values", "decimal"),
    [
        (("1,234.5元", "20元"), "."),
        (("¥1,234", "¥5.50"), "."),
        (("1.234,56", "7,5"), ","),
        (("1,5", "2,25"), ","),
        (("1,234", "5,678"), None),
        (("1,234", "12.5"), "."),
        (("(12.50)", "-3.1"), "."),
    ],
)
def test_numbers_say_their_decimal_sign_or_leave_it_open(values: tuple[str, ...], decimal: str | None) -> None:
    found = seen(*values)
    assert (found.meaning, found.decimal) == ("number", decimal)


def test_ids_that_passed_through_a_spreadsheet_are_noticed() -> None:
    assert seen("17850.0", "13047.0").pointed
    assert not seen("17850", "13047").pointed
    assert seen("17850.5", "13047.0").meaning == "number"


def test_whole_numbers_may_count_time() -> None:
    assert seen("1714550400", "1714553400").clock == ("unix",)
    assert guess("integer", [1714550400000, 1714553400000]).clock == ("unix_ms",)
    assert seen("12", "13").clock == ()


@pytest.mark.parametrize(
    ("kind", "values", "meaning"),
    [
        ("text", ("是", "否"), "boolean"),
        ("text", ('{"a": 1}', "{}"), "json"),
        ("text", ("green tea", "tea"), "text"),
        ("text", (), "text"),
        ("integer", (1, -2), "integer"),
        ("number", (1.5, 2.0), "number"),
        ("number", (1.0, 2.0), "integer"),
        ("day", ("x",), "day"),
        ("boolean", (True,), "boolean"),
        ("aware", ("x",), "instant"),
    ],
)
def test_other_meanings_follow_kind_and_values(kind: str, values: tuple[object, ...], meaning: str) -> None:
    assert guess(kind, values).meaning == meaning  # type: ignore[arg-type]


def test_header_cells_are_told_from_values() -> None:
    assert not any(looks_like_data(cell) for cell in ("订单号", "Order ID", "amount ($)", "Q1"))
    assert all(looks_like_data(cell) for cell in ("12", "¥3", "2024-05-01", "1,234.5元"))
