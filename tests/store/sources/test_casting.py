"""Raw values become typed ones by stated rules; what cannot be read is NULL, never a guess and never an error."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from sqlglot import exp

from aimwell.core.tables import Kind
from aimwell.store.sources.casting import Notation, Signs, cast_value, cleaned, number_of
from aimwell.store.sources.reading import RawKind
from aimwell.store.sources.trees import text
from aimwell.store.warehouse.duck import DuckEngine

ENGINE = DuckEngine()
PLAIN = Signs()
GERMAN = Signs(".", ",")


def value_of(tree: exp.Expr) -> object:
    return ENGINE.to_arrow(exp.select(exp.alias_(tree, "v"))).column(0)[0].as_py()


def typed(written: object, kind: Kind, *formats: str, raw: RawKind = "text", signs: Signs = PLAIN) -> object:
    tree = exp.cast(text(written), "VARCHAR") if isinstance(written, str) else exp.convert(written)
    return value_of(cast_value(tree, raw, kind, Notation(signs, formats, "Asia/Shanghai")).value)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("12", 12.0),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1,234.5", 1234.5),
        ("1,234.5元", 1234.5),
        ("¥1,234", 1234.0),
        ("-¥3", -3.0),
        ("RMB 7", 7.0),
        ("$1,000,000.01", 1_000_000.01),
        ("(12.50)", -12.5),
        ("1,23", None),
        ("12,5", None),
        ("1.234,5", None),
        ("abc", None),
        ("12abc", None),
        ("0x10", None),
        ("1_000", None),
        ("nan", None),
        ("inf", None),
        ("--3", None),
        ("", None),
    ],
)
def test_numbers_are_read_with_thousands_and_currency(written: str, number: float | None) -> None:
    assert typed(written, "number") == number


def test_a_comma_may_be_the_decimal_sign() -> None:
    assert typed("1.234,56 €", "number", signs=GERMAN) == 1234.56
    assert typed("1,5", "money", signs=GERMAN) == Decimal("1.50")
    assert typed("1.5", "number", signs=GERMAN) is None
    assert typed("1.500", "number", signs=GERMAN) == 1500.0


def test_money_has_two_digits_and_whole_numbers_none() -> None:
    assert typed("12.345", "money") == Decimal("12.35")
    assert typed(0.5, "money", raw="number") == Decimal("0.50")
    assert typed("1,234.0", "integer") == 1234
    assert typed("3.7", "integer") is None
    assert typed(3.0, "integer", raw="number") == 3
    assert typed(3.7, "integer", raw="number") is None
    assert typed("9007199254740993", "integer") == 9007199254740993  # beyond what a double can hold


def test_ids_kept_as_numbers_lose_their_point_and_nothing_else() -> None:
    assert typed(17850.0, "text", raw="number") == "17850"
    assert typed(2.5, "text", raw="number") == "2.5"
    assert typed(12, "text", raw="integer") == "12"
    assert typed("007", "text") == "007"


@pytest.mark.parametrize(
    ("written", "truth"), [("是", True), ("Y", True), ("0", False), ("否", False), ("True", True), ("maybe", None)]
)
def test_yes_and_no_are_read_in_both_languages(written: str, truth: bool | None) -> None:
    assert typed(written, "boolean") is truth


def test_json_must_be_json() -> None:
    assert typed('{"a": [1]}', "json") == '{"a": [1]}'
    assert typed("{a", "json") is None


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2017-01-01", datetime(2017, 1, 1)),
        ("2017/1/2 3:04", datetime(2017, 1, 2, 3, 4)),
        ("2017-01-01T08:00:00", datetime(2017, 1, 1, 8)),
        ("2017-01-01T08:00:00.25", datetime(2017, 1, 1, 8, 0, 0, 250_000)),
        ("2017-01-01T08:00:00Z", datetime(2017, 1, 1, 8)),
        ("2017-01-01T08:00:00+08:00", datetime(2017, 1, 1, 0)),
        ("2017-01-01 08:00-0500", datetime(2017, 1, 1, 13)),
        ("2017-13-01", None),
        ("01/02/2017", None),
        ("infinity", None),
        ("today", None),
    ],
)
def test_instants_without_a_format_are_iso_and_offsets_count(written: str, instant: datetime | None) -> None:
    assert typed(written, "instant") == instant


def test_an_offset_is_told_apart_from_a_date() -> None:
    for written, aware in (("2017-01-01", False), ("2017-01-01T08:00:00-05", True), ("2017-01-01 10:00", False)):
        found = cast_value(exp.cast(text(written), "VARCHAR"), "text", "instant", Notation()).aware
        assert found is not None
        assert value_of(found) is aware


def test_formats_are_tried_in_turn() -> None:
    formats = ("%d/%m/%Y %H:%M", "%d/%m/%Y")
    assert typed("03/04/2017 10:30", "instant", *formats) == datetime(2017, 4, 3, 10, 30)
    assert typed("03/04/2017", "instant", *formats) == datetime(2017, 4, 3)
    assert typed("13/14/2017", "instant", *formats) is None
    assert typed("20170403", "day", "%Y%m%d") == date(2017, 4, 3)
    assert typed(20170403, "day", "%Y%m%d", raw="integer") == date(2017, 4, 3)
    assert typed("2017年4月3日", "day", "%Y年%m月%d日") == date(2017, 4, 3)


def test_counted_instants_are_read_from_their_fixed_point() -> None:
    assert typed("1483228800", "instant", "unix") == datetime(2017, 1, 1)
    assert typed(1483228800250, "instant", "unix_ms", raw="integer") == datetime(2017, 1, 1, 0, 0, 0, 250_000)
    assert typed("42736.5", "instant", "excel") == datetime(2017, 1, 1, 12)
    assert typed("1483228800", "day", "unix") == date(2017, 1, 1)
    assert typed("1483286400", "day", "unix") == date(2017, 1, 2)  # 16:00 UTC is the next day in Shanghai


def test_blank_texts_and_the_words_for_nothing_are_null() -> None:
    for written in ("", "  ", "\t", "\u3000", "N/A", "NULL"):
        assert value_of(cleaned(text(written), ("N/A", "NULL"))) is None
    assert value_of(cleaned(text(" x\u3000"), ())) == "x"
    assert value_of(cleaned(text("NULL"), ())) == "NULL"


def test_number_reads_numbers_and_texts_alike() -> None:
    assert value_of(number_of(text("1,000"), Signs())) == 1000.0
    assert value_of(number_of(exp.Literal.number(5), Signs())) == 5.0
