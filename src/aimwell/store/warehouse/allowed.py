"""What authored SQL may be made of: an allow-list of node types, and for what is refused, the way to say it.

An allow-list, because a ban list is never complete: clocks, randomness, files and table functions have many spellings,
and sqlglot reads some of them (`now()`) as unknown functions. Constructs that silently give different values on
different engines are refused with the name of the macro that gives equal ones.
"""

from __future__ import annotations

from sqlglot import exp

from aimwell.core.errors import Refused
from aimwell.store.warehouse.macros import MACROS

# Syntax that gave equal values on DuckDB and Spark when compared value by value.
_SYNTAX: tuple[type[exp.Expr], ...] = (
    exp.Select, exp.From, exp.Table, exp.TableAlias, exp.Identifier, exp.Column, exp.Star, exp.Alias, exp.Where,
    exp.Group, exp.Having, exp.Qualify, exp.Order, exp.Ordered, exp.Limit, exp.Join, exp.With, exp.CTE, exp.Subquery,
    exp.Union, exp.Intersect, exp.Except, exp.Distinct, exp.Paren, exp.Tuple, exp.Literal, exp.Boolean, exp.Null,
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.In, exp.Between,
    exp.Like, exp.ILike, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Exists, exp.Case, exp.If, exp.Add, exp.Sub, exp.Mul,
    exp.Neg, exp.Mod, exp.Interval, exp.Var, exp.Window, exp.WindowSpec, exp.Filter, exp.Extract, exp.DataType,
    exp.DataTypeParam, exp.JSONPath, exp.JSONPathRoot, exp.JSONPathKey, exp.DPipe,
)  # fmt: skip

_FUNCTIONS: tuple[type[exp.Expr], ...] = (
    exp.Count, exp.Sum, exp.Min, exp.Max, exp.ArgMax, exp.ArgMin, exp.LogicalOr, exp.LogicalAnd,
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue,
    exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Abs, exp.Sqrt, exp.Exp, exp.Ln, exp.Pow, exp.Floor,
    exp.Ceil, exp.Sign, exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.Substring, exp.Concat, exp.Replace,
    exp.StartsWith, exp.EndsWith, exp.Contains, exp.StrPosition, exp.Year, exp.Month, exp.Day, exp.TimestampTrunc,
    exp.DateTrunc,
    exp.Cast, exp.TryCast, exp.JSONExtract, exp.JSONExtractScalar, exp.StddevSamp, exp.Stddev,
)  # fmt: skip

_ALLOWED = frozenset(_SYNTAX + _FUNCTIONS)

# What differs between engines without an error, or fails on one of them: the construct, and what to write instead.
_INSTEAD: dict[type[exp.Expr], str] = {
    exp.DateDiff: "days_between(since, until) or hours_between(since, until)",
    exp.TimestampDiff: "days_between(since, until)",
    exp.TsOrDsDiff: "days_between(since, until)",
    exp.Log: "ln(x) or log_ten(x)",
    exp.ArrayAgg: "ordered_list(x)",
    exp.List: "ordered_list(x)",
    exp.Mode: "row_number() over a count, ties broken by id",
    exp.ApproxDistinct: "count(DISTINCT x)",
    exp.Div: "ratio(a, b)",
    exp.IntDiv: "whole(ratio(a, b))",
    exp.Avg: "mean(x)",
    exp.PercentileCont: "quantile_at(x, 0.5)",
    exp.PercentileDisc: "quantile_at(x, 0.5)",
    exp.Quantile: "quantile_at(x, 0.5)",
    exp.WithinGroup: "quantile_at(x, 0.5)",
    exp.Median: "quantile_at(x, 0.5)",
    exp.DayOfWeek: "weekday(t)",
    exp.DayOfWeekIso: "weekday(t)",
    exp.Dayname: "weekday(t)",
    exp.Hour: "local_hour(t)",
    exp.CurrentDate: "as_of_day()",
    exp.CurrentTime: "as_of()",
    exp.CurrentTimestamp: "as_of()",
    exp.CurrentDatetime: "as_of()",
    exp.AtTimeZone: "local_time(t)",
    exp.First: "arg_min(x, (t, id))",
    exp.Last: "arg_max(x, (t, id))",
    exp.IgnoreNulls: "min(x) or arg_min(x, (t, id))",
    exp.ToDays: "INTERVAL 7 DAY, written out",
    exp.AnyValue: "min(x) or arg_min(x, (t, id))",
    exp.Variance: "spread(x)",
    exp.VariancePop: "spread(x)",
    exp.Corr: "a measure built from sums",
    exp.RegrSlope: "a measure built from sums",
}

_INTEGERS = {exp.DType.INT, exp.DType.BIGINT, exp.DType.SMALLINT, exp.DType.TINYINT}
_EXTRACTED = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE"}


def check_node(node: exp.Expr) -> None:
    """Raise Refused if authored SQL must not contain this node."""
    if isinstance(node, exp.Anonymous):
        _check_name(node)
        return
    if type(node) in _INSTEAD:
        raise Refused(
            f"{_shown(node)} gives different values on different engines, or none",
            remedy=f"Write {_INSTEAD[type(node)]}.",
        )
    if type(node) not in _ALLOWED:
        raise Refused(
            f"{_shown(node)} is not allowed in authored SQL ({type(node).__name__})",
            remedy="Use SELECT, joins, CTEs, windows, listed functions and macros.",
        )
    _check_details(node)


def _check_name(node: exp.Anonymous) -> None:
    if node.name.lower() not in MACROS:
        raise Refused(f"The function {node.name}() is not allowed", remedy=f"Macros: {', '.join(sorted(MACROS))}.")


def _check_details(node: exp.Expr) -> None:
    if isinstance(node, exp.Table):
        _check_table(node)
    elif isinstance(node, exp.With) and node.args.get("recursive"):
        raise Refused("Recursive queries are not allowed in authored SQL")
    elif isinstance(node, exp.Join) and (node.args.get("method") or "").upper() in {"ASOF", "POSITIONAL"}:
        raise Refused(
            f"{node.args['method']} JOIN does not exist on every engine", remedy="Rank by time with row_number()."
        )
    elif isinstance(node, exp.Cast | exp.TryCast) and node.to.this in _INTEGERS and not isinstance(node.this, exp.Null):
        raise Refused(f"{_shown(node)} rounds on one engine and cuts on another", remedy="Write whole(x) or flag(x).")
    elif isinstance(node, exp.Interval) and not isinstance(node.this, exp.Literal):
        raise Refused(f"{_shown(node)}: an interval must be written out", remedy="Write INTERVAL 7 DAY.")
    elif isinstance(node, exp.Extract) and node.name.upper() not in _EXTRACTED:
        raise Refused(
            f"extract({node.name.lower()} …) differs between engines", remedy="Write weekday(t) or days_between(a, b)."
        )
    elif isinstance(node, exp.Cast | exp.TryCast) and node.to.this in {exp.DType.TIMESTAMPTZ, exp.DType.TIMESTAMPLTZ}:
        raise Refused("TIMESTAMPTZ depends on the session's zone", remedy="Instants are naive UTC; use local_time(t).")


def _check_table(node: exp.Table) -> None:
    if not isinstance(node.this, exp.Identifier):
        raise Refused(f"{_shown(node)}: table functions and files must not be read", remedy="Read canonical tables.")
    if node.args.get("db") or node.args.get("catalog"):
        raise Refused(f"{_shown(node)}: tables are named without schema or catalog")
    extras = [key for key in ("sample", "pivots", "version", "when", "laterals", "hints") if node.args.get(key)]
    if extras:
        raise Refused(f"{_shown(node)}: {', '.join(extras)} is not allowed on a table")


def _shown(node: exp.Expr) -> str:
    return node.sql(dialect="duckdb")[:120]
