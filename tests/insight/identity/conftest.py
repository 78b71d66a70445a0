"""One ledger for all tests of identity of a module; each test finds it empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event
from tests.insight.identity.books import empty

from aimwell.store.ledger.ledger import Ledger, open_ledger


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    ledger = open_ledger(tmp_path_factory.mktemp("ledger"))
    for engine in (ledger.state, ledger.events):  # nothing here is about power cuts, and many small commits are
        event.listen(engine, "checkout", lambda driver, *_: driver.execute("PRAGMA synchronous=OFF"))
    yield ledger
    ledger.close()


@pytest.fixture
def ledger(opened: Ledger) -> Ledger:
    empty(opened)
    return opened
