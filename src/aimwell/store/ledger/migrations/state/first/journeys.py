"""Tables of the first revision that `schema.journeys` describes. Made by tools/migrations.py."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aimwell.store.ledger.columns import Instant


def create() -> None:
    """Make these tables, with their indexes."""
    _make_journey()
    _make_journey_edge()
    _make_journey_node()
    _make_journey_version()
    _make_listening()


def drop() -> None:
    """Remove these tables."""
    for table in ("journey", "journey_edge", "journey_node", "journey_version", "listening"):
        op.drop_table(table)


def _make_journey() -> None:
    op.create_table(
        "journey",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("budget", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_journey")),
    )


def _make_journey_edge() -> None:
    op.create_table(
        "journey_edge",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "node", "port", name=op.f("pk_journey_edge")),
    )


def _make_journey_node() -> None:
    op.create_table(
        "journey_node",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("looped", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "node", name=op.f("pk_journey_node")),
    )


def _make_journey_version() -> None:
    op.create_table(
        "journey_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("journey", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("applied_at", Instant(), nullable=False),
        sa.Column("applied_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journey_version")),
        sa.UniqueConstraint("journey", "number", name=op.f("uq_journey_version_journey_number")),
        sqlite_autoincrement=True,
    )


def _make_listening() -> None:
    op.create_table(
        "listening",
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("signal", "version_id", "node", name=op.f("pk_listening")),
    )
    op.create_index("ix_listening_version", "listening", ["version_id"], unique=False)
