"""Every family gives the same values on Spark as on DuckDB, over a small world with rows in every table.

On Spark each statement costs seconds, whatever its rows, so that families are stacked: their numbers and words side by
side in one long table, a dozen families to a statement.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlglot import exp
from tests.insight.features.worlds import AS_OF, NEW_YORK, SETTINGS, World, full_world, give, load

from aimwell.insight.features.basis import Bases, closure
from aimwell.insight.features.build import Features, _projected
from aimwell.insight.features.family import Column, Family
from aimwell.insight.features.library import library
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
STACK = 12
FAMILIES = [family for family in library().families.values() if family.compute is None]
Found = dict[tuple[str, str], list[object]]


def small_world() -> World:
    """At most some 1,500 rows."""
    return {name: rows[:: max(1, len(rows) // 120)] for name, rows in full_world(seed=5).items()}


def values_of(engine: Engine) -> Found:
    """The values of every family, by family and customer."""
    load(engine, small_world())
    warehouse = Warehouse(engine, NEW_YORK, SETTINGS)
    features = Features(warehouse.history(AS_OF), library(), given=give(engine))
    bases = Bases(features._bound, "compared")
    names = bases.stand({basis.name: basis for family in FAMILIES for basis in closure(family.reads)}.values())
    found: Found = {}
    for start in range(0, len(FAMILIES), STACK):
        stacked = [_long(family, features, names) for family in FAMILIES[start : start + STACK]]
        for row in engine.to_arrow(_union(stacked)).to_pylist():
            family, customer, *values = row.values()
            found[str(family), str(customer)] = values
    bases.drop()
    return found


def _long(family: Family, features: Features, bases: dict[str, str]) -> exp.Select:
    """A family's rows as its name, the customer, its numbers and its words, all families with as many columns."""
    relations = bases | {name: features.given[name] for name in family.given}
    query = features._bound.bind(_projected(family.sql, family.columns), relations)
    numbers = [column for column in family.columns if column.kind not in {"text", "day"}]
    words = [column for column in family.columns if column.kind in {"text", "day"}]
    chosen = [
        exp.alias_(exp.Literal.string(family.name), "family"),
        exp.column("customer_id"),
        *_padded([_number(column) for column in numbers], exp.DType.DOUBLE, "n"),
        *_padded([exp.cast(exp.column(column.name), exp.DType.TEXT) for column in words], exp.DType.TEXT, "t"),
    ]
    return exp.select(*chosen).from_(query.subquery("f"))


def _number(column: Column) -> exp.Expr:
    value: exp.Expr = exp.column(column.name)
    if column.kind == "boolean":
        value = exp.Case(ifs=[exp.If(this=value, true=exp.Literal.number(1))], default=exp.Literal.number(0))
    return exp.cast(value, exp.DType.DOUBLE)


def _padded(values: list[exp.Expr], kind: exp.DType, letter: str) -> Iterator[exp.Expr]:
    wide = 30 if letter == "n" else 16
    assert len(values) <= wide
    for place in range(wide):
        value = values[place] if place < len(values) else exp.cast(exp.null(), kind)
        yield exp.alias_(value, f"{letter}{place}")


def _union(parts: list[exp.Select]) -> exp.Query:
    whole: exp.Query = parts[0]
    for part in parts[1:]:
        whole = exp.union(whole, part, distinct=False)
    return whole


def _same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1.5e-6)
    return one == other


def test_every_family_gives_equal_values_on_both_engines(spark: SparkSession, tmp_path: Path) -> None:
    from aimwell.store.warehouse.spark import SparkEngine

    on_duckdb = values_of(DuckEngine(threads=1))
    assert {family for family, _ in on_duckdb} >= {"spending", "timing", "rfm", "due_categories", "demographics"}
    on_spark = values_of(SparkEngine(tmp_path / "tables", spark))
    assert set(on_spark) == set(on_duckdb)
    unlike = {
        family
        for (family, customer), values in on_duckdb.items()
        if not all(map(_same, values, on_spark[family, customer]))
    }
    assert unlike == set()
