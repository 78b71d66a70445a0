"""The links as the ledger keeps them: found, added to, and explored as far as a change can reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Select, and_, case, func, select, type_coerce

from aimwell.insight.identity.evidence import Naming
from aimwell.insight.identity.resolution import ANONYMOUS, USER, Link, Node, Pair
from aimwell.insight.identity.scratch import ask_nodes, asked_node, asked_pair, fill, plain, unindexed
from aimwell.store.ledger.schema.people import identifier, link
from aimwell.store.ledger.writes import put

IDS = (ANONYMOUS, USER)


@dataclass(frozen=True, slots=True)
class Known:
    """A user id or anonymous id that the ledger has: whose it is, and when it was first and last seen."""

    customer_id: str
    first_seen: int
    last_seen: int


@dataclass(slots=True)
class Changes:
    """What new pairs change: identifiers to look at again, new sharers of addresses, ids whose addresses changed."""

    touched: set[Node] = field(default_factory=set)
    sharers: Counter[Node] = field(default_factory=Counter)
    addressed: set[Node] = field(default_factory=set)


@dataclass(slots=True)
class Neighbourhood:
    """All that a change can reach: links, the customers so far, and addresses that too many people share."""

    links: dict[Pair, Link] = field(default_factory=dict)
    customers: dict[Node, str] = field(default_factory=dict)
    crowded: set[Node] = field(default_factory=set)


def find_known(connection: Connection, nodes: Collection[Node]) -> dict[Node, Known]:
    """What the ledger knows of these user ids and anonymous ids, in one query."""
    ask_nodes(connection, nodes)
    names = ("kind", "value", "customer_id", "first_seen", "last_seen")
    query = select(*(plain(identifier.c[name]) for name in names)).join(
        asked_node, and_(identifier.c.kind == asked_node.c.kind, identifier.c.value == asked_node.c.value)
    )
    rows = connection.execute(query.where(unindexed(asked_node.c.kind).in_(IDS)))
    return {Node(kind, value): Known(*rest) for kind, value, *rest in rows}


def keep_pairs(connection: Connection, pairs: Mapping[Pair, Naming]) -> Changes:
    """Write what is new about these pairs, and say what that may change."""
    changes = Changes()
    if not pairs:
        return changes
    stored = _stored_pairs(connection, pairs)
    rows = []
    for both, naming in sorted(pairs.items(), key=lambda item: item[0]):
        before = stored.get(both)
        after = Naming(naming.at, naming.last_at, naming.verified, naming.source)
        if before is not None:
            after.add(before)
        if before != after:
            rows.append(_row(both, after))
            _note_change(changes, both, before, after)
    put(connection, link, rows)
    return changes


def explore(
    connection: Connection, start: Collection[Node], *, limit: int, sharers: Mapping[Node, int] | None = None
) -> Neighbourhood:
    """Everything that may be one customer with these identifiers, now or before.

    Follows verified links, and customers as they stand. An address that more than `limit` user ids share is not
    followed, unless it becomes so just now (`sharers`: those who came new), for then its people come apart.
    The number of queries grows with the length of the longest chain, not with the number of people.
    """
    found, reached, frontier = Neighbourhood(), set[Node](), set(start)
    while frontier:
        reached |= frontier
        ask_nodes(connection, _sift(connection, frontier, found, limit, sharers or {}))
        following: set[Node] = set()
        for node, customer_id in _housemates(connection):
            found.customers[node] = customer_id
            following.add(node)
        for each in _links_of_asked(connection):
            found.links[each.a, each.b] = each
            following.update((each.a, each.b))
        frontier = following - reached
    return found


def _sift(
    connection: Connection, frontier: set[Node], found: Neighbourhood, limit: int, sharers: Mapping[Node, int]
) -> set[Node]:
    """The identifiers that are followed; addresses that too many share are noted as crowded."""
    addresses = {node for node in frontier if node.kind not in IDS}
    if not addresses:
        return frontier
    ask_nodes(connection, addresses)
    query = (
        select(link.c.kind_a, link.c.value_a, func.count())
        .join(asked_node, and_(link.c.kind_a == asked_node.c.kind, link.c.value_a == asked_node.c.value))
        .where(unindexed(link.c.kind_b) == USER, link.c.verified)
        .group_by(link.c.kind_a, link.c.value_a)
    )
    closed = set()
    for kind, value, count in connection.execute(query):
        address = Node(kind, value)
        if count > limit:
            found.crowded.add(address)
        if count - sharers.get(address, 0) > limit:
            closed.add(address)
    return frontier - closed


def _housemates(connection: Connection) -> list[tuple[Node, str]]:
    """The ids of all customers to whom the asked ids belong."""
    mate = identifier.alias("mate")
    query = (
        select(mate.c.kind, mate.c.value, mate.c.customer_id)
        .select_from(asked_node)
        .join(identifier, and_(identifier.c.kind == asked_node.c.kind, identifier.c.value == asked_node.c.value))
        .join(mate, mate.c.customer_id == identifier.c.customer_id)
        .where(unindexed(asked_node.c.kind).in_(IDS), unindexed(mate.c.kind).in_(IDS))
        .distinct()
    )
    return [(Node(kind, value), customer_id) for kind, value, customer_id in connection.execute(query)]


def _links_of_asked(connection: Connection) -> list[Link]:
    """The verified links of the asked identifiers; of an anonymous id only the one that counts."""
    ends = select(*_columns()).where(link.c.verified)
    behind = and_(link.c.kind_b == asked_node.c.kind, link.c.value_b == asked_node.c.value)
    rows = [
        *connection.execute(ends.join(asked_node, _ahead()).where(unindexed(asked_node.c.kind) != ANONYMOUS)),
        *connection.execute(ends.join(asked_node, behind)),
        *connection.execute(_chosen(connection.dialect.name)),
    ]
    return [_link(row) for row in rows]


def _ahead() -> ColumnElement[bool]:
    return and_(link.c.kind_a == asked_node.c.kind, link.c.value_a == asked_node.c.value)


def _chosen(backend: str) -> Select[Any]:
    """The first link of each asked anonymous id, as `resolution.choose` has it.

    A till at which thousands signed in would bring them all; the database picks the first. Ties go by code points on
    every database, whatever its language.
    """
    value = link.c.value_b.collate("C") if backend == "postgresql" else link.c.value_b
    order = (case((link.c.kind_b == USER, 0), else_=1), link.c.at, link.c.kind_b, value)
    place = func.row_number().over(partition_by=(link.c.kind_a, link.c.value_a), order_by=order).label("place")
    ranked = (
        select(*_columns(), place)
        .join(asked_node, _ahead())
        .where(unindexed(asked_node.c.kind) == ANONYMOUS, link.c.verified)
        .subquery()
    )
    return select(*(ranked.c[column.name] for column in _columns())).where(ranked.c.place == 1)


def _columns() -> list[ColumnElement[Any]]:
    names = ("kind_a", "value_a", "kind_b", "value_b", "at", "verified", "undone_at")
    return [plain(link.c[name]) for name in names]


def _link(row: Row[Any]) -> Link:
    return Link(
        Node(row.kind_a, row.value_a), Node(row.kind_b, row.value_b), row.at, row.verified, row.undone_at is not None
    )


def _stored_pairs(connection: Connection, pairs: Collection[Pair]) -> dict[Pair, Naming]:
    keys = ("kind_a", "value_a", "kind_b", "value_b")
    fill(connection, asked_pair, [dict(zip(keys, (*a, *b), strict=True)) for a, b in sorted(pairs)])
    query = select(
        *(link.c[name] for name in keys),
        type_coerce(link.c.at, BigInteger),
        type_coerce(link.c.last_at, BigInteger),
        link.c.verified,
        link.c.source,
    ).join(asked_pair, and_(*(link.c[name] == asked_pair.c[name] for name in keys)))
    return {
        (Node(kind_a, value_a), Node(kind_b, value_b)): Naming(*rest)
        for kind_a, value_a, kind_b, value_b, *rest in connection.execute(query)
    }


def _row(both: Pair, naming: Naming) -> dict[str, object]:
    a, b = both
    return {
        "kind_a": a.kind,
        "value_a": a.value,
        "kind_b": b.kind,
        "value_b": b.value,
        "at": naming.at,
        "last_at": naming.last_at,
        "verified": naming.verified,
        "source": naming.source,
    }


def _note_change(changes: Changes, both: Pair, before: Naming | None, after: Naming) -> None:
    """A link joins anew if it is new, newly verified, or older than it seemed: a device goes to its first person."""
    addresses = {node for node in both if node.kind not in IDS}
    if addresses:
        changes.addressed.update(set(both) - addresses)
    newly = after.verified and (before is None or not before.verified)
    if newly or (before is not None and after.verified and after.at < before.at):
        changes.touched.update(both)
    if newly and both[1].kind == USER:
        changes.sharers.update(addresses)
