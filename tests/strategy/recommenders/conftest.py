"""The small bank, opened once for tests that leave each other alone."""

from __future__ import annotations

import pytest
from tests.strategy.recommenders.market import NOW, bank, recommender

from aimwell.insight.predictions.workshop import Workshop
from aimwell.strategy.recommenders.stand import Stand, stand_at


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return bank(tmp_path_factory.mktemp("bank"))


@pytest.fixture(scope="session")
def stand(workshop: Workshop) -> Stand:
    return stand_at(recommender(), workshop.history(NOW))
