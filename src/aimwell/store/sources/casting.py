"""How raw values become typed ones: numbers with their signs and currencies, dates in their formats, ids without `.0`.

Nothing is guessed and nothing fails: what cannot be read is NULL, and the caller rejects the row with its raw text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from aimwell.core.tables import Kind
from aimwell.store.sources.reading import RawKind
from aimwell.store.sources.trees import TYPES, call, negated, number, text, try_cast, when

# Instants that count from a fixed point, beside the formats of strptime.
COUNTED = ("unix", "unix_ms", "excel")

_BLANKS = " \t\r\n\u00a0\u3000\ufeff"
_BLANK_AT_AN_END = f"^[{_BLANKS}]|[{_BLANKS}]$"
_SIGN_BEFORE = r"^([+-]?)\s*(?:CNY|RMB|USD|EUR|GBP|JPY|HKD|TWD|US\$|HK\$|NT\$|人民币|[¥￥$€£])\s*"
_SIGN_AFTER = r"\s*(?:元|圆|块|块钱|CNY|RMB|USD|EUR|GBP|JPY|HKD|TWD|[¥￥$€£])$"
_ACCOUNTANT = r"^\((.*)\)$"
_PLAIN = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_WHOLE = r"[+-]?[0-9]+(?:\.0*)?"
_OFFSET = r"[0-9] ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?)$"
_CLOCK = r":[0-9]{2}"
_NO_SECONDS = r"([T ][0-9]{1,2}:[0-9]{2})( ?(?:Z|UTC|[+-]))"
_NO_COLON = r"([+-][0-9]{2})([0-9]{2})$"
_TRUE = ("true", "t", "yes", "y", "1", "1.0", "on", "是", "有", "真")
_FALSE = ("false", "f", "no", "n", "0", "0.0", "off", "否", "无", "假")
_EXCEL_EPOCH = 25_569  # days from 30 December 1899 to 1970
_SECOND = 1_000_000
_EXACT = 10**15  # doubles below it hold whole numbers exactly
_FIRST, _BEYOND = "0001-01-02 00:00:00", "10000-01-01 00:00:00"


@dataclass(frozen=True, slots=True)
class Signs:
    """The signs that numbers are written with."""

    thousands: str = ","
    decimal: str = "."


@dataclass(frozen=True, slots=True)
class Typed:
    """A typed value: its tree, whether values may be unreadable, and for instants when they are UTC already.

    aware: a tree that is true where the value said its offset; None where none ever does.
    """

    value: exp.Expr
    may_fail: bool = True
    aware: exp.Expr | None = None


def cleaned(value: exp.Expr, nulls: tuple[str, ...]) -> exp.Expr:
    """A raw text without blanks around it; blank texts and those that mean 'not known' become NULL."""
    # Trimming by a list of signs costs four times as much as asking whether there is anything to trim.
    blank = call("regexp_matches", value, text(_BLANK_AT_AN_END))
    trimmed = when((blank, exp.Trim(this=value.copy(), expression=text(_BLANKS))), otherwise=value.copy())
    if not nulls:
        return exp.Nullif(this=trimmed, expression=text(""))
    unknown = exp.In(this=trimmed.copy(), expressions=[text(each) for each in ("", *nulls)])
    return when((negated(unknown), trimmed))


@dataclass(frozen=True, slots=True)
class Notation:
    """How the values of one column are written: signs of numbers, formats of dates, zone of naive times."""

    signs: Signs = Signs()
    formats: tuple[str, ...] = ()
    zone: str = "UTC"


def cast_value(value: exp.Expr, raw: RawKind, kind: Kind, notation: Notation) -> Typed:
    """The tree that gives a raw value the kind of its column."""
    if kind == "instant":
        return _instant(value, raw, notation.formats, keep_offset=True)
    if kind == "day":
        return _day(value, raw, notation)
    return _CASTS[kind](value, raw, notation.signs)


def number_of(value: exp.Expr, signs: Signs) -> exp.Expr:
    """A written number as a double: `1,234.5元`, `¥-3`, `(12.50)`; NULL where it is none."""
    return try_cast(_digits(try_cast(value, "VARCHAR"), signs), "DOUBLE")


def _digits(value: exp.Expr, signs: Signs) -> exp.Expr:
    """A written number as digits that every engine casts; NULL where the text is no number."""
    point = re.escape(signs.decimal)
    plain = _PLAIN.replace(r"\.", point)
    tidy: exp.Expr = call("regexp_replace", value.copy(), text(_ACCOUNTANT), text(r"-\1"))
    tidy = call("regexp_replace", tidy, text(_SIGN_BEFORE), text(r"\1"))
    tidy = call("regexp_replace", tidy, text(_SIGN_AFTER), text(""))
    branches = [(call("regexp_full_match", value, text(plain)), _pointed(value, signs.decimal))]
    if signs.thousands:
        grouped = rf"[+-]?[0-9]{{1,3}}(?:{re.escape(signs.thousands)}[0-9]{{3}})+(?:{point}[0-9]*)?"
        joined = exp.Replace(this=tidy.copy(), expression=text(signs.thousands), replacement=text(""))
        branches.append((call("regexp_full_match", tidy.copy(), text(grouped)), _pointed(joined, signs.decimal)))
    branches.append((call("regexp_full_match", tidy, text(plain)), _pointed(tidy.copy(), signs.decimal)))
    return when(*branches)


def _pointed(value: exp.Expr, decimal: str) -> exp.Expr:
    return (
        value.copy()
        if decimal == "."
        else exp.Replace(this=value.copy(), expression=text(decimal), replacement=text("."))
    )


def _as_text(value: exp.Expr, raw: RawKind, _: Signs) -> Typed:
    if raw == "number":  # ids that a file keeps as doubles: 17850, not 17850.0
        small = exp.LT(this=exp.Abs(this=value.copy()), expression=number(_EXACT))
        whole = exp.and_(exp.EQ(this=value.copy(), expression=exp.Floor(this=value.copy())), small)
        shown = exp.cast(exp.cast(value.copy(), data_type_of("integer")), data_type_of("text"))
        return Typed(when((whole, shown), otherwise=exp.cast(value, data_type_of("text"))), may_fail=False)
    return Typed(value if raw == "text" else exp.cast(value, data_type_of("text")), may_fail=False)


def _as_json(value: exp.Expr, raw: RawKind, signs: Signs) -> Typed:
    if raw != "text":
        return _as_text(value, raw, signs)
    return Typed(when((call("json_valid", value), value.copy())))


def _as_boolean(value: exp.Expr, raw: RawKind, _: Signs) -> Typed:
    if raw == "boolean":
        return Typed(value, may_fail=False)
    word = exp.Lower(this=try_cast(value, "VARCHAR"))
    yes = exp.In(this=word, expressions=[text(each) for each in _TRUE])
    no = exp.In(this=word.copy(), expressions=[text(each) for each in _FALSE])
    return Typed(when((yes, exp.true()), (no, exp.false())))


def _as_integer(value: exp.Expr, raw: RawKind, signs: Signs) -> Typed:
    if raw == "text":
        digits = _digits(value, signs)
        part = exp.SplitPart(this=digits.copy(), delimiter=text("."), part_index=number(1))
        return Typed(when((call("regexp_full_match", digits, text(_WHOLE)), try_cast(part, TYPES["integer"]))))
    if raw in {"number", "decimal"}:
        whole = exp.EQ(this=value, expression=exp.Floor(this=value.copy()))
        return Typed(when((whole, try_cast(value.copy(), TYPES["integer"]))))
    return Typed(try_cast(value, TYPES["integer"]), may_fail=raw not in {"integer", "boolean"})


def _as_number(value: exp.Expr, raw: RawKind, signs: Signs) -> Typed:
    if raw == "text":
        return Typed(try_cast(_digits(value, signs), TYPES["number"]))
    return Typed(try_cast(value, TYPES["number"]), may_fail=raw not in {"integer", "number", "decimal", "boolean"})


def _as_money(value: exp.Expr, raw: RawKind, signs: Signs) -> Typed:
    return Typed(try_cast(_digits(value, signs) if raw == "text" else value, TYPES["money"]))


def data_type_of(kind: Kind) -> exp.DataType:
    """The physical type of a kind."""
    return exp.DataType.build(TYPES[kind], dialect="duckdb")


_CASTS: dict[Kind, Callable[[exp.Expr, RawKind, Signs], Typed]] = {
    "text": _as_text,
    "json": _as_json,
    "boolean": _as_boolean,
    "integer": _as_integer,
    "number": _as_number,
    "money": _as_money,
}


def _instant(value: exp.Expr, raw: RawKind, formats: tuple[str, ...], *, keep_offset: bool) -> Typed:
    """A naive instant: on the local clock, or in UTC where `aware` says so; years beyond 1 to 9999 cannot be read."""
    found = _unbounded(value, raw, formats, keep_offset=keep_offset)
    since = exp.GTE(this=found.value.copy(), expression=exp.cast(text(_FIRST), data_type_of("instant")))
    until = exp.LT(this=found.value.copy(), expression=exp.cast(text(_BEYOND), data_type_of("instant")))
    return Typed(when((exp.and_(since, until), found.value)), aware=found.aware)


def _unbounded(value: exp.Expr, raw: RawKind, formats: tuple[str, ...], *, keep_offset: bool) -> Typed:
    if raw in {"instant", "aware", "day"} and not formats:
        moment = exp.cast(value, data_type_of("instant"))
        return Typed(moment, may_fail=False, aware=exp.true() if raw == "aware" else None)
    if formats and formats[0] in COUNTED:
        return _counted(value, raw, formats[0])
    written = value if raw == "text" else try_cast(value, "VARCHAR")
    return _formatted(written, formats) if formats else _iso(written, keep_offset=keep_offset)


def _day(value: exp.Expr, raw: RawKind, notation: Notation) -> Typed:
    """A calendar day: as it was written, or the local one of an instant that is known in UTC."""
    moment = _instant(value, raw, notation.formats, keep_offset=False)
    local: exp.Expr = moment.value
    if moment.aware is not None:
        aware = exp.AtTimeZone(this=exp.paren(local), zone=text("UTC"))
        local = exp.AtTimeZone(this=aware, zone=text(notation.zone))
    return Typed(exp.cast(local, data_type_of("day")), moment.may_fail)


def _counted(value: exp.Expr, raw: RawKind, word: str) -> Typed:
    amount = try_cast(_digits(value, Signs()) if raw == "text" else value, "DOUBLE")
    if word == "excel":
        since: exp.Expr = exp.paren(exp.Sub(this=amount, expression=number(_EXCEL_EPOCH)))
        scale = 86_400 * _SECOND
    else:
        since, scale = amount, _SECOND if word == "unix" else 1_000
    ticks = try_cast(exp.Round(this=exp.Mul(this=since, expression=number(scale))), "BIGINT")
    return Typed(call("make_timestamp", ticks), aware=exp.true() if word != "excel" else None)


def _formatted(value: exp.Expr, formats: tuple[str, ...]) -> Typed:
    choices = exp.Array(expressions=[text(each) for each in formats])
    parsed = call("try_strptime", value, choices)
    if any("%z" in each for each in formats):
        return Typed(exp.AtTimeZone(this=parsed, zone=text("UTC")), aware=exp.true())
    return Typed(parsed)


def _iso(value: exp.Expr, *, keep_offset: bool) -> Typed:
    """ISO 8601, also with slashes; DuckDB's own cast of a text to TIMESTAMP would drop an offset without a word."""
    first = exp.Substring(this=value.copy(), start=number(1), length=number(1))
    dated = exp.Between(this=first, low=text("0"), high=text("9"))
    naive = when((dated, try_cast(value.copy(), "TIMESTAMP")))
    if not keep_offset:
        return Typed(naive)
    offset = exp.and_(
        call("regexp_matches", value.copy(), text(_OFFSET)), call("regexp_matches", value.copy(), text(_CLOCK))
    )
    # DuckDB 1.5 reads an offset only after seconds, and only with its colon.
    whole = call("regexp_replace", value, text(_NO_SECONDS), text(r"\1:00\2"))
    whole = call("regexp_replace", whole, text(_NO_COLON), text(r"\1:\2"))
    utc = exp.AtTimeZone(this=try_cast(whole, "TIMESTAMPTZ"), zone=text("UTC"))
    return Typed(when((offset, utc), otherwise=naive), aware=offset.copy())
