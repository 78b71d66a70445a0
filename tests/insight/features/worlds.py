"""Small random worlds with rows in every canonical table, for tests of families that nobody has seen yet.

Words that families compare a column with (`kind = 'deposit'`) and JSON keys that they read are taken from the families
themselves, so that a new family finds in these worlds what it looks for.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache

import pyarrow as pa
from sqlglot import exp

from aimwell.core.tables import TABLES, Column, Table
from aimwell.core.time import to_store, zone
from aimwell.insight.features.basis import closure
from aimwell.insight.features.family import Family
from aimwell.insight.features.library import library
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.macros import Setting
from aimwell.store.warehouse.warehouse import Warehouse

NEW_YORK = zone("America/New_York")
AS_OF = datetime(2017, 11, 1, tzinfo=NEW_YORK)
STORED = to_store(AS_OF)
"""The cut as the warehouse keeps instants: naive UTC."""
DAY = AS_OF.date()

CUSTOMERS = tuple(f"c{number}" for number in range(1, 9))
PRODUCTS = tuple(f"p{number}" for number in range(1, 13))

Value = str | int | float | bool | Decimal | datetime | date | None
Row = dict[str, Value]
World = dict[str, list[Row]]

_ARROW = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "money": pa.decimal128(18, 2),
    "instant": pa.timestamp("us"),
    "day": pa.date32(),
    "boolean": pa.bool_(),
    "json": pa.string(),
}
_CATEGORIES = ("bread", "milk", "beer", "tea", "soap", "salt", "nuts")
_WORDS: dict[str, tuple[str, ...]] = {
    "customer_id": CUSTOMERS,
    "product_id": PRODUCTS,
    "category": _CATEGORIES,
    "subcategory": ("rye", "white", "oat"),
    "department": ("bakery", "dairy", "drinks"),
    "brand": ("north", "south"),
    "channel": ("shop", "app"),
    "place": ("s1", "s2", "Shanghai", "Beijing"),
    "campaign": ("1", "2"),
    "city": ("Shanghai", "Beijing"),
    "gender": ("f", "m"),
    "head": _CATEGORIES,
    "offer_id": ("o1", "o2"),
    "code": ("k1", "k2", "k3"),
    "session_id": tuple(f"n{number}" for number in range(12)),
}
_SINCE = ("created_at", "available_since", "first_seen")
_FACTS_PER_CUSTOMER = {"purchase": 90, "event": 60, "balance": 90, "touch": 12, "outcome": 30, "feedback": 15}
SETTINGS: dict[str, Setting] = {"large_basket_lines": 3, "small_basket_lines": 1, "browsed_least_views": 1}
"""Thresholds that fit orders of few lines and few views."""


def full_world(seed: int = 7) -> World:
    """A world with rows of every table: before, exactly at and after the cut, known in time and known late."""
    chance = random.Random(seed)
    return {table.name: list(_rows(table, chance)) for table in TABLES.values()}


def warehouse_of(world: World, *, only: Iterable[str] | None = None) -> Warehouse:
    """A warehouse in memory with the rows of a world; `only` names the `table.column`s that are loaded."""
    engine = DuckEngine(threads=2)
    load(engine, world, only)
    return Warehouse(engine, NEW_YORK, SETTINGS)


def load(engine: Engine, world: World, only: Iterable[str] | None = None) -> None:
    """Replace the tables of an engine by the rows of a world; columns that are not loaded are there, but empty."""
    wanted = {name: set(TABLES[name].names) for name in world} if only is None else _by_table(only)
    for name, columns in wanted.items():
        rows = [{key: value for key, value in row.items() if key in columns} for row in world[name]]
        engine.write(name, arrow(TABLES[name], rows))


def give(engine: Engine) -> dict[str, str]:
    """What families may ask for beyond the tables: coupons of a campaign, amounts expected."""
    rows = [{"code": f"k{number % 3}", "product_id": product} for number, product in enumerate(PRODUCTS[:7])]
    engine.write("given_goods", pa.Table.from_pylist(rows))
    amounts = [{"customer_id": who, "current": 10.0 * n, "expected": 35.0} for n, who in enumerate(CUSTOMERS)]
    engine.write("given_amounts", pa.Table.from_pylist(amounts))
    return {"campaign_goods": "given_goods", "expected_value": "given_amounts"}


def arrow(table: Table, rows: list[Row]) -> pa.Table:
    """Rows of a canonical table as the warehouse keeps them."""
    return pa.table({c.name: pa.array([row.get(c.name) for row in rows], _ARROW[c.kind]) for c in table.columns})


def _by_table(names: Iterable[str]) -> dict[str, set[str]]:
    """Columns by table; its key, its required columns and its clocks are always there."""
    found: dict[str, set[str]] = {}
    for name in names:
        table, _, column = name.partition(".")
        always = {*TABLES[table].key, *TABLES[table].required, TABLES[table].known, *_SINCE}
        found.setdefault(table, always).update([column] if column else [])
    return found


# --- rows ------------------------------------------------------------------------------------------------------------


def _rows(table: Table, chance: random.Random) -> Iterator[Row]:
    if table.shape == "state":
        yield from _versions(table, chance)
        return
    per_customer = _FACTS_PER_CUSTOMER.get(table.name, 20)
    for customer in CUSTOMERS if table.column("customer_id") else ("",):
        # The last customer has hardly any past, one has none: families must bear both.
        count = {"c7": 3, "c8": 0}.get(customer, 500 if table.name == "context" else per_customer)
        for number in range(count):
            yield fact(table, chance, f"{customer}.{number}", customer)
    if table.column("customer_id"):
        yield fact(table, chance, "edge", "c1") | {table.occurred or "": _edge(table)}


def _edge(table: Table) -> Value:
    return DAY if table.shape in {"day_fact", "forecast"} else STORED


def _versions(table: Table, chance: random.Random) -> Iterator[Row]:
    keys = {"customer": CUSTOMERS, "product": PRODUCTS}.get(table.name, tuple(f"{table.name}{n}" for n in range(40)))
    for number, key in enumerate(keys):
        row = state(table, chance, key, customer=CUSTOMERS[number % len(CUSTOMERS)])
        yield row | {"known_at": None if number % 3 else before(chance, 300)}
        for _ in range(chance.choice((0, 0, 1, 2))):
            later = state(table, chance, key, customer=str(row.get("customer_id") or "c1"))
            yield later | {part: row[part] for part in table.key} | {"known_at": around(chance)}


def fact(table: Table, chance: random.Random, identity: str, customer: str) -> Row:
    """A random row of a fact table, mostly before the cut and mostly known at once."""
    row = {column.name: _value(table, column, chance, identity) for column in table.columns}
    if customer:
        row["customer_id"] = customer
    when = around(chance) if chance.random() < 0.1 else before(chance, 600)
    row[table.occurred or ""] = when.date() if table.shape in {"day_fact", "forecast"} else when
    if table.name == "purchase":
        # Three lines in a row share their order, one of them not always.
        order = f"{customer}-{identity}"[:-1]
        when = before(random.Random(order), 600) if chance.random() < 0.9 else when
        row |= {"occurred_at": when, "order_id": f"{order}-{when:%m%d}", "line": identity}
    if table.name == "outcome":
        row["touch_id"] = f"{customer}.{chance.randrange(_FACTS_PER_CUSTOMER['touch'])}"
    if table.name == "balance":
        row["account"] = f"{customer}.{row['kind']}"
    if table.shape == "forecast":
        row[table.occurred or ""] = DAY + timedelta(days=chance.randrange(-10, 10))
    late = {0: STORED, 1: STORED + timedelta(days=3)}.get(chance.randrange(12))
    row[table.known] = late or (None if chance.random() < 0.6 else when + timedelta(hours=chance.randrange(50)))
    return row


def state(table: Table, chance: random.Random, key: str, customer: str = "c1") -> Row:
    """A random row of a state table."""
    row = {column.name: _value(table, column, chance, key) for column in table.columns}
    if table.column("customer_id") and table.name != "customer":
        row["customer_id"] = customer
    if table.name in {"customer", "product", "device"}:
        row[table.key[0]] = key
    for since in _SINCE:
        if since in row:
            row[since] = before(chance, 500)
    for masked in table.masked:
        row[masked] = around(chance)
    return row


def before(chance: random.Random, days: int) -> datetime:
    """A naive UTC instant before the cut."""
    return STORED - timedelta(seconds=1 + chance.randrange(days * 86_400))


def around(chance: random.Random) -> datetime:
    """A naive UTC instant near the cut: before it, exactly at it, or after it."""
    return STORED + timedelta(hours=chance.choice((-2000, -30, -1, 0, 0, 1, 30, 2000)))


def _value(table: Table, column: Column, chance: random.Random, identity: str) -> Value:
    if column.name in table.key and column.name.endswith("_id") and column.name not in _WORDS:
        return identity
    if column.name not in table.required and chance.random() < (0.5 if column.name == "matures_on" else 0.08):
        return None
    return _of_kind(table, column, chance)


def _of_kind(table: Table, column: Column, chance: random.Random) -> Value:
    match column.kind:
        case "integer":
            return chance.randrange(1, 6) if "level" in column.name else chance.randrange(1, 120)
        case "number":
            return float(chance.randrange(-2, 20)) if column.name == "quantity" else round(chance.random() * 40, 2)
        case "money":
            if column.name == "credit_limit":
                return Decimal(chance.randrange(20, 40)) * 1000
            low = -500 if table.name == "purchase" and column.name == "amount" else 0
            return Decimal(chance.randrange(low, 9000)) / 100
        case "boolean":
            return chance.random() < 0.5
        case "instant":
            return before(chance, 500)
        case "day":
            return DAY - timedelta(days=chance.randrange(-60, 20_000 if column.name == "birth_date" else 60))
        case "json":
            return json.dumps({key: chance.choice(words) for key, words in _json_keys().items()})
        case _:
            return chance.choice(_words(table.name, column.name))


# --- what families look for ------------------------------------------------------------------------------------------


def _words(table: str, column: str) -> tuple[str, ...]:
    compared = _compared().get((table, column), ())
    return (*_WORDS.get(column, () if len(compared) > 1 else ("a", "b", "c")), *compared)


def _queries(family: Family) -> list[exp.Select]:
    return [family.sql, *(basis.sql for basis in closure(family.reads))]


@cache
def _compared() -> dict[tuple[str, str], tuple[str, ...]]:
    """The words that families which read a table compare each column with."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for queries in map(_queries, library().families.values()):
        tables = {table.name for query in queries for table in query.find_all(exp.Table)} & set(TABLES)
        for node in (node for query in queries for node in query.find_all(exp.EQ, exp.NEQ, exp.In)):
            literals = [each.this for each in node.find_all(exp.Literal) if each.is_string]
            for column in node.find_all(exp.Column):
                for table in tables:
                    found[table, column.name].update(literals)
    return {place: tuple(sorted(words)) for place, words in found.items()}


@cache
def _json_keys() -> dict[str, tuple[str, ...]]:
    """The JSON keys that families read, each with a few words as values."""
    queries = (query for family in library().families.values() for query in _queries(family))
    keys = {key.name for query in queries for key in query.find_all(exp.JSONPathKey)}
    return {key: _WORDS.get(key, ("1", "20", "Shanghai")) for key in sorted(keys)}
