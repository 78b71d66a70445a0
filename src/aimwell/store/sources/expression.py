"""Scalar expressions over raw columns: parsed, held to an allow-list, and bound to the columns of a staging table.

Expressions are written in DuckDB's dialect and see one row of what was read: no other table, no file, no clock, no
chance. Casts never fail: what cannot be cast is NULL. Four words are ours: `number(x)` reads a number with the signs of
the source, `nth(a, b)` counts the rows of a file that share the values, in their order, `row_in_file()` is the row's
number, `file_name()` the name of its file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from aimwell.core.errors import BadSource, Refused
from aimwell.store.sources.parts import nearest
from aimwell.store.sources.trees import FILE, ROW, column

WORDS: Mapping[str, str] = {
    "number": "number(x): the text x as a number, with the thousands and decimal signs of the source",
    "nth": "nth(a, …): 1, 2, 3 … among the rows of the file that share these values",
    "row_in_file": "row_in_file(): the row's number in its file",
    "file_name": "file_name(): the name of the file",
}

_ALLOWED: frozenset[type[exp.Expr]] = frozenset({
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.And, exp.Or, exp.Not, exp.EQ,
    exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.NullSafeEQ,
    exp.NullSafeNEQ, exp.Case, exp.If, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.DPipe, exp.Interval,
    exp.Var, exp.DataType, exp.DataTypeParam, exp.Cast, exp.TryCast, exp.Extract, exp.Coalesce, exp.Nullif,
    exp.Greatest, exp.Least, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Sign, exp.Lower, exp.Upper, exp.Trim,
    exp.Length, exp.Substring, exp.Left, exp.Right, exp.Pad, exp.Concat, exp.ConcatWs, exp.Replace, exp.Reverse,
    exp.Translate, exp.StartsWith, exp.EndsWith, exp.Contains, exp.StrPosition, exp.SplitPart, exp.RegexpLike,
    exp.RegexpExtract, exp.RegexpReplace, exp.RegexpFullMatch, exp.MD5, exp.StrToTime, exp.Year, exp.Month, exp.Day,
    exp.TimestampTrunc, exp.DateTrunc, exp.JSONExtract, exp.JSONExtractScalar, exp.JSONPath, exp.JSONPathRoot,
    exp.JSONPathKey, exp.JSONPathSubscript,
})  # fmt: skip

_ZONED = {exp.DType.TIMESTAMPTZ, exp.DType.TIMESTAMPLTZ, exp.DType.TIMETZ}
_ARGUMENTS: Mapping[str, tuple[int, int]] = {
    "number": (1, 1),
    "nth": (1, 16),
    "row_in_file": (0, 0),
    "file_name": (0, 0),
}


def parse_expression(written: str) -> exp.Expr:
    """The tree of one allowed expression; raises Refused with the remedy."""
    try:
        statements = [tree for tree in sqlglot.parse(f"SELECT {written}", read="duckdb") if tree is not None]
    except (ParseError, TokenError):
        raise Refused(
            "It cannot be read as an expression", seen=written, remedy="Write a value as in SQL: number(a) * number(b)."
        ) from None
    select = statements[0] if len(statements) == 1 else None
    if not isinstance(select, exp.Select) or len(select.expressions) != 1 or _clauses(select):
        raise Refused("It is not one expression", seen=written, remedy="Write a single value, such as a * b.")
    tree: exp.Expr = select.expressions[0]
    for node in tree.walk():
        _check(node)
    return tree


def _clauses(select: exp.Select) -> bool:
    return any(value for key, value in select.args.items() if key != "expressions")


def _check(node: exp.Expr) -> None:
    shown = node.sql(dialect="duckdb")[:80]
    if isinstance(node, exp.Anonymous):
        name = node.name.lower()
        if name not in WORDS:
            raise Refused(
                f"The function {node.name}() is not allowed in a source", remedy=f"Ours: {'; '.join(WORDS.values())}."
            )
        least, most = _ARGUMENTS[name]
        if not least <= len(node.expressions) <= most:
            raise Refused(f"{shown} has {len(node.expressions)} argument(s)", remedy=WORDS[name])
    elif type(node) not in _ALLOWED:
        raise Refused(
            f"{shown} is not allowed in a source ({type(node).__name__})",
            remedy="Use one row's columns, operators, CASE, casts and text or date functions.",
        )
    elif isinstance(node, exp.In) and (node.args.get("query") or node.args.get("unnest")):
        raise Refused(f"{shown}: sub-selects are not allowed in a source", remedy="Use lookup: for another file.")
    elif isinstance(node, exp.Cast | exp.TryCast) and node.to.this in _ZONED:
        raise Refused(f"{shown} depends on the session's zone", remedy="Give the column a timezone: instead.")
    elif isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
        raise Refused("* is not allowed in a source", remedy="Name the columns.")


@dataclass(frozen=True)
class Scope:
    """The names that an expression may use: raw columns, and columns of lookups as `lookup.column`.

    number: turns a text tree into that of a number, by the signs of the source.
    """

    fields: Mapping[str, exp.Expr]
    number: Callable[[exp.Expr], exp.Expr]
    _folded: dict[str, list[str]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for name in self.fields:
            self._folded.setdefault(name.casefold(), []).append(name)

    def find(self, name: str) -> str | None:
        """The raw column of that name: written the same, or (if only one fits) apart from upper and lower case."""
        if name in self.fields:
            return name
        like = self._folded.get(name.casefold(), [])
        return like[0] if len(like) == 1 else None

    def value(self, name: str) -> exp.Expr:
        """The tree of a raw column; raises BadSource with the nearest name."""
        found = self.find(name)
        if found is None:
            raise BadSource(f"there is no column {name!r}{nearest(name, self.fields)}")
        return self.fields[found].copy()

    def bind(self, tree: exp.Expr) -> exp.Expr:
        """A parsed expression over this scope; casts become such that never fail."""
        return _bound(tree, self)


def names_in(tree: exp.Expr) -> list[str]:
    """The raw columns that an expression reads, as written."""
    found = [_name(node) for node in tree.find_all(exp.Column)]
    return list(dict.fromkeys(found))


def uses(tree: exp.Expr, word: str) -> bool:
    """Whether an expression uses one of our words."""
    return any(node.name.lower() == word for node in tree.find_all(exp.Anonymous))


def _name(node: exp.Column) -> str:
    return ".".join(part.name for part in node.parts)


def _bound(tree: exp.Expr, scope: Scope) -> exp.Expr:
    if isinstance(tree, exp.Column):
        return scope.value(_name(tree))
    copied = tree.copy()
    for child in list(copied.iter_expressions()):
        child.replace(_bound(child, scope))
    if isinstance(copied, exp.Anonymous):
        return _word(copied, scope)
    if isinstance(copied, exp.Cast) and not isinstance(copied, exp.TryCast):
        return exp.TryCast(this=copied.this, to=copied.to)
    if isinstance(copied, exp.StrToTime):
        return exp.Anonymous(this="try_strptime", expressions=[copied.this, copied.args["format"]])
    return exp.paren(copied) if isinstance(copied, exp.Binary) else copied


def _word(call: exp.Anonymous, scope: Scope) -> exp.Expr:
    match call.name.lower():
        case "number":
            return scope.number(call.expressions[0])
        case "nth":
            order = exp.Order(expressions=[exp.Ordered(this=column(ROW, "staged"))])
            return exp.Window(
                this=exp.RowNumber(), partition_by=[column(FILE, "staged"), *call.expressions], order=order
            )
        case "row_in_file":
            return column(ROW, "staged")
        case _:
            return column("name", "files")
