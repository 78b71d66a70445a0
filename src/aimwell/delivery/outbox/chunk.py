"""A chunk of the outbox in a temporary table, with the verdict of every rule that looks at one message alone.

The rules stand in one CASE, in the order of docs/delivery.md: the first that speaks is the one reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Select,
    SmallInteger,
    Table,
    Text,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
)

from aimwell.delivery.channel import CUSTOMER_ID
from aimwell.delivery.outbox.outlet import Outlets
from aimwell.delivery.outbox.policy import Policy
from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.consents import ALL_CHANNELS
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import consent, customer, identifier, suppression
from aimwell.store.ledger.scratch import lay_out, tell_size

LATER = "later"
"""Written where a reason stands: nothing is decided in this chunk, the message comes again in the next."""

due = Table(
    "outbox_due",
    MetaData(),
    Column("key", Text, primary_key=True),
    Column("was", Text, nullable=False, comment="its state before"),
    Column("waited_for", Text, comment="the reason for which it waited"),
    Column("journey", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("due_at", Instant),
    Column("expires_at", Instant),
    Column("cost", BigInteger, nullable=False),
    Column("zone", Text),
    Column("address", Text),
    Column("reason", Text, comment="empty: it may go"),
    Column("detail", Text),
    Column("next_at", Instant, comment="with a reason: when to look again; empty: it is not sent"),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
_here, _everywhere = consent.alias("here"), consent.alias("everywhere")
_FIELDS = ("journey", "node", "customer_id", "channel", "purpose", "priority", "due_at", "expires_at")


def fill_chunk(
    connection: Connection,
    taken: Select[tuple[str]],
    outlets: Outlets,
    policy: Policy,
    now: datetime,
) -> None:
    """Put the messages with these keys into the chunk, each judged by the rules that look at it alone.

    taken: a query for keys of intents, ordered and limited; its rows are locked where the database can.
    """
    lay_out(connection, due)
    facts = _facts(taken, outlets, policy).subquery("facts")
    columns = ["key", "was", "waited_for", *_FIELDS, "cost", "zone", "address", "reason"]
    judged = select(
        facts.c.key,
        facts.c.state,
        facts.c.reason,
        *(facts.c[name] for name in _FIELDS),
        facts.c.cost,
        facts.c.zone,
        facts.c.address,
        _reason(facts, outlets, now),
    )
    connection.execute(insert(due).from_select(columns, judged))
    tell_size(connection, due)


def _facts(taken: Select[tuple[str]], outlets: Outlets, policy: Policy) -> Select[Any]:
    """What the rules ask about, one row for each message.

    The keys are limited inside, so that SQLite keeps this query by itself and looks each fact up once.
    """
    keys = taken.subquery("taken")
    return (
        select(
            intent.c.key,
            intent.c.state,
            intent.c.reason,
            *(intent.c[name] for name in _FIELDS),
            _cost(policy).label("cost"),
            customer.c.zone,
            customer.c.held_out,
            enrolment.c.held_out.label("journey_held_out"),
            enrolment.c.state.label("enrolment_state"),
            enrolment.c.reason.label("enrolment_reason"),
            enrolment.c.goal_at,
            journey.c.state.label("journey_state"),
            address_of(outlets).label("address"),
            _consented().label("consented"),
        )
        .select_from(keys.join(intent, intent.c.key == keys.c.key))
        .outerjoin(customer, customer.c.customer_id == intent.c.customer_id)
        .outerjoin(enrolment, enrolment.c.id == intent.c.enrolment_id)
        .outerjoin(journey, journey.c.name == intent.c.journey)
        .outerjoin(_here, _said(_here, intent.c.channel))
        .outerjoin(_everywhere, _said(_everywhere, literal(ALL_CHANNELS, Text)))
        .limit(10_000_000)
    )


def address_of(outlets: Outlets) -> ColumnElement[Any]:
    """Where a message goes: the customer's identifier of the channel's kind; verified first, then the last seen."""
    kind = _kind(outlets, intent.c.channel)
    mine = and_(identifier.c.customer_id == intent.c.customer_id, identifier.c.kind == kind)
    only = select(case((func.count() == 1, func.min(identifier.c.value)))).where(mine)
    found = (
        select(identifier.c.value)
        .where(mine)
        .order_by(identifier.c.verified.desc(), identifier.c.last_seen.desc(), identifier.c.value)
        .limit(1)
    )
    # Nearly everybody has one address of a kind, and that is read from the index alone, without sorting.
    either = func.coalesce(only.correlate(intent).scalar_subquery(), found.correlate(intent).scalar_subquery())
    return case((kind == CUSTOMER_ID, intent.c.customer_id), else_=either)


def _kind(outlets: Outlets, channel: ColumnElement[str]) -> ColumnElement[Any]:
    kinds = {name: literal(outlet.address, Text) for name, outlet in sorted(outlets.items())}
    return case(kinds, value=channel, else_=null()) if kinds else literal(None, Text)


def _cost(policy: Policy) -> ColumnElement[int]:
    """Its own cost, or what the policy says of its channel."""
    costs = {name: literal(policy.cost(name), BigInteger) for name in sorted(policy.costs)}
    if not costs:
        return intent.c.cost
    return case((intent.c.cost > 0, intent.c.cost), else_=case(costs, value=intent.c.channel, else_=0))


def _consented() -> ColumnElement[Any]:
    """0 if any word on this channel and purpose (or on all channels) is a refusal, 1 if all are grants, else empty."""
    here, everywhere = _here.c.granted, _everywhere.c.granted
    return case((or_(here.is_(False), everywhere.is_(False)), 0), (or_(here, everywhere), 1), else_=null())


def _said(word: Any, channel: ColumnElement[str]) -> ColumnElement[bool]:  # noqa: ANN401 - an alias
    """A customer's word on a channel and the message's purpose."""
    of = word.c
    mine = of.customer_id == intent.c.customer_id
    return and_(mine, of.channel == channel, of.purpose == intent.c.purpose)


def _reason(facts: Any, outlets: Outlets, now: datetime) -> ColumnElement[Any]:  # noqa: ANN401 - a FROM element
    """The first rule that speaks; empty if none does. The order is part of what the product promises."""
    of = facts.c
    marketing = of.purpose == "marketing"
    exited = of.enrolment_state == "exited"
    suppressed = exists().where(
        suppression.c.kind == _kind(outlets, of.channel),
        suppression.c.value == of.address,
    )
    rules: Sequence[tuple[ColumnElement[bool], str]] = (
        (of.zone.is_(None), "no_customer"),
        (or_(of.journey_state.is_(None), of.journey_state == "stopped"), "journey_stopped"),
        (or_(of.goal_at.is_not(None), of.enrolment_reason == "goal"), "goal_reached"),
        (and_(exited, of.enrolment_reason == "merged"), "merged"),
        (and_(exited, of.enrolment_reason == "stopped"), "journey_stopped"),
        (or_(of.enrolment_state.is_(None), exited), "exited"),
        (of.channel.not_in(sorted(outlets)), "no_channel"),
        (of.expires_at <= literal(now, Instant), "expired"),
        (of.journey_state == "paused", "paused"),
        (and_(marketing, or_(of.held_out, of.journey_held_out)), "hold_out"),
        (of.address.is_(None), "no_address"),
        (suppressed, "suppressed"),
        (or_(of.consented == 0, and_(marketing, of.consented.is_(None))), "consent"),
    )
    return case(*((condition, literal(word, Text)) for condition, word in rules), else_=null())
