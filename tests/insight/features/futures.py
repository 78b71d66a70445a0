"""Changes of a world that nobody could have known of at the cut: what happens later, and what becomes known later."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tests.insight.features.worlds import CUSTOMERS, DAY, STORED, Row, World, before, fact, state

from aimwell.core.tables import TABLES, Table

_LATER = (timedelta(0), timedelta(microseconds=1), timedelta(hours=5), timedelta(days=40))


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one table: of which kind, and the seed of everything random in it."""

    table: str
    kind: str
    seed: int


def changes_of(table: Table) -> tuple[str, ...]:
    """The kinds of change that a table can undergo."""
    common = ("alter", "drop")
    if table.shape == "state":
        return ("version", "newcomer", *(("mask",) if table.masked else ()), *common)
    return ("later", "late", *common)


def changed(world: World, changes: Iterable[Change]) -> World:
    """The world after the changes; none of them shows before the cut."""
    after = {name: list(rows) for name, rows in world.items()}
    for change in changes:
        _CHANGES[change.kind](after[change.table], TABLES[change.table], random.Random(change.seed))
    return after


def _instant(chance: random.Random) -> datetime:
    """At the cut or after it."""
    return STORED + chance.choice(_LATER)


def _occurs_later(table: Table, chance: random.Random) -> datetime | date:
    by_day = table.shape in {"day_fact", "forecast"}
    return DAY + timedelta(days=chance.choice((0, 1, 40))) if by_day else _instant(chance)


def _add_later(rows: list[Row], table: Table, chance: random.Random) -> None:
    """A fact of the future; a forecast of it, issued in the future, or seen when its day has ended."""
    row = _fact(table, chance) | {table.occurred or "": _occurs_later(table, chance)}
    issued = chance.choice((None, _instant(chance)))
    rows.append(row | {table.known: issued} if table.shape == "forecast" else row)


def _add_late(rows: list[Row], table: Table, chance: random.Random) -> None:
    """A fact of the past that becomes known at the cut or later."""
    rows.append(_fact(table, chance) | {table.known: _instant(chance)})


def _fact(table: Table, chance: random.Random) -> Row:
    customer = chance.choice((*CUSTOMERS, "c99"))
    row = fact(table, chance, f"new{chance.random()}", customer if table.column("customer_id") else "")
    if table.shape not in {"day_fact", "forecast"}:
        row[table.occurred or ""] = before(chance, 100)
    if "order_id" in row and chance.random() < 0.5:
        row["order_id"] = f"{customer}-1"
    return row


def _add_version(rows: list[Row], table: Table, chance: random.Random) -> None:
    """What is known of a thing changes at the cut or later: a price, an address, whose identifier it is."""
    if not rows:
        return
    old = chance.choice(rows)
    new = state(table, chance, str(old[table.key[0]]), chance.choice(CUSTOMERS))
    rows.append(new | {part: old[part] for part in table.key} | {table.known: _instant(chance)})


def _add_newcomer(rows: list[Row], table: Table, chance: random.Random) -> None:
    """A customer, product or identifier that nobody knew of."""
    key = chance.choice(("c99", "p99", f"new{chance.random()}"))
    row = state(table, chance, key, chance.choice(CUSTOMERS))
    since = next((name for name in ("created_at", "available_since", "first_seen") if name in row), None)
    if since and chance.random() < 0.5:
        rows.append(row | {since: _instant(chance), table.known: None})
    else:
        rows.append(row | {table.known: _instant(chance)})


def _move_masked(rows: list[Row], table: Table, chance: random.Random) -> None:
    """An instant inside a state row that lies at the cut or after it moves to another such instant."""
    for place, row in enumerate(rows):
        for name in table.masked:
            value = row.get(name)
            if isinstance(value, datetime) and value >= STORED and chance.random() < 0.5:
                rows[place] = row | {name: _instant(chance)}


def _alter(rows: list[Row], table: Table, chance: random.Random) -> None:
    """The values of a row that is not known yet."""
    hidden = [place for place, row in enumerate(rows) if _hidden(table, row)]
    if not hidden:
        return
    place = chance.choice(hidden)
    old = rows[place]
    if table.shape == "state":
        new = state(table, chance, str(old[table.key[0]]), chance.choice(CUSTOMERS))
        clocks = {table.known: old[table.known]}
    else:
        new = fact(table, chance, "altered", str(old.get("customer_id") or ""))
        clocks = {table.known: old[table.known], table.occurred or "": old[table.occurred or ""]}
    rows[place] = new | {part: old[part] for part in table.key} | clocks


def _drop(rows: list[Row], table: Table, chance: random.Random) -> None:
    """A row that is not known yet is taken back."""
    hidden = [place for place, row in enumerate(rows) if _hidden(table, row)]
    if hidden:
        del rows[chance.choice(hidden)]


def _hidden(table: Table, row: Row) -> bool:
    """Whether the row is invisible at the cut, by the definition of the two clocks."""
    known, occurred = row.get(table.known), row.get(table.occurred or "")
    late = isinstance(known, datetime) and known >= STORED
    if table.shape == "state":
        return late
    if isinstance(occurred, datetime):
        return late or occurred >= STORED
    future = isinstance(occurred, date) and occurred >= DAY
    if table.shape == "forecast":
        return late or (known is None and future)
    return late or future


_CHANGES: dict[str, Callable[[list[Row], Table, random.Random], None]] = {
    "later": _add_later,
    "late": _add_late,
    "version": _add_version,
    "newcomer": _add_newcomer,
    "mask": _move_masked,
    "alter": _alter,
    "drop": _drop,
}
