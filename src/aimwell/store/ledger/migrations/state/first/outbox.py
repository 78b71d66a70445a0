"""Tables of the first revision that `schema.outbox` describes. Made by tools/migrations.py."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aimwell.store.ledger.columns import Instant


def create() -> None:
    """Make these tables, with their indexes."""
    _make_attempt()
    _make_intent()
    _make_outcome()
    _make_pace()


def drop() -> None:
    """Remove these tables."""
    for table in ("attempt", "intent", "outcome", "pace"):
        op.drop_table(table)


def _make_attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("provider_ref", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", "number", name=op.f("pk_attempt")),
        sqlite_with_rowid=False,
    )


def _make_intent() -> None:
    op.create_table(
        "intent",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.Column("journey", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("planned_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("contacted_at", Instant(), nullable=True),
        sa.Column("accepted_at", Instant(), nullable=True),
        sa.Column("provider_ref", sa.Text(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_intent")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_intent_accepted",
        "intent",
        ["changed_at"],
        unique=False,
        sqlite_where=sa.text("accepted_at IS NOT NULL"),
        postgresql_where=sa.text("accepted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_intent_contact",
        "intent",
        ["customer_id", "contacted_at"],
        unique=False,
        sqlite_where=sa.text("contacted_at IS NOT NULL"),
        postgresql_where=sa.text("contacted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_intent_due",
        "intent",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_intent_enrolment", "intent", ["enrolment_id", "node"], unique=False)
    op.create_index(
        "ix_intent_lease",
        "intent",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("lease_until IS NOT NULL"),
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_index(
        "ix_intent_open",
        "intent",
        ["state", "changed_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('unknown', 'dead')"),
        postgresql_where=sa.text("state IN ('unknown', 'dead')"),
    )
    op.create_index(
        "ix_intent_paused",
        "intent",
        ["journey"],
        unique=False,
        sqlite_where=sa.text("reason = 'paused'"),
        postgresql_where=sa.text("reason = 'paused'"),
    )
    op.create_index(
        "ix_intent_ref",
        "intent",
        ["provider_ref"],
        unique=False,
        sqlite_where=sa.text("provider_ref IS NOT NULL"),
        postgresql_where=sa.text("provider_ref IS NOT NULL"),
    )


def _make_outcome() -> None:
    op.create_table(
        "outcome",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("machine", sa.Boolean(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", "kind", "ref", name=op.f("pk_outcome")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_outcome_customer", "outcome", ["customer_id"], unique=False)
    op.create_index("ix_outcome_enrolment", "outcome", ["enrolment_id", "node"], unique=False)
    op.create_index(op.f("ix_outcome_recorded_at"), "outcome", ["recorded_at"], unique=False)


def _make_pace() -> None:
    op.create_table(
        "pace",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("free_at", Instant(), nullable=False),
        sa.Column("queued_until", Instant(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("held_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_pace")),
    )
