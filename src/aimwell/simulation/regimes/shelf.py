"""What a company of a regime sells: products by line, with themes in their names and windows of sale."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from aimwell.simulation.app.draws import uniform, whole
from aimwell.simulation.chance import Booleans, Floats, Integers, Texts
from aimwell.simulation.records import canonical, ids, utc
from aimwell.simulation.regimes.people import THEMES, Small
from aimwell.simulation.regimes.regime import Business

OFFSET = 8 * 3_600
"""The market runs on one clock, that of Asia/Shanghai."""
NEVER_ENDS = 100_000
_LAUNCH, _SOLD, _KNOWN_BEFORE = 30, 90, 7


@dataclass(frozen=True, slots=True)
class Shelf:
    """Arrays with one entry per product; money in cents, windows of sale in days, half-open.

    line: place of the line.   theme: place among the line's themes.   risk: 1 to 5 (1 where nothing is at risk).
    term: in days, 0 for none.   fit: [themes of people, products], how well a product suits; 1 in the mean.
    """

    ids: Texts
    name: Texts
    line: Integers
    theme: Integers
    price: Integers
    margin: Integers
    risk: Integers
    term: Integers
    since: Integers
    until: Integers
    fit: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def on_sale(self, day: int) -> Booleans:
        """Which products are sold on a day."""
        return np.asarray((self.since <= day) & (day < self.until))

    def suits(self, theme: Integers | Small, risk: Integers | Small, product: Integers) -> Floats:
        """How well products suit people of these themes and tolerances: 0 above the tolerance."""
        return np.where(self.risk[product] <= risk, self.fit[theme, product], 0.0)

    def table(self, business: Business, first_day: date) -> pa.Table:
        """The canonical product table; new products are known a week before they are sold."""
        limited = self.until < NEVER_ENDS
        days = np.datetime64(first_day)
        since = utc(days + self.since.astype("timedelta64[D]"), np.zeros(len(self), np.int64), OFFSET)
        until = utc(days + self.until.astype("timedelta64[D]"), np.zeros(len(self), np.int64), OFFSET)
        themes = [business.lines[line].themes[theme] for line, theme in zip(self.line, self.theme, strict=True)]
        risky = np.asarray([bool(business.lines[line].risks) for line in self.line])
        names = [business.lines[line].name for line in self.line]
        return canonical(
            "product",
            {
                "product_id": self.ids,
                "name": self.name,
                "category": np.asarray(names, dtype=object),
                "price": self.price / 100,
                "margin": self.margin / 100,
                "risk_level": np.where(risky, self.risk.astype(np.float64), np.nan),
                "term_days": np.where(self.term > 0, self.term.astype(np.float64), np.nan),
                "available_since": since,
                "available_until": np.where(limited, until, np.datetime64("NaT")),
                "properties": np.asarray(
                    [json.dumps({"theme": each, "simulated": True}, ensure_ascii=False) for each in themes],
                    dtype=object,
                ),
                "known_at": since - np.timedelta64(_KNOWN_BEFORE, "D"),
            },
        )


def draw_shelf(seed: int, business: Business, *, taste: float, days: int) -> Shelf:
    """Four products of each line for good, the first of them of risk 1; every 30 days a new one, sold for 90 days."""
    launches = 1 + max(days - 1, 0) // _LAUNCH
    per_line = THEMES + launches
    line = np.repeat(np.arange(len(business.lines)), per_line)
    number = np.tile(np.arange(per_line), len(business.lines))
    place = np.arange(len(line))
    new = number >= THEMES
    begins = (number - THEMES) * _LAUNCH + whole(uniform(seed, "launch", place), _LAUNCH)
    drawn = whole(uniform(seed, "product/theme", place), THEMES)
    theme = np.where(new, drawn, number)
    risk, term = _ladders(seed, business, line, number)
    prices = np.asarray([each.price for each in business.lines])[line] * (0.7 + 0.6 * uniform(seed, "price", place))
    named = [
        f"{business.lines[which].themes[about]}{business.lines[which].label.zh}{count + 1:02d}号"
        for which, about, count in zip(line, theme, number, strict=True)
    ]
    likes = np.arange(THEMES)[:, None] == theme[None, :]
    return Shelf(
        ids=ids("P", len(line)),
        name=np.asarray(named, dtype=object),
        line=line,
        theme=theme,
        price=(np.round(prices) * 100).astype(np.int64),
        margin=(np.asarray([each.margin for each in business.lines])[line] * 100).round().astype(np.int64),
        risk=risk,
        term=term,
        since=np.where(new, begins, -400),
        until=np.where(new, begins + _SOLD, NEVER_ENDS),
        fit=np.where(likes, 1 + taste, 1 - taste / (THEMES - 1)),
    )


def _ladders(seed: int, business: Business, line: Integers, number: Integers) -> tuple[Integers, Integers]:
    """Risk and term of each product; the first product of a line has the first risk, which is 1."""
    place = np.arange(len(line))
    first, second = uniform(seed, "product/risk", place), uniform(seed, "product/term", place)
    risk, term = np.ones(len(line), dtype=np.int64), np.zeros(len(line), dtype=np.int64)
    for which, each in enumerate(business.lines):
        own = line == which
        if each.risks:
            drawn = np.asarray(each.risks)[whole(first[own], len(each.risks))]
            risk[own] = np.where(number[own] == 0, each.risks[0], drawn)
        if each.terms:
            term[own] = np.asarray(each.terms)[whole(second[own], len(each.terms))]
    return risk, term
