"""Small syntax trees that loading is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import exp

from aimwell.core.tables import Kind

FILE = "_file"
ROW = "_row"
REASON = "_reason"
ORIGIN = "_origin"

TYPES: Mapping[Kind, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "money": "DECIMAL(18, 2)",
    "instant": "TIMESTAMP",
    "day": "DATE",
    "boolean": "BOOLEAN",
    "json": "VARCHAR",
}


def column(name: str, table: str | None = None) -> exp.Column:
    """A column by name, quoted."""
    return exp.column(name, table=table, quoted=True)


def data_type(name: str) -> exp.DataType:
    """A type by its DuckDB name."""
    return exp.DataType.build(name, dialect="duckdb")


def text(value: str) -> exp.Expr:
    """A text constant."""
    return exp.Literal.string(value)


def number(value: int) -> exp.Expr:
    """A whole number constant."""
    return exp.Literal.number(value)


def try_cast(value: exp.Expr, kind: str) -> exp.Expr:
    """The value in another type, NULL where it cannot be."""
    return exp.TryCast(this=value, to=data_type(kind))


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A call of a function of the engine."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def when(*branches: tuple[exp.Expr, exp.Expr], otherwise: exp.Expr | None = None) -> exp.Expr:
    """CASE WHEN … THEN … END."""
    return exp.Case(ifs=[exp.If(this=test, true=value) for test, value in branches], default=otherwise)


def is_null(value: exp.Expr) -> exp.Expr:
    """value IS NULL."""
    return exp.Is(this=value, expression=exp.null())


def known(value: exp.Expr) -> exp.Expr:
    """NOT (value IS NULL)."""
    return negated(is_null(value))


def negated(test: exp.Expr) -> exp.Expr:
    """NOT (test)."""
    return exp.Not(this=exp.paren(test))


def exists(query: exp.Select) -> exp.Expr:
    """EXISTS (query)."""
    return exp.Exists(this=query)


def same(names: Iterable[str], left: str, right: str) -> exp.Expr:
    """Whether two relations agree in all of the columns, NULL being equal to NULL."""
    return exp.and_(*[exp.NullSafeEQ(this=column(name, left), expression=column(name, right)) for name in names])


def equal(names: Iterable[str], left: str, right: str) -> exp.Expr:
    """Whether two relations agree in all of the columns, none of which is NULL."""
    return exp.and_(*[exp.EQ(this=column(name, left), expression=column(name, right)) for name in names])


def temporary(name: str, query: exp.Expr) -> exp.Create:
    """CREATE OR REPLACE TEMPORARY TABLE name AS query."""
    return exp.Create(this=exp.to_table(name), kind="TABLE", replace=True, expression=query, properties=_temporary())


def temporary_columns(name: str, columns: Sequence[tuple[str, str]]) -> exp.Create:
    """CREATE OR REPLACE TEMPORARY TABLE name (columns with their types)."""
    return exp.Create(this=_schema(name, columns), kind="TABLE", replace=True, properties=_temporary())


def table_columns(name: str, columns: Sequence[tuple[str, str]]) -> exp.Create:
    """CREATE TABLE name (columns with their types)."""
    return exp.Create(this=_schema(name, columns), kind="TABLE")


def add_column(name: str, added: str, kind: str) -> exp.Alter:
    """ALTER TABLE name ADD COLUMN."""
    defined = exp.ColumnDef(this=exp.to_identifier(added, quoted=True), kind=data_type(kind))
    return exp.Alter(this=exp.to_table(name), kind="TABLE", actions=[defined])


def insert(name: str, columns: Sequence[str], query: exp.Expr) -> exp.Insert:
    """INSERT INTO name (columns) query."""
    named = [exp.to_identifier(each, quoted=True) for each in columns]
    return exp.Insert(this=exp.Schema(this=exp.to_table(name), expressions=named), expression=query)


def delete(name: str, where: exp.Expr) -> exp.Delete:
    """DELETE FROM name WHERE …"""
    return exp.Delete(this=exp.to_table(name), where=exp.Where(this=where))


def among(value: exp.Expr, numbers: Iterable[int]) -> exp.Expr:
    """value IN (numbers)."""
    return exp.In(this=value, expressions=[number(each) for each in numbers])


def _schema(name: str, columns: Sequence[tuple[str, str]]) -> exp.Schema:
    defined = [exp.ColumnDef(this=exp.to_identifier(each, quoted=True), kind=data_type(kind)) for each, kind in columns]
    return exp.Schema(this=exp.to_table(name), expressions=defined)


def _temporary() -> exp.Properties:
    return exp.Properties(expressions=[exp.TemporaryProperty()])
