"""Whose identifiers and messages these are, many at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from sqlalchemy import Connection, and_, func, select

from aimwell.insight.identity.resolution import ANONYMOUS, USER, Node
from aimwell.insight.identity.scratch import ask_nodes, asked_node
from aimwell.store.ledger.schema.people import identifier


class Sent(Protocol):
    """A message, as far as it says who sent it."""

    @property
    def user_id(self) -> str | None: ...

    @property
    def anonymous_id(self) -> str | None: ...


def resolve(connection: Connection, identifiers: Collection[Node]) -> dict[Node, str]:
    """The customer of each identifier; those that are unknown, or that several customers share, are left out.

    identifiers: (kind, value), as in the table `identifier`. Two statements for any number.
    """
    if not identifiers:
        return {}
    ask_nodes(connection, set(identifiers))
    same = and_(identifier.c.kind == asked_node.c.kind, identifier.c.value == asked_node.c.value)
    query = (
        select(identifier.c.kind, identifier.c.value, func.min(identifier.c.customer_id))
        .join(asked_node, same)
        .group_by(identifier.c.kind, identifier.c.value)
        .having(func.count() == 1)
    )
    return {Node(kind, value): customer_id for kind, value, customer_id in connection.execute(query)}


def resolve_messages(connection: Connection, messages: Sequence[Sent]) -> list[str | None]:
    """The customer of each message, in order: that of its user id, without one that of its anonymous id.

    None for a message that identity has not absorbed yet: read no further than its place in the inbox.
    """
    actors = [_actor(message) for message in messages]
    customers = resolve(connection, actors)
    return [customers.get(actor) for actor in actors]


def _actor(message: Sent) -> Node:
    return Node(ANONYMOUS, message.anonymous_id or "") if message.user_id is None else Node(USER, message.user_id)
