"""New evidence meets the ledger: who is who now, and which customers become one or come apart by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, case, delete, func, literal, select, union_all, update

from aimwell.core.errors import BadQuestion
from aimwell.core.keys import shard_of, share_of
from aimwell.insight.identity.evidence import Evidence, IdentitySettings, Naming
from aimwell.insight.identity.graph import IDS, Known, Neighbourhood, explore, find_known, keep_pairs
from aimwell.insight.identity.merging import MESSAGES, Union, merge_customers
from aimwell.insight.identity.parting import Merged, Parting, part_customers, read_merge, read_merges
from aimwell.insight.identity.resolution import (
    USER,
    Link,
    Node,
    Pair,
    component,
    live_links,
    name_customer,
    name_of,
    naming,
    neighbourhood,
    pair,
    resolve_links,
)
from aimwell.insight.identity.scratch import ask_customers, asked_customer, plain, unindexed
from aimwell.store.ledger.columns import DAY, micros
from aimwell.store.ledger.schema.people import customer, identifier, link
from aimwell.store.ledger.writes import insert_new, insert_new_from


@dataclass(slots=True)
class Settled:
    """The customer of each identifier that was seen, who of them is new, and what became of others.

    crowded: addresses met that too many people share to join anybody.
    """

    customers: dict[Node, str] = field(default_factory=dict)
    new_customers: set[str] = field(default_factory=set)
    merges: int = 0
    partings: int = 0
    crowded: set[Node] = field(default_factory=set)


@dataclass(slots=True)
class _Moves:
    unions: list[Union] = field(default_factory=list)
    departures: dict[tuple[str, str], list[Node]] = field(default_factory=dict)


def settle(connection: Connection, evidence: Evidence, settings: IdentitySettings, at: datetime) -> Settled:
    """Take evidence into the ledger, in the caller's transaction; the same evidence again changes nothing.

    at: when we learned of it, for the log of merges.
    """
    known = find_known(connection, evidence.seen)
    changes = keep_pairs(connection, evidence.pairs)
    _keep_seen(connection, evidence, known)
    settled = Settled({node: each.customer_id for node, each in known.items()})
    new = evidence.seen.keys() - known.keys()
    if start := new | changes.touched:
        found = explore(connection, start, limit=settings.limit, sharers=changes.sharers)
        arrived = {node: evidence.seen[node] for node in new}
        _rearrange(connection, found, arrived, settings, at, settled)
    addressed = {settled.customers[node] for node in changes.addressed if node in settled.customers}
    rebuild_addresses(connection, addressed)
    return settled


def join(connection: Connection, one: str, other: str, *, settings: IdentitySettings, at: datetime, by: str) -> None:
    """Say by hand that two user ids are one person, also if a merge of them was undone before.

    Raises BadQuestion for a user id that is not known.
    """
    both = pair(Node(USER, one), Node(USER, other))
    if missing := set(both) - find_known(connection, both).keys():
        raise BadQuestion(f"Nobody is known as {', '.join(node.value for node in sorted(missing))}")
    keep_pairs(connection, {both: Naming(micros(at), micros(at), True, by)})
    _mark(connection, [both], None)
    found = explore(connection, both, limit=settings.limit)
    _rearrange(connection, found, {}, settings, at, Settled())


def undo(connection: Connection, merge_id: int, *, settings: IdentitySettings, at: datetime) -> None:
    """Take a merge back: identities, profile, consent and rows are as they were; what was sent stays sent.

    The links between the two are marked, so the same messages never join them again; other evidence may.
    Raises BadQuestion if there is no such merge, or if it was undone before.
    """
    merged = read_merge(connection, merge_id)
    if merged is None or merged.undone:
        raise BadQuestion(
            f"Merge {merge_id} cannot be undone", seen="no such merge" if merged is None else "it is undone already"
        )
    gone, kept = set(merged.nodes("members")), set(merged.nodes("kept_members"))
    if not gone:  # made by hand without identifiers: there are only rows to give back
        _create(connection, [merged.gone], {}, settings)
        part_customers(connection, [Parting(merged.kept, merged.gone, [merged])], at)
        return
    found = explore(connection, gone | kept, limit=settings.limit)
    _mark(connection, _crossing(found, gone, kept), at)
    found = explore(connection, gone | kept, limit=settings.limit)
    _rearrange(connection, found, {}, settings, at, Settled())
    _give_back(connection, merged, at)


def _give_back(connection: Connection, merged: Merged, at: datetime) -> None:
    """Where the customer that was kept has another name by now, the rows are given back after everything else."""
    left = read_merge(connection, merged.id)
    if left is None or left.undone:
        return
    sides = [naming(merged.kept), naming(merged.gone)]
    known = find_known(connection, sides)
    there, here = (known[side].customer_id if side in known else None for side in sides)
    if there and here and there != here:
        part_customers(connection, [Parting(there, here, [left])], at)


def _mark(connection: Connection, pairs: Collection[Pair], undone_at: datetime | None) -> None:
    """Mark links as undone, or as in force again."""
    if pairs:
        statement = update(link).where(*(link.c[name] == bindparam(f"key_{name}") for name in _LINK_KEY))
        keys = [dict(zip((f"key_{name}" for name in _LINK_KEY), (*a, *b), strict=True)) for a, b in sorted(pairs)]
        connection.execute(statement.values(undone_at=undone_at), keys)


_LINK_KEY = ("kind_a", "value_a", "kind_b", "value_b")


def _crossing(found: Neighbourhood, gone: set[Node], kept: set[Node]) -> list[tuple[Node, Node]]:
    """The links between the two sides; what came later belongs to the side of those who were kept if it touches it."""
    live = live_links(found.links.values(), found.customers.keys(), found.crowded)
    neighbours = neighbourhood(live)
    stayed: set[Node] = set()
    for node in kept:
        stayed |= component(node, neighbours, without=gone)
    return sorted((each.a, each.b) for each in live if (each.a in stayed) != (each.b in stayed))


def _rearrange(
    connection: Connection,
    found: Neighbourhood,
    arrived: Mapping[Node, tuple[int, int]],
    settings: IdentitySettings,
    at: datetime,
    settled: Settled,
) -> None:
    """Work out the customers of a neighbourhood and carry out what differs from the ledger."""
    seen = found.customers.keys() | arrived.keys()
    links = list(found.links.values())
    customers = resolve_links(links, seen, limit=settings.limit, crowded=found.crowded)
    live = live_links(links, seen, found.crowded)
    moves = _plan(found.customers, customers, live)
    first = {customers[node]: span[0] for node, span in sorted(arrived.items(), key=lambda item: -item[1][0])}
    first.update(dict.fromkeys(sorted(set(customers.values()) - first.keys()), micros(at)))
    settled.new_customers |= _create(connection, first, first, settings)
    _create(connection, [alone for _, alone in moves.departures], {}, settings)
    _insert_arrived(connection, arrived, customers)
    _depart(connection, moves, at)
    merge_customers(connection, moves.unions, at)
    rebuild_addresses(connection, {u.kept for u in moves.unions} | {each for both in moves.departures for each in both})
    settled.customers.update(customers)
    settled.merges += len(moves.unions)
    settled.partings += len(moves.departures)
    settled.crowded |= found.crowded


def _plan(before: Mapping[Node, str], after: Mapping[Node, str], live: Sequence[Link]) -> _Moves:
    """A customer follows the identifier after which it is called; ids that go elsewhere depart from it first.

    Those that depart are a customer of their own, if only until it is merged into another: so the log has every step.
    """
    moves = _Moves()
    links_of = _by_end(live)
    members: defaultdict[str, list[Node]] = defaultdict(list)
    for node, customer_id in sorted(before.items()):
        members[customer_id].append(node)
    for customer_id, nodes in sorted(members.items()):
        heir = after.get(naming(customer_id)) or after[nodes[0]]
        leaving: defaultdict[str, list[Node]] = defaultdict(list)
        for node in nodes:
            if after[node] != heir:
                leaving[after[node]].append(node)
        for joined, group in sorted(leaving.items()):
            alone = name_customer(group)
            moves.departures[customer_id, alone] = group
            if alone != joined:
                because = _because(links_of, group)
                moves.unions.append(Union(joined, alone, because, group, members.get(joined, [naming(joined)])))
        if heir != customer_id:
            staying = [node for node in nodes if after[node] == heir]
            because = _because(links_of, staying)
            moves.unions.append(Union(heir, customer_id, because, staying, members.get(heir, [naming(heir)])))
    return moves


def _by_end(live: Sequence[Link]) -> Mapping[Node, Sequence[Link]]:
    """The links of each identifier: a chunk may bring thousands of merges, and each looks for its own links alone."""
    links: defaultdict[Node, list[Link]] = defaultdict(list)
    for each in live:
        links[each.a].append(each)
        links[each.b].append(each)
    return links


def _because(links_of: Mapping[Node, Sequence[Link]], members: Collection[Node]) -> dict[str, object]:
    """The first link that leads from these ids to others."""
    inside = set(members)
    own = (each for node in inside for each in links_of.get(node, ()))
    leading = [each for each in own if (each.a in inside) != (each.b in inside)]
    if not leading:
        return {}
    first = min(leading, key=lambda each: (each.at, each.a, each.b))
    return {"link": [*first.a, *first.b], "at": first.at}


def _create(
    connection: Connection, customers: Iterable[str], first: Mapping[str, int], settings: IdentitySettings
) -> set[str]:
    """Make the customers who do not exist yet; returns who they are."""
    wanted = list(customers)
    ask_customers(connection, wanted)
    there = select(customer.c.customer_id).join(asked_customer, asked_customer.c.customer_id == customer.c.customer_id)
    new = set(wanted) - set(connection.scalars(there))
    rows = [
        {
            "customer_id": customer_id,
            "shard": shard_of(customer_id),
            "zone": settings.zone,
            "language": None,
            "held_out": share_of("hold-out", customer_id) < settings.hold_out,
            "created_at": first.get(customer_id, 0),
        }
        for customer_id in sorted(new)
    ]
    insert_new(connection, customer, rows)
    return new


def _insert_arrived(
    connection: Connection, arrived: Mapping[Node, tuple[int, int]], customers: Mapping[Node, str]
) -> None:
    rows = [
        {
            "kind": node.kind,
            "value": node.value,
            "customer_id": customers[node],
            "verified": True,
            "first_seen": span[0],
            "last_seen": span[1],
            "source": "seen",
        }
        for node, span in sorted(arrived.items())
    ]
    insert_new(connection, identifier, rows)


def _keep_seen(connection: Connection, evidence: Evidence, known: Mapping[Node, Known]) -> None:
    """When an id was first seen, and to the day when last: hundreds of events of a day are one write."""
    rows = []
    for node, each in known.items():
        first, last = evidence.seen[node]
        if first < each.first_seen or last >= each.last_seen + DAY:
            span = {"first": min(first, each.first_seen), "last": max(last, each.last_seen)}
            rows.append({"key_kind": node.kind, "key_value": node.value, **span})
    if rows:
        statement = update(identifier).values(first_seen=bindparam("first"), last_seen=bindparam("last"))
        same = identifier.c.kind == bindparam("key_kind"), identifier.c.value == bindparam("key_value")
        connection.execute(statement.where(*same), rows)


def _depart(connection: Connection, moves: _Moves, at: datetime) -> None:
    """Ids that leave a customer, with what merges in force took from them."""
    if not moves.departures:
        return
    merges = read_merges(connection, [name_of(node) for nodes in moves.departures.values() for node in nodes])
    partings = []
    for (left, joined), nodes in sorted(moves.departures.items()):
        names = {name_of(node) for node in nodes}
        given = [each for each in merges if each.gone in names and naming(each.kept) not in nodes]
        partings.append(Parting(left, joined, given))
    statement = update(identifier).values(customer_id=bindparam("joined"))
    same = identifier.c.kind == bindparam("key_kind"), identifier.c.value == bindparam("key_value")
    connection.execute(
        statement.where(*same),
        [
            {"joined": joined, "key_kind": node.kind, "key_value": node.value}
            for (_, joined), nodes in sorted(moves.departures.items())
            for node in nodes
        ],
    )
    part_customers(connection, partings, at)


def rebuild_addresses(connection: Connection, customers: Collection[str]) -> None:
    """The addresses of these customers, as the links of their ids have them; those put by others stay."""
    if not customers:
        return
    ask_customers(connection, customers)
    asked = select(asked_customer.c.customer_id)
    connection.execute(delete(identifier).where(identifier.c.customer_id.in_(asked), identifier.c.source == MESSAGES))
    insert_new_from(connection, identifier, identifier.columns.keys(), _addresses())


def _addresses() -> Select[Any]:
    """The addresses linked with the ids of the asked customers."""
    found = union_all(_linked("a", "b"), _linked("b", "a")).subquery()
    return select(
        found.c.kind,
        found.c.value,
        found.c.customer_id,
        func.max(found.c.verified) == 1,
        func.min(found.c.at),
        func.max(found.c.last_at),
        literal(MESSAGES),
    ).group_by(found.c.kind, found.c.value, found.c.customer_id)


def _linked(address: str, owner: str) -> Select[Any]:
    kind = link.c[f"kind_{address}"]
    owned = and_(link.c[f"kind_{owner}"] == identifier.c.kind, link.c[f"value_{owner}"] == identifier.c.value)
    return (
        select(
            kind.label("kind"),
            link.c[f"value_{address}"].label("value"),
            identifier.c.customer_id,
            case((link.c.verified, 1), else_=0).label("verified"),
            plain(link.c.at),
            plain(link.c.last_at),
        )
        .select_from(asked_customer)
        .join(identifier, identifier.c.customer_id == asked_customer.c.customer_id)
        .join(link, owned)
        .where(unindexed(identifier.c.kind).in_(IDS), unindexed(kind).not_in(IDS))
    )
