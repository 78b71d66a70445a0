"""The set-based tick says of every story what a plain reference says that looks at one customer at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from tests.strategy.journeys.reference_product import Plain, Product, in_a_world
from tests.strategy.journeys.reference_worlds import Story, Ticks, stories

from aimwell.store.ledger.ledger import Ledger, open_ledger


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path_factory.mktemp("ledger"))
    yield opened
    opened.close()


@given(stories(), st.sampled_from((1, 2, 100)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_tick_agrees_with_the_plain_reference_after_every_step(ledger: Ledger, story: Story, chunk: int) -> None:
    def tell(connection: Connection) -> None:
        product, plain = Product(ledger, connection, chunk), Plain.begin(story)
        product.begin(story)
        for step in story.steps:
            product.tell(step)
            plain.tell(step)
            if isinstance(step, Ticks):
                assert product.picture() == plain.picture()

    in_a_world(ledger, tell)
