"""Families that the data themselves bring: further attributes of customers, and a share of spend for each department.

Their columns depend on what a workspace has loaded, so they join its library when the workspace is opened. Which
columns there are is decided once, from the newest data; what they hold is cut like everything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlglot import exp

from aimwell.core.tables import TABLES
from aimwell.core.text import Text
from aimwell.insight.features.bases.goods import DEPARTMENTS
from aimwell.insight.features.basis import parsed
from aimwell.insight.features.family import Column, Family, Kind
from aimwell.insight.features.library import Library, library
from aimwell.store.warehouse.history import History
from aimwell.store.warehouse.warehouse import Warehouse

MOST_DEPARTMENTS = 12
_NEWEST = datetime(9999, 1, 1, tzinfo=UTC)
_BY_LINES = parsed(
    """
    SELECT product.department, count(*) AS lines
    FROM purchase
    JOIN product ON product.product_id = purchase.product_id
    WHERE NOT product.department IS NULL
    GROUP BY product.department
    ORDER BY lines DESC, product.department
    """
)
_KINDS: Mapping[str, Kind] = {
    "VARCHAR": "text",
    "STRING": "text",
    "BOOLEAN": "boolean",
    "DATE": "day",
    "TINYINT": "integer",
    "SMALLINT": "integer",
    "INTEGER": "integer",
    "INT": "integer",
    "BIGINT": "integer",
    "FLOAT": "number",
    "DOUBLE": "number",
    "DECIMAL": "number",
}


def workspace_library(warehouse: Warehouse) -> Library:
    """The library of all families, and of those that the loaded data bring."""
    return library().with_families(*found_families(warehouse.history(_NEWEST)))


def found_families(history: History) -> list[Family]:
    """The families of this workspace's own attributes and departments; none where it has none.

    history: the newest view of the warehouse; it decides which columns there are.
    """
    return [family for family in (attributes(history), department_shares(history)) if family]


def attributes(history: History) -> Family | None:
    """What the workspace knows of customers beyond the canonical columns, under the names it gave them."""
    facts = history.catalog.get("customer")
    if facts is None:
        return None
    kinds = history.engine.columns(facts.table.name)
    own = sorted(facts.filled - set(TABLES["customer"].names))
    named = {name: kind for name in own if not name.startswith("_") and (kind := _kind(kinds[name]))}
    if not named:
        return None
    columns = tuple(_attribute(name, kind) for name, kind in named.items())
    chosen = [exp.alias_(exp.column(source, quoted=True), c.name) for source, c in zip(named, columns, strict=True)]
    query = exp.select("customer_id", *chosen).from_("customer")
    label = Text("自有属性", "Own attributes")
    return Family("own_attributes", "basic", label, ("customer.customer_id",), columns, query)


def department_shares(history: History) -> Family | None:
    """The share of each customer's spend that each of the departments with the most lines gets."""
    if not history.has("product", "department") or not history.has("purchase", "product_id"):
        return None
    counted = history.to_arrow(_BY_LINES.limit(MOST_DEPARTMENTS))
    names = {slug(each): each for each in sorted(counted.column("department").to_pylist())}
    columns = tuple(_share(name, department) for name, department in names.items())
    spent = exp.func("greatest", exp.column("amount_112"), exp.Literal.number(0))
    total = exp.Sum(this=spent)
    shares = [
        exp.alias_(exp.Anonymous(this="ratio", expressions=[_spent_on(department, spent), total.copy()]), column.name)
        for department, column in zip(names.values(), columns, strict=True)
    ]
    query = exp.select("customer_id", *shares).from_("departments").group_by("customer_id")
    label = Text("部门占比", "Departments")
    return Family("department_shares", "preference", label, (), columns, query, reads=(DEPARTMENTS,))


def slug(words: str) -> str:
    """A name for a column from words in any script.

    >>> slug("MEAT-PCKGD"), slug("家居 百货")
    ('meat_pckgd', '家居_百货')
    """
    return re.sub(r"\W+", "_", words.strip().lower()).strip("_") or "other"


def _kind(physical: str) -> Kind | None:
    return _KINDS.get(physical.partition("(")[0].upper())


def _attribute(name: str, kind: Kind) -> Column:
    plain = slug(name)
    label = plain.replace("_", " ")
    meaning = Text(
        f"来源数据中的客户属性 {name}", f"The attribute {name} of the customer, from the workspace's sources"
    )
    return Column(f"own_{plain}", Text(label, label.capitalize()), kind, meaning, needs=(f"customer.{name}",))


def _share(name: str, department: str) -> Column:
    return Column(
        f"department_{name}_share",
        Text(f"{department}占比", f"Share of {department}"),
        "share",
        Text(f"近112天消费额中{department}的比例", f"Share of {department} in the spend of the last 112 days"),
        measure="department_share",
    )


def _spent_on(department: str, spent: exp.Expr) -> exp.Expr:
    here = exp.EQ(this=exp.column("department"), expression=exp.Literal.string(department))
    either = exp.Case(ifs=[exp.If(this=here, true=spent.copy())], default=exp.Literal.number(0))
    return exp.Sum(this=either)
