from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.delivery.outbox.world import World

from aimwell.delivery.outbox.balances import verify_balances
from aimwell.store.ledger.ledger import Ledger


@pytest.fixture
def world(each_ledger: Ledger) -> Iterator[World]:
    """A world with one running journey, on each database; after each test its balances must hold."""
    world = World(each_ledger)
    world.journey()
    yield world
    with each_ledger.reading() as connection:
        verify_balances(connection)
