"""Tables of the first revision that `schema.people` describes. Made by tools/migrations.py."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aimwell.store.ledger.columns import Instant


def create() -> None:
    """Make these tables, with their indexes."""
    _make_anniversary()
    _make_clock()
    _make_consent()
    _make_consent_log()
    _make_customer()
    _make_identifier()
    _make_link()
    _make_membership()
    _make_merge()
    _make_profile()
    _make_suppression()


def drop() -> None:
    """Remove these tables."""
    for table in (
        "anniversary",
        "clock",
        "consent",
        "consent_log",
        "customer",
        "identifier",
        "link",
        "membership",
        "merge",
        "profile",
        "suppression",
    ):
        op.drop_table(table)


def _make_anniversary() -> None:
    op.create_table(
        "anniversary",
        sa.Column("month_day", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("month_day", "day", name=op.f("pk_anniversary")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_anniversary_day", "anniversary", ["day"], unique=False)


def _make_clock() -> None:
    op.create_table(
        "clock",
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("minute", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("zone", "minute", "day", name=op.f("pk_clock")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_clock_at", "clock", ["zone", "minute", "at", "weekday"], unique=False)


def _make_consent() -> None:
    op.create_table(
        "consent",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "channel", "purpose", name=op.f("pk_consent")),
        sqlite_with_rowid=False,
    )


def _make_consent_log() -> None:
    op.create_table(
        "consent_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_log")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_consent_log_customer_id"), "consent_log", ["customer_id"], unique=False)


def _make_customer() -> None:
    op.create_table(
        "customer",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("held_out", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_customer_zone"), "customer", ["zone"], unique=False)


def _make_identifier() -> None:
    op.create_table(
        "identifier",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("first_seen", Instant(), nullable=False),
        sa.Column("last_seen", Instant(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", "customer_id", name=op.f("pk_identifier")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_identifier_customer_id"), "identifier", ["customer_id"], unique=False)


def _make_link() -> None:
    op.create_table(
        "link",
        sa.Column("kind_a", sa.Text(), nullable=False),
        sa.Column("value_a", sa.Text(), nullable=False),
        sa.Column("kind_b", sa.Text(), nullable=False),
        sa.Column("value_b", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("undone_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("kind_a", "value_a", "kind_b", "value_b", name=op.f("pk_link")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_link_b", "link", ["kind_b", "value_b"], unique=False)


def _make_membership() -> None:
    op.create_table(
        "membership",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "segment", name=op.f("pk_membership")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_membership_segment", "membership", ["segment"], unique=False)


def _make_merge() -> None:
    op.create_table(
        "merge",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.Column("gone", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("undone_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_merge_gone"), "merge", ["gone"], unique=False)
    op.create_index(op.f("ix_merge_kept"), "merge", ["kept"], unique=False)


def _make_profile() -> None:
    op.create_table(
        "profile",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("number", sa.Float(), nullable=True),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("stated_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "name", name=op.f("pk_profile")),
        sqlite_with_rowid=False,
    )


def _make_suppression() -> None:
    op.create_table(
        "suppression",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", name=op.f("pk_suppression")),
        sqlite_with_rowid=False,
    )
