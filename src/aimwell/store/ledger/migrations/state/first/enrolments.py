"""Tables of the first revision that `schema.enrolments` describes. Made by tools/migrations.py."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aimwell.store.ledger.columns import Instant


def create() -> None:
    """Make these tables, with their indexes."""
    _make_addition()
    _make_cursor()
    _make_enrolment()
    _make_happening()
    _make_knock()
    _make_lease()
    _make_passage()
    _make_refusal()
    _make_task()
    _make_task_stage()


def drop() -> None:
    """Remove these tables."""
    for table in (
        "addition",
        "cursor",
        "enrolment",
        "happening",
        "knock",
        "lease",
        "passage",
        "refusal",
        "task",
        "task_stage",
    ):
        op.drop_table(table)


def _make_addition() -> None:
    op.create_table(
        "addition",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("amount", sa.Float(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_addition")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_addition_customer_id"), "addition", ["customer_id"], unique=False)


def _make_cursor() -> None:
    op.create_table(
        "cursor",
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", name=op.f("pk_cursor")),
    )


def _make_enrolment() -> None:
    op.create_table(
        "enrolment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("journey", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("entered_at", Instant(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("goal_at", Instant(), nullable=True),
        sa.Column("held_out", sa.Boolean(), nullable=False),
        sa.Column("node", sa.Text(), nullable=True),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("moves", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("timer_at", Instant(), nullable=True),
        sa.Column("due_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
    )
    op.create_index("ix_enrolment_customer", "enrolment", ["customer_id", "journey"], unique=False)
    op.create_index(
        "ix_enrolment_due",
        "enrolment",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def _make_happening() -> None:
    op.create_table(
        "happening",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "signal", "at", "ref", name=op.f("pk_happening")),
        sqlite_with_rowid=False,
    )


def _make_knock() -> None:
    op.create_table(
        "knock",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("journey", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knock")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_knock_order", "knock", ["at", "cause", "id"], unique=False)


def _make_lease() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )


def _make_passage() -> None:
    op.create_table(
        "passage",
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.Column("move", sa.Integer(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("arrived_at", Instant(), nullable=False),
        sa.Column("left_at", Instant(), nullable=False),
        sa.Column("port", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("enrolment_id", "move", name=op.f("pk_passage")),
        sqlite_with_rowid=False,
    )


def _make_refusal() -> None:
    op.create_table(
        "refusal",
        sa.Column("journey", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("journey", "customer_id", "cause", name=op.f("pk_refusal")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_refusal_customer", "refusal", ["customer_id"], unique=False)


def _make_task() -> None:
    op.create_table(
        "task",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("journey", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_task")),
    )
    op.create_index(op.f("ix_task_customer_id"), "task", ["customer_id"], unique=False)
    op.create_index("ix_task_enrolment", "task", ["enrolment_id", "node"], unique=False)


def _make_task_stage() -> None:
    op.create_table(
        "task_stage",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "number", name=op.f("pk_task_stage")),
        sqlite_with_rowid=False,
    )
