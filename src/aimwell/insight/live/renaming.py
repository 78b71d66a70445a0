"""Rows of the warehouse follow their customers: given away when two become one, and back when they come apart.

Every row remembers under which customer id its sender would stand alone (`_under`, a column of the warehouse's own;
empty where that is the row's customer). So rows part as the senders part, those too that came after the merge.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import Connection, select
from sqlglot import exp

from aimwell.core.tables import TABLES
from aimwell.insight.identity.lookup import resolve
from aimwell.insight.identity.resolution import ANONYMOUS, USER, Node, name_of, naming
from aimwell.store.ledger.schema.people import customer
from aimwell.store.sources.trees import add_column
from aimwell.store.warehouse.warehouse import Warehouse

UNDER = "_under"
ASIDE = "live_aside"
"""Rows of `customer` that the company loaded, of those who are gone: needed again when they come back."""

_CUSTOMER = "customer"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of the ledger's log: `gone` was taken into `kept`, or, if parted, has left `kept` again."""

    kept: str
    gone: str
    parted: bool = False


def alone(user_id: str | None, anonymous_id: str | None) -> str:
    """The customer id that the sender of a message would have if nothing were known of others."""
    return name_of(Node(ANONYMOUS, anonymous_id or "") if user_id is None else Node(USER, user_id))


def rename(warehouse: Warehouse, connection: Connection, changes: Sequence[Change]) -> int:
    """Carry changes of who is who, in their order, into every table about customers; returns how many rows changed.

    connection: of the ledger, which is asked to whom the rows of customers who came apart belong now. All in the
    caller's transaction of the warehouse; again, it changes nothing.
    """
    changed = _unite(warehouse, [each for each in changes if not each.parted])
    parted = {each.gone for each in changes if each.parted}
    if parted:
        changed += _part(warehouse, connection, {each.kept for each in changes})
        changed += _bring_back(warehouse, existing(connection, parted))
    return changed


def ensure_under(warehouse: Warehouse, name: str) -> None:
    """Have the column in a table that is there."""
    columns = warehouse.engine.columns(name)
    if columns and UNDER not in columns:
        warehouse.engine.run(add_column(name, UNDER, "VARCHAR"))


def told_of_them() -> exp.Expr:
    """Which rows of `customer` tell of the person: loaded by the company, or made when the first message came."""
    return exp.or_(exp.Is(this=exp.column(UNDER), expression=exp.null()), _known("created_at"))


def _unite(warehouse: Warehouse, changes: Iterable[Change]) -> int:
    """Give the rows of customers who are gone to those who are kept."""
    final: dict[str, str] = {}
    for each in changes:
        final = {old: each.kept if new == each.gone else new for old, new in final.items()} | {each.gone: each.kept}
    changed = 0
    for name in _tables(warehouse) if final else ():
        theirs = _among(final)
        if not warehouse.engine.to_arrow(exp.select("customer_id").from_(name).where(theirs).limit(1)).num_rows:
            continue
        ensure_under(warehouse, name)
        if name == _CUSTOMER:
            changed += _set_aside(warehouse, theirs)
        changed += _rewrite(warehouse, name, theirs, final, by="customer_id")
    return changed


def _part(warehouse: Warehouse, connection: Connection, suspects: Collection[str]) -> int:
    """Give rows of these customers to whom their senders belong now."""
    changed = 0
    for name in _tables(warehouse):
        if UNDER not in warehouse.engine.columns(name):
            continue
        theirs = exp.and_(_among(suspects), _known(UNDER))
        query = exp.select("customer_id", UNDER).distinct().from_(name).where(theirs)
        pairs = [(row["customer_id"], row[UNDER]) for row in warehouse.engine.to_arrow(query).to_pylist()]
        owners = _owners(connection, {under for _, under in pairs})
        moving = [(owner, under) for owner, under in pairs if owners.get(under, owner) != owner]
        if moving:
            changed += _rewrite(warehouse, name, _any_of(moving), owners, by=UNDER)
    return changed


def _rewrite(warehouse: Warehouse, name: str, which: exp.Expr, owner_of: Mapping[str, str], *, by: str) -> int:
    """Give these rows the customers that belong to the customer that they have, or to their sender (`by`)."""
    rows = warehouse.engine.to_arrow(exp.select("*").from_(name).where(which))
    if rows.num_rows == 0:
        return 0
    owners = [owner_of[each] for each in rows.column(by).to_pylist()]
    before = zip(rows.column("customer_id").to_pylist(), rows.column(UNDER).to_pylist(), strict=True)
    names = [under or owner for owner, under in before]
    if name != _CUSTOMER:  # there it also tells what messages said from what the company has loaded
        names = [None if each == owner else each for each, owner in zip(names, owners, strict=True)]
    warehouse.engine.run(exp.delete(name, where=which.copy()))
    for column, values in (("customer_id", owners), (UNDER, names)):
        rows = rows.set_column(rows.column_names.index(column), column, pa.array(values, pa.string()))
    warehouse.engine.append(name, rows)
    return int(rows.num_rows)


def _set_aside(warehouse: Warehouse, theirs: exp.Expr) -> int:
    """Take away who they were, as the one who is kept has rows of his own; what they said of themselves goes along."""
    engine = warehouse.engine
    loaded = exp.and_(theirs.copy(), exp.Is(this=exp.column(UNDER), expression=exp.null()))
    rows = engine.to_arrow(exp.select("*").from_(_CUSTOMER).where(loaded))
    if rows.num_rows:
        before = engine.to_arrow(exp.select("*").from_(ASIDE)) if engine.columns(ASIDE) else rows.slice(0, 0)
        engine.write(ASIDE, pa.concat_tables([before, rows], promote_options="default"))
        engine.run(exp.delete(_CUSTOMER, where=loaded.copy()))
    made = exp.and_(theirs.copy(), _known("created_at")) if "created_at" in engine.columns(_CUSTOMER) else exp.false()
    count = engine.to_arrow(exp.select(exp.alias_(exp.Count(this=exp.Star()), "n")).from_(_CUSTOMER).where(made))
    engine.run(exp.delete(_CUSTOMER, where=made.copy()))
    return int(rows.num_rows) + int(count["n"][0].as_py())


def _bring_back(warehouse: Warehouse, customers: Collection[str]) -> int:
    """Rows of `customer` that were set aside, of those who are there again; returns how many.

    Others are made anew from the ledger by whoever appends new people.
    """
    engine = warehouse.engine
    if not customers or not engine.columns(ASIDE):
        return 0
    theirs = _among(customers)
    rows = engine.to_arrow(exp.select("*").from_(ASIDE).where(theirs))
    if rows.num_rows:
        engine.append(_CUSTOMER, warehouse.shaped(_CUSTOMER, rows))
        engine.run(exp.delete(ASIDE, where=theirs.copy()))
        warehouse.refresh()
    return int(rows.num_rows)


def existing(connection: Connection, customers: Collection[str]) -> set[str]:
    """Those of them who are customers now."""
    found: set[str] = set()
    wanted = sorted(customers)
    for start in range(0, len(wanted), _AT_ONCE):
        asked = customer.c.customer_id.in_(wanted[start : start + _AT_ONCE])
        found |= set(connection.scalars(select(customer.c.customer_id).where(asked)))
    return found


def _owners(connection: Connection, names: Collection[str]) -> Mapping[str, str]:
    """The customer of each sender; of those without identifiers, the customer of that name, if there is one."""
    found = resolve(connection, {naming(name) for name in names})
    owners = {name: found[naming(name)] for name in names if naming(name) in found}
    return {name: name for name in existing(connection, set(names) - owners.keys())} | owners


def _tables(warehouse: Warehouse) -> list[str]:
    return [name for name in TABLES if "customer_id" in warehouse.engine.columns(name)]


def _among(customers: Iterable[str]) -> exp.Expr:
    return exp.column("customer_id").isin(*sorted(customers))


def _any_of(pairs: Iterable[tuple[str, str]]) -> exp.Expr:
    """The rows of these customers that came under these names."""
    return exp.or_(
        *(
            exp.and_(
                exp.EQ(this=exp.column("customer_id"), expression=exp.Literal.string(owner)),
                exp.EQ(this=exp.column(UNDER), expression=exp.Literal.string(under)),
            )
            for owner, under in sorted(pairs)
        )
    )


def _known(column: str) -> exp.Expr:
    return exp.not_(exp.Is(this=exp.column(column), expression=exp.null()))
