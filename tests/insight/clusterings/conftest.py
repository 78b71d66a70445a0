"""The small shop, fitted once for all tests that only look."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.insight.clusterings.habits import AS_OF, define, purchases, shop

from aimwell.insight.clusterings import ClusteringResult, fit
from aimwell.insight.predictions.workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A fresh shop with 180 customers, in memory."""
    return shop(tmp_path, purchases(180, 5))


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workshop, ClusteringResult]:
    """A shop whose habits were fitted; for tests that change nothing."""
    workshop = shop(tmp_path_factory.mktemp("habits"), purchases(180, 5))
    return workshop, fit(define({"groups": "auto", "between": (2, 5)}), workshop, AS_OF)
