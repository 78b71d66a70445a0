from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.delivery.outbox.world import World, careless

from aimwell.delivery.outbox.balances import verify_balances
from aimwell.store.ledger.ledger import open_ledger


@pytest.fixture
def world(ledger_place: Path | str) -> Iterator[World]:
    """A world with one running journey, on each database; after each test its balances must hold."""
    ledger = careless(open_ledger(ledger_place))
    world = World(ledger)
    world.journey()
    yield world
    with ledger.reading() as connection:
        verify_balances(connection)
    ledger.close()
