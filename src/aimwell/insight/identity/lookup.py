"""Whose identifiers and messages these are, many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Protocol

from sqlalchemy import Connection, func, select

from aimwell.insight.identity.resolution import ANONYMOUS, USER, Node
from aimwell.store.ledger.schema.people import identifier

_AT_ONCE = 500


class Sent(Protocol):
    """A message, as far as it says who sent it."""

    @property
    def user_id(self) -> str | None: ...

    @property
    def anonymous_id(self) -> str | None: ...


def resolve(connection: Connection, identifiers: Collection[Node]) -> dict[Node, str]:
    """The customer of each identifier; those that are unknown, or that several customers share, are left out.

    identifiers: (kind, value), as in the table `identifier`. One statement for each five hundred of a kind, and nothing
    is written, so that it can be asked while only reading.
    """
    values: defaultdict[str, list[str]] = defaultdict(list)
    for node in sorted(set(identifiers)):
        values[node.kind].append(node.value)
    found: dict[Node, str] = {}
    for kind, theirs in values.items():
        for start in range(0, len(theirs), _AT_ONCE):
            query = (
                select(identifier.c.value, func.min(identifier.c.customer_id))
                .where(identifier.c.kind == kind, identifier.c.value.in_(theirs[start : start + _AT_ONCE]))
                .group_by(identifier.c.value)
                .having(func.count() == 1)
            )
            found |= {Node(kind, value): customer_id for value, customer_id in connection.execute(query)}
    return found


def resolve_messages(connection: Connection, messages: Sequence[Sent]) -> list[str | None]:
    """The customer of each message, in order: that of its user id, without one that of its anonymous id.

    None for a message that identity has not absorbed yet: read no further than its place in the inbox.
    """
    actors = [_actor(message) for message in messages]
    customers = resolve(connection, actors)
    return [customers.get(actor) for actor in actors]


def _actor(message: Sent) -> Node:
    return Node(ANONYMOUS, message.anonymous_id or "") if message.user_id is None else Node(USER, message.user_id)
