"""What must not be recommended to whom, and why: each refused pair has one reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aimwell.core.text import Text
from aimwell.science.arrays import BoolArray, FloatArray, IntArray
from aimwell.strategy.recommenders.definition import Eligible
from aimwell.strategy.recommenders.past import Past
from aimwell.strategy.recommenders.people import People
from aimwell.strategy.recommenders.shelf import Shelf

REASONS: Mapping[int, Text] = {
    1: Text("未在售", "not on sale"),
    2: Text("缺货", "out of stock"),
    3: Text("业务规定不推荐", "never, says the business"),
    4: Text("已持有", "already owned"),
    5: Text("风险测评缺失", "risk never assessed"),
    6: Text("风险测评已过期", "risk assessment expired"),
    7: Text("风险等级不够", "above the customer's risk level"),
}
"""Why a pair is refused, by code; 0 means that it may be recommended. The first reason that applies counts."""
OFF_SALE, OUT_OF_STOCK, NEVER, OWNED, NOT_ASSESSED, EXPIRED, TOO_RISKY = REASONS


@dataclass(frozen=True)
class Eligibility:
    """The limits in force at an instant, ready to be asked about any pairs."""

    limits: Eligible
    past: Past
    shelf: Shelf
    people: People
    never: BoolArray

    def refusals(self, person: IntArray, item: IntArray) -> IntArray:
        """The code of the reason for which each pair is refused, 0 where it is not [n]."""
        shelf, limits = self.shelf, self.limits
        found = np.zeros(person.size, dtype=np.int64)
        checks: list[tuple[int, BoolArray]] = [(OFF_SALE, ~shelf.on_sale[item])]
        if limits.stock:
            checks.append((OUT_OF_STOCK, ~shelf.in_stock[item]))
        checks.append((NEVER, self.never[item]))
        if not limits.again:
            checks.append((OWNED, self._owned(person, item)))
        if limits.risk:
            checks += self._risks(person, item)
        for code, refused in checks:
            found[(found == 0) & refused] = code
        return found

    def allows(self, person: IntArray, item: IntArray) -> BoolArray:
        """Whether each pair may be recommended [n]."""
        allowed: BoolArray = self.refusals(person, item) == 0
        return allowed

    def _owned(self, person: IntArray, item: IntArray) -> BoolArray:
        """Bought before, and its term, where it has one, not yet over."""
        days = self.past.of("last_days", person, item)
        term = np.nan_to_num(self.shelf.term_days[item], nan=np.inf)
        owned: BoolArray = ~np.isnan(days) & ~(days >= term)
        return owned

    def _risks(self, person: IntArray, item: IntArray) -> list[tuple[int, BoolArray]]:
        risk: FloatArray = self.shelf.risk[item]
        asked = ~np.isnan(risk)
        level, tested = self.people.risk_level[person], self.people.tested_days[person]
        expired = asked & (tested > self.limits.assessed_within_days)
        return [
            (NOT_ASSESSED, asked & np.isnan(level)),
            (EXPIRED, expired),
            (TOO_RISKY, asked & (level < risk)),
        ]
