"""What the simulated bank sells: wealth products with term, risk level and a window of sale, new ones every month."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from aimwell.simulation.bank.people import END, OFFSET, START
from aimwell.simulation.chance import Floats, Integers, Texts
from aimwell.simulation.records import canonical, ids, utc

NEVER_ENDS = 100_000  # a day that does not come
OPEN_ENDED = 0  # term of products that can be sold at any time
_KINDS: tuple[tuple[str, str, tuple[int, ...], tuple[int, ...]], ...] = (
    ("cash_management", "现金管理", (1, 2), (OPEN_ENDED,)),
    ("fixed_income", "固定收益", (2, 3), (30, 90, 180, 365)),
    ("mixed", "混合", (3, 4), (90, 180, 365)),
    ("equity_fund", "权益基金", (4, 5), (OPEN_ENDED,)),
)


class Issue(NamedTuple):
    """One product as it is planned; `since` and `until` in days since START."""

    category: str
    name: str
    risk: int
    term: int
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """Arrays with one entry per product; windows are days since START, half-open (`until` far ahead: open-ended)."""

    ids: Texts
    name: Texts
    category: Texts
    risk: Integers
    term: Integers
    since: Integers
    until: Integers
    least: Floats
    rate: Floats

    def choose(self, chance: np.random.Generator, day: int, *, risk: int, term: int) -> int | None:
        """A product on sale that day, within the risk level, preferably of that term; None if there is none."""
        possible = np.flatnonzero((self.since <= day) & (day < self.until) & (self.risk <= risk))
        if not len(possible):
            return None
        far = np.abs(np.log((self.term[possible] + 15) / (term + 15)))
        weight = np.exp(-1.6 * far) * np.where(self.risk[possible] == risk, 1.5, 1.0)
        return int(chance.choice(possible, p=weight / weight.sum()))

    def table(self) -> pa.Table:
        """The canonical product table; a product is known from a week before its sale starts."""
        limited = self.until < NEVER_ENDS
        until = utc(START + self.until.astype("timedelta64[D]"), np.zeros(len(self.ids), np.int64), OFFSET)
        since = utc(START + self.since.astype("timedelta64[D]"), np.zeros(len(self.ids), np.int64), OFFSET)
        details = [
            json.dumps({"least": float(least), "rate": float(rate)})
            for least, rate in zip(self.least, self.rate, strict=True)
        ]
        return canonical(
            "product",
            {
                "product_id": self.ids,
                "name": self.name,
                "category": self.category,
                "department": np.full(len(self.ids), "wealth", dtype=object),
                "price": self.least,
                "risk_level": self.risk,
                "term_days": np.where(self.term == OPEN_ENDED, np.nan, self.term.astype(np.float64)),
                "available_since": since,
                "available_until": np.where(limited, until, np.datetime64("NaT")),
                "properties": np.asarray(details, dtype=object),
                "known_at": since - np.timedelta64(7, "D"),
            },
        )


def draw_shelf(chance: np.random.Generator) -> Shelf:
    """Eight open-ended products that have long been there; six new ones a month, on sale for four to eight weeks."""
    issues: list[Issue] = []
    for category, name, risks, terms in _KINDS:
        if OPEN_ENDED in terms:
            issues += [Issue(category, name, risk, OPEN_ENDED, -400, NEVER_ENDS) for risk in risks for _ in range(2)]
    last = int((END - START).astype(int))
    limited = [kind for kind in _KINDS if OPEN_ENDED not in kind[3]]
    for month in range(-30, last, 30):
        for category, name, risks, terms in (limited[i] for i in (0, 0, 0, 0, 1, 1)):
            since = month + int(chance.integers(0, 20))
            until = since + int(chance.integers(28, 57))
            issues.append(Issue(category, name, int(chance.choice(risks)), int(chance.choice(terms)), since, until))
    levels = np.asarray([issue.risk for issue in issues], dtype=np.int64)
    return Shelf(
        ids=ids("W", len(issues)),
        name=np.asarray([f"{issue.name}{number:03d}号" for number, issue in enumerate(issues, 1)], dtype=object),
        category=np.asarray([issue.category for issue in issues], dtype=object),
        risk=levels,
        term=np.asarray([issue.term for issue in issues], dtype=np.int64),
        since=np.asarray([issue.since for issue in issues], dtype=np.int64),
        until=np.asarray([issue.until for issue in issues], dtype=np.int64),
        least=chance.choice([1_000.0, 5_000.0, 10_000.0, 50_000.0], size=len(issues), p=[0.3, 0.3, 0.3, 0.1]),
        rate=np.round(0.012 + 0.008 * levels + chance.normal(0, 0.002, len(issues)), 4),
    )
