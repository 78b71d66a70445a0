"""From identifiers and links to customers: pure, so the same facts give the same customers in whatever order they came.

A customer is a connected component of live links, and its id follows from its members alone. docs/identity.md has the
rules with examples.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

USER = "user_id"
ANONYMOUS = "anonymous_id"
_NAMING = {ANONYMOUS: "anon:", USER: "user:"}


class Node(NamedTuple):
    """An identifier: what kind it is, and its value."""

    kind: str
    value: str


Pair = tuple[Node, Node]


@dataclass(frozen=True, slots=True)
class Link:
    """Two identifiers that a message named together: since when (microseconds), and whether that may join people.

    The smaller identifier comes first. `verified` is always true between two ids; an address joins only if verified.
    """

    a: Node
    b: Node
    at: int
    verified: bool = True
    undone: bool = False


def pair(one: Node, other: Node) -> Pair:
    """Two identifiers in the order in which a link keeps them."""
    return (one, other) if one <= other else (other, one)


def name_of(node: Node) -> str:
    """The customer id that this identifier gives to a customer of whom it is the first member.

    A user id is taken as it is, so that it equals the company's own customer number; an anonymous id gets the prefix
    `anon:`. A user id that begins like our prefixes is itself prefixed, so no two identifiers ever give the same id.
    >>> name_of(Node("user_id", "c1")), name_of(Node("anonymous_id", "c1")), name_of(Node("user_id", "anon:c1"))
    ('c1', 'anon:c1', 'user:anon:c1')
    """
    plain = node.kind == USER and not node.value.startswith(tuple(_NAMING.values()))
    return node.value if plain else _NAMING[node.kind] + node.value


def naming(customer_id: str) -> Node:
    """The identifier after which a customer is called: the inverse of `name_of`.

    >>> naming("anon:c1")
    Node(kind='anonymous_id', value='c1')
    """
    for kind, prefix in _NAMING.items():
        if customer_id.startswith(prefix):
            return Node(kind, customer_id.removeprefix(prefix))
    return Node(USER, customer_id)


def name_customer(members: Iterable[Node]) -> str:
    """The id of the customer with these members: the smallest user id, without one the smallest anonymous id."""
    named = [node for node in members if node.kind in _NAMING]
    return name_of(min(named, key=lambda node: (node.kind != USER, node.value)))


def resolve_links(
    links: Collection[Link], seen: Collection[Node], *, limit: int, crowded: Collection[Node] = ()
) -> dict[Node, str]:
    """The customer id of each identifier that was seen in a message.

    links: each pair at most once.   seen: user ids and anonymous ids under which messages came.
    limit: an address verified by more user ids than this joins nobody; `crowded` names further such addresses.
    """
    refused = set(crowded) | crowded_addresses(links, limit)
    neighbours = neighbourhood(live_links(links, set(seen), refused))
    customers: dict[Node, str] = {}
    for node in seen:
        if node not in customers:
            members = component(node, neighbours)
            customer_id = name_customer(member for member in members if member in seen)
            customers.update(dict.fromkeys(members, customer_id))
    return {node: customers[node] for node in seen}


def crowded_addresses(links: Iterable[Link], limit: int) -> set[Node]:
    """Addresses that more than `limit` user ids have verified: an office phone says nothing about who is who."""
    sharers = Counter(link.a for link in links if link.b.kind == USER and link.a.kind not in _NAMING and link.verified)
    return {address for address, count in sharers.items() if count > limit}


def live_links(links: Collection[Link], seen: Collection[Node], crowded: Collection[Node]) -> list[Link]:
    """The links that join: not undone, verified, not through a crowded address, and one per anonymous id."""
    chosen = choose(links)
    return [
        link
        for link in links
        if not link.undone
        and link.verified
        and link.a not in crowded
        and link.b not in crowded
        and (link.a.kind != ANONYMOUS or chosen[link.a] is link)
        and (link.a.kind != USER or (link.a in seen and link.b in seen))
    ]


def choose(links: Iterable[Link]) -> dict[Node, Link]:
    """The one link that counts for each anonymous id: to its first user id, without one to its first verified address.

    First is the earliest, ties go to the smaller identifier. So a device never joins two people who share it.
    """
    chosen: dict[Node, Link] = {}
    for link in links:
        if link.a.kind == ANONYMOUS and link.verified:
            before = chosen.get(link.a)
            if before is None or _precedence(link) < _precedence(before):
                chosen[link.a] = link
    return chosen


def neighbourhood(links: Iterable[Link]) -> Mapping[Node, set[Node]]:
    """Who is linked with whom."""
    neighbours: defaultdict[Node, set[Node]] = defaultdict(set)
    for link in links:
        neighbours[link.a].add(link.b)
        neighbours[link.b].add(link.a)
    return neighbours


def component(start: Node, neighbours: Mapping[Node, set[Node]], without: Collection[Node] = ()) -> set[Node]:
    """Everything that can be reached from an identifier, not stepping on those in `without`."""
    reached, frontier = {start}, [start]
    while frontier:
        for node in neighbours.get(frontier.pop(), ()):
            if node not in reached and node not in without:
                reached.add(node)
                frontier.append(node)
    return reached


def _precedence(link: Link) -> tuple[bool, int, Node]:
    return link.b.kind != USER, link.at, link.b
