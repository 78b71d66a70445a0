"""A made-up account of contribution: two segments, twelve products, one of them a loss, and a third without margin."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
from tests.web.examples import EVIL

from aimwell.core.text import Text
from aimwell.core.time import Period
from aimwell.insight.contribution.contribution import contribution
from aimwell.insight.contribution.ledgers import Books
from aimwell.insight.contribution.statement import Account
from aimwell.web.report.sections.contribution import ContributionStory

PERIOD = Period(datetime(2024, 7, 2, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))
_MONEY = pa.decimal128(18, 2)


def account(*, assumed: float | None = None, straight: int = 0) -> Account:
    """Customer i bought product i for i euros of margin, ann a thing that cost her discount; ads for 5 euros.

    straight: cents by which the tables differ from what was shared.
    """
    margins = np.arange(1, 13)
    lines = pa.table(
        {
            "customer_id": [f"c{number:02d}" for number in margins] + ["ann"],
            "product_id": [f"p{number:02d}" for number in margins] + ["odd"],
            "margin": pa.array([Decimal(int(number)) for number in margins] + [Decimal(0)]).cast(_MONEY),
            "incentives": pa.array([Decimal(0)] * 12 + [Decimal(3)]).cast(_MONEY),
            "lines": [1] * 12 + [4],
            "unknown": [0] * 12 + [4],
        }
    )
    touches = pa.table(
        {
            "customer_id": pa.array([], pa.string()),
            "campaign": pa.array([], pa.string()),
            "touches": pa.array([], pa.int64()),
            "cost": pa.array([], _MONEY),
        }
    )
    books = Books(lines, touches, pa.table({"campaign": ["ads"], "cost": pa.array([Decimal(5)]).cast(_MONEY)}))
    margin, incentives, contacts = books.total
    total = margin + straight, incentives, contacts
    return Account(PERIOD, "CNY", books, total, contribution(books), assumed, {"p12": EVIL})


def contribution_story(*, assumed: float | None = None, straight: int = 0) -> ContributionStory:
    """By product, and by segment: the twelfth customer is in both."""
    found = account(assumed=assumed, straight=straight)
    members = {"good": ["c12", "c11"], "new": ["c12", "ann"]}
    titles = {"good": Text("好客户", "The good"), "new": Text("新客户", "The new")}
    return ContributionStory(found.state("product"), found.state("segment", members), titles)
