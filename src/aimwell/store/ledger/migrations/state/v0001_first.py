"""The first tables of the ledger's state. Made by tools/migrations.py."""

from __future__ import annotations

from aimwell.store.ledger.migrations.state.first import enrolments, journeys, outbox, people

revision = "0001_dab0ed12"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table, with its indexes."""
    for part in (
        enrolments,
        journeys,
        outbox,
        people,
    ):
        part.create()


def downgrade() -> None:
    """Remove every table."""
    for part in (
        enrolments,
        journeys,
        outbox,
        people,
    ):
        part.drop()
