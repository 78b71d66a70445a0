"""Journeys as applied: immutable versions taken apart into nodes, edges and the signals they listen for."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, UniqueConstraint

from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.schema.base import STATE

journey = Table(
    "journey",
    STATE,
    Column("name", Text, primary_key=True),
    Column("version_id", Integer, nullable=False, comment="the version that new enrolments get"),
    Column("state", Text, nullable=False, comment="running, paused, stopped"),
    Column("changed_at", Instant, nullable=False),
    Column("spent", BigInteger, nullable=False, default=0, comment="on messages in flight or sent; millionths"),
    Column("budget", BigInteger, comment="hundredths of the currency; empty: no limit"),
)

journey_version = Table(
    "journey_version",
    STATE,
    Column("id", Integer, primary_key=True),
    Column("journey", Text, nullable=False),
    Column("number", Integer, nullable=False, comment="1, 2, … per journey"),
    Column("content", Text, nullable=False, comment="the definition as canonical JSON"),
    Column("digest", Text, nullable=False),
    Column("applied_at", Instant, nullable=False),
    Column("applied_by", Text, nullable=False),
    UniqueConstraint("journey", "number"),
    sqlite_autoincrement=True,
)

journey_node = Table(
    "journey_node",
    STATE,
    Column("version_id", Integer, primary_key=True),
    Column("node", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("looped", Boolean, nullable=False, comment="leads back to itself: people may visit it again"),
)

journey_edge = Table(
    "journey_edge",
    STATE,
    Column("version_id", Integer, primary_key=True),
    Column("node", Text, primary_key=True),
    Column("port", Text, primary_key=True),
    Column("target", Text, nullable=False),
)

listening = Table(
    "listening",
    STATE,
    Column("signal", Text, primary_key=True),
    Column("version_id", Integer, primary_key=True),
    Column(
        "node", Text, primary_key=True, comment="the node that waits for it; * for goal and exit rules; > for entry"
    ),
    Index("ix_listening_version", "version_id"),
)
