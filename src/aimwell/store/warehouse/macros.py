"""Macros of authored SQL: the portable way to say what engines say differently, expanded as syntax trees.

Each macro states what it means and expands to constructs that gave equal values on every engine when compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlglot import exp

from aimwell.core.errors import Refused
from aimwell.core.time import add_days, from_store, local_day, to_store, transitions
from aimwell.store.warehouse.cut import Cut, instant_literal
from aimwell.store.warehouse.engine import Dialect

Setting = str | int | float | bool
_MONEY = exp.DataType.build("DECIMAL(18, 2)")
_DAY_MICROSECONDS = 86_400_000_000
_MONDAY = datetime(2000, 1, 3)  # noqa: DTZ001 (naive UTC by contract)
_FIRST_CHANGE = datetime(1970, 1, 1)  # noqa: DTZ001


@dataclass(frozen=True, slots=True)
class Binding:
    """What a macro may know: the cut, the workspace's settings and the dialect that is being compiled for.

    `earliest` is the first instant in the data, before which no change of the clocks matters.
    """

    cut: Cut
    settings: Mapping[str, Setting]
    dialect: Dialect
    earliest: datetime = _FIRST_CHANGE


@dataclass(frozen=True, slots=True)
class Macro:
    """One macro: its name, how many arguments it takes, what it means, and its expansion."""

    name: str
    arguments: int
    meaning: str
    expand: Callable[[list[exp.Expr], Binding], exp.Expr]


def expand(call: exp.Anonymous, binding: Binding) -> exp.Expr:
    """The expansion of one macro call; raises Refused when the arguments do not fit."""
    macro = MACROS[call.name.lower()]
    arguments = list(call.expressions)
    if len(arguments) != macro.arguments:
        raise Refused(
            f"The macro {macro.name} takes {macro.arguments} argument(s)",
            seen=f"{len(arguments)} in {call.sql(dialect='duckdb')}",
            remedy=macro.meaning,
        )
    return macro.expand(arguments, binding)


def _as_of(_: list[exp.Expr], binding: Binding) -> exp.Expr:
    return instant_literal(to_store(binding.cut.as_of))


def _as_of_day(_: list[exp.Expr], binding: Binding) -> exp.Expr:
    day = local_day(binding.cut.as_of, binding.cut.zone)
    return exp.cast(exp.Literal.string(day.isoformat()), exp.DType.DATE)


def _whole_number(value: exp.Expr, macro: str) -> int:
    sign = 1
    if isinstance(value, exp.Neg):
        value, sign = value.this, -1
    if not isinstance(value, exp.Literal) or value.is_string or not str(value.this).isdigit():
        raise Refused(f"{macro} takes a whole number of days written out", seen=value.sql(dialect="duckdb"))
    return sign * int(value.this)


def _days_before(arguments: list[exp.Expr], binding: Binding) -> exp.Expr:
    days = _whole_number(arguments[0], "days_before")
    return instant_literal(to_store(add_days(binding.cut.as_of, -days, binding.cut.zone)))


def _day_before(arguments: list[exp.Expr], binding: Binding) -> exp.Expr:
    days = _whole_number(arguments[0], "day_before")
    day = local_day(binding.cut.as_of, binding.cut.zone) - timedelta(days=days)
    return exp.cast(exp.Literal.string(day.isoformat()), exp.DType.DATE)


def _microseconds(since: exp.Expr, until: exp.Expr) -> exp.Expr:
    """Microseconds from `since` to `until`; both are read as timestamps, so that dates work too."""
    return exp.DateDiff(
        this=exp.cast(until, exp.DType.TIMESTAMPNTZ, copy=False),
        expression=exp.cast(since, exp.DType.TIMESTAMPNTZ, copy=False),
        unit=exp.var("MICROSECOND"),
    )


def _floor_div(value: exp.Expr, by: int) -> exp.Expr:
    divided = exp.Div(
        this=exp.cast(exp.paren(value, copy=False), exp.DType.DOUBLE, copy=False),
        expression=exp.Literal.number(f"{by}.0"),
        safe=True,
    )
    return exp.cast(exp.Floor(this=divided), exp.DType.BIGINT, copy=False)


def _between(unit: int) -> Callable[[list[exp.Expr], Binding], exp.Expr]:
    return lambda arguments, _: _floor_div(_microseconds(arguments[0], arguments[1]), unit)


def _month_index(arguments: list[exp.Expr], _: Binding) -> exp.Expr:
    months = exp.Mul(this=exp.Extract(this=exp.var("YEAR"), expression=arguments[0]), expression=exp.Literal.number(12))
    return exp.paren(
        exp.Add(this=months, expression=exp.Extract(this=exp.var("MONTH"), expression=arguments[0].copy()))
    )


def _double(value: exp.Expr) -> exp.Expr:
    # Without a copy: arguments are the macro's own, and copying them at every step made half of the time of binding.
    return exp.cast(value, exp.DType.DOUBLE, copy=False)


def _ratio(arguments: list[exp.Expr], _: Binding) -> exp.Expr:
    below = exp.Nullif(this=_double(arguments[1]), expression=_double(exp.Literal.number(0)))
    return exp.paren(exp.Div(this=_double(arguments[0]), expression=below, safe=True), copy=False)


def _mean(arguments: list[exp.Expr], _: Binding) -> exp.Expr:
    return exp.Avg(this=_double(arguments[0]))


def _log_ten(arguments: list[exp.Expr], _: Binding) -> exp.Expr:
    return exp.paren(
        exp.Div(
            this=exp.Ln(this=_double(arguments[0])), expression=exp.Ln(this=_double(exp.Literal.number(10))), safe=True
        )
    )


def _ordered_list(arguments: list[exp.Expr], binding: Binding) -> exp.Expr:
    listed = exp.ArrayAgg(this=arguments[0])
    return exp.func("list_sort" if binding.dialect == "duckdb" else "array_sort", listed)


def _quantile(arguments: list[exp.Expr], binding: Binding) -> exp.Expr:
    name = "quantile_cont" if binding.dialect == "duckdb" else "percentile"
    return exp.Anonymous(this=name, expressions=[_double(arguments[0]), arguments[1]])


def _age_years(arguments: list[exp.Expr], binding: Binding) -> exp.Expr:
    born, today = arguments[0], _as_of_day([], binding)

    def part(unit: str, of: exp.Expr) -> exp.Expr:
        return exp.Extract(this=exp.var(unit), expression=of.copy())

    def month_day(of: exp.Expr) -> exp.Expr:
        return exp.Add(
            this=exp.Mul(this=part("MONTH", of), expression=exp.Literal.number(100)), expression=part("DAY", of)
        )

    before = exp.Case(
        ifs=[
            exp.If(this=exp.GT(this=month_day(born), expression=month_day(today)), true=exp.Literal.number(1)),
        ],
        default=exp.Literal.number(0),
    )
    years = exp.Sub(this=part("YEAR", today), expression=part("YEAR", born))
    return exp.paren(exp.Sub(this=years, expression=before))


def _local_time(arguments: list[exp.Expr], binding: Binding) -> exp.Expr:
    value = arguments[0]
    # Whole years, so that cuts of one year share what was found; none before the data, since each costs planning time.
    since, until = (from_store(datetime(year, 1, 1)) for year in _years(binding))  # noqa: DTZ001 (naive UTC)
    steps = transitions(binding.cut.zone, since=since, until=until)
    if len(steps) == 1:
        return exp.paren(_shift(value, steps[0][1]))
    cases = [
        exp.If(this=exp.GTE(this=value.copy(), expression=instant_literal(since)), true=_shift(value, offset))
        for since, offset in reversed(steps[1:])
    ]
    return exp.Case(ifs=cases, default=_shift(value, steps[0][1]))


def _years(binding: Binding) -> tuple[int, int]:
    return binding.earliest.year, to_store(binding.cut.bound).year + 1


def _shift(value: exp.Expr, offset: timedelta) -> exp.Expr:
    seconds = exp.Literal.string(str(int(offset.total_seconds())))
    return exp.Add(this=value.copy(), expression=exp.Interval(this=seconds, unit=exp.var("SECOND")))


def _weekday(arguments: list[exp.Expr], binding: Binding) -> exp.Expr:
    days = _floor_div(_microseconds(instant_literal(_MONDAY), _local_time(arguments, binding)), _DAY_MICROSECONDS)
    seven = exp.Literal.number(7)
    # Twice the remainder, so that days before the reference Monday come out positive too.
    inner = exp.paren(exp.Add(this=exp.Mod(this=days, expression=seven), expression=seven.copy()))
    return exp.paren(exp.Add(this=exp.Mod(this=inner, expression=seven.copy()), expression=exp.Literal.number(1)))


def _local_hour(arguments: list[exp.Expr], binding: Binding) -> exp.Expr:
    return exp.Extract(this=exp.var("HOUR"), expression=_local_time(arguments, binding))


def _local_date(arguments: list[exp.Expr], binding: Binding) -> exp.Expr:
    return exp.cast(_local_time(arguments, binding), exp.DType.DATE)


def _whole(arguments: list[exp.Expr], _: Binding) -> exp.Expr:
    return exp.cast(exp.Floor(this=_double(arguments[0])), exp.DType.BIGINT, copy=False)


def _cents(arguments: list[exp.Expr], _: Binding) -> exp.Expr:
    # Casting a double to DECIMAL rounds by its printed digits on one engine and by its binary value on another.
    hundredfold = exp.Mul(this=_double(exp.paren(arguments[0], copy=False)), expression=exp.Literal.number("100.0"))
    whole = exp.Floor(this=exp.Add(this=hundredfold, expression=exp.Literal.number("0.5")))
    rounded = exp.Div(this=whole, expression=exp.Literal.number("100.0"), safe=True)
    return exp.cast(exp.paren(rounded, copy=False), _MONEY.copy(), copy=False)


def _flag(arguments: list[exp.Expr], _: Binding) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=arguments[0], true=exp.Literal.number(1))], default=exp.Literal.number(0))


def _spread(arguments: list[exp.Expr], _: Binding) -> exp.Expr:
    return exp.StddevSamp(this=_double(arguments[0]))


def _setting(arguments: list[exp.Expr], binding: Binding) -> exp.Expr:
    name = arguments[0]
    if not isinstance(name, exp.Literal) or not name.is_string or name.this not in binding.settings:
        raise Refused(
            f"Unknown setting {name.sql(dialect='duckdb')}",
            expected=f"one of {', '.join(sorted(binding.settings)) or '(none)'}",
            remedy="Add it under [settings] in aimwell.toml.",
        )
    return exp.convert(binding.settings[name.this])


_ALL = (
    Macro("as_of", 0, "as_of(): the instant of the cut", _as_of),
    Macro("as_of_day", 0, "as_of_day(): the local day of the cut", _as_of_day),
    Macro(
        "days_before",
        1,
        "days_before(28): the instant 28 local days before the cut, same time on the clock",
        _days_before,
    ),
    Macro("day_before", 1, "day_before(28): the local day 28 days before the day of the cut", _day_before),
    Macro(
        "days_between",
        2,
        "days_between(since, until): whole days of 24 hours from since to until, rounded down",
        _between(_DAY_MICROSECONDS),
    ),
    Macro(
        "hours_between",
        2,
        "hours_between(since, until): whole hours from since to until, rounded down",
        _between(3_600_000_000),
    ),
    Macro("month_index", 1, "month_index(t): year × 12 + month", _month_index),
    Macro("ratio", 2, "ratio(a, b): a divided by b as a double, NULL when b is 0", _ratio),
    Macro("mean", 1, "mean(x): average as a double", _mean),
    Macro("log_ten", 1, "log_ten(x): logarithm to base 10", _log_ten),
    Macro("ordered_list", 1, "ordered_list(x): the values as a sorted list", _ordered_list),
    Macro("quantile_at", 2, "quantile_at(x, 0.5): interpolated quantile as a double", _quantile),
    Macro("age_years", 1, "age_years(birth_date): completed years of age at the cut", _age_years),
    Macro("local_time", 1, "local_time(t): the workspace's clock on the wall at that instant", _local_time),
    Macro("local_hour", 1, "local_hour(t): hour of the local clock, 0 to 23", _local_hour),
    Macro("local_date", 1, "local_date(t): local calendar day", _local_date),
    Macro("weekday", 1, "weekday(t): local weekday, 1 Monday to 7 Sunday", _weekday),
    Macro("whole", 1, "whole(x): rounded down to a whole number", _whole),
    Macro("cents", 1, "cents(x): an amount rounded half up to two decimals", _cents),
    Macro("flag", 1, "flag(condition): 1 if true, else 0", _flag),
    Macro("spread", 1, "spread(x): sample standard deviation as a double", _spread),
    Macro("setting", 1, "setting('name'): a value from [settings] of the workspace", _setting),
)

MACROS: dict[str, Macro] = {macro.name: macro for macro in _ALL}
