"""Customers as journeys and channels need them: identifiers, profile values, memberships, consent, suppression.

These are read models, kept up by what arrives and by what insight finds; the warehouse has the whole history.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, SmallInteger, Table, Text

from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.schema.base import STATE
from aimwell.store.ledger.schema.inbox import SEQUENCE

customer = Table(
    "customer",
    STATE,
    Column("customer_id", Text, primary_key=True),
    Column("shard", SmallInteger, nullable=False, comment="part of the work: aimwell.core.keys.shard_of"),
    Column("zone", Text, nullable=False, index=True, comment="IANA timezone whose hours count for this customer"),
    Column("language", Text),
    Column("held_out", Boolean, nullable=False, default=False, comment="in the workspace's hold-out"),
    Column("created_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

identifier = Table(
    "identifier",
    STATE,
    Column("kind", Text, primary_key=True, comment="user_id, anonymous_id, email, phone, push_token, wechat, …"),
    Column("value", Text, primary_key=True),
    Column(
        "customer_id",
        Text,
        primary_key=True,
        index=True,
        comment="a user id or anonymous id has one customer; an address may reach several who share it",
    ),
    Column("verified", Boolean, nullable=False, default=False),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    Column("source", Text, nullable=False, comment="messages: follows from links, kept up with them; else who put it"),
    sqlite_with_rowid=False,
)

link = Table(
    "link",
    STATE,
    Column("kind_a", Text, primary_key=True, comment="of the two identifiers the smaller (kind, value) comes first"),
    Column("value_a", Text, primary_key=True),
    Column("kind_b", Text, primary_key=True),
    Column("value_b", Text, primary_key=True),
    Column("at", Instant, nullable=False, comment="when they were first named together"),
    Column("last_at", Instant, nullable=False, comment="when they were last named together"),
    Column("verified", Boolean, nullable=False, default=True, comment="may join people; an unverified address may not"),
    Column("source", Text, nullable=False, comment="id of the first message, or who joined them by hand"),
    Column("undone_at", Instant, comment="set: these two are never joined again by this link"),
    Index("ix_link_b", "kind_b", "value_b"),
    sqlite_with_rowid=False,
)

merge = Table(
    "merge",
    STATE,
    Column("id", SEQUENCE, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("kept", Text, nullable=False, index=True, comment="customer id that lives on"),
    Column("gone", Text, nullable=False, index=True, comment="customer id whose rows moved"),
    Column("because", Text, nullable=False, comment="the link, as JSON"),
    Column("before", Text, nullable=False, comment="what was there before, as JSON, for undo"),
    Column("undone_at", Instant),
    sqlite_autoincrement=True,
)

profile = Table(
    "profile",
    STATE,
    Column("customer_id", Text, primary_key=True),
    Column("name", Text, primary_key=True, comment="attribute, tag or score"),
    Column("text", Text),
    Column("number", Float, comment="numbers, yes (1) and no (0), and days since 1970 for dates"),
    Column("since", Instant, nullable=False, comment="when it took this value"),
    Column("stated_at", Instant, comment="when the value was last said, which a later word must exceed; empty: since"),
    sqlite_with_rowid=False,
)

membership = Table(
    "membership",
    STATE,
    Column("customer_id", Text, primary_key=True),
    Column("segment", Text, primary_key=True),
    Column("since", Instant, nullable=False),
    Index("ix_membership_segment", "segment"),
    sqlite_with_rowid=False,
)

consent = Table(
    "consent",
    STATE,
    Column("customer_id", Text, primary_key=True),
    Column("channel", Text, primary_key=True, comment="a channel's name, or * for all"),
    Column("purpose", Text, primary_key=True, comment="marketing or service"),
    Column("granted", Boolean, nullable=False),
    Column("since", Instant, nullable=False),
    Column("source", Text, nullable=False),
    sqlite_with_rowid=False,
)

consent_log = Table(
    "consent_log",
    STATE,
    Column("id", SEQUENCE, primary_key=True, autoincrement=True),
    Column("customer_id", Text, nullable=False, index=True),
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    Column("source", Text, nullable=False),
    sqlite_autoincrement=True,
)

suppression = Table(
    "suppression",
    STATE,
    Column("kind", Text, primary_key=True, comment="kind of the identifier, as in identifier"),
    Column("value", Text, primary_key=True),
    Column("reason", Text, nullable=False, comment="bounced, complained, by hand, …"),
    Column("since", Instant, nullable=False),
    Column("source", Text, nullable=False),
    sqlite_with_rowid=False,
)

clock = Table(
    "clock",
    STATE,
    Column("zone", Text, primary_key=True),
    Column("minute", SmallInteger, primary_key=True, comment="time of day on the wall, in minutes"),
    Column("day", SEQUENCE, primary_key=True, autoincrement=False, comment="the local day, in days since 1970"),
    Column("at", Instant, nullable=False, comment="when that zone's clocks show it; on a skipped day, as on the next"),
    Column("weekday", SmallInteger, nullable=False, comment="0 is Monday"),
    Index("ix_clock_at", "zone", "minute", "at", "weekday"),
    sqlite_with_rowid=False,
)

anniversary = Table(
    "anniversary",
    STATE,
    Column("month_day", SmallInteger, primary_key=True, autoincrement=False, comment="229 is 29 February"),
    Column("day", SEQUENCE, primary_key=True, autoincrement=False, comment="a day on which it is kept, since 1970"),
    Index("ix_anniversary_day", "day"),
    sqlite_with_rowid=False,
)
