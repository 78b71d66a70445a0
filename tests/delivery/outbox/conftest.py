from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.delivery.outbox.world import World

from aimwell.delivery.outbox.balances import verify_balances
from aimwell.store.ledger.ledger import open_ledger


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world with one running journey; after each test its balances must hold."""
    ledger = open_ledger(tmp_path)
    world = World(ledger)
    world.journey()
    yield world
    with ledger.reading() as connection:
        verify_balances(connection)
    ledger.close()
