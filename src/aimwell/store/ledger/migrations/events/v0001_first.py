"""The first tables of the ledger's events. Made by tools/migrations.py."""

from __future__ import annotations

from aimwell.store.ledger.migrations.events.first import inbox

revision = "0001_339e68a9"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table, with its indexes."""
    for part in (inbox,):
        part.create()


def downgrade() -> None:
    """Remove every table."""
    for part in (inbox,):
        part.drop()
