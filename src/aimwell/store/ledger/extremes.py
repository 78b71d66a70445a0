"""The earliest and the latest of several instants inside a statement, where some may be NULL.

SQLite calls them min and max and gives NULL if any argument is; PostgreSQL calls them least and greatest and passes
over NULL. Here NULL stands for "never" in both, and each argument is evaluated once.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, func, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

NEVER = 2**62
"""Later than any instant, in microseconds."""


class _Least(FunctionElement[int]):
    type = BigInteger()
    inherit_cache = True


class _Greatest(FunctionElement[int]):
    type = BigInteger()
    inherit_cache = True


def _spelt(name: str, sqlite: str) -> Any:  # noqa: ANN401 (what the compiler's decorator gives)
    def write(element: FunctionElement[int], compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
        chosen = sqlite if compiler.dialect.name == "sqlite" else name
        return f"{chosen}({compiler.process(element.clauses, **options)})"

    return write


compiles(_Least)(_spelt("least", "min"))
compiles(_Greatest)(_spelt("greatest", "max"))


def earliest(*instants: ColumnElement[int]) -> ColumnElement[int]:
    """The earliest that there is; NULL if none is."""
    if len(instants) == 1:
        return instants[0]
    return func.nullif(_Least(*(_or_never(each) for each in instants)), literal(NEVER, BigInteger), type_=BigInteger)


def latest(one: ColumnElement[int], *others: ColumnElement[int]) -> ColumnElement[int]:
    """The latest; NULL if the first is NULL (the others must not be)."""
    return func.nullif(_Greatest(_or_never(one), *others), literal(NEVER, BigInteger), type_=BigInteger)


def _or_never(instant: ColumnElement[int]) -> ColumnElement[int]:
    return func.coalesce(instant, literal(NEVER, BigInteger), type_=BigInteger)
