"""Formulas over tags: one value from others, in the words of authored SQL and with its allow-list."""

from __future__ import annotations

from collections.abc import Callable

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from aimwell.core.errors import Refused
from aimwell.store.warehouse.allowed import check_node

_OF_MANY_ROWS = (exp.AggFunc, exp.Window, exp.Filter, exp.Select, exp.SetOperation, exp.Subquery, exp.Exists, exp.Star)
_MACROS_OF_MANY_ROWS = frozenset({"mean", "spread", "quantile_at", "ordered_list"})


def parse_formula(written: str) -> exp.Expr:
    """The tree of a formula; raises Refused with the remedy for anything but one value made of columns and constants.

    >>> parse_formula("ratio(spend_84d, visits_84d)").sql(dialect="duckdb")
    'RATIO(spend_84d, visits_84d)'
    """
    try:
        statements = [tree for tree in sqlglot.parse(f"SELECT {written}", read="duckdb") if tree is not None]
    except (ParseError, TokenError):
        raise Refused(
            "The formula cannot be read", seen=written, remedy="Write a value as in SQL: ratio(spend_84d, visits_84d)."
        ) from None
    select = statements[0] if len(statements) == 1 else None
    clauses = [key for key, value in select.args.items() if value and key != "expressions"] if select else []
    if not isinstance(select, exp.Select) or len(select.expressions) != 1 or clauses:
        raise Refused("A formula is one value", seen=written, remedy="Write ratio(spend_84d, visits_84d), say.")
    tree: exp.Expr = select.expressions[0]
    for node in tree.walk():
        _check(node)
    return tree


def _check(node: exp.Expr) -> None:
    if isinstance(node, _OF_MANY_ROWS) or (
        isinstance(node, exp.Anonymous) and node.name.lower() in _MACROS_OF_MANY_ROWS
    ):
        raise Refused(
            f"{node.sql(dialect='duckdb')[:80]} looks at many rows",
            expected="a value of one customer or product",
            remedy="A formula combines tags that exist; measures over purchases or events are feature families.",
        )
    if isinstance(node, exp.Column) and node.table:
        raise Refused(f"{node.sql(dialect='duckdb')!r} names a table", remedy=f"Write {node.name} alone.")
    if isinstance(node, exp.Alias):
        raise Refused("A formula has no name of its own", seen=node.alias, remedy="The tag's name is its name.")
    check_node(node)


def columns_of(tree: exp.Expr) -> list[str]:
    """The names that a formula reads, each once, in order of appearance."""
    return list(dict.fromkeys(column.name for column in tree.find_all(exp.Column)))


def replaced(tree: exp.Expr, value: Callable[[str], exp.Expr]) -> exp.Expr:
    """The formula with every column replaced by its value."""

    def step(node: exp.Expr) -> exp.Expr:
        return value(node.name) if isinstance(node, exp.Column) else node

    return tree.transform(step, copy=True)
