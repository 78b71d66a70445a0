"""An auditor's recount: do kept lists break a limit? From raw rows, sharing no code with what makes or checks them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa

from aimwell.core.time import to_store
from aimwell.insight.predictions.plain import Result
from aimwell.strategy.recommenders.definition import Recommender

Row = Mapping[str, object]
_EVER = datetime(1900, 1, 1)  # noqa: DTZ001 (naive UTC by contract: what has no date was always known)
KINDS = ("unknown_item", "off_sale", "out_of_stock", "never", "owned", "not_assessed", "expired", "too_risky")


@dataclass(frozen=True, slots=True)
class Audit(Result):
    """What the recount found.

    recommended: rows that were looked at.   violations: how many break each limit; a row may break several.
    examples: the first few, as (customer, item, limit).
    """

    recommended: int
    violations: dict[str, int]
    examples: tuple[tuple[str, str, str], ...]

    @property
    def clean(self) -> bool:
        """Whether no row breaks a limit."""
        return not any(self.violations.values())


@dataclass(frozen=True)
class _Item:
    """An item by hand: all of its products together."""

    products: frozenset[str]
    name: str
    line: str
    ended: bool
    listed: bool
    risk: int | None
    term: int | None
    stock: float | None


@dataclass(frozen=True)
class _Facts:
    """Raw rows as they stood at the instant, by customer and item."""

    items: Mapping[str, _Item]
    people: Mapping[str, Row]
    dated: bool
    last_sold: Mapping[str, datetime]
    last_bought: Mapping[tuple[str, str], datetime]


def audit(
    definition: Recommender,
    lists: Iterable[tuple[str, str]],
    tables: Mapping[str, pa.Table],
    as_of: datetime,
    today: date,
) -> Audit:
    """Count again, row by row, which recommendations break a limit of the definition.

    lists: (customer, item) of every recommendation.   tables: the raw canonical tables, with all their versions.
    as_of: the instant of the lists.   today: its local day, for what the business never wants shown.
    Cost: plain Python, some seconds for a million rows.
    """
    facts = _facts(definition, tables, to_store(as_of))
    never = _never(definition, facts.items, today)
    counts = dict.fromkeys(KINDS, 0)
    examples: list[tuple[str, str, str]] = []
    looked = 0
    for customer, name in lists:
        looked += 1
        for kind in _broken(definition, facts, never, customer, name, to_store(as_of)):
            counts[kind] += 1
            if len(examples) < 10:
                examples.append((customer, name, kind))
    return Audit(looked, counts, tuple(examples))


def _broken(
    definition: Recommender, facts: _Facts, never: frozenset[str], customer: str, name: str, now: datetime
) -> list[str]:
    """Every limit that one recommendation breaks."""
    item, limits = facts.items.get(name), definition.eligible
    if item is None:
        return ["unknown_item"]
    found: list[str] = []
    sold, bought = facts.last_sold.get(name), facts.last_bought.get((customer, name))
    recent = sold is not None and (now - sold).days <= limits.sold_within_days
    if item.ended or not (recent or (sold is None and item.listed)):
        found.append("off_sale")
    if limits.stock and item.stock is not None and item.stock <= 0:
        found.append("out_of_stock")
    if name in never:
        found.append("never")
    if not limits.again and bought is not None and (item.term is None or (now - bought).days < item.term):
        found.append("owned")
    if limits.risk and item.risk is not None:
        found += _risky(facts, customer, item.risk, now, limits.assessed_within_days)
    return found


def _risky(facts: _Facts, customer: str, risk: int, now: datetime, valid_days: int) -> list[str]:
    person = facts.people.get(customer, {})
    level, tested = person.get("risk_level"), person.get("risk_tested_at")
    if not isinstance(level, int):
        return ["not_assessed"]
    found = ["too_risky"] if level < risk else []
    expired = (now - tested).days > valid_days if isinstance(tested, datetime) else facts.dated
    return [*found, "expired"] if expired else found


def _facts(definition: Recommender, tables: Mapping[str, pa.Table], now: datetime) -> _Facts:
    products = _standing(tables.get("product"), ("product_id",), now, ("available_since",))
    stock: dict[str, float] = {}
    for (product, *_), row in _standing(tables.get("price"), ("product_id", "place"), now, ()).items():
        if isinstance(held := row.get("stock"), int | float):
            stock[product] = stock.get(product, 0.0) + held
    people = {
        key[0]: row for key, row in _standing(tables.get("customer"), ("customer_id",), now, ("created_at",)).items()
    }
    dated = any(row.get("risk_tested_at") is not None for row in _rows(tables.get("customer")))
    level = definition.level
    named: dict[str, str] = {}
    for (product,), row in products.items():
        group = product if level == "product" else row.get(level)
        if isinstance(group, str):
            named[product] = group
    last_sold: dict[str, datetime] = {}
    last_bought: dict[tuple[str, str], datetime] = {}
    for customer, product, at in _bought(tables["purchase"], now):
        group = product if level == "product" else named.get(product)
        if group is None:
            continue
        last_sold[group] = max(at, last_sold.get(group, at))
        last_bought[customer, group] = max(at, last_bought.get((customer, group), at))
    members: dict[str, list[str]] = {group: [] for group in last_sold}
    for product, group in named.items():
        members.setdefault(group, []).append(product)
    rows = {product: row for (product,), row in products.items()}
    items = {group: _item(definition, group, [(each, rows[each]) for each in listed], stock, now)
             for group, listed in members.items()}  # fmt: skip
    return _Facts(items, people, dated, last_sold, last_bought)


def _item(
    definition: Recommender, group: str, listed: Sequence[tuple[str, Row]], stock: Mapping[str, float], now: datetime
) -> _Item:
    def largest(column: str) -> int | None:
        return max((value for _, row in listed if isinstance(value := row.get(column), int)), default=None)

    def over(row: Row) -> bool:
        until = row.get("available_until")
        return isinstance(until, datetime) and until < now

    above = definition.stands_in
    held = [stock[product] for product, _ in listed if product in stock]
    names = [str(row["name"]) for _, row in listed if row.get("name")] if definition.level == "product" else []
    lines = sorted(str(row[above]) for _, row in listed if above and row.get(above))
    return _Item(
        frozenset(product for product, _ in listed),
        min(names, default=group),
        lines[0] if lines else "",
        bool(listed) and all(over(row) for _, row in listed),
        any(row.get("available_since") is not None for _, row in listed),
        largest("risk_level"),
        largest("term_days"),
        sum(held) if held else None,
    )


def _never(definition: Recommender, items: Mapping[str, _Item], today: date) -> frozenset[str]:
    found: set[str] = set()
    for say in definition.say:
        begun, over = say.since is None or today >= say.since, say.until is not None and today > say.until
        if say.action == "never" and begun and not over:
            found |= {
                name
                for name, item in items.items()
                if name in say.items or item.name in say.items or (say.line is not None and item.line == say.line)
            }
    return frozenset(found)


def _rows(table: pa.Table | None) -> list[Row]:
    found: list[Row] = table.to_pylist() if table is not None else []
    return found


def _standing(
    table: pa.Table | None, key: Sequence[str], now: datetime, since: Sequence[str]
) -> dict[tuple[str, ...], Row]:
    """The state of each thing as known at an instant: later values over earlier ones, empty ones over none."""
    known: list[tuple[datetime, Row]] = []
    for row in _rows(table):
        begun = [row.get(name) for name in ("known_at", *since)]
        if all(not isinstance(each, datetime) or each < now for each in begun):
            told = row.get("known_at")
            known.append((told if isinstance(told, datetime) else _EVER, row))
    found: dict[tuple[str, ...], dict[str, object]] = {}
    for _, row in sorted(known, key=lambda each: each[0]):
        state = found.setdefault(tuple(str(row.get(name)) for name in key), {})
        state |= {name: value for name, value in row.items() if value is not None}
    return dict(found)


def _bought(table: pa.Table, now: datetime) -> Iterable[tuple[str, str, datetime]]:
    """Customer, product and time of every line that was known; what was returned is none."""
    late = "known_at" in table.column_names
    names = ["customer_id", "product_id", "occurred_at", "amount", *(["known_at"] if late else [])]
    for customer, product, at, amount, *told in zip(*(table.column(name).to_pylist() for name in names), strict=True):
        known = told[0] if told and told[0] is not None else at
        if product is not None and amount >= 0 and at < now and known < now:
            yield customer, product, at
