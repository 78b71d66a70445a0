"""The outbox, the only way out: intents with a key, attempts recorded before each call, and what came of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, SmallInteger, Table, Text, text

from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.schema.base import STATE

_DUE = text("due_at IS NOT NULL")
_LEASED = text("lease_until IS NOT NULL")
_PAUSED = text("reason = 'paused'")
_ACCEPTED = text("accepted_at IS NOT NULL")
_OPEN = text("state IN ('unknown', 'dead')")
_CONTACTED = text("contacted_at IS NOT NULL")
_REFERRED = text("provider_ref IS NOT NULL")

intent = Table(
    "intent",
    STATE,
    Column("key", Text, primary_key=True, comment="enrolment:node:visit:step"),
    Column("enrolment_id", BigInteger, nullable=False),
    Column("journey", Text, nullable=False),
    Column("version_id", Integer, nullable=False),
    Column("node", Text, nullable=False),
    Column("visit", Integer, nullable=False),
    Column("step", SmallInteger, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("content", Text, nullable=False, comment="name of the content in the journey's version"),
    Column("purpose", Text, nullable=False, comment="marketing or service"),
    Column("priority", SmallInteger, nullable=False, default=0, comment="the higher goes first"),
    Column("cost", BigInteger, nullable=False, default=0, comment="millionths of the currency"),
    Column("planned_at", Instant, nullable=False, comment="the instant of the move that asked for it"),
    Column("expires_at", Instant, comment="not sent after this"),
    Column("due_at", Instant, comment="when to look at it next; empty: nothing more will be done by itself"),
    Column("state", Text, nullable=False, comment="waiting, claimed, accepted, not_sent, unknown, dead"),
    Column("reason", Text, comment="why it was not sent, why it waits, why it is dead: one word"),
    Column("detail", Text, comment="the rule, limit or provider's words behind the reason"),
    Column("attempts", SmallInteger, nullable=False, default=0),
    Column("claimed_by", Text),
    Column("lease_until", Instant),
    Column("contacted_at", Instant, comment="when its cap slot was taken; empty again if it was not sent"),
    Column("accepted_at", Instant),
    Column("provider_ref", Text),
    Column("changed_at", Instant, nullable=False),
    Index("ix_intent_due", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
    Index("ix_intent_lease", "lease_until", sqlite_where=_LEASED, postgresql_where=_LEASED),  # what is being sent
    Index("ix_intent_paused", "journey", sqlite_where=_PAUSED, postgresql_where=_PAUSED),  # to wake on resuming
    Index("ix_intent_open", "state", "changed_at", sqlite_where=_OPEN, postgresql_where=_OPEN),  # for people to see
    Index("ix_intent_ref", "provider_ref", sqlite_where=_REFERRED, postgresql_where=_REFERRED),  # for callbacks
    Index("ix_intent_accepted", "changed_at", sqlite_where=_ACCEPTED, postgresql_where=_ACCEPTED),  # for the warehouse
    Index("ix_intent_contact", "customer_id", "contacted_at", sqlite_where=_CONTACTED, postgresql_where=_CONTACTED),
    Index("ix_intent_enrolment", "enrolment_id", "node"),
    sqlite_with_rowid=False,
)

pace = Table(
    "pace",
    STATE,
    Column("channel", Text, primary_key=True),
    Column("free_at", Instant, nullable=False, comment="messages up to here have used up the channel's throttle"),
    Column("queued_until", Instant, nullable=False, comment="the end of the queue that the throttle made"),
    Column("failures", Integer, nullable=False, default=0, comment="batches that failed as a whole, one after another"),
    Column("held_until", Instant, comment="the provider is down: nothing is tried before"),
)

attempt = Table(
    "attempt",
    STATE,
    Column("key", Text, primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("begun_at", Instant, nullable=False, comment="written before the call"),
    Column("address", Text, comment="where it went, so that a bounce suppresses that address and no later one"),
    Column("ended_at", Instant),
    Column("result", Text, comment="accepted, refused, failed, unknown; empty while the call runs"),
    Column("provider_ref", Text),
    Column("detail", Text),
    sqlite_with_rowid=False,
)

outcome = Table(
    "outcome",
    STATE,
    Column("key", Text, primary_key=True, comment="the intent's key"),
    Column("kind", Text, primary_key=True, comment="delivered, opened, clicked, bounced, complained, unsubscribed, …"),
    Column("ref", Text, primary_key=True, comment="the provider's own id of this report, so that it counts once"),
    Column("enrolment_id", BigInteger, nullable=False),
    Column("node", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("machine", Boolean, nullable=False, default=False, comment="made by a scanner or prefetch: never an answer"),
    Column("value", BigInteger, comment="hundredths of the currency"),
    Column("recorded_at", Instant, nullable=False, index=True, comment="when we learned of it"),
    Index("ix_outcome_enrolment", "enrolment_id", "node"),
    Index("ix_outcome_customer", "customer_id"),
    sqlite_with_rowid=False,
)
