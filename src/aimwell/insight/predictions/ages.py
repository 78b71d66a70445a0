"""How long each customer has been known: what tells new customers from existing ones."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sqlglot import exp

from aimwell.insight.features.build import PREFIX, Features
from aimwell.science.arrays import FloatArray
from aimwell.store.warehouse.history import History


def ages(features: Features, people: str) -> FloatArray:
    """Days since each customer in a physical table was first seen, sorted by id; NaN for those never seen [n].

    First seen: the earliest row about the customer in any table of facts, or since when the customer table knows him.
    It is looked up once for all predictions that ask at the instant.
    """
    query = exp.select(exp.column("customer_id", table="people")).from_(exp.to_table(people).as_("people"))
    table = _first_seen_table(features)
    if table is None:
        query = query.select(exp.alias_(exp.cast(exp.null(), exp.DType.DOUBLE), "age"))
    else:
        firsts = exp.to_table(table).as_("firsts")
        query = query.select(exp.column("age", table="firsts")).join(firsts, using="customer_id", join_type="left")
    rows = features.history.engine.to_arrow(query.order_by(exp.column("customer_id", table="people")))
    days = rows.column("age").cast(pa.float64())
    found: FloatArray = np.asarray(days.to_numpy(zero_copy_only=False), dtype=np.float64)
    return found


def _first_seen_table(features: Features) -> str | None:
    """The physical table of ages at the cut, made when first asked for; None if no table names a customer."""
    history, engine = features.history, features.history.engine
    name = f"{PREFIX}first_seen_{features.mark}"
    if name in engine.tables():
        return name
    seen = [query for each in sorted(history.catalog) if (query := _first_seen(each, history)) is not None]
    if not seen:
        return None
    union: exp.Query = seen[0]
    for other in seen[1:]:
        union = exp.union(union, other, distinct=False)
    earliest = exp.Min(this=exp.column("since"))
    days = exp.Anonymous(this="days_between", expressions=[earliest, exp.Anonymous(this="as_of")])
    firsts = exp.select("customer_id", exp.alias_(days, "age")).from_("seen").group_by("customer_id")
    history.create_table_as(name, firsts.with_("seen", as_=union))
    return name


def _first_seen(name: str, history: History) -> exp.Select | None:
    """Each customer's first instant in one table of facts, or since when the customer table knows him."""
    facts = history.catalog[name]
    if name == "customer":
        if not history.has("customer", "created_at"):
            return None
        return exp.select("customer_id", exp.alias_(exp.column("created_at"), "since")).from_("customer")
    if facts.table.shape != "fact" or not facts.rows or facts.table.references.get("customer_id") != "customer":
        return None
    first = exp.alias_(exp.Min(this=exp.column(facts.table.occurred or "")), "since")
    return exp.select("customer_id", first).from_(name).group_by("customer_id")
