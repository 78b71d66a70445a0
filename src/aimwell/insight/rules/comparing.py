"""Comparisons as authored SQL: what a value of a known kind is compared to, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Literal

from sqlglot import exp

from aimwell.core.comparisons import Bounds, Comparison, Scalar, comparisons
from aimwell.core.errors import BadQuestion

ValueKind = Literal["text", "number", "boolean", "day", "instant"]
FALSE = exp.false()

_OF_KIND: Mapping[str, ValueKind] = {
    "text": "text",
    "json": "text",
    "integer": "number",
    "number": "number",
    "money": "number",
    "share": "number",
    "boolean": "boolean",
    "day": "day",
    "instant": "instant",
}


def value_kind(kind: str) -> ValueKind:
    """How values of a column of that declared kind are compared."""
    return _OF_KIND[kind]


def physical_kind(type_name: str) -> ValueKind:
    """How values of a physical column are compared, from the engine's name of its type."""
    name = type_name.upper()
    if name.startswith(("VARCHAR", "STRING", "TEXT", "JSON", "ENUM", "CHAR")):
        return "text"
    if name.startswith("BOOL"):
        return "boolean"
    if name == "DATE":
        return "day"
    return "instant" if name.startswith("TIMESTAMP") else "number"


def compared(value: exp.Expr, kind: ValueKind, comparison: Bounds | Comparison, what: str) -> exp.Expr:
    """The condition that all comparisons hold for a value; NULL where the value is unknown, except for `known`.

    Raises BadQuestion if a comparison does not fit the kind of value; `what` names it in the message.
    """
    conditions = [_OPERATIONS[name](value, kind, given, what) for name, given in comparisons(comparison)]
    return exp.and_(*conditions, copy=False) if conditions else exp.true()


def surely(condition: exp.Expr) -> exp.Expr:
    """The condition with unknown taken as not met."""
    return exp.func("coalesce", condition, FALSE.copy())


def literal(value: Scalar, kind: ValueKind, what: str) -> exp.Expr:
    """A constant to compare a value of that kind with; raises BadQuestion if it does not fit."""
    if kind == "text":
        return exp.Literal.string(_text(value))
    if kind == "number" and isinstance(value, int | float) and not isinstance(value, bool):
        return exp.convert(value)
    if kind == "boolean" and isinstance(value, bool):
        return exp.true() if value else exp.false()
    if kind in {"day", "instant"} and (day := _day(value)):
        return exp.cast(exp.Literal.string(day.isoformat()), exp.DType.DATE)
    raise BadQuestion(
        f"{what} is compared with {value!r}", expected=_EXPECTED[kind], remedy="Compare it with a value of its kind."
    )


def words_condition(column: exp.Expr, words: tuple[str, ...]) -> exp.Expr:
    """The condition that a text is one of the words."""
    return exp.In(this=column, expressions=[exp.Literal.string(word) for word in words])


def length_of(length: timedelta) -> exp.Interval:
    """A length of time as an interval in seconds."""
    return exp.Interval(this=exp.Literal.string(str(int(length.total_seconds()))), unit=exp.var("SECOND"))


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _day(value: Scalar) -> date | None:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


_EXPECTED: Mapping[ValueKind, str] = {
    "text": "text",
    "number": "a number",
    "boolean": "true or false",
    "day": "a date such as 2017-11-01",
    "instant": "a date such as 2017-11-01",
}

_Operation = Callable[[exp.Expr, ValueKind, object, str], exp.Expr]


def _plain(value: exp.Expr, kind: ValueKind) -> exp.Expr:
    """Instants are compared by their local day."""
    return exp.Anonymous(this="local_date", expressions=[value.copy()]) if kind == "instant" else value.copy()


def _binary(node: type[exp.Binary], *, ordered: bool) -> _Operation:
    def operation(value: exp.Expr, kind: ValueKind, given: object, what: str) -> exp.Expr:
        if ordered and kind in {"text", "boolean"}:
            raise BadQuestion(
                f"{what} is {_EXPECTED[kind]}, which has no order",
                seen=f"compared with {given!r}",
                remedy="Use is, in or contains, or a tag that holds a number.",
            )
        return node(this=_plain(value, kind), expression=literal(_scalar(given), kind, what))

    return operation


def _in(value: exp.Expr, kind: ValueKind, given: object, what: str) -> exp.Expr:
    options = given if isinstance(given, tuple) else (given,)
    return exp.In(this=_plain(value, kind), expressions=[literal(_scalar(option), kind, what) for option in options])


def _not_in(value: exp.Expr, kind: ValueKind, given: object, what: str) -> exp.Expr:
    return exp.Not(this=_in(value, kind, given, what))


def _contains(value: exp.Expr, kind: ValueKind, given: object, what: str) -> exp.Expr:
    if kind != "text":
        raise BadQuestion(f"{what} is {_EXPECTED[kind]}, not text", seen=f"contains: {given}", remedy="Use is or in.")
    return exp.Contains(this=value.copy(), expression=exp.Literal.string(str(given)))


def _known(value: exp.Expr, _: ValueKind, given: object, __: str) -> exp.Expr:
    unknown = exp.Is(this=value.copy(), expression=exp.null())
    return exp.Not(this=unknown) if given else unknown


def _between(value: exp.Expr, kind: ValueKind, given: object, what: str) -> exp.Expr:
    low, high = given if isinstance(given, tuple) else (given, given)
    return exp.and_(
        _binary(exp.GTE, ordered=True)(value, kind, low, what), _binary(exp.LTE, ordered=True)(value, kind, high, what)
    )


def _scalar(value: object) -> Scalar:
    if not isinstance(value, bool | int | float | str | date):
        raise TypeError(f"a comparison holds one value, not {type(value).__name__}")
    return value


_OPERATIONS: Mapping[str, _Operation] = {
    "at_least": _binary(exp.GTE, ordered=True),
    "at_most": _binary(exp.LTE, ordered=True),
    "above": _binary(exp.GT, ordered=True),
    "below": _binary(exp.LT, ordered=True),
    "is_": _binary(exp.EQ, ordered=False),
    "is_not": _binary(exp.NEQ, ordered=False),
    "in_": _in,
    "not_in": _not_in,
    "contains": _contains,
    "known": _known,
    "between": _between,
}
