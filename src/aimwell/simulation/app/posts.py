"""What a workspace has sent and handed to sales, read from its ledger for the simulated people to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from aimwell.simulation.app.answers import Delivery, Role
from aimwell.simulation.app.sales import LeadGiven
from aimwell.store.ledger.schema.enrolments import task
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import identifier


def sent_between(
    connection: Connection, roles: Mapping[str, Role], after: datetime, until: datetime
) -> Sequence[Delivery]:
    """Messages that channels took in `(after, until]`, in that order, to customers with a user id.

    roles: what each channel of the workspace is to people (push, sms, wechat, email); others are passed over.
    """
    query = (
        select(intent.c.key, intent.c.channel, intent.c.content, intent.c.accepted_at, func.min(identifier.c.value))
        .join(identifier, (identifier.c.customer_id == intent.c.customer_id) & (identifier.c.kind == "user_id"))
        .where(
            intent.c.state == "accepted",
            intent.c.accepted_at > after,
            intent.c.accepted_at <= until,
            intent.c.channel.in_(sorted(roles)),
        )
        .group_by(intent.c.key, intent.c.channel, intent.c.content, intent.c.accepted_at)
        .order_by(intent.c.accepted_at, intent.c.key)
    )
    return [
        Delivery(key, user, roles[channel], content, at)
        for key, channel, content, at, user in connection.execute(query)
    ]


def leads_between(connection: Connection, after: datetime, until: datetime) -> Sequence[LeadGiven]:
    """Leads that journeys created in `(after, until]` for customers with a user id."""
    query = (
        select(task.c.key, task.c.at, func.min(identifier.c.value))
        .join(identifier, (identifier.c.customer_id == task.c.customer_id) & (identifier.c.kind == "user_id"))
        .where(task.c.kind == "lead", task.c.at > after, task.c.at <= until)
        .group_by(task.c.key, task.c.at)
        .order_by(task.c.at, task.c.key)
    )
    return [LeadGiven(key, user, at) for key, at, user in connection.execute(query)]
