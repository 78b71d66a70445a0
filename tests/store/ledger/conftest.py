"""A ledger on each of the two databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aimwell.store.ledger.ledger import Ledger, open_ledger


@pytest.fixture
def ledger(ledger_place: Path | str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_place)
    yield opened
    opened.close()
