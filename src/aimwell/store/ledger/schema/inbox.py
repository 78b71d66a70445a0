"""What arrived: every accepted message in the order of its commit, and what was refused with its reason.

Written by ingest alone; whoever reads keeps its place (`cursor`) in the store that it writes.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text

from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.schema.base import EVENTS

SEQUENCE = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database gives: SQLite counts only columns of type INTEGER."""

message = Table(
    "message",
    EVENTS,
    Column("seq", SEQUENCE, primary_key=True, autoincrement=True, comment="order of commit"),
    Column("message_id", Text, nullable=False, unique=True),
    Column("source", Text, nullable=False, comment="name of the write key that it came by"),
    Column(
        "trusted",
        Boolean,
        nullable=False,
        default=False,
        comment="the write key was a secret at arrival: only then are identifiers taken as verified",
    ),
    Column("kind", Text, nullable=False, comment="identify, track, page, screen, group, alias"),
    Column("name", Text),
    Column("user_id", Text),
    Column("anonymous_id", Text),
    Column("previous_id", Text),
    Column("group_id", Text),
    Column("occurred_at", Instant, nullable=False),
    Column("stated_at", Instant),
    Column("received_at", Instant, nullable=False, index=True),
    Column("properties", Text, nullable=False, default="{}"),
    Column("traits", Text, nullable=False, default="{}"),
    Column("context", Text, nullable=False, default="{}"),
    Column("integrations", Text, nullable=False, default="{}"),
    sqlite_autoincrement=True,
)

refused_message = Table(
    "refused_message",
    EVENTS,
    Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("received_at", Instant, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("content", Text, nullable=False),
    sqlite_autoincrement=True,
)
